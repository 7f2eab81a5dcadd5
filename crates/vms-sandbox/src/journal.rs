//! What is remembered of requests, and what is told to whoever listens.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{sync::broadcast, time::Instant};

use crate::{Activity, RequestRecord};

#[derive(Debug)]
pub(crate) struct Journal {
    start: Instant,
    requests: Mutex<Requests>,
    upgrades: AtomicU64,
    activity: broadcast::Sender<Activity>,
}

#[derive(Debug, Default)]
struct Requests {
    last: VecDeque<RequestRecord>,
    counts: BTreeMap<String, u64>,
}

impl Journal {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            requests: Mutex::default(),
            upgrades: AtomicU64::new(0),
            activity: broadcast::Sender::new(ACTIVITY),
        }
    }

    /// Milliseconds since the sandbox was started.
    pub(crate) fn millis(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Tells whoever listens; nobody may.
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

    pub(crate) fn record(&self, record: RequestRecord) {
        self.tell(Activity::Request {
            method: record.method.clone(),
            path: record.path.clone(),
            status: record.status,
        });
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let place = format!("{} {}", record.method, without_numbers(&record.path));
        if requests.counts.len() < MAX_PLACES || requests.counts.contains_key(&place) {
            *requests.counts.entry(place).or_default() += 1;
        }
        requests.last.push_back(record);
        if requests.last.len() > MAX_REQUESTS {
            requests.last.pop_front();
        }
    }

    pub(crate) fn requests(&self) -> Vec<RequestRecord> {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.last.iter().cloned().collect()
    }

    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).counts.clone()
    }
}

/// The path with `{id}` in the place of every number.
fn without_numbers(path: &str) -> String {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = path.split('/').map(|part| if is_number(part) { "{id}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

const ACTIVITY: usize = 1_024;
const MAX_REQUESTS: usize = 1_024;
const MAX_PLACES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_place_with_ids_taken_out() {
        assert_eq!(without_numbers("/api/v1/cameras/17/sync-groups"), "/api/v1/cameras/{id}/sync-groups");
        assert_eq!(without_numbers("/api/v1/wsurl"), "/api/v1/wsurl");
    }
}
