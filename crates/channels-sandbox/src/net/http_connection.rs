//! What request handlers can do with their connection.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use tokio::sync::Notify;

/// What is left to do with a connection once its last response has been sent.
pub(crate) type Sequel = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The connection on which a request arrived. Handlers find it in the request's extensions, in an [`Arc`].
///
/// [`Arc`]: std::sync::Arc
#[derive(Default)]
pub struct HttpConnection {
    /// Reads since the last write: a request that arrived in one piece was one read.
    reads: AtomicU32,
    corked: AtomicBool,
    aborting: Notify,
    sequel: Mutex<Option<Sequel>>,
}

impl fmt::Debug for HttpConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpConnection").finish_non_exhaustive()
    }
}

impl HttpConnection {
    /// Drops the connection, whatever its state. A handler that wants no answer to be sent never returns.
    pub fn abort(&self) {
        self.aborting.notify_one();
    }

    pub(crate) async fn aborted(&self) {
        self.aborting.notified().await;
    }

    pub(crate) fn count_read(&self) {
        self.reads.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn forget_reads(&self) {
        self.reads.store(0, Ordering::Relaxed);
    }

    pub(crate) fn came_in_one_piece(&self) -> bool {
        self.reads.load(Ordering::Relaxed) <= 1
    }

    /// Holds back what is written from now on, until [`Wire::uncork`](super::wire::Wire::uncork).
    pub(crate) fn set_corked(&self, corked: bool) {
        self.corked.store(corked, Ordering::Relaxed);
    }

    pub(crate) fn is_corked(&self) -> bool {
        self.corked.load(Ordering::Relaxed)
    }

    /// Registers something to be done once the response has been sent.
    pub(crate) fn leave(&self, sequel: Sequel) {
        *self.sequel.lock().unwrap_or_else(PoisonError::into_inner) = Some(sequel);
    }

    pub(crate) fn take_sequel(&self) -> Option<Sequel> {
        self.sequel.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
