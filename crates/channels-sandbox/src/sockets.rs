//! Sockets: which of them a command is for, and their state.

use serde::{Deserialize, Serialize};

use crate::ending::Ending;

/// Which sockets a command is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Sockets {
    /// Every open socket.
    #[default]
    All,
    /// Those subscribed to this channel.
    Channel(String),
    /// The socket with this Pusher socket id.
    Id(String),
    /// The socket that was opened last.
    Latest,
}

/// The state of a socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketInfo {
    /// Its number, counted from 1.
    pub number: u64,
    /// Its Pusher socket id.
    pub id: String,
    /// The channels that it is subscribed to; if it has ended, those at the end.
    pub channels: Vec<String>,
    /// Frames received from the client.
    pub frames_received: u64,
    /// Frames written to the client.
    pub frames_sent: u64,
    /// Frames pushed and not yet written.
    pub frames_waiting: u64,
    /// Whether it is stalled: neither read nor written.
    pub stalled: bool,
    /// How it ended; absent while it is open.
    pub ending: Option<Ending>,
}

/// A frame that a client sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedFrame {
    /// The opcode: 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong.
    pub opcode: u8,
    /// Whether it is the last fragment of its message.
    pub fin: bool,
    /// Whether it was masked.
    pub masked: bool,
    /// The length of the payload in bytes.
    pub bytes: usize,
    /// The payload as text, invalid UTF-8 replaced, at most 4,096 bytes of it.
    pub text: String,
    /// Milliseconds since the server was started.
    pub at_millis: u64,
}
