//! The handler's place, and what is known of its calls.

use std::thread::{self, ThreadId};

use channels_proto::{ChannelName, ConnectionState};

use super::entry::{EventPlace, is_failure_of};
use crate::Item;

/// Returns the item when it listens no more.
pub(super) type Handler<T> = Box<dyn FnMut(Item<T>) -> Option<Item<T>> + Send>;

/// The handler's place in the core.
pub(super) struct Slot<T> {
    /// Empty while a job has it.
    pub(super) handler: Option<Handler<T>>,
    /// There is a handler, here or in the hands of a job.
    is_set: bool,
    /// Grows when the handler is replaced, so that a job notices.
    pub(super) generation: u64,
    /// A handler that was set late is told this state before anything else (fault K11).
    pub(super) greeting: Option<ConnectionState>,
    /// A job is running or about to.
    pub(super) job: bool,
    /// The call in progress.
    pub(super) call: Option<(ThreadId, u64)>,
    pub(super) calls: u64,
    /// The call's item goes back into the queue when the handler does not take it.
    pub(super) in_hand: Option<InHand>,
    /// The session of the last call's item.
    pub(super) session: u64,
    pub(super) panic_reported: bool,
}

/// What the queue knew of an item, and what has happened since.
pub(super) struct InHand {
    pub(super) event: Option<EventPlace>,
    /// The channels of which nothing is to be told any more.
    left: Vec<ChannelName>,
    /// The channels of which no failure is to be told any more.
    replaced: Vec<ChannelName>,
}

impl InHand {
    pub(super) const fn new(event: Option<EventPlace>) -> Self {
        Self { event, left: Vec::new(), replaced: Vec::new() }
    }

    /// Returns whether `item`, which this is about, is still to be told.
    pub(super) fn is_wanted<T>(&self, item: &Item<T>) -> bool {
        let is_of = |channel: &ChannelName| match &self.event {
            Some(event) => event.channel.as_ref() == Some(channel),
            None => item.channel() == Some(channel),
        };
        !self.left.iter().any(is_of) && !self.replaced.iter().any(|channel| is_failure_of(item, channel))
    }
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self {
            handler: None,
            is_set: false,
            generation: 0,
            greeting: None,
            job: false,
            call: None,
            calls: 0,
            in_hand: None,
            session: 0,
            panic_reported: false,
        }
    }
}

impl<T> Slot<T> {
    /// Replaces the handler, possibly with none; the caller drops the old one.
    pub(super) fn replace(&mut self, handler: Option<Handler<T>>) -> Option<Handler<T>> {
        self.generation += 1;
        (self.greeting, self.panic_reported) = (None, false);
        self.is_set = handler.is_some();
        std::mem::replace(&mut self.handler, handler)
    }

    /// What the handler was to be told of the session is not told any more.
    pub(super) fn end_session(&mut self) {
        (self.greeting, self.in_hand) = (None, None);
    }

    /// Nothing of `channel` is wanted any more.
    pub(super) fn leave_channel(&mut self, channel: &ChannelName) {
        if let Some(in_hand) = &mut self.in_hand {
            in_hand.left.push(channel.clone());
        }
    }

    /// No failure of `channel` is wanted any more.
    pub(super) fn replace_channel(&mut self, channel: &ChannelName) {
        if let Some(in_hand) = &mut self.in_hand {
            in_hand.replaced.push(channel.clone());
        }
    }

    pub(super) const fn is_set(&self) -> bool {
        self.is_set
    }

    /// Returns whether a job has to be started; then it counts as started.
    pub(super) fn claim_job(&mut self, items: bool) -> bool {
        let start = !self.job && self.handler.is_some() && (items || self.greeting.is_some());
        self.job |= start;
        start
    }

    pub(super) const fn has_job(&self) -> bool {
        self.job
    }

    /// Returns the number of the call in progress.
    pub(super) fn call(&self) -> Option<u64> {
        self.call.map(|(_, number)| number)
    }

    pub(super) fn is_called_by_this_thread(&self) -> bool {
        self.call.is_some_and(|(thread, _)| thread == thread::current().id())
    }

    pub(super) fn call_of_another_thread(&self) -> Option<u64> {
        self.call.filter(|(thread, _)| *thread != thread::current().id()).map(|(_, number)| number)
    }
}
