//! Whether the server is still there: only what was received counts.

use std::time::Duration;

use crate::Time;

/// The liveness of one established socket.
#[derive(Debug)]
pub(crate) struct Liveness {
    interval: Duration,
    pong_timeout: Duration,
    last_received: Time,
    ping: Option<Ping>,
}

/// A ping on its way.
#[derive(Clone, Copy, Debug)]
struct Ping {
    sent: Time,
    deadline: Time,
}

/// What is due.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    /// Send a ping.
    Ping,
    /// Give the socket up.
    Dead,
}

impl Liveness {
    /// `announced` is what the server said in `pusher:connection_established`, in seconds.
    pub(crate) fn new(now: Time, activity: Duration, pong_timeout: Duration, announced: Option<u64>) -> Self {
        let interval = match announced.map(Duration::from_secs) {
            // Some servers cut at exactly the time they announce, so the ping goes out earlier.
            Some(server) => {
                let server = server.max(SHORTEST);
                activity.min(server.saturating_sub(LEAD).max(server / 2))
            }
            None => activity,
        };
        Self { interval, pong_timeout, last_received: now, ping: None }
    }

    /// Time without a byte.
    pub(crate) const fn silence(&self, now: Time) -> Duration {
        now.saturating_since(self.last_received)
    }

    /// Any byte counts: it proves the server is there as well as a pong does.
    pub(crate) const fn received(&mut self, now: Time) {
        self.last_received = now;
        self.ping = None;
    }

    pub(crate) fn deadline(&self) -> Time {
        match self.ping {
            Some(ping) => ping.deadline,
            None if self.interval >= SHORTEST_ALIGNED => (self.last_received + self.interval).floor(ALIGNMENT),
            None => self.last_received + self.interval,
        }
    }

    /// Judges the time `now`; [`Due::Ping`] is answered by [`probe`](Self::probe) once the ping is on its way.
    pub(crate) fn check(&self, now: Time) -> Due {
        if now < self.deadline() {
            return Due::Nothing;
        }
        // Without a ping on its way this late, the process was frozen: the server has not heard of us for as long.
        if self.ping.is_some() || self.silence(now) >= self.interval + self.pong_timeout {
            return Due::Dead;
        }
        Due::Ping
    }

    /// Expects something to be received within `within`, or sooner if that was asked before. Returns whether a ping
    /// has to be sent: at most one is on its way.
    pub(crate) fn probe(&mut self, now: Time, within: Duration) -> bool {
        let deadline = now + within;
        if let Some(ping) = &mut self.ping {
            ping.deadline = ping.deadline.min(deadline);
            return false;
        }
        self.ping = Some(Ping { sent: now, deadline });
        true
    }

    /// Returns when the ping on its way was sent.
    pub(crate) fn ping_sent(&self) -> Option<Time> {
        self.ping.map(|ping| ping.sent)
    }

    pub(crate) const fn pong_timeout(&self) -> Duration {
        self.pong_timeout
    }
}

/// Pings go out at whole seconds of the clock, a little early: the sessions of a process, or of a phone, then wake it
/// together and not one after the other.
const ALIGNMENT: Duration = Duration::from_secs(1);
/// Shorter intervals are kept as they are.
const SHORTEST_ALIGNED: Duration = Duration::from_secs(10);
const LEAD: Duration = Duration::from_secs(5);
/// What a server that announces less is taken to have announced, so that it is not flooded with pings.
const SHORTEST: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Time {
        Time::from_nanos(seconds * 1_000_000_000)
    }

    fn interval(announced: Option<u64>) -> u64 {
        let seconds = Duration::from_secs;
        Liveness::new(at(0), seconds(30), seconds(10), announced).deadline().as_nanos() / 1_000_000_000
    }

    // P03
    #[test]
    fn the_ping_goes_out_before_the_server_would_cut() {
        let cases = [(None, 30), (Some(120), 30), (Some(40), 30), (Some(30), 25), (Some(20), 15), (Some(8), 4)];
        for (announced, expected) in cases {
            assert_eq!(interval(announced), expected, "{announced:?}");
        }
        assert_eq!(interval(Some(1)), 2);
        assert_eq!(interval(Some(u64::MAX)), 30);
    }

    #[test]
    fn sessions_ping_together_and_never_late() {
        let ping_at = |received: u64| {
            let mut liveness = Liveness::new(at(0), Duration::from_secs(30), Duration::from_secs(10), None);
            liveness.received(Time::from_nanos(received));
            assert_eq!(liveness.check(liveness.deadline()), Due::Ping);
            liveness.deadline().as_nanos()
        };
        for received in [7_000_000_000, 7_000_000_001, 7_400_000_000, 7_999_999_999] {
            assert_eq!(ping_at(received), 37_000_000_000);
        }
        assert_eq!(ping_at(8_000_000_000), 38_000_000_000);
        let mut short = Liveness::new(at(0), Duration::from_secs(5), Duration::from_secs(1), None);
        short.received(Time::from_nanos(7_400_000_000));
        assert_eq!(short.deadline().as_nanos(), 12_400_000_000);
    }

    // L01, L06, L12
    #[test]
    fn silence_leads_to_one_ping_and_then_to_the_end() {
        let mut liveness = Liveness::new(at(0), Duration::from_secs(30), Duration::from_secs(10), None);
        assert_eq!(liveness.check(at(29)), Due::Nothing);
        assert_eq!(liveness.check(at(30)), Due::Ping);
        assert!(liveness.probe(at(30), Duration::from_secs(10)));
        assert_eq!(liveness.check(at(39)), Due::Nothing);
        assert!(!liveness.probe(at(39), Duration::from_secs(10)), "one ping at a time");
        assert_eq!(liveness.check(at(40)), Due::Dead);
        liveness.received(at(40));
        assert_eq!((liveness.check(at(40)), liveness.deadline()), (Due::Nothing, at(70)));
    }

    // Z02, Z03
    #[test]
    fn a_timer_that_is_late_by_a_whole_wait_means_the_process_was_frozen() {
        let liveness = Liveness::new(at(0), Duration::from_secs(30), Duration::from_secs(10), None);
        assert_eq!(liveness.check(at(39)), Due::Ping);
        assert_eq!(liveness.check(at(8 * 3600)), Due::Dead);
    }

    // Z06
    #[test]
    fn a_clock_that_steps_back_does_no_harm() {
        let mut liveness = Liveness::new(at(100), Duration::from_secs(30), Duration::from_secs(10), None);
        liveness.received(at(90));
        assert_eq!(liveness.check(at(80)), Due::Nothing);
    }
}
