use std::fmt;

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
    /// The Pusher code of what the server reported, such as 4001; none for everything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// What happened, against which address, and what may help. It holds no secret.
    pub message: String,
}

impl fmt::Display for PusherError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.code.filter(|code| !self.message.contains(&format!("code {code}"))) {
            Some(code) => write!(f, " (code {code})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for PusherError {}
