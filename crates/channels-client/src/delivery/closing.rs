//! The end of a session: at once, or as a graceful close, after which the consumer has been told and the server has
//! seen the socket close.

use std::{
    sync::{Arc, MutexGuard},
    time::Duration,
};

use channels_proto::ConnectionState;
use tokio::{task::JoinSet, time::timeout};

use super::{
    core::{Core, Shared},
    entry::Entry,
};
use crate::Item;

impl<T: Send + 'static> Core<T> {
    /// Ends the session: see [`StreamClient::disconnect`](crate::StreamClient::disconnect).
    pub(crate) fn disconnect(self: &Arc<Self>) {
        self.end_session(Self::wait_a_moment_for_call);
    }

    /// Ends the session, and has `wait` wait for a handler's call in progress.
    pub(super) fn end_session<'a>(
        self: &'a Arc<Self>,
        wait: impl FnOnce(&'a Self, MutexGuard<'a, Shared<T>>) -> MutexGuard<'a, Shared<T>>,
    ) {
        let mut shared = self.lock();
        if shared.state == ConnectionState::Disconnected && !shared.intent.is_wanted() {
            return;
        }
        shared.intent.end_session();
        shared.handler.end_session();
        let discarded = shared.queue.take_all();
        (shared.state, shared.socket_id) = (ConnectionState::Disconnected, None);
        if shared.delivered != ConnectionState::Disconnected && !shared.consumer_gone {
            let report = Item::StateChanged { from: shared.delivered, to: ConnectionState::Disconnected };
            // The queue is empty, so nothing has to give way.
            shared.queue.push(Entry::report(report), &mut Vec::new());
            shared.end_is_queued = true;
        }
        let wake = shared.wake();
        drop(wait(self, shared));
        self.changed.notify_one();
        self.deliver(wake);
        drop(discarded);
    }

    /// The task has ended.
    pub(crate) fn end(self: &Arc<Self>) {
        let mut shared = self.lock();
        shared.ended = true;
        (shared.state, shared.socket_id) = (ConnectionState::Disconnected, None);
        let requests = shared.intent.end_requests();
        let wake = shared.wake();
        drop(shared);
        drop(requests);
        self.settling.notify_waiters();
        self.deliver(wake);
        if let Some(tap) = &self.tap {
            tap.end();
        }
    }

    /// Ends the session now; the rest is waited for: see [`StreamClient::close`](crate::StreamClient::close).
    pub(crate) fn close(self: &Arc<Self>, patience: Duration) -> impl Future<Output = bool> + Send + use<T> {
        self.end_session(|_, shared| shared);
        let core = Arc::clone(self);
        let (calls_itself, generation) = {
            let shared = core.lock();
            (shared.handler.is_called_by_this_thread(), shared.handler.generation)
        };
        async move {
            // On the runtime of the client, for the caller may be on another executor.
            let mut waiting = JoinSet::new();
            let settled = Arc::clone(&core).settled(calls_itself);
            waiting.spawn_on(async move { timeout(patience, settled).await }, &core.runtime);
            let _ = waiting.join_next().await;
            core.retire_handler(calls_itself, generation)
        }
    }

    /// Every socket is closed that a disconnect up to this version of the intent has ended.
    pub(crate) fn tell_closed(&self, version: u64) {
        self.lock().closed = version;
        self.settling.notify_waiters();
    }

    async fn settled(self: Arc<Self>, calls_itself: bool) {
        let _waiting = Waiting::new(&self);
        loop {
            let changed = self.settling.notified();
            if self.lock().is_settled(calls_itself) {
                return;
            }
            changed.await;
        }
    }

    /// Drops the handler, unless another one was set since. Returns whether there was nothing left to wait for.
    fn retire_handler(self: &Arc<Self>, calls_itself: bool, generation: u64) -> bool {
        let mut shared = self.lock();
        let is_settled = shared.is_settled(calls_itself);
        let handler = if shared.handler.generation == generation { shared.handler.replace(None) } else { None };
        let wake = shared.wake();
        drop(shared);
        drop(handler);
        self.deliver(wake);
        is_settled
    }
}

impl<T> Shared<T> {
    /// Whether the sockets of the sessions that were ended are closed, and the handler has been told everything. A handler
    /// that `calls_itself` is not waited for.
    fn is_settled(&self, calls_itself: bool) -> bool {
        let is_closed = self.ended || self.closed >= self.intent.ended();
        is_closed && (calls_itself || !self.handler.has_job())
    }
}

/// Counts as waiting as long as it lives.
struct Waiting<T: Send + 'static>(Arc<Core<T>>);

impl<T: Send + 'static> Waiting<T> {
    fn new(core: &Arc<Core<T>>) -> Self {
        core.lock().waiting += 1;
        Self(Arc::clone(core))
    }
}

impl<T: Send + 'static> Drop for Waiting<T> {
    fn drop(&mut self) {
        self.0.lock().waiting -= 1;
    }
}
