//! What becomes of a channel's items when the caller unsubscribes or replaces it.

use std::sync::Arc;

use channels_proto::{ChannelName, SubscribeError, Time};

use super::{
    core::Core,
    entry::{Entry, is_failure_of},
};

impl<T: Send + 'static> Core<T> {
    /// Forgets `channel`, its events that are on their way, and what is still to be told of it.
    pub(crate) fn unsubscribe(&self, channel: &ChannelName) {
        let mut shared = self.lock();
        let Some(version) = shared.intent.unsubscribe(channel) else {
            return;
        };
        shared.muted.mute(channel.clone(), version);
        let is_of = |entry: &Entry<T>| {
            entry.event.as_ref().is_some_and(|event| event.channel.as_ref() == Some(channel))
                || entry.item.channel() == Some(channel)
        };
        let discarded = shared.queue.take_if(is_of);
        shared.handler.leave_channel(channel);
        drop(shared);
        self.changed.notify_one();
        drop(discarded);
    }

    /// Puts `new` in place of `old`. Failures of either that are still to be reported are outdated.
    pub(crate) fn replace(
        self: &Arc<Self>,
        old: &ChannelName,
        new: ChannelName,
        since: Time,
        limit: usize,
    ) -> Result<(), SubscribeError> {
        let mut shared = self.lock();
        let channels = [old.clone(), new.clone()];
        shared.intent.replace(old, new, since, limit)?;
        let version = shared.intent.version();
        let is_outdated = |entry: &Entry<T>| channels.iter().any(|channel| is_failure_of(&entry.item, channel));
        let discarded = shared.queue.take_if(is_outdated);
        for channel in channels {
            shared.handler.replace_channel(&channel);
            shared.muted.mute_failures(channel, version);
        }
        drop(shared);
        self.changed.notify_one();
        drop(discarded);
        Ok(())
    }

    /// The task has carried out the intent up to `version`.
    pub(crate) fn carried_out(&self, version: u64) {
        self.lock().muted.carried_out(version);
    }
}
