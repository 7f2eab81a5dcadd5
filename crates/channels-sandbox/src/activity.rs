//! What happens in a server, reported for printing.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ending::Ending;

/// Something that happened, for information only: a receiver that lags loses the oldest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Activity {
    /// An event was queued for sockets.
    Pushed {
        /// The application's name for it, otherwise its event name.
        event: String,
        /// The channel.
        channel: String,
        /// The sockets that it was queued for.
        sockets: usize,
    },
    /// A request of the application's API, or of the HTTP API, was answered.
    Request {
        /// The method.
        method: String,
        /// The path.
        path: String,
        /// The status; 0 if a fault left the request unanswered.
        status: u16,
    },
    /// A socket ended.
    SocketEnded {
        /// Its number.
        socket: u64,
        /// How.
        ending: Ending,
    },
    /// A socket was opened: `pusher:connection_established` was sent.
    SocketOpened {
        /// Its number.
        socket: u64,
        /// Its Pusher socket id.
        id: String,
    },
    /// A socket was stalled: it is neither read nor written.
    SocketStalled {
        /// Its number.
        socket: u64,
    },
    /// A subscription was acknowledged.
    Subscribed {
        /// The socket.
        socket: u64,
        /// The channel.
        channel: String,
    },
    /// A subscription was refused.
    SubscriptionRefused {
        /// The socket.
        socket: u64,
        /// The channel.
        channel: String,
    },
    /// The client unsubscribed from a channel.
    Unsubscribed {
        /// The socket.
        socket: u64,
        /// The channel.
        channel: String,
    },
    /// An upgrade was refused.
    UpgradeRefused {
        /// The status; 0 if nothing was answered.
        status: u16,
    },
}

impl fmt::Display for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pushed { event, channel, sockets } => {
                let plural = if *sockets == 1 { "" } else { "s" };
                write!(f, "pushed {event} on {channel} to {sockets} socket{plural}")
            }
            Self::Request { method, path, status } => write!(f, "{method} {path} answered with {status}"),
            Self::SocketEnded { socket, ending } => write!(f, "socket {socket} ended: {ending}"),
            Self::SocketOpened { socket, id } => write!(f, "socket {socket} opened as {id}"),
            Self::SocketStalled { socket } => write!(f, "socket {socket} stalled"),
            Self::Subscribed { socket, channel } => write!(f, "socket {socket} subscribed to {channel}"),
            Self::SubscriptionRefused { socket, channel } => {
                write!(f, "socket {socket} was refused on {channel}")
            }
            Self::Unsubscribed { socket, channel } => write!(f, "socket {socket} unsubscribed from {channel}"),
            Self::UpgradeRefused { status } => write!(f, "upgrade answered with {status}"),
        }
    }
}
