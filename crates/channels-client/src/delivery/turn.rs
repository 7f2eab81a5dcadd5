//! What the task brings, and how it gets to the consumer.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use channels_proto::{ConnectionState, Event, SocketId};

use super::{
    core::{Core, Wake},
    entry::Entry,
    figures::Tally,
};
use crate::{Decoder, Item};

/// What the task hands over at the end of a turn.
#[derive(Debug)]
pub(crate) struct Turn<T> {
    /// The session it belongs to; that of a session that has been ended is discarded.
    pub(super) session: u64,
    /// The version of the intent that is carried out with it.
    pub(crate) version: u64,
    pub(crate) entries: Vec<Entry<T>>,
    /// The state after it and the socket id that goes with the state, when the state changed.
    pub(crate) state: Option<(ConnectionState, Option<SocketId>)>,
    /// Events that were taken.
    pub(super) events: u32,
}

impl<T: Send + 'static> Turn<T> {
    /// Switches to another session; what is left of the old one is dropped.
    pub(crate) fn begin(&mut self, session: u64) {
        self.clear();
        self.session = session;
    }

    pub(super) fn clear(&mut self) {
        self.state = None;
        self.entries.clear();
    }

    /// Lets go of memory that a burst has left behind.
    pub(super) fn shrink(&mut self, used: usize) {
        if used <= KEPT_CAPACITY && self.entries.capacity() > KEPT_CAPACITY {
            self.entries.shrink_to(KEPT_CAPACITY);
        }
    }

    /// Decodes an event and takes it; returns whether to disconnect after it.
    pub(crate) fn take_event<D>(&mut self, core: &Core<T>, decoder: &mut D, event: Event<'_>) -> bool
    where
        D: Decoder<Item = T>,
    {
        self.events += 1;
        let Ok(decoded) = catch_unwind(AssertUnwindSafe(|| decoder.decode(&event))) else {
            if core.count_decoder_panic() == 1 {
                tracing::warn!("the decoder panicked; the event is lost");
            }
            self.entries.push(Entry::report(Item::Lagged { channel: None, dropped: 1 }));
            return false;
        };
        let frame_bytes = event.frame_bytes();
        self.entries.push(Entry::event(event.into_channel(), frame_bytes, decoded.keep, decoded.item));
        decoded.disconnect
    }
}

impl<T: Send + 'static> Core<T> {
    /// Takes over what a turn of the task brought, and wakes the consumer when it sleeps. `turn` comes back empty. Returns
    /// whether a handler is at work.
    ///
    /// With `more` to come at once, the consumer is not woken until there is much for it: waking and sleeping for
    /// every few events costs it more than the events do. [`wake_consumer`](Self::wake_consumer) has to follow.
    pub(crate) fn hand_over(self: &Arc<Self>, turn: &mut Turn<T>, tally: &Tally, more: bool) -> bool {
        let mut discarded = Vec::new();
        let used = turn.entries.len();
        let mut shared = self.lock();
        shared.counters.protocol = tally.protocol;
        shared.totals.add(tally, std::mem::take(&mut turn.events));
        if turn.session != shared.intent.session() {
            drop(shared);
            turn.clear();
            return false;
        }
        if let Some((state, socket_id)) = turn.state.take() {
            (shared.state, shared.socket_id) = (state, socket_id);
        }
        shared.handed_over = turn.version;
        if let Some(tap) = &self.tap {
            drop(shared);
            tap.take(turn.session, turn.version, &mut turn.entries);
            turn.shrink(used);
            return false;
        }
        for entry in turn.entries.drain(..) {
            if shared.consumer_gone || shared.muted.covers(&entry) {
                discarded.push(entry);
                continue;
            }
            let told = if let Item::Lagged { dropped, .. } = entry.item { dropped } else { 0 };
            let lost = shared.queue.push(entry, &mut discarded).saturating_add(told);
            shared.counters.dropped_events = shared.counters.dropped_events.saturating_add(lost);
        }
        let wake = if more && !shared.queue.is_filling_up() { Wake::Nobody } else { shared.wake() };
        let at_work = shared.handler.has_job();
        drop(shared);
        self.deliver(wake);
        drop(discarded);
        turn.shrink(used);
        at_work
    }

    /// Wakes the consumer when it sleeps and there is something for it. Returns whether a handler is at work.
    pub(crate) fn wake_consumer(self: &Arc<Self>) -> bool {
        let mut shared = self.lock();
        let wake = shared.wake();
        let at_work = shared.handler.has_job();
        drop(shared);
        self.deliver(wake);
        at_work
    }
}

impl<T> Default for Turn<T> {
    fn default() -> Self {
        Self { session: 0, version: 0, entries: Vec::new(), state: None, events: 0 }
    }
}

/// An idle session keeps room for the few entries of an ordinary turn.
const KEPT_CAPACITY: usize = 8;
