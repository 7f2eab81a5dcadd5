//! Events to publish.

use serde::{Deserialize, Serialize};

/// An event with a channel, a name and data of one's own; nothing is checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawPush {
    /// The channel.
    pub channel: String,
    /// The event name.
    pub event: String,
    /// The data.
    #[serde(default)]
    pub data: RawData,
    /// The id of a socket that is left out.
    #[serde(default)]
    pub except: Option<String>,
}

/// The `data` of a raw event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RawData {
    /// No `data` key.
    #[default]
    Absent,
    /// This JSON text, put into the frame as it stands, even if it is not JSON.
    Bare(String),
    /// A string that holds this text.
    Text(String),
}

/// What became of a push.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivered {
    /// Sockets whose queue took it, counted once a channel.
    pub sockets: usize,
}
