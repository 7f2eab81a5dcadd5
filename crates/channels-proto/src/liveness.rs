//! Whether the server is still there, and up to when everything it sent was received.
//!
//! Any byte shows that the server is there. But a byte proves nothing about what was sent before it was read: it may
//! have been in transit for long, later ones may be lost, and the process may have been suspended in between. Only an
//! answer proves something: a server answers in order, so everything it sent before it received the request was
//! received.

use std::time::Duration;

use crate::Time;

/// The liveness of one established socket.
#[derive(Debug)]
pub(crate) struct Liveness {
    interval: Duration,
    pong_timeout: Duration,
    last_received: Time,
    /// When the last ping was sent; before the first one, when the connection was established.
    last_ping: Time,
    /// By when something has to be received.
    deadline: Option<Time>,
    unanswered: Unanswered,
    /// A hint came while a ping was in flight: its pong may have been sent before, so another ping is needed.
    look_again: bool,
    /// When the last answered request was sent.
    certain_until: Time,
    /// What the last pong took.
    round_trip: Option<Duration>,
}

/// The pings not answered yet. A pong does not say which ping it answers: it belongs to the oldest.
#[derive(Debug, Default)]
struct Unanswered {
    /// The one sent at [`Liveness::last_ping`].
    last: bool,
    /// When those before it were sent. One that is older than [`MOST_UNANSWERED`] others is taken for left out.
    before: Vec<Time>,
}

impl Unanswered {
    /// Takes the oldest out, which was sent at the time returned.
    fn take_oldest(&mut self, last_ping: Time) -> Option<Time> {
        if self.before.is_empty() {
            return std::mem::take(&mut self.last).then_some(last_ping);
        }
        let oldest = self.before.remove(0);
        if self.before.is_empty() {
            self.before = Vec::new();
        }
        Some(oldest)
    }

    fn add(&mut self, last_ping: Time) {
        if std::mem::replace(&mut self.last, true) {
            self.before.push(last_ping);
            if self.before.len() >= MOST_UNANSWERED {
                self.before.remove(0);
            }
        }
    }
}

/// What is due.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    /// Send a ping, and expect something to be received within this time.
    Ping(Duration),
    /// Abandon the socket.
    Dead,
}

impl Liveness {
    /// `announced` is what the server said in `pusher:connection_established`, in seconds.
    pub(crate) fn new(now: Time, activity: Duration, pong_timeout: Duration, announced: Option<u64>) -> Self {
        let interval = match announced.map(Duration::from_secs) {
            // Some servers disconnect at exactly the time they announce, so the ping goes out earlier.
            Some(server) => {
                let server = server.max(SHORTEST);
                activity.min(server.saturating_sub(LEAD).max(server / 2))
            }
            None => activity,
        };
        Self {
            interval,
            pong_timeout,
            last_received: now,
            last_ping: now,
            deadline: None,
            unanswered: Unanswered::default(),
            look_again: false,
            certain_until: now,
            round_trip: None,
        }
    }

    /// The time since the last byte.
    pub(crate) const fn silence(&self, now: Time) -> Duration {
        now.saturating_since(self.last_received)
    }

    /// Returns the time before which everything the server sent on a subscribed channel was received.
    pub(crate) const fn certain_until(&self) -> Time {
        self.certain_until
    }

    /// Any byte counts: it shows as well as a pong does that the server is there.
    pub(crate) const fn received(&mut self, now: Time) {
        self.last_received = now;
        self.deadline = None;
    }

    /// Handles the answer to a request that was sent at `sent`.
    pub(crate) fn answered(&mut self, sent: Time) {
        self.certain_until = self.certain_until.max(sent);
    }

    /// Returns the time between the last ping that was answered and its pong.
    pub(crate) const fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// Handles a pong, and returns whether another ping has to be sent at once. A pong without an unanswered ping
    /// proves nothing.
    pub(crate) fn ponged(&mut self, now: Time) -> bool {
        let Some(sent) = self.unanswered.take_oldest(self.last_ping) else {
            return false;
        };
        self.round_trip = Some(now.saturating_since(sent));
        self.answered(sent);
        !self.unanswered.last && std::mem::take(&mut self.look_again)
    }

    pub(crate) fn deadline(&self) -> Time {
        self.deadline.unwrap_or_else(|| self.next_ping())
    }

    /// Pings go out whether anything is received or not: only their answers make certain what was received, and some
    /// servers drop a silent client.
    fn next_ping(&self) -> Time {
        let next = self.last_ping + self.interval;
        if self.interval >= SHORTEST_ALIGNED { next.floor(ALIGNMENT) } else { next }
    }

    /// Returns what is due at `now`; after [`Due::Ping`], call [`pinged`](Self::pinged) once the ping is sent.
    pub(crate) fn check(&self, now: Time) -> Due {
        if now < self.deadline() {
            return Due::Nothing;
        }
        // Such a silence with nothing awaited means that the process was suspended: the server has not heard from us
        // for as long.
        if self.deadline.is_some() || self.silence(now) >= self.interval.saturating_add(self.pong_timeout) {
            return Due::Dead;
        }
        let frozen = now > self.next_ping() + FREEZE;
        Due::Ping(if frozen { self.pong_timeout.min(PROBE_TIMEOUT) } else { self.pong_timeout })
    }

    /// Records that a ping was sent: something has to be received within `within`.
    pub(crate) fn pinged(&mut self, now: Time, within: Duration) {
        self.unanswered.add(self.last_ping);
        (self.last_ping, self.look_again) = (now, false);
        self.expect(now + within);
    }

    /// Handles a hint that the connection is doubtful. Returns whether a ping has to be sent: while one is
    /// unanswered, its pong is awaited first, unless the server has had enough time for it and sent other things.
    pub(crate) fn doubted(&mut self, now: Time) -> bool {
        let skipped = self.deadline.is_none() && now.saturating_since(self.last_ping) >= self.pong_timeout;
        if !self.unanswered.last || skipped {
            return true;
        }
        self.look_again = true;
        self.expect(now + PROBE_TIMEOUT);
        false
    }

    fn expect(&mut self, by: Time) {
        self.deadline = Some(self.deadline.map_or(by, |deadline| deadline.min(by)));
    }
}

/// How long a doubtful connection has to show that it is alive.
pub(crate) const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
/// A timer that fires later than this was not delayed by scheduling: the process was suspended.
const FREEZE: Duration = Duration::from_secs(2);
/// Pings go out at whole seconds of the clock, a little early: the sessions of a process, or of a phone, then wake it
/// together instead of one by one.
const ALIGNMENT: Duration = Duration::from_secs(1);
/// Shorter intervals are kept as they are.
const SHORTEST_ALIGNED: Duration = Duration::from_secs(10);
/// Eight minutes of pings. A server that skips a pong now and then makes every gap begin an interval earlier for each
/// one skipped, so they are not kept for ever.
const MOST_UNANSWERED: usize = 16;
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

    fn usual() -> Liveness {
        Liveness::new(at(0), Duration::from_secs(30), Duration::from_secs(10), None)
    }

    fn ping(liveness: &mut Liveness, now: Time) {
        let Due::Ping(within) = liveness.check(now) else { panic!("no ping is due at {now:?}") };
        liveness.pinged(now, within);
    }

    #[test]
    fn sessions_ping_together_and_never_late() {
        let ping_at = |established: u64| {
            let established = Time::from_nanos(established);
            let liveness = Liveness::new(established, Duration::from_secs(30), Duration::from_secs(10), None);
            assert_eq!(liveness.check(liveness.deadline()), Due::Ping(Duration::from_secs(10)));
            liveness.deadline().as_nanos()
        };
        for established in [7_000_000_000, 7_000_000_001, 7_400_000_000, 7_999_999_999] {
            assert_eq!(ping_at(established), 37_000_000_000);
        }
        assert_eq!(ping_at(8_000_000_000), 38_000_000_000);
        let started = Time::from_nanos(7_400_000_000);
        let short = Liveness::new(started, Duration::from_secs(5), Duration::from_secs(1), None);
        assert_eq!(short.deadline().as_nanos(), 12_400_000_000);
    }

    // L01, L06, L12
    #[test]
    fn silence_leads_to_one_ping_and_then_to_the_end() {
        let mut liveness = usual();
        assert_eq!(liveness.check(at(29)), Due::Nothing);
        ping(&mut liveness, at(30));
        assert_eq!(liveness.check(at(39)), Due::Nothing);
        assert_eq!(liveness.check(at(40)), Due::Dead);
        liveness.received(at(40));
        assert_eq!((liveness.check(at(40)), liveness.deadline()), (Due::Nothing, at(60)));
    }

    // L06, I4
    #[test]
    fn pings_go_out_an_interval_apart_whatever_is_received() {
        let mut liveness = usual();
        let mut pings = vec![];
        for second in 1..=100 {
            liveness.received(at(second));
            if let Due::Ping(within) = liveness.check(at(second)) {
                liveness.pinged(at(second), within);
                pings.push(second);
            }
        }
        assert_eq!(pings, [30, 60, 90]);
    }

    // I27
    #[test]
    fn a_pong_belongs_to_the_oldest_ping_that_was_not_answered() {
        let mut liveness = usual();
        assert!(!liveness.ponged(liveness.last_received));
        assert_eq!(liveness.certain_until(), at(0), "a pong that nobody asked for proves nothing");
        for second in [30, 60] {
            ping(&mut liveness, at(second));
            liveness.received(at(second + 1));
        }
        assert_eq!(liveness.round_trip(), None);
        liveness.ponged(at(62));
        assert_eq!(liveness.certain_until(), at(30));
        assert_eq!(liveness.round_trip(), Some(Duration::from_secs(32)), "of the one that it answers");
        ping(&mut liveness, at(90));
        liveness.received(at(91));
        liveness.ponged(liveness.last_received);
        assert_eq!(liveness.certain_until(), at(60));
        liveness.ponged(liveness.last_received);
        assert_eq!(liveness.certain_until(), at(90));
        liveness.ponged(liveness.last_received);
        assert_eq!(liveness.certain_until(), at(90));
    }

    // I27
    #[test]
    fn of_many_unanswered_pings_none_is_taken_for_answered_too_early() {
        let mut liveness = usual();
        let sent: Vec<_> = (1..=10).map(|number| at(number * 30)).collect();
        for at in &sent {
            ping(&mut liveness, *at);
            liveness.received(*at + Duration::from_secs(1));
        }
        for at in &sent {
            liveness.ponged(liveness.last_received);
            assert!(liveness.certain_until() <= *at, "{at:?}");
        }
        assert_eq!(liveness.certain_until(), at(300));
    }

    // I27: a server that leaves a pong out now and then
    #[test]
    fn pongs_that_were_left_out_make_a_gap_begin_as_many_intervals_earlier_and_no_more() {
        let mut liveness = usual();
        let mut now = at(0);
        let mut pass = |liveness: &mut Liveness, pongs: bool| {
            now = now + Duration::from_secs(30);
            ping(liveness, now);
            liveness.received(now + Duration::from_secs(1));
            if pongs {
                liveness.ponged(liveness.last_received);
            }
            now.saturating_since(liveness.certain_until())
        };
        for _ in 0..2 {
            pass(&mut liveness, false);
        }
        for _ in 0..100 {
            assert_eq!(pass(&mut liveness, true), Duration::from_secs(60));
        }
        for _ in 0..100 {
            pass(&mut liveness, false);
        }
        assert_eq!(liveness.unanswered.before.len(), 15);
        assert_eq!(pass(&mut liveness, true), Duration::from_secs(15 * 30), "older ones are taken for left out");
    }

    // X01, X02
    #[test]
    fn a_hint_while_a_ping_is_unanswered_waits_for_its_pong_and_then_asks_again() {
        let mut liveness = usual();
        assert!(liveness.doubted(at(10)));
        liveness.pinged(at(10), PROBE_TIMEOUT);
        assert!(!liveness.doubted(at(12)));
        assert_eq!(liveness.deadline(), at(15), "shortened, never extended");
        liveness.received(at(13));
        assert!(!liveness.doubted(at(14)));
        assert_eq!(liveness.deadline(), at(19), "what came before the hint does not answer it");
        liveness.received(at(16));
        assert!(liveness.ponged(liveness.last_received), "another ping");
        liveness.pinged(at(16), PROBE_TIMEOUT);
        liveness.received(at(17));
        assert!(!liveness.ponged(liveness.last_received), "and no more");
    }

    // X01: no pong will come that shows that a silent server is there
    #[test]
    fn a_hint_after_a_pong_that_stayed_away_asks_at_once() {
        let mut liveness = usual();
        ping(&mut liveness, at(30));
        liveness.received(at(31));
        assert!(!liveness.doubted(at(39)));
        liveness.received(at(40));
        assert!(liveness.doubted(at(41)));
        liveness.pinged(at(41), PROBE_TIMEOUT);
        assert_eq!(liveness.deadline(), at(46));
        assert!(!liveness.ponged(liveness.last_received), "it may be the first one's");
        assert_eq!(liveness.certain_until(), at(30));
    }

    // Z02, Z03
    #[test]
    fn a_timer_that_is_late_by_a_whole_wait_means_the_process_was_frozen() {
        let mut liveness = usual();
        assert_eq!(liveness.check(at(32)), Due::Ping(Duration::from_secs(10)));
        assert_eq!(liveness.check(at(39)), Due::Ping(PROBE_TIMEOUT));
        assert_eq!(liveness.check(at(8 * 3600)), Due::Dead);
        liveness.received(at(8 * 3600));
        assert_eq!(liveness.check(at(8 * 3600)), Due::Ping(PROBE_TIMEOUT));
    }

    // Z06
    #[test]
    fn a_clock_that_steps_back_does_no_harm() {
        let mut liveness = Liveness::new(at(100), Duration::from_secs(30), Duration::from_secs(10), None);
        liveness.received(at(90));
        assert_eq!(liveness.check(at(80)), Due::Nothing);
    }
}
