//! Requests and answers of the control API.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Listening, Profile};

/// Which sockets a command is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sockets {
    /// Every open socket.
    #[default]
    All,
    /// The socket with this Pusher socket id.
    Id(String),
    /// The socket that was opened last.
    Latest,
    /// Those subscribed to `private-token.{access_token_id}`.
    Session(String),
    /// Those subscribed to `private-user.{user_id}`.
    User(i64),
}

/// Something to send to a socket as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outbound {
    /// A binary frame.
    Binary(Vec<u8>),
    /// These bytes, no frame around them.
    Bytes(Vec<u8>),
    /// A close frame; the connection is then closed as the profile does.
    Close {
        /// The close code.
        code: u16,
        /// The reason, cut to 123 bytes.
        #[serde(default)]
        reason: String,
    },
    /// A frame of one's own.
    Frame(RawFrame),
    /// A WebSocket ping.
    Ping(Vec<u8>),
    /// A WebSocket pong that nobody asked for.
    Pong(Vec<u8>),
    /// A text frame.
    Text(String),
}

/// A WebSocket frame whose every bit is chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawFrame {
    /// The last fragment of its message.
    pub fin: bool,
    /// The three reserved bits, 0 to 7.
    pub rsv: u8,
    /// 0 to 15: 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong.
    pub opcode: u8,
    /// Mask it, which a server must not do.
    pub masked: bool,
    /// The length that the header claims, when it is not that of the payload.
    pub claimed_length: Option<u64>,
    /// The payload.
    pub payload: Vec<u8>,
}

/// `POST /sandbox/cut`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CutRequest {
    /// Which sockets.
    pub sockets: Sockets,
    /// End the connection with a reset in place of an orderly end of stream.
    pub reset: bool,
}

/// `POST /sandbox/stall` and `POST /sandbox/resume`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SocketsRequest {
    /// Which sockets.
    pub sockets: Sockets,
}

/// `POST /sandbox/close`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseRequest {
    /// Which sockets.
    #[serde(default)]
    pub sockets: Sockets,
    /// The close code.
    pub code: u16,
    /// The reason.
    #[serde(default)]
    pub reason: String,
}

/// `POST /sandbox/send`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendRequest {
    /// Which sockets.
    #[serde(default)]
    pub sockets: Sockets,
    /// What to send.
    pub what: Outbound,
}

/// `POST /sandbox/logout`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogoutRequest {
    /// The access token id; absent: every session.
    pub session: Option<String>,
    /// The reason for a person.
    pub subject: Option<String>,
}

/// `POST /sandbox/latency`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencyRequest {
    /// Milliseconds that every write to a socket waits first.
    pub millis: u64,
}

/// `POST /sandbox/listening`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListeningRequest {
    /// What new connections meet. `refuse` also refuses the control API from then on.
    pub listening: Listening,
}

/// The answer of the commands that are for sockets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    /// Sockets concerned.
    pub sockets: usize,
}

/// The answer of a command that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlFailure {
    /// What is wrong.
    pub error: String,
}

/// One row of `GET /sandbox/types`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TypeInfo {
    /// The type.
    #[serde(rename = "type")]
    pub type_: String,
    /// The event name it usually travels under.
    pub event: crate::PushEvent,
    /// The default body.
    pub data: serde_json::Value,
}

/// `GET /sandbox/state`: how things stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxState {
    /// The base URL.
    pub base_url: String,
    /// The socket URL.
    pub socket_url: String,
    /// The application key.
    pub app_key: String,
    /// The profile.
    pub profile: Profile,
    /// The sessions, oldest first.
    pub sessions: Vec<SessionInfo>,
    /// Open sockets, oldest first.
    pub sockets: Vec<SocketInfo>,
    /// Sockets that have ended, oldest first; the last 256.
    pub ended: Vec<SocketInfo>,
    /// Sockets ever opened.
    pub sockets_ever: u64,
    /// WebSocket upgrades asked for, whatever came of them.
    pub upgrades_ever: u64,
    /// Subscriptions a channel; a channel without any is not listed.
    pub channels: BTreeMap<String, usize>,
    /// REST requests answered, by endpoint path (`/api/v1/…`, ids as `{id}`).
    pub requests: BTreeMap<String, u64>,
    /// How often a message brought the whole server down (push1st).
    pub crashes: u64,
}

impl SandboxState {
    /// Sockets subscribed to a channel.
    #[must_use]
    pub fn subscribers(&self, channel: &str) -> usize {
        self.channels.get(channel).copied().unwrap_or(0)
    }
}

/// A login session as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionInfo {
    /// The user.
    pub user_id: i64,
    /// The session's id; its channel is `private-token.{access_token_id}`.
    pub access_token_id: String,
    /// The bearer token.
    pub access_token: String,
    /// Whether the token is accepted.
    pub standing: Standing,
}

/// Whether a session's token is accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Yes.
    #[default]
    Valid,
    /// No: 419.
    Expired,
    /// No: 401.
    Revoked,
}

/// A socket as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketInfo {
    /// Its number, counted from 1.
    pub number: u64,
    /// Its Pusher socket id.
    pub id: String,
    /// The channels it is subscribed to; of an ended socket, was at the end.
    pub channels: Vec<String>,
    /// Frames received from the client.
    pub frames_received: u64,
    /// Frames written to the client.
    pub frames_sent: u64,
    /// Pushed and not yet written.
    pub frames_waiting: u64,
    /// Neither read nor written just now.
    pub stalled: bool,
    /// How it ended; absent while it is open.
    pub ending: Option<Ending>,
}

/// How a socket ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The client sent a close frame.
    ClosedByClient {
        /// Its code, if it had one.
        code: Option<u16>,
        /// Its reason.
        reason: String,
    },
    /// The server sent a close frame.
    ClosedByServer {
        /// Its code.
        code: u16,
        /// Its reason.
        reason: String,
    },
    /// The sandbox was told to drop the connection, or stopped.
    Cut,
    /// The server dropped the connection without a close frame, as the profile does.
    DroppedByServer,
    /// The client ended the connection without a close frame.
    Lost,
    /// The client read too slowly.
    TooSlow,
}

/// A frame that a client sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedFrame {
    /// The opcode: 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong.
    pub opcode: u8,
    /// The last fragment of its message.
    pub fin: bool,
    /// Whether it was masked.
    pub masked: bool,
    /// Bytes of the payload.
    pub bytes: usize,
    /// The payload as text, invalid UTF-8 replaced, at most 4,096 bytes of it.
    pub text: String,
    /// Milliseconds since the sandbox was started.
    pub at_millis: u64,
}

/// A REST request that was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The headers in lower case, in order; `authorization` included, for the tokens are the
    /// sandbox's own.
    pub headers: Vec<(String, String)>,
    /// The status answered; 0 when the fault was to answer nothing.
    pub status: u16,
    /// Milliseconds since the sandbox was started.
    pub at_millis: u64,
}

impl RequestRecord {
    /// The value of a header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}
