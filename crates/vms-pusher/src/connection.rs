use std::fmt;

use channels_proto::Printable;
use serde::{Deserialize, Serialize};

/// The state of the connection. It starts as `Disconnected`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// An attempt to connect is in progress.
    Connecting,
    /// The server has established the connection: there is a socket id.
    Connected,
    /// The connection is being closed.
    Disconnecting,
    /// There is no connection and none is requested, or the server refused it for good.
    Disconnected,
    /// The connection was lost or an attempt failed; another attempt follows.
    Reconnecting,
}

impl ConnectionState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Disconnecting => "disconnecting",
            Self::Disconnected => "disconnected",
            Self::Reconnecting => "reconnecting",
        }
    }
}

impl fmt::Display for ConnectionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<channels_proto::ConnectionState> for ConnectionState {
    fn from(state: channels_proto::ConnectionState) -> Self {
        match state {
            channels_proto::ConnectionState::Connecting => Self::Connecting,
            channels_proto::ConnectionState::Connected => Self::Connected,
            channels_proto::ConnectionState::Disconnecting => Self::Disconnecting,
            channels_proto::ConnectionState::Disconnected => Self::Disconnected,
            channels_proto::ConnectionState::Reconnecting => Self::Reconnecting,
        }
    }
}

/// A failure in the communication with the server. The client carries on by itself unless the state is
/// `Disconnected`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PusherError {
    /// The kind of failure, for a program.
    pub kind: PusherErrorKind,
    /// The Pusher code that the server reported, such as 4001; none for everything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// The HTTP status of the server's response; none when the failure is not a response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What happened, at which address, and what may help. It contains no secret.
    pub message: String,
}

impl fmt::Display for PusherError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printable(&self.message).fmt(f)?;
        match self.code.filter(|code| !self.message.contains(&format!("code {code}"))) {
            Some(code) => write!(f, " (code {code})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for PusherError {}

/// The kind of a [`PusherError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PusherErrorKind {
    /// The address of the socket could not be obtained.
    Address,
    /// The host could not be resolved.
    Resolve,
    /// No address of the host could be reached, or the connection was lost before the upgrade was answered.
    Network,
    /// The server's certificate was rejected.
    Certificate,
    /// The TLS handshake failed for another reason.
    Tls,
    /// The server answered the WebSocket upgrade with an HTTP status: see [`PusherError::status`].
    HttpStatus,
    /// The server answered, but is not a WebSocket server.
    NotWebSocket,
    /// The server did not establish the connection in time.
    TimedOut,
    /// The server closed an established connection.
    Closed,
    /// The server closed the socket before it had established the connection.
    ClosedEarly,
    /// The connection was lost.
    Lost,
    /// The server sent a message over the configured limit.
    MessageTooLong,
    /// Nothing more was received.
    Silent,
    /// The server violated the protocol.
    ProtocolViolation,
    /// The server did not acknowledge a subscription.
    Unacknowledged,
    /// The server refused this application or these parameters for good: see [`PusherError::code`].
    Refused,
    /// The VMS refused to authorize a channel: see [`PusherError::status`].
    Denied,
    /// The VMS could not be asked for an authorization, or did not answer, or not in time.
    AuthorizationUnavailable,
    /// The VMS's answer was not an authorization.
    AuthorizationMalformed,
    /// The VMS's authorization is for a different app key than the one in use.
    WrongAppKey,
    /// The Pusher server refused a subscription, or ended it: see [`PusherError::code`] and [`PusherError::status`].
    SubscriptionRejected,
    /// The server sent `pusher:error`: see [`PusherError::code`].
    ServerError,
    /// The delegate panicked.
    DelegatePanicked,
    /// A call of the HTTP API failed.
    Api,
    /// Something else.
    Other,
}
