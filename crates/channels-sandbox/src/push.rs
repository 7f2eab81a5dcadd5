//! Events to publish.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// An event with any channel, name and data; nothing is checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawPush {
    /// The channel.
    pub channel: String,
    /// The event name.
    pub event: String,
    /// The data.
    #[serde(default)]
    pub data: RawData,
    /// The id of a socket to leave out.
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
    /// This JSON text, put into the frame verbatim, even if it is not JSON.
    Bare(String),
    /// A string that contains this text.
    Text(String),
}

impl RawData {
    /// The data of a presence channel's acknowledgement, for [`SocketFault::Acknowledge`](crate::SocketFault::Acknowledge):
    /// these ids, whatever they are, each with an empty `user_info` in the hash.
    #[must_use]
    pub fn presence(ids: &[Value]) -> Self {
        let key = |id: &Value| id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        let hash: Map<_, _> = ids.iter().map(|id| (key(id), json!({}))).collect();
        Self::Text(json!({"presence": {"count": ids.len(), "ids": ids, "hash": hash}}).to_string())
    }
}

/// The result of a push.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivered {
    /// The sockets that it was queued for, counted once per channel.
    pub sockets: usize,
}
