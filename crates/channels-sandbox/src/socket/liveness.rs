//! How a server reacts to a client's silence. Time is passed in as an argument.

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
    last_sent: Instant,
    pinged: Option<Instant>,
}

impl Liveness {
    pub(crate) const fn new(silence: Silence, timing: Timing, now: Instant) -> Self {
        Self { silence, timing, last_received: now, last_sent: now, pinged: None }
    }

    /// A frame of the client arrived.
    pub(crate) fn received(&mut self, now: Instant, answers_ping: bool) {
        self.last_received = now;
        if answers_ping {
            self.pinged = None;
        }
    }

    /// A text was sent.
    pub(crate) fn sent(&mut self, now: Instant) {
        self.last_sent = now;
    }

    /// The server did not read until now: the silence was its own.
    pub(crate) fn resumed(&mut self, now: Instant) {
        self.last_received = now;
        self.last_sent = now;
        self.pinged = self.pinged.map(|_| now);
    }

    /// When something is due next.
    pub(crate) fn deadline(&self) -> Instant {
        match (self.silence, self.pinged) {
            (Silence::Close, _) => self.last_received.max(self.last_sent) + self.timing.idle_close,
            (Silence::CloseUnsent, _) => self.unsent_close().min(self.unsent_ping()),
            (Silence::Ping, None) => self.last_received + self.timing.ping_after,
            (Silence::Ping, Some(pinged)) => pinged + self.timing.pong_timeout,
        }
    }

    /// What is due now; a due ping counts as sent.
    pub(crate) fn take_due(&mut self, now: Instant) -> Due {
        if now < self.deadline() {
            return Due::Nothing;
        }
        let is_over = match self.silence {
            Silence::Close => true,
            Silence::CloseUnsent => now >= self.unsent_close(),
            Silence::Ping => self.pinged.is_some(),
        };
        if is_over {
            return Due::Prune;
        }
        self.pinged = Some(now);
        Due::Ping
    }

    fn unsent_close(&self) -> Instant {
        self.last_sent + self.timing.idle_close
    }

    fn unsent_ping(&self) -> Instant {
        self.pinged.unwrap_or(self.last_received) + self.timing.ping_after
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
        liveness.sent(start + 79 * SECOND);
        assert_eq!(liveness.take_due(start + 158 * SECOND), Due::Nothing);
        liveness.received(start + 158 * SECOND, true);
        assert_eq!(liveness.take_due(start + 237 * SECOND), Due::Nothing);
        assert_eq!(liveness.take_due(start + 238 * SECOND), Due::Prune);
    }

    /// L03: what the server sends does not keep a silent client.
    #[tokio::test(start_paused = true)]
    async fn a_pinging_server_counts_only_what_it_receives() {
        let start = Instant::now();
        let mut liveness = Liveness::new(Silence::Ping, Timing::of(Profile::Pusher7), start);
        liveness.sent(start + 119 * SECOND);
        assert_eq!(liveness.take_due(start + 120 * SECOND), Due::Ping);
        liveness.sent(start + 149 * SECOND);
        assert_eq!(liveness.take_due(start + 149 * SECOND), Due::Nothing);
        assert_eq!(liveness.take_due(start + 150 * SECOND), Due::Prune);
        liveness.received(start + 150 * SECOND, true);
        assert_eq!(liveness.take_due(start + 269 * SECOND), Due::Nothing);
        assert_eq!(liveness.take_due(start + 270 * SECOND), Due::Ping);
    }

    /// L06: to keep a client, Soketi must have had something to send to it; what it receives is no reason to.
    #[tokio::test(start_paused = true)]
    async fn soketi_pings_a_silent_client_and_closes_one_to_whom_it_sent_nothing() {
        let start = Instant::now();
        let mut liveness = Liveness::new(Silence::CloseUnsent, Timing::of(Profile::Soketi), start);
        liveness.sent(start + 100 * SECOND);
        assert_eq!(liveness.take_due(start + 112 * SECOND), Due::Ping);
        liveness.received(start + 113 * SECOND, true);
        assert_eq!(liveness.take_due(start + 219 * SECOND), Due::Nothing);
        assert_eq!(liveness.take_due(start + 220 * SECOND), Due::Prune);
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

    /// L03: Sockudo waits for a pong, whatever else it receives.
    #[tokio::test(start_paused = true)]
    async fn a_frame_that_answers_no_ping_leaves_the_ping_pending() {
        let start = Instant::now();
        let mut liveness = Liveness::new(Silence::Ping, Timing::of(Profile::Pusher7), start);
        assert_eq!(liveness.take_due(start + 120 * SECOND), Due::Ping);
        liveness.received(start + 121 * SECOND, false);
        assert_eq!(liveness.take_due(start + 149 * SECOND), Due::Nothing);
        assert_eq!(liveness.take_due(start + 150 * SECOND), Due::Prune);
    }
}
