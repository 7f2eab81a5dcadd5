//! What a test can send to a socket.

use serde::{Deserialize, Serialize};

/// Something to send to a socket verbatim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outbound {
    /// A binary frame.
    Binary(Vec<u8>),
    /// These bytes, without a frame.
    Bytes(Vec<u8>),
    /// A close frame; the connection is then closed as the profile's server does.
    Close {
        /// The close code.
        code: u16,
        /// The reason, cut to 123 bytes.
        #[serde(default)]
        reason: String,
    },
    /// A custom frame.
    Frame(RawFrame),
    /// A WebSocket ping.
    Ping(Vec<u8>),
    /// An unsolicited WebSocket pong.
    Pong(Vec<u8>),
    /// A text frame.
    Text(String),
}

/// A WebSocket frame of which every bit can be chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawFrame {
    /// Whether it is the last fragment of its message.
    pub fin: bool,
    /// The three reserved bits, 0 to 7.
    pub rsv: u8,
    /// 0 to 15: 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong.
    pub opcode: u8,
    /// Whether to mask it, which a server must not do.
    pub masked: bool,
    /// The length claimed in the header, if it is not that of the payload.
    pub claimed_length: Option<u64>,
    /// The payload.
    pub payload: Vec<u8>,
}
