//! The consumer as a function that is called: on the runtime's pool for blocking work, one call at a time, and with no
//! thread held while there is nothing to deliver.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::{self, ThreadId},
};

use channels_proto::{ChannelName, ConnectionState};

use super::{
    core::{Core, Wake},
    queue::{Entry, EventPlace},
};
use crate::Item;

/// Returns the item when it listens no more.
pub(super) type Handler<T> = Box<dyn FnMut(Item<T>) -> Option<Item<T>> + Send>;

/// The handler's place in the core.
pub(super) struct Slot<T> {
    /// Empty while a job has it.
    handler: Option<Handler<T>>,
    /// There is a handler, here or in the hands of a job.
    is_set: bool,
    /// Grows when the handler is replaced, so that a job notices.
    generation: u64,
    /// A handler that came late is told this state before anything else (fault K11).
    greeting: Option<ConnectionState>,
    /// A job is running or about to.
    job: bool,
    /// The call in progress.
    call: Option<(ThreadId, u64)>,
    calls: u64,
    /// The call's item goes back into the queue when the handler does not take it.
    in_hand: Option<InHand>,
    /// The session of the last call's item.
    session: u64,
    panic_reported: bool,
}

/// What the queue knew of an item.
struct InHand {
    event: Option<EventPlace>,
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
    /// Puts another handler, or none, in place; the old one is let go by the caller.
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

    /// An event of `channel` is not wanted any more.
    pub(super) fn leave_channel(&mut self, channel: &ChannelName) {
        let place = self.in_hand.as_ref().and_then(|in_hand| in_hand.event.as_ref());
        if place.is_some_and(|event| event.channel == *channel) {
            self.in_hand = None;
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

/// A handler in the hands of a job.
struct Held<T> {
    generation: u64,
    handler: Handler<T>,
}

impl<T: Send + 'static> Core<T> {
    /// Replaces the handler and waits a moment for a call of the old one to end.
    pub(super) fn set_handler(self: &Arc<Self>, handler: Option<Handler<T>>) {
        let mut shared = self.lock();
        let is_set = handler.is_some();
        let old = shared.handler.replace(handler);
        let known = shared.delivered;
        if is_set && known != ConnectionState::Disconnected && !shared.farewell {
            shared.handler.greeting = Some(known);
        }
        let shared = self.wait_a_moment_for_call(shared);
        drop(shared);
        drop(old);
        let wake = self.lock().wake();
        self.deliver(wake);
        // The task looks after the handler.
        self.changed.notify_one();
    }

    pub(super) fn run_handler(self: &Arc<Self>) {
        let job = Job { core: Arc::clone(self), done: false };
        // tokio panics when the operating system refuses a first thread; the next item tries again.
        let _ = catch_unwind(AssertUnwindSafe(|| self.runtime.spawn_blocking(move || job.run())));
    }

    /// Ends the call before and returns the next one to make; none ends the job.
    fn next_call(self: &Arc<Self>, held: &mut Option<Held<T>>) -> Option<Item<T>> {
        let mut shared = self.lock();
        if shared.handler.call.take().is_some() && shared.waiting > 0 {
            self.call_ended.notify_all();
        }
        shared.handler.in_hand = None;
        let mut outdated = None;
        if held.as_ref().is_none_or(|held| held.generation != shared.handler.generation) {
            outdated = held.take();
            let generation = shared.handler.generation;
            *held = shared.handler.handler.take().map(|handler| Held { generation, handler });
        }
        let item = match (&held, shared.handler.greeting.take()) {
            (None, _) => None,
            (Some(_), Some(to)) => Some(Item::StateChanged { from: ConnectionState::Disconnected, to }),
            (Some(_), None) => shared.pop().map(|Entry { item, event }| {
                shared.handler.in_hand = Some(InHand { event });
                item
            }),
        };
        if item.is_some() {
            shared.handler.calls += 1;
            shared.handler.session = shared.intent.session();
            shared.handler.call = Some((thread::current().id(), shared.handler.calls));
        } else {
            shared.handler.handler = held.take().map(|held| held.handler);
            shared.handler.job = false;
            if shared.waiting > 0 {
                self.settling.notify_waiters();
            }
        }
        let wake = if item.is_none() { shared.wake() } else { Wake::Nobody };
        drop(shared);
        let_go(outdated);
        self.deliver(wake);
        item
    }

    /// The handler `held` listens no more, and has not taken `item`.
    fn take_back(&self, held: Held<T>, item: Item<T>) {
        let mut discarded = Vec::new();
        let mut shared = self.lock();
        if shared.handler.generation == held.generation {
            shared.handler.replace(None);
        }
        let in_hand = shared.handler.in_hand.take().filter(|_| !shared.consumer_gone);
        let unwanted = match in_hand {
            Some(InHand { event }) => {
                shared.put_back(Entry { item, event }, &mut discarded);
                None
            }
            None => Some(item),
        };
        drop(shared);
        let_go((held, discarded, unwanted));
    }

    fn report_panic(&self, generation: u64, message: String) {
        tracing::warn!("the handler panicked; it goes on being called");
        let mut dropped = Vec::new();
        let mut shared = self.lock();
        shared.counters.handler_panics = shared.counters.handler_panics.saturating_add(1);
        let current = shared.handler.generation == generation && shared.handler.session == shared.intent.session();
        if current && !shared.consumer_gone && !std::mem::replace(&mut shared.handler.panic_reported, true) {
            shared.queue.push(Entry::report(Item::HandlerPanicked { message }), &mut dropped);
        }
        drop(shared);
        drop(dropped);
    }
}

struct Job<T: Send + 'static> {
    core: Arc<Core<T>>,
    done: bool,
}

impl<T: Send + 'static> Job<T> {
    fn run(mut self) {
        let mut held = None;
        while let Some(item) = self.core.next_call(&mut held) {
            let Some(mut current) = held.take() else { continue };
            match catch_unwind(AssertUnwindSafe(|| (current.handler)(item))) {
                Ok(None) => held = Some(current),
                Ok(Some(item)) => self.core.take_back(current, item),
                Err(panic) => {
                    self.core.report_panic(current.generation, describe(panic.as_ref()));
                    let_go(panic);
                    held = Some(current);
                }
            }
        }
        self.done = true;
    }
}

impl<T: Send + 'static> Drop for Job<T> {
    /// When the runtime shuts down before the job has run.
    fn drop(&mut self) {
        if !self.done {
            let mut shared = self.core.lock();
            shared.handler.job = false;
            self.core.settling.notify_waiters();
            let (wake, handler) = shared.abandon_handler();
            drop(shared);
            let_go(handler);
            self.core.deliver(wake);
        }
    }
}

/// Drops foreign things, whose `Drop` may panic.
fn let_go<F>(foreign: F) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(foreign)));
}

fn describe(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a panic without a message".to_owned())
}
