use std::collections::BTreeMap;

use channels_proto::ChannelName;

use super::entry::{Entry, is_failure_of};

/// What is not delivered until the task has carried out a version of the intent, by channel.
#[derive(Debug, Default)]
pub(super) struct Muted {
    /// Everything, since it was unsubscribed.
    left: BTreeMap<ChannelName, u64>,
    /// Failures to subscribe, since it is tried again in another way.
    failures: BTreeMap<ChannelName, u64>,
}

impl Muted {
    pub(super) fn mute(&mut self, channel: ChannelName, version: u64) {
        self.left.insert(channel, version);
    }

    pub(super) fn mute_failures(&mut self, channel: ChannelName, version: u64) {
        self.failures.insert(channel, version);
    }

    pub(super) fn covers<T>(&self, entry: &Entry<T>) -> bool {
        match &entry.event {
            Some(event) => {
                let is_left = |channel| self.left.contains_key(channel);
                !self.left.is_empty() && event.channel.as_ref().is_some_and(is_left)
            }
            None => {
                self.left.keys().any(|channel| entry.item.channel() == Some(channel))
                    || self.failures.keys().any(|channel| is_failure_of(&entry.item, channel))
            }
        }
    }

    pub(super) fn carried_out(&mut self, version: u64) {
        self.left.retain(|_, muted_at| *muted_at > version);
        self.failures.retain(|_, muted_at| *muted_at > version);
    }
}
