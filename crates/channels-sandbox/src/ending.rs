//! How a socket ends.

use std::fmt;

use serde::{Deserialize, Serialize};

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
    /// The server dropped the connection without a close frame, as the profile's server does.
    DroppedByServer,
    /// The client ended the connection without a close frame.
    Lost,
    /// The client read too slowly.
    TooSlow,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClosedByClient { code: Some(code), reason } if reason.is_empty() => {
                write!(f, "closed by the client with {code}")
            }
            Self::ClosedByClient { code: Some(code), reason } => {
                write!(f, "closed by the client with {code}, {reason:?}")
            }
            Self::ClosedByClient { code: None, .. } => f.write_str("closed by the client"),
            Self::ClosedByServer { code, reason } => write!(f, "closed by the server with {code}, {reason:?}"),
            Self::Cut => f.write_str("cut"),
            Self::DroppedByServer => f.write_str("dropped by the server without a close frame"),
            Self::Lost => f.write_str("lost"),
            Self::TooSlow => f.write_str("cut, because the client read too slowly"),
        }
    }
}
