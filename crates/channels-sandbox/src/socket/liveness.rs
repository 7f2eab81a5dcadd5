//! What a server makes of a client's silence. Time comes in as an argument.

use tokio::time::Instant;

use crate::{dialect::habits::Silence, timing::Timing};

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    Ping,
    Prune,
}

#[derive(Clone, Debug)]
pub(crate) struct Liveness {
    silence: Silence,
    timing: Timing,
    last_received: Instant,
    last_traffic: Instant,
    pinged: Option<Instant>,
}

impl Liveness {
    pub(crate) const fn new(silence: Silence, timing: Timing, now: Instant) -> Self {
        Self { silence, timing, last_received: now, last_traffic: now, pinged: None }
    }

    /// A frame of the client came, whatever it was.
    pub(crate) fn received(&mut self, now: Instant) {
        self.last_received = now;
        self.last_traffic = now;
        self.pinged = None;
    }

    /// An event was delivered.
    pub(crate) fn delivered(&mut self, now: Instant) {
        self.last_traffic = now;
    }

    /// The server was deaf until now: the silence was its own.
    pub(crate) fn resumed(&mut self, now: Instant) {
        self.last_received = now;
        self.last_traffic = now;
        self.pinged = self.pinged.map(|_| now);
    }

    /// When something is due next.
    pub(crate) fn deadline(&self) -> Instant {
        match (self.silence, self.pinged) {
            (Silence::Close, _) => self.last_traffic + self.timing.idle_close,
            (Silence::Ping, None) => self.last_received + self.timing.ping_after,
            (Silence::Ping, Some(pinged)) => pinged + self.timing.pong_timeout,
        }
    }

    /// What is due now; a ping is taken to be sent.
    pub(crate) fn take_due(&mut self, now: Instant) -> Due {
        if now < self.deadline() {
            return Due::Nothing;
        }
        if self.silence == Silence::Close || self.pinged.is_some() {
            return Due::Prune;
        }
        self.pinged = Some(now);
        Due::Ping
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::profile::Profile;

    const SECOND: Duration = Duration::from_secs(1);

    /// Messages and delivered events both count.
    #[tokio::test(start_paused = true)]
    async fn push1st_closes_after_twice_the_timeout_without_traffic_either_way() {
        let start = Instant::now();
        let mut liveness = Liveness::new(Silence::Close, Timing::of(Profile::Push1st), start);
        assert_eq!(liveness.take_due(start + 79 * SECOND), Due::Nothing);
        liveness.delivered(start + 79 * SECOND);
        assert_eq!(liveness.take_due(start + 158 * SECOND), Due::Nothing);
        liveness.received(start + 158 * SECOND);
        assert_eq!(liveness.take_due(start + 237 * SECOND), Due::Nothing);
        assert_eq!(liveness.take_due(start + 238 * SECOND), Due::Prune);
    }

    /// L03: what the server sends does not keep a silent client.
    #[tokio::test(start_paused = true)]
    async fn a_pinging_server_counts_only_what_it_receives() {
        let start = Instant::now();
        let mut liveness = Liveness::new(Silence::Ping, Timing::of(Profile::Pusher7), start);
        liveness.delivered(start + 119 * SECOND);
        assert_eq!(liveness.take_due(start + 120 * SECOND), Due::Ping);
        liveness.delivered(start + 149 * SECOND);
        assert_eq!(liveness.take_due(start + 149 * SECOND), Due::Nothing);
        assert_eq!(liveness.take_due(start + 150 * SECOND), Due::Prune);
        liveness.received(start + 150 * SECOND);
        assert_eq!(liveness.take_due(start + 269 * SECOND), Due::Nothing);
        assert_eq!(liveness.take_due(start + 270 * SECOND), Due::Ping);
    }

    #[tokio::test(start_paused = true)]
    async fn reverb_pings_after_60_seconds_and_prunes_at_the_next_tick() {
        let start = Instant::now();
        let mut liveness = Liveness::new(Silence::Ping, Timing::of(Profile::Reverb), start);
        assert_eq!(liveness.take_due(start + 60 * SECOND), Due::Ping);
        assert_eq!(liveness.deadline(), start + 120 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_that_the_server_was_stalled_does_not_count() {
        let start = Instant::now();
        let mut liveness = Liveness::new(Silence::Ping, Timing::of(Profile::Pusher7), start);
        liveness.resumed(start + 1_000 * SECOND);
        assert_eq!(liveness.take_due(start + 1_119 * SECOND), Due::Nothing);
    }
}
