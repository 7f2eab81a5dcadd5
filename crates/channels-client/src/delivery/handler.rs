//! The consumer as a function: called on the runtime's pool for blocking work, one call at a time, and with no thread
//! held while there is nothing to deliver.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
};

use channels_proto::ConnectionState;

use super::{
    core::{Core, Wake},
    entry::Entry,
    slot::{Handler, InHand},
};
use crate::Item;

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
        if is_set && known != ConnectionState::Disconnected && !shared.end_is_queued {
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

    pub(super) fn deliver(self: &Arc<Self>, wake: Wake) {
        match wake {
            Wake::Nobody => {}
            Wake::Stream(waker) => waker.wake(),
            Wake::Handler => self.run_handler(),
        }
    }

    fn run_handler(self: &Arc<Self>) {
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
                shared.handler.in_hand = Some(InHand::new(event));
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
            Some(in_hand) if in_hand.is_wanted(&item) => {
                shared.put_back(Entry { item, event: in_hand.event }, &mut discarded);
                None
            }
            Some(_) | None => Some(item),
        };
        drop(shared);
        let_go((held, discarded, unwanted));
    }

    fn report_panic(&self, generation: u64, message: String) {
        tracing::warn!("the handler panicked; it is still called");
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
                    self.core.report_panic(current.generation, describe_panic(panic.as_ref()));
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
pub(crate) fn let_go<F>(foreign: F) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(foreign)));
}

/// Returns the message of a panic.
pub(crate) fn describe_panic(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a panic without a message".to_owned())
}
