//! What waits for one consumer.

use channels_proto::ConnectionState;

use super::event::ChannelEvent;
use crate::{
    Item, QueueLimits,
    delivery::{Entry, Queue},
};

/// What waits for one consumer, and the state of the connection that it knows of.
#[derive(Debug)]
pub(super) struct Backlog {
    queue: Queue<ChannelEvent>,
    known: ConnectionState,
}

impl Backlog {
    pub(super) fn new(limits: QueueLimits) -> Self {
        Self { queue: Queue::new(limits), known: ConnectionState::Disconnected }
    }

    /// The consumer knows of this state without having been told here.
    pub(super) const fn know(&mut self, state: ConnectionState) {
        self.known = state;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Returns how many events had to be dropped.
    pub(super) fn push(&mut self, entry: Entry<ChannelEvent>) -> u64 {
        self.queue.push(entry, &mut Vec::new())
    }

    pub(super) fn pop(&mut self) -> Option<Item<ChannelEvent>> {
        let item = self.queue.pop()?.item;
        if let Item::StateChanged { to, .. } = item {
            self.known = to;
        }
        Some(item)
    }

    pub(super) fn clear(&mut self) {
        self.queue.take_all();
    }

    /// Drops what waits. A consumer that knows of a connection will be told that there is none.
    pub(super) fn end_session(&mut self) {
        self.clear();
        if self.known != ConnectionState::Disconnected {
            let report = Item::StateChanged { from: self.known, to: ConnectionState::Disconnected };
            self.push(Entry::report(report));
        }
    }
}
