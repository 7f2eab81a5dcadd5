use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use channels_proto::Time;
use tokio::sync::oneshot;

use super::connection::Connection;
use crate::Clock;

/// The connections of one client that are not in use, and how many are being opened ahead.
pub(super) struct Pool {
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct State {
    idle: Vec<Connection>,
    opening: usize,
    /// Requests that wait for a connection; never more than are being opened.
    waiting: VecDeque<oneshot::Sender<Connection>>,
}

/// Where a request finds its connection.
pub(super) enum Source {
    Idle(Box<Connection>),
    /// One is being opened; the receiver fails when that came to nothing.
    Opening(oneshot::Receiver<Connection>),
    /// Nothing is there: open one.
    None,
}

/// One connection being opened ahead; dropped, it has come to nothing.
pub(super) struct Opening<'a> {
    pool: &'a Pool,
    settled: bool,
}

impl Pool {
    /// `clock` runs on while the device sleeps: the connections do not outlive that.
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { state: Mutex::default(), clock }
    }

    pub(super) fn take(&self) -> Source {
        let now = self.clock.now();
        let mut state = self.lock();
        while let Some(mut connection) = state.idle.pop() {
            if is_usable(&mut connection, now) {
                return Source::Idle(Box::new(connection));
            }
        }
        state.waiting.retain(|waiting| !waiting.is_closed());
        if state.waiting.len() >= state.opening {
            return Source::None;
        }
        let (sender, receiver) = oneshot::channel();
        state.waiting.push_back(sender);
        Source::Opening(receiver)
    }

    /// Takes a connection that is free: a request that waits gets it, else it is kept.
    pub(super) fn put(&self, connection: Connection) {
        self.lock().put(connection, self.clock.now());
    }

    /// Announces that connections will be opened so that `wanted` are there in all.
    pub(super) fn announce(&self, wanted: usize) -> Vec<Opening<'_>> {
        let now = self.clock.now();
        let mut state = self.lock();
        state.idle.retain_mut(|connection| is_usable(connection, now));
        let missing = wanted.min(MAX_IDLE).saturating_sub(state.idle.len() + state.opening);
        state.opening += missing;
        (0..missing).map(|_| Opening { pool: self, settled: false }).collect()
    }

    pub(super) fn clear(&self) {
        let idle = std::mem::take(&mut self.lock().idle);
        drop(idle);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn put(&mut self, mut connection: Connection, now: Time) {
        connection.keep(now);
        while let Some(waiting) = self.waiting.pop_front() {
            match waiting.send(connection) {
                Ok(()) => return,
                Err(back) => connection = back,
            }
        }
        if self.idle.len() < MAX_IDLE {
            self.idle.push(connection);
        }
    }
}

impl Opening<'_> {
    pub(super) fn opened(mut self, connection: Connection) {
        self.settled = true;
        let now = self.pool.clock.now();
        let mut state = self.pool.lock();
        state.opening -= 1;
        state.put(connection, now);
    }
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        let mut state = self.pool.lock();
        state.opening -= 1;
        while state.waiting.len() > state.opening {
            state.waiting.pop_back();
        }
    }
}

/// Returns whether a kept connection can take a request. What is between client and server forgets a connection without a
/// word when it was idle for long, or the device slept, and a request over it would wait for its whole deadline.
fn is_usable(connection: &mut Connection, now: Time) -> bool {
    connection.age(now) < LONGEST_IDLE && connection.is_alive()
}

/// As many as authorizations run in parallel.
const MAX_IDLE: usize = 8;
const LONGEST_IDLE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Stream, TokioClock};

    // N07, Z02: nobody says that a connection is gone when a middlebox has forgotten it, or the device has slept.
    #[tokio::test(start_paused = true)]
    async fn a_connection_that_was_idle_for_a_minute_is_not_used_any_more() {
        let pool = Pool::new(Arc::new(TokioClock::new()));
        let (ours, _theirs) = tokio::io::duplex(1024);
        pool.put(Connection::new(Stream::new(ours)).await.unwrap());
        tokio::time::advance(Duration::from_secs(59)).await;
        let Source::Idle(connection) = pool.take() else { panic!("it is let go of too soon") };
        pool.put(*connection);
        tokio::time::advance(Duration::from_secs(59)).await;
        assert_eq!(pool.announce(1).len(), 0, "its time begins anew");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(matches!(pool.take(), Source::None));
    }
}
