//! What waits in a queue.

use channels_proto::ChannelName;

use crate::Item;

/// One place in the queue.
#[derive(Debug)]
pub(crate) struct Entry<T> {
    pub(super) item: Item<T>,
    /// Set exactly for an [`Item::Event`].
    pub(super) event: Option<EventPlace>,
}

/// What the queue needs to know of an event.
#[derive(Debug)]
pub(super) struct EventPlace {
    pub(super) channel: ChannelName,
    pub(super) bytes: usize,
    pub(super) keep: bool,
}

impl<T> Entry<T> {
    pub(crate) fn event(channel: ChannelName, frame_bytes: usize, keep: bool, item: T) -> Self {
        let bytes = frame_bytes.saturating_add(PLACE_BYTES);
        Self { item: Item::Event(item), event: Some(EventPlace { channel, bytes, keep }) }
    }

    /// Anything but an event.
    pub(crate) const fn report(item: Item<T>) -> Self {
        Self { item, event: None }
    }
}

pub(super) fn is_failure_of<T>(item: &Item<T>, channel: &ChannelName) -> bool {
    matches!(item, Item::SubscriptionFailed { channel: failed, .. } if failed == channel)
}

/// Returns whether it is a report about `channel`.
pub(super) fn is_report_of<T>(item: &Item<T>, channel: &ChannelName) -> bool {
    match item {
        Item::Subscribed { channel: of, .. }
        | Item::Interrupted { channel: of, .. }
        | Item::SubscriptionFailed { channel: of, .. }
        | Item::Suspended { channel: Some(of), .. } => of == channel,
        Item::Coalesced { .. }
        | Item::ConnectionFailed { .. }
        | Item::Event(_)
        | Item::HandlerPanicked { .. }
        | Item::Lagged { .. }
        | Item::ServerError { .. }
        | Item::StateChanged { .. }
        | Item::Suspended { channel: None, .. }
        | Item::Unreadable { .. } => false,
    }
}

pub(super) fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// What an event counts beside its frame; documented at [`QueueLimits::max_bytes`](crate::QueueLimits::max_bytes).
const PLACE_BYTES: usize = 128;
