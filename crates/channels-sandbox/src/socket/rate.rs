//! A limit on how fast a client may send.

use tokio::time::Instant;

use crate::config::RateLimit;

/// Messages counted in fixed windows.
#[derive(Debug)]
pub(crate) struct Rate {
    limit: RateLimit,
    start: Instant,
    messages: u32,
}

impl Rate {
    pub(crate) const fn new(limit: RateLimit, now: Instant) -> Self {
        Self { limit, start: now, messages: 0 }
    }

    /// Counts a message; false if it is over the limit.
    pub(crate) fn admits(&mut self, now: Instant) -> bool {
        if now >= self.start + self.limit.per {
            self.start = now;
            self.messages = 0;
        }
        self.messages = self.messages.saturating_add(1);
        self.messages <= self.limit.messages
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_new_window_admits_again() {
        let start = Instant::now();
        let mut rate = Rate::new(RateLimit { messages: 2, per: Duration::from_secs(60) }, start);
        let admitted = [0, 1, 59, 60, 61, 62].map(|second| rate.admits(start + Duration::from_secs(second)));
        assert_eq!(admitted, [true, true, false, true, true, false]);
    }
}
