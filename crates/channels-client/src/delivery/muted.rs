use std::collections::BTreeMap;

use channels_proto::ChannelName;

use super::entry::{Entry, is_failure_of};

/// What is not delivered until the task has carried out a version of the intent, by channel.
#[derive(Debug, Default)]
pub(super) struct Muted {
    /// Events, since it was unsubscribed.
    events: BTreeMap<ChannelName, u64>,
    /// Failures to subscribe, since it is tried again in another way.
    failures: BTreeMap<ChannelName, u64>,
}

impl Muted {
    pub(super) fn mute_events(&mut self, channel: ChannelName, version: u64) {
        self.events.insert(channel, version);
    }

    pub(super) fn mute_failures(&mut self, channel: ChannelName, version: u64) {
        self.failures.insert(channel, version);
    }

    pub(super) fn covers<T>(&self, entry: &Entry<T>) -> bool {
        match &entry.event {
            Some(event) => !self.events.is_empty() && self.events.contains_key(&event.channel),
            None => {
                !self.failures.is_empty() && self.failures.keys().any(|channel| is_failure_of(&entry.item, channel))
            }
        }
    }

    pub(super) fn carried_out(&mut self, version: u64) {
        self.events.retain(|_, muted_at| *muted_at > version);
        self.failures.retain(|_, muted_at| *muted_at > version);
    }
}
