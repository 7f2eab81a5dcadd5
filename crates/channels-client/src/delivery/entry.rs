//! What waits in a queue.

use channels_proto::ChannelName;

use crate::Item;

/// One place in the queue.
#[derive(Clone, Debug)]
pub(crate) struct Entry<T> {
    pub(crate) item: Item<T>,
    /// Set for an [`Item::Event`], and for what is dropped like one.
    pub(crate) event: Option<EventPlace>,
}

/// What the queue needs to know of an event.
#[derive(Clone, Debug)]
pub(crate) struct EventPlace {
    /// None for what belongs to no channel.
    pub(crate) channel: Option<ChannelName>,
    pub(super) bytes: usize,
    pub(super) keep: bool,
}

impl<T> Entry<T> {
    pub(crate) fn event(channel: ChannelName, frame_bytes: usize, keep: bool, item: T) -> Self {
        let bytes = frame_bytes.saturating_add(PLACE_BYTES);
        Self { item: Item::Event(item), event: Some(EventPlace { channel: Some(channel), bytes, keep }) }
    }

    /// What is no event, but may come as often, and is dropped like one. `size` is what it has in bytes.
    pub(crate) fn news(item: Item<T>, size: usize) -> Self {
        let (channel, bytes) = (item.channel().cloned(), size.saturating_add(PLACE_BYTES));
        Self { item, event: Some(EventPlace { channel, bytes, keep: false }) }
    }

    /// What is not dropped.
    pub(crate) const fn report(item: Item<T>) -> Self {
        Self { item, event: None }
    }
}

pub(super) fn is_failure_of<T>(item: &Item<T>, channel: &ChannelName) -> bool {
    matches!(item, Item::SubscriptionFailed { channel: failed, .. } if failed == channel)
}

pub(super) fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// What an event counts beside its frame; documented at [`QueueLimits::max_bytes`](crate::QueueLimits::max_bytes).
const PLACE_BYTES: usize = 128;
