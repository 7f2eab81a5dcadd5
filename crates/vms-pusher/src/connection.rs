use std::fmt;

use channels_proto::Printable;
use serde::{Deserialize, Serialize};

/// The state of the connection. It starts as `Disconnected`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// An attempt is under way.
    Connecting,
    /// The server has established the connection: there is a socket id.
    Connected,
    /// The connection is being closed.
    Disconnecting,
    /// There is no connection and none is wanted, or the server refuses it for good.
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

/// Something went wrong on the way to or from the server. The client goes on by itself unless the state says
/// `Disconnected`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PusherError {
    /// What kind of failure it is, for a program.
    pub kind: PusherErrorKind,
    /// The Pusher code of what the server reported, such as 4001; none for everything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// The HTTP status that the server answered with; none when the failure is no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What happened, against which address, and what may help. It holds no secret.
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

/// What kind of failure a [`PusherError`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PusherErrorKind {
    /// The address of the socket could not be had from the VMS.
    Address,
    /// The host could not be resolved.
    Resolve,
    /// No address of the host could be reached, or the connection broke before the upgrade was answered.
    Network,
    /// The certificate of the server was refused.
    Certificate,
    /// TLS could not be agreed on.
    Tls,
    /// The server answered the WebSocket upgrade with an HTTP status: see [`PusherError::status`].
    HttpStatus,
    /// The server answered, and is no WebSocket server.
    NotWebSocket,
    /// The server did not establish the connection in time.
    TimedOut,
    /// The server closed an established connection.
    Closed,
    /// The server closed the socket before it had established the connection.
    ClosedEarly,
    /// The connection broke.
    Lost,
    /// The server sent a message over the limit set here.
    MessageTooLong,
    /// Nothing was received any more.
    Silent,
    /// The server does not keep to the protocol.
    ProtocolViolation,
    /// The server did not acknowledge a subscription.
    Unacknowledged,
    /// The server refuses this application or these parameters for good: see [`PusherError::code`].
    Refused,
    /// The VMS refused to authorize a channel: see [`PusherError::status`].
    Denied,
    /// The VMS could not be asked for an authorization, or could not answer, or not in time.
    AuthorizationUnavailable,
    /// The VMS answered something else than an authorization.
    AuthorizationMalformed,
    /// The authorization of the VMS is for another app key than the one in use.
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
