//! A client's message.

use serde_json::Value;

/// A client's message, parsed.
#[derive(Debug)]
pub(crate) struct ClientMessage {
    pub(crate) event: String,
    pub(crate) channel: Option<String>,
    pub(crate) data: Value,
    /// Whether `data` was a string.
    pub(crate) data_was_text: bool,
    /// `data` as it was given, if it was.
    pub(crate) given: Option<Value>,
}

/// Why a text is not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoMessage {
    /// An empty object.
    Empty,
    /// JSON, but without an event name.
    Nameless,
    /// Not JSON.
    NotJson,
}

impl ClientMessage {
    pub(crate) fn parse(text: &str) -> Result<Self, NoMessage> {
        let whole: Value = serde_json::from_str(text).map_err(|_| NoMessage::NotJson)?;
        if whole.as_object().is_some_and(serde_json::Map::is_empty) {
            return Err(NoMessage::Empty);
        }
        let event = whole["event"].as_str().ok_or(NoMessage::Nameless)?.to_owned();
        let channel = whole["channel"].as_str().map(str::to_owned);
        let unwrapped = whole["data"].as_str().and_then(|text| serde_json::from_str(text).ok());
        let data_was_text = whole["data"].is_string();
        let given = whole.get("data").cloned();
        let data = unwrapped.or_else(|| given.clone()).unwrap_or_default();
        Ok(Self { event, channel, data, data_was_text, given })
    }

    pub(crate) fn data_text(&self, key: &str) -> Option<&str> {
        self.data[key].as_str()
    }
}
