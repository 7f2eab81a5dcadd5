//! What happens in a server, reported for printing.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ending::Ending;

/// Something that happened, for information only: a receiver that lags loses the oldest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Activity {
    /// A client event was queued for the other subscribers.
    ClientEvent {
        /// The socket that sent it.
        socket: u64,
        /// The event name.
        event: String,
        /// The channel.
        channel: String,
        /// The sockets that it was queued for.
        sockets: usize,
    },
    /// A user became a member of a presence channel.
    MemberAdded {
        /// The channel.
        channel: String,
        /// The user id.
        user: String,
    },
    /// A user is no member of a presence channel any more.
    MemberRemoved {
        /// The channel.
        channel: String,
        /// The user id.
        user: String,
    },
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
    /// A sign-in was refused.
    SignInRefused {
        /// The socket.
        socket: u64,
    },
    /// A user signed in.
    SignedIn {
        /// The socket.
        socket: u64,
        /// The user id.
        user: String,
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
        let plural = |sockets: usize| if sockets == 1 { "" } else { "s" };
        match self {
            Self::ClientEvent { socket, event, channel, sockets } => {
                let plural = plural(*sockets);
                write!(f, "socket {socket} sent {event} on {channel} to {sockets} socket{plural}")
            }
            Self::MemberAdded { channel, user } => write!(f, "user {user} joined {channel}"),
            Self::MemberRemoved { channel, user } => write!(f, "user {user} left {channel}"),
            Self::Pushed { event, channel, sockets } => {
                let plural = plural(*sockets);
                write!(f, "pushed {event} on {channel} to {sockets} socket{plural}")
            }
            Self::SignInRefused { socket } => write!(f, "socket {socket} was refused to sign in"),
            Self::SignedIn { socket, user } => write!(f, "socket {socket} signed in as {user}"),
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
