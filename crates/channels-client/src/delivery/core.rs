//! What the client's task, the callers' threads and the consumer share: one short mutex around the intent of the callers,
//! the state they see, and the queue. No foreign code runs under it: not a handler, not a waker, not a `Drop` of an item.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use channels_proto::{ConnectionState, SocketId};
use tokio::{runtime::Handle, sync::Notify};

use super::{
    entry::Entry,
    figures::Totals,
    muted::Muted,
    queue::Queue,
    slot::{Handler, Slot},
    tap::Tap,
};
use crate::{
    ClientCounters, Item, QueueLimits,
    intent::{CarriedOut, Intent, Request, Steps},
};

pub(crate) struct Core<T> {
    shared: Mutex<Shared<T>>,
    /// A handler's call has ended.
    pub(super) call_ended: Condvar,
    /// Something that [`close`](Self::close) waits for may have come about.
    pub(super) settling: Notify,
    /// The intent has changed.
    pub(super) changed: Notify,
    pub(super) runtime: Handle,
    /// Gets what is handed over, in place of the queue.
    pub(super) tap: Option<Arc<dyn Tap<T>>>,
}

pub(super) struct Shared<T> {
    pub(super) intent: Intent,
    pub(super) state: ConnectionState,
    pub(super) socket_id: Option<SocketId>,
    pub(super) counters: ClientCounters,
    pub(super) totals: Totals,
    pub(super) queue: Queue<T>,
    /// The state the consumer knows of.
    pub(super) delivered: ConnectionState,
    /// That state belongs to a session that has ended, and the report of its end is still queued.
    pub(super) end_is_queued: bool,
    pub(super) muted: Muted,
    pub(super) handler: Slot<T>,
    waker: Option<Waker>,
    /// Who waits for the end of a handler's call: to wake nobody costs a system call, too.
    pub(super) waiting: usize,
    /// The version of the intent that is carried out with what was handed over last.
    pub(super) handed_over: u64,
    /// Every socket is closed that a disconnect up to this version of the intent has ended.
    pub(super) closed: u64,
    pub(super) consumer_gone: bool,
    /// The task has ended: nothing more will come.
    pub(super) ended: bool,
}

impl<T: Send + 'static> Core<T> {
    pub(crate) fn new(limits: QueueLimits, runtime: Handle, tap: Option<Arc<dyn Tap<T>>>) -> Self {
        let shared = Shared {
            intent: Intent::default(),
            state: ConnectionState::Disconnected,
            socket_id: None,
            counters: ClientCounters::default(),
            totals: Totals::default(),
            queue: Queue::new(limits),
            delivered: ConnectionState::Disconnected,
            end_is_queued: false,
            muted: Muted::default(),
            handler: Slot::default(),
            waker: None,
            waiting: 0,
            handed_over: 0,
            closed: 0,
            consumer_gone: false,
            ended: false,
        };
        let (settling, changed) = (Notify::new(), Notify::new());
        Self { shared: Mutex::new(shared), call_ended: Condvar::new(), settling, changed, runtime, tap }
    }

    pub(crate) fn state(&self) -> ConnectionState {
        self.lock().state
    }

    pub(crate) fn socket_id(&self) -> Option<SocketId> {
        self.lock().socket_id.clone()
    }

    pub(crate) fn counters(&self) -> ClientCounters {
        self.lock().counters
    }

    /// Changes what the callers want; the task will be told.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut Intent) -> R) -> R {
        let result = change(&mut self.lock().intent);
        self.changed.notify_one();
        result
    }

    /// Waits until the intent has changed since the last time this returned.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Looks at the intent. `look` must be short.
    pub(crate) fn intent<R>(&self, look: impl FnOnce(&Intent) -> R) -> R {
        look(&self.lock().intent)
    }

    /// Returns what there is to do since it was `done` last, and what is to be sent after that.
    pub(crate) fn steps(&self, done: &mut CarriedOut) -> Option<(Steps, Vec<Request>)> {
        let mut shared = self.lock();
        let (requests, void) = shared.intent.take_requests();
        let steps = shared.intent.steps(done);
        drop(shared);
        drop(void);
        steps.map(|steps| (steps, requests))
    }

    /// Returns the number of the handler's call in progress, and whether a handler is at work.
    pub(crate) fn handler_at_work(&self) -> (Option<u64>, bool) {
        let shared = self.lock();
        (shared.handler.call(), shared.handler.has_job())
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(task);
    }

    pub(crate) const fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Returns how many there were, with this one.
    pub(super) fn count_decoder_panic(&self) -> u64 {
        let counters = &mut self.lock().counters;
        counters.decoder_panics += 1;
        counters.decoder_panics
    }

    /// Handles the loss of the consumer: drops what is queued; nothing more is queued.
    pub(super) fn leave(&self) {
        let mut shared = self.lock();
        shared.consumer_gone = true;
        let discarded = (shared.queue.take_all(), shared.handler.replace(None), shared.waker.take());
        drop(shared);
        drop(discarded);
    }

    pub(super) fn try_next(&self) -> Option<Item<T>> {
        self.lock().pop_for_stream()
    }

    pub(super) fn poll_batch(&self, cx: &mut Context<'_>, max: usize, batch: &mut Vec<Item<T>>) -> Poll<()> {
        let mut shared = self.lock();
        while batch.len() < max {
            match shared.pop_for_stream() {
                Some(item) => batch.push(item),
                None => break,
            }
        }
        shared.poll_end(cx, !batch.is_empty())
    }

    pub(super) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Item<T>>> {
        let mut shared = self.lock();
        let item = shared.pop_for_stream();
        shared.poll_end(cx, item.is_some()).map(|()| item)
    }

    /// Waits for a handler's call in progress to end, unless it is that call that waits.
    fn wait_for_call<'a>(
        &'a self,
        mut shared: MutexGuard<'a, Shared<T>>,
        patience: Duration,
    ) -> MutexGuard<'a, Shared<T>> {
        let Some(call) = shared.handler.call_of_another_thread() else {
            return shared;
        };
        let still_on = |shared: &mut Shared<T>| shared.handler.call_of_another_thread() == Some(call);
        shared.waiting += 1;
        let waited = self.call_ended.wait_timeout_while(shared, patience, still_on);
        let (mut shared, _) = waited.unwrap_or_else(PoisonError::into_inner);
        shared.waiting -= 1;
        shared
    }

    /// Returns whether the handler is not being called any more, but for the calling thread.
    pub(super) fn is_call_over_within(&self, patience: Duration) -> bool {
        self.wait_for_call(self.lock(), patience).handler.call_of_another_thread().is_none()
    }

    /// Waits a moment for a handler's call in progress to end.
    pub(super) fn wait_a_moment_for_call<'a>(&'a self, shared: MutexGuard<'a, Shared<T>>) -> MutexGuard<'a, Shared<T>> {
        self.wait_for_call(shared, LONGEST_WAIT)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Shared<T>> {
        // Nothing that can panic runs under the lock, and if it did the queue would still be whole.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who has to be woken once the lock is free.
pub(super) enum Wake {
    Nobody,
    Stream(Waker),
    Handler,
}

impl<T> Shared<T> {
    pub(super) fn pop(&mut self) -> Option<Entry<T>> {
        let entry = self.queue.pop()?;
        if let Item::StateChanged { to, .. } = entry.item {
            self.delivered = to;
            self.end_is_queued = false;
        }
        Some(entry)
    }

    /// Two consumers at a time would break the order.
    fn pop_for_stream(&mut self) -> Option<Item<T>> {
        if self.handler.is_set() { None } else { self.pop().map(|entry| entry.item) }
    }

    /// Puts what was popped last back.
    pub(super) fn put_back(&mut self, entry: Entry<T>, dropped: &mut Vec<Entry<T>>) {
        if let Item::StateChanged { from, to } = entry.item {
            self.delivered = from;
            self.end_is_queued = to == ConnectionState::Disconnected;
        }
        let lost = self.queue.put_back(entry, dropped);
        self.counters.dropped_events = self.counters.dropped_events.saturating_add(lost);
    }

    /// Nothing more will come, and nobody else takes what is there.
    fn is_over(&self) -> bool {
        let is_set = self.handler.is_set();
        self.ended && (self.queue.is_empty() || !is_set) || self.is_at_rest() && !is_set
    }

    /// The session that was begun last has ended, and nothing more will come until the caller connects again.
    fn is_at_rest(&self) -> bool {
        let Self { intent, state, .. } = self;
        *state == ConnectionState::Disconnected && intent.has_begun() && !intent.is_connect_newer(self.handed_over)
    }

    pub(super) fn wake(&mut self) -> Wake {
        if self.handler.claim_job(!self.queue.is_empty()) {
            return Wake::Handler;
        }
        if (self.queue.is_empty() || self.handler.is_set()) && !self.is_over() {
            return Wake::Nobody;
        }
        self.waker.take().map_or(Wake::Nobody, Wake::Stream)
    }

    /// No job will run any more: after the end, what is left is for the stream.
    pub(super) fn abandon_handler(&mut self) -> (Wake, Option<Handler<T>>) {
        if !self.ended {
            return (Wake::Nobody, None);
        }
        let handler = self.handler.replace(None);
        (self.wake(), handler)
    }

    fn poll_end(&mut self, cx: &mut Context<'_>, got: bool) -> Poll<()> {
        if got || self.is_over() {
            return Poll::Ready(());
        }
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            None => self.waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

/// `disconnect()` returns within this in any state.
const LONGEST_WAIT: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests;
