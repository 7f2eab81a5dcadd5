//! Who is on a channel.

use serde_json::{Map, Value};

use super::event::Info;

/// The subscriptions and the members of a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Occupancy {
    pub(super) subscriptions: usize,
    /// The ids of the members; `None` if it is no presence channel.
    pub(super) users: Option<Vec<String>>,
}

impl Occupancy {
    /// What is asked for, as far as the channel has it.
    pub(super) fn describe(&self, info: Info) -> Value {
        let mut answer = Map::new();
        if let Some(users) = self.users.as_ref().filter(|_| info.user_count) {
            answer.insert("user_count".to_owned(), users.len().into());
        }
        if info.subscription_count {
            answer.insert("subscription_count".to_owned(), self.subscriptions.into());
        }
        Value::Object(answer)
    }
}

pub(super) fn is_presence(channel: &str) -> bool {
    channel.starts_with("presence-")
}
