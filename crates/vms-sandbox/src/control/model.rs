//! Requests and answers of the control API.

use channels_sandbox::{Listening, Outbound};
use serde::{Deserialize, Serialize};

use crate::{accounts::TokenStatus, push::PushEvent, sockets::Sockets};

/// `POST /sandbox/cut`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CutRequest {
    /// Which sockets.
    pub sockets: Sockets,
    /// Whether to end the connections with a TCP reset instead of an orderly end of stream.
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
    /// The access token id; if absent, every session.
    pub session: Option<String>,
    /// The reason, shown to the user.
    pub subject: Option<String>,
}

/// `POST /sandbox/token_status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenStatusRequest {
    /// The access token id; if absent, every session.
    #[serde(default)]
    pub session: Option<String>,
    /// Whether the token is accepted from now on.
    pub status: TokenStatus,
}

/// `POST /sandbox/latency`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencyRequest {
    /// The delay before every write to a socket, in milliseconds.
    pub millis: u64,
}

/// `POST /sandbox/listening`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListeningRequest {
    /// How new connections are treated. `refuse` also refuses the control API from then on.
    pub listening: Listening,
}

/// The answer of the commands for sockets or sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    /// The sockets affected; of commands for sessions, the sessions.
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
    /// The event name under which it is usually sent.
    pub event: PushEvent,
    /// The default body.
    pub data: serde_json::Value,
}
