//! Members of presence channels.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A member of a presence channel: a user, however many connections of that user are subscribed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The user id; a number as text.
    pub user_id: String,
    /// The `user_info` of the first connection, if it had one.
    pub user_info: Option<Value>,
    /// The subscribed connections of the user.
    pub connections: usize,
}

/// What a connection says of itself when it subscribes to a presence channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Membership {
    /// The whole `channel_data`.
    data: Map<String, Value>,
}

impl Membership {
    /// Of the `channel_data` of a subscribe, which must be an object.
    pub(crate) fn parse(channel_data: &str) -> Option<Self> {
        serde_json::from_str(channel_data).ok().map(|data| Self { data })
    }

    pub(crate) fn new(user_id: Value, user_info: Option<Value>) -> Self {
        let mut data = Map::new();
        data.insert("user_id".to_owned(), user_id);
        if let Some(user_info) = user_info {
            data.insert("user_info".to_owned(), user_info);
        }
        Self { data }
    }

    /// The id as it was given: a string, or a number.
    pub(crate) fn id(&self) -> Option<&Value> {
        self.data.get("user_id").filter(|id| id.is_string() || id.is_number())
    }

    /// The id as text; `None` if there is none.
    pub(crate) fn key(&self) -> Option<String> {
        self.id().map(text)
    }

    pub(crate) fn info(&self) -> Option<&Value> {
        self.data.get("user_info")
    }

    pub(crate) fn data(&self) -> &Map<String, Value> {
        &self.data
    }

    /// With its id as text.
    pub(crate) fn with_text_id(mut self) -> Self {
        if let Some(key) = self.key() {
            self.data.insert("user_id".to_owned(), Value::from(key));
        }
        self
    }
}

/// An id as text.
pub(crate) fn text(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}
