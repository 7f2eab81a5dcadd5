//! Counters, and the activity reported to listeners.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::{sync::broadcast, time::Instant};

use crate::activity::Activity;

#[derive(Debug)]
pub(crate) struct Journal {
    start: Instant,
    upgrades: AtomicU64,
    activity: broadcast::Sender<Activity>,
}

impl Journal {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), upgrades: AtomicU64::new(0), activity: broadcast::Sender::new(ACTIVITY) }
    }

    /// Milliseconds since the server was started.
    pub(crate) fn millis(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Reports to the listeners, if there are any.
    pub(crate) fn tell(&self, activity: Activity) {
        tracing::debug!(%activity);
        let _ = self.activity.send(activity);
    }

    pub(crate) fn listen(&self) -> broadcast::Receiver<Activity> {
        self.activity.subscribe()
    }

    pub(crate) fn count_upgrade(&self) {
        self.upgrades.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn upgrades(&self) -> u64 {
        self.upgrades.load(Ordering::Relaxed)
    }
}

const ACTIVITY: usize = 1_024;
