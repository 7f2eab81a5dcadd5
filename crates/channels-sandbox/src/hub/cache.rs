//! The last event of each cache channel.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct Cache {
    events: BTreeMap<String, (Instant, Bytes)>,
    ttl: Duration,
}

impl Cache {
    pub(super) const fn new(ttl: Duration) -> Self {
        Self { events: BTreeMap::new(), ttl }
    }

    pub(super) fn put(&mut self, channel: &str, event: Bytes, now: Instant) {
        self.events.insert(channel.to_owned(), (now, event));
    }

    /// The last event, unless it is older than the time to live.
    pub(super) fn get(&self, channel: &str, now: Instant) -> Option<Bytes> {
        let (since, event) = self.events.get(channel)?;
        (now.duration_since(*since) < self.ttl).then(|| event.clone())
    }
}
