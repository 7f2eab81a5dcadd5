use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use super::connection::Connection;

/// The connections of one client that are not in use, and how many are being opened ahead.
#[derive(Default)]
pub(super) struct Pool(Mutex<State>);

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
    pub(super) fn take(&self) -> Source {
        let mut state = self.lock();
        while let Some(mut connection) = state.idle.pop() {
            if connection.is_alive() {
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
        self.lock().put(connection);
    }

    /// Announces that connections will be opened so that `wanted` are there in all.
    pub(super) fn announce(&self, wanted: usize) -> Vec<Opening<'_>> {
        let mut state = self.lock();
        state.idle.retain_mut(Connection::is_alive);
        let missing = wanted.min(MAX_IDLE).saturating_sub(state.idle.len() + state.opening);
        state.opening += missing;
        (0..missing).map(|_| Opening { pool: self, settled: false }).collect()
    }

    pub(super) fn clear(&self) {
        let idle = std::mem::take(&mut self.lock().idle);
        drop(idle);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn put(&mut self, mut connection: Connection) {
        connection.keep();
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
        let mut state = self.pool.lock();
        state.opening -= 1;
        state.put(connection);
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

/// As many as authorizations run in parallel.
const MAX_IDLE: usize = 8;
