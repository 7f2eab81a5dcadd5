use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{Mutex as AsyncMutex, watch};
use tokio::task::AbortHandle;

/// The connections that there are, and what they have done.
pub(super) struct Registry {
    connections: Mutex<BTreeMap<u64, Connection>>,
    next: AtomicU64,
    resumed: AtomicUsize,
    pings: AtomicUsize,
    pub(super) acknowledged: watch::Sender<usize>,
}

/// One connection: plain HTTP until it is upgraded.
struct Connection {
    task: AbortHandle,
    session: Option<Arc<Session>>,
}

/// The writing end of a WebSocket connection.
pub(super) struct Session {
    writer: AsyncMutex<Box<dyn AsyncWrite + Send + Unpin>>,
}

impl Session {
    pub(super) fn new(writer: impl AsyncWrite + Send + Unpin + 'static) -> Self {
        Self { writer: AsyncMutex::new(Box::new(writer)) }
    }

    pub(super) async fn write(&self, bytes: &[u8]) -> Result<()> {
        let mut writer = self.writer.lock().await;
        writer.write_all(bytes).await?;
        Ok(writer.flush().await?)
    }
}

impl Registry {
    pub(super) fn new_id(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn begin(&self, id: u64, task: AbortHandle) {
        self.lock().insert(id, Connection { task, session: None });
    }

    pub(super) fn upgrade(&self, id: u64, session: &Arc<Session>) {
        if let Some(connection) = self.lock().get_mut(&id) {
            connection.session = Some(Arc::clone(session));
        }
    }

    pub(super) fn end(&self, id: u64) {
        self.lock().remove(&id);
    }

    pub(super) fn end_all(&self) {
        for (_, connection) in std::mem::take(&mut *self.lock()) {
            connection.task.abort();
        }
    }

    pub(super) fn cut(&self) {
        self.lock().retain(|_, connection| {
            let is_session = connection.session.is_some();
            if is_session {
                connection.task.abort();
            }
            !is_session
        });
    }

    pub(super) fn sessions(&self) -> Vec<Arc<Session>> {
        self.lock().values().filter_map(|connection| connection.session.clone()).collect()
    }

    pub(super) fn acknowledge(&self) {
        self.acknowledged.send_modify(|count| *count += 1);
    }

    pub(super) fn count_resumed(&self) {
        self.resumed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn resumed(&self) -> usize {
        self.resumed.load(Ordering::Relaxed)
    }

    pub(super) fn count_ping(&self) {
        self.pings.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn pings(&self) -> usize {
        self.pings.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Connection>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self {
            connections: Mutex::default(),
            next: AtomicU64::new(1),
            resumed: AtomicUsize::new(0),
            pings: AtomicUsize::new(0),
            acknowledged: watch::Sender::new(0),
        }
    }
}
