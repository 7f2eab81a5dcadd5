//! The bounded queue behind one stream.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use super::{backlog::Backlog, event::ChannelEvent, status::Status, wants::Wants};
use crate::{Item, QueueLimits, delivery::Entry};

/// What waits for one stream, and who is to be woken. Its lock is held for moments only, and by nobody else's consumer.
#[derive(Debug)]
pub(super) struct Mailbox {
    wants: Wants,
    status: Arc<Status>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    backlog: Backlog,
    waker: Option<Waker>,
    reading: Reading,
    /// Events that were dropped because the stream is read too slowly.
    dropped: u64,
}

/// Whether what comes is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// It is kept for the first read.
    Expected,
    /// It is not: callbacks are told instead.
    NotExpected,
    Begun,
    /// Nothing more will come.
    Over,
}

impl Mailbox {
    pub(super) fn new(wants: Wants, limits: QueueLimits, status: Arc<Status>) -> Self {
        let inner = Inner { backlog: Backlog::new(limits), waker: None, reading: Reading::Expected, dropped: 0 };
        Self { wants, status, inner: Mutex::new(inner) }
    }

    /// Takes a copy of `entry` if it is wanted; returns whom to wake.
    pub(super) fn push(&self, entry: &Entry<ChannelEvent>) -> Option<Waker> {
        if !self.wants.cover(&entry.item) {
            return None;
        }
        let mut inner = self.lock();
        if matches!(inner.reading, Reading::NotExpected | Reading::Over) {
            return None;
        }
        let dropped = inner.backlog.push(entry.clone());
        inner.dropped = inner.dropped.saturating_add(dropped);
        self.status.count_dropped(dropped);
        inner.waker.take()
    }

    /// Polls for the next item that `take` makes something of; none when everything has been taken and nothing more
    /// comes by itself.
    pub(super) fn poll<R>(
        &self,
        cx: &mut Context<'_>,
        take: impl Fn(Item<ChannelEvent>) -> Option<R>,
    ) -> Poll<Option<R>> {
        let mut inner = self.lock();
        let taken = inner.take(take);
        if taken.is_some() || inner.reading == Reading::Over || self.status.is_at_rest() {
            return Poll::Ready(taken);
        }
        let is_known = inner.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
        let before = if is_known { None } else { inner.waker.replace(cx.waker().clone()) };
        drop(inner);
        // With a waker, whole tasks may be dropped, and what they hold.
        drop(before);
        Poll::Pending
    }

    pub(super) fn try_take<R>(&self, take: impl Fn(Item<ChannelEvent>) -> Option<R>) -> Option<R> {
        self.lock().take(take)
    }

    /// Returns how many events were dropped so far.
    pub(super) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    /// Keeps nothing until the stream is read, if it never was.
    pub(super) fn expect_no_reading(&self) {
        let mut inner = self.lock();
        if inner.reading == Reading::Expected {
            inner.reading = Reading::NotExpected;
            inner.backlog.clear();
        }
    }

    /// Drops what waits, as a disconnect demands; returns whom to wake.
    pub(super) fn end_session(&self) -> Option<Waker> {
        let mut inner = self.lock();
        inner.backlog.end_session();
        inner.waker.take()
    }

    /// Drops what waits; nothing more comes. Returns whom to wake.
    pub(super) fn close(&self) -> Option<Waker> {
        let mut inner = self.lock();
        inner.reading = Reading::Over;
        inner.backlog.clear();
        inner.waker.take()
    }

    /// Has the reader look again.
    pub(super) fn wake(&self) -> Option<Waker> {
        self.lock().waker.take()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn take<R>(&mut self, take: impl Fn(Item<ChannelEvent>) -> Option<R>) -> Option<R> {
        if self.reading != Reading::Over {
            self.reading = Reading::Begun;
        }
        while let Some(item) = self.backlog.pop() {
            if let Some(taken) = take(item) {
                return Some(taken);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicBool, Ordering},
        task::Wake,
    };

    use super::*;

    struct Looking(Arc<Mailbox>, Arc<AtomicBool>);

    impl Wake for Looking {
        fn wake(self: Arc<Self>) {}
    }

    impl Drop for Looking {
        fn drop(&mut self) {
            self.1.store(self.0.inner.try_lock().is_ok(), Ordering::SeqCst);
        }
    }

    // A task that goes with its last waker may hold a handle.
    #[test]
    fn a_waker_is_dropped_where_handles_may_be_dropped() {
        let mailbox = Arc::new(Mailbox::new(Wants::All, QueueLimits::default(), Arc::default()));
        let could_lock = Arc::new(AtomicBool::new(false));
        let waker = Waker::from(Arc::new(Looking(Arc::clone(&mailbox), Arc::clone(&could_lock))));
        assert!(mailbox.poll(&mut Context::from_waker(&waker), Some).is_pending());
        drop(waker);
        assert!(mailbox.poll(&mut Context::from_waker(Waker::noop()), Some).is_pending());
        assert!(could_lock.load(Ordering::SeqCst));
    }
}
