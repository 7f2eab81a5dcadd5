use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

use channels_proto::Time;

/// The client's source of time.
pub trait Clock: Send + Sync + fmt::Debug + 'static {
    /// Returns the monotonic time since some origin. It should keep running while the device sleeps (fault Z02).
    fn now(&self) -> Time;

    /// Returns the wall-clock time; used to date gaps and for `Retry-After` dates, never for a timer.
    fn wall(&self) -> SystemTime;
}

/// The operating system's clock that keeps running while the device sleeps. All instances in a process have the same
/// origin.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {}

impl SystemClock {
    /// Returns the clock.
    #[must_use]
    pub const fn new() -> Self {
        Self {}
    }

    pub(crate) fn shared() -> Arc<dyn Clock> {
        static SHARED: OnceLock<Arc<SystemClock>> = OnceLock::new();
        Arc::<Self>::clone(SHARED.get_or_init(Arc::default))
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[cfg(unix)]
    fn now(&self) -> Time {
        let now = rustix::time::clock_gettime(AWAKE_OR_ASLEEP);
        let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
        let nanos = u64::try_from(now.tv_nsec).unwrap_or_default();
        Time::from_nanos(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
    }

    #[cfg(not(unix))]
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else takes the time from")]
    fn now(&self) -> Time {
        static ORIGIN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        let now = std::time::Instant::now();
        Time::ZERO + now.saturating_duration_since(*ORIGIN.get_or_init(|| now))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else takes the time from")]
    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
const AWAKE_OR_ASLEEP: rustix::time::ClockId = rustix::time::ClockId::Boottime;
// Apple's CLOCK_MONOTONIC runs on while the device sleeps, unlike the clock behind `Instant` there; on the BSDs it is
// the best there is.
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
const AWAKE_OR_ASLEEP: rustix::time::ClockId = rustix::time::ClockId::Monotonic;

/// Reads both clocks at one moment. When the process stood still in between, what was read does not belong together, and is
/// read again.
pub(crate) fn read_both(clock: &dyn Clock) -> (Time, SystemTime) {
    let mut now = clock.now();
    for _ in 0..ATTEMPTS {
        let wall = clock.wall();
        let then = clock.now();
        if then.saturating_since(now) <= AT_ONCE {
            return (now, wall);
        }
        now = then;
    }
    (now, clock.wall())
}

/// Turns monotonic times into times of day. One monotonic time is always the same time of day, unless the wall clock was
/// set in between: then the newer truth wins.
#[derive(Debug, Default)]
pub(crate) struct WallTimes {
    anchor: Option<(Time, SystemTime)>,
}

impl WallTimes {
    /// Returns the time of day of `at`.
    pub(crate) fn of(&mut self, clock: &dyn Clock, at: Time) -> SystemTime {
        let (now, wall) = read_both(clock);
        let drift = self.anchor.map(|anchor| {
            let expected = on_wall(anchor, now);
            expected.duration_since(wall).unwrap_or_else(|early| early.duration())
        });
        let anchor = match self.anchor {
            Some(anchor) if drift.is_some_and(|drift| drift <= TOLERATED_DRIFT) => anchor,
            Some(_) | None => (now, wall),
        };
        self.anchor = Some(anchor);
        on_wall(anchor, at)
    }
}

fn on_wall((anchor, wall): (Time, SystemTime), at: Time) -> SystemTime {
    let (later, earlier) = (at.saturating_since(anchor), anchor.saturating_since(at));
    let wall = if later > Duration::ZERO { wall.checked_add(later) } else { wall.checked_sub(earlier) };
    wall.unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Many times what it takes to read a clock.
const AT_ONCE: Duration = Duration::from_micros(100);
/// On a machine so busy that it is interrupted every time, the last reading has to do.
const ATTEMPTS: u32 = 3;
/// More than the time between two looks at two clocks, less than anyone sets a clock by.
const TOLERATED_DRIFT: Duration = Duration::from_millis(500);

/// Tokio's clock, which stands still and jumps under `tokio::time::pause`; for tests.
#[derive(Clone, Copy, Debug)]
pub struct TokioClock {
    origin: tokio::time::Instant,
}

impl TokioClock {
    /// Creates a clock whose origin is now.
    #[must_use]
    pub fn new() -> Self {
        Self { origin: tokio::time::Instant::now() }
    }
}

impl Default for TokioClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Time {
        Time::ZERO + self.origin.elapsed()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + WALL_OF_TESTS + self.origin.elapsed()
    }
}

/// The time of day at the origin of a [`TokioClock`]: 2024-03-05 10:11:12 UTC.
const WALL_OF_TESTS: Duration = Duration::from_secs(1_709_633_472);

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    };

    use super::*;

    // Z06
    #[test]
    fn the_system_clock_does_not_step_back() {
        let clock = SystemClock::new();
        let times: Vec<_> = (0..1_000).map(|_| clock.now()).collect();
        assert!(times.is_sorted());
        assert!(times.first() > Some(&Time::ZERO));
    }

    #[derive(Debug)]
    struct Clocks {
        now: Time,
        wall: SystemTime,
    }

    impl Clock for Clocks {
        fn now(&self) -> Time {
            self.now
        }

        fn wall(&self) -> SystemTime {
            self.wall
        }
    }

    // Z01: gaps agree with each other, and with the clock after it was set.
    #[test]
    fn a_moment_keeps_its_time_of_day_until_the_clock_is_set() {
        let wall = |millis| SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
        let second = |number: u64| Time::ZERO + Duration::from_secs(number);
        let clocks = |now, millis| Clocks { now: second(now), wall: wall(millis) };
        let mut times = WallTimes::default();
        assert_eq!(times.of(&clocks(10, 1_000_000), second(7)), wall(997_000));
        assert_eq!(times.of(&clocks(15, 1_005_020), second(7)), wall(997_000));
        assert_eq!(times.of(&clocks(16, 4_606_000), second(16)), wall(4_606_000));
        assert_eq!(times.of(&clocks(17, 0), Time::ZERO), SystemTime::UNIX_EPOCH - Duration::from_secs(17));
    }

    /// Clocks that are read by a process that stands still for five seconds before and after its first look at the second.
    #[derive(Debug, Default)]
    struct Interrupted {
        now: Mutex<Time>,
        looked: AtomicBool,
    }

    impl Clock for Interrupted {
        fn now(&self) -> Time {
            *self.now.lock().unwrap()
        }

        fn wall(&self) -> SystemTime {
            let mut now = self.now.lock().unwrap();
            let pause = if self.looked.swap(true, Ordering::Relaxed) { 0 } else { 5 };
            *now = *now + Duration::from_secs(pause);
            let wall = SystemTime::UNIX_EPOCH + now.saturating_since(Time::ZERO);
            *now = *now + Duration::from_secs(pause);
            wall
        }
    }

    // Z10, I27: a gap that began 5 s late would not contain what was missed.
    #[test]
    fn a_pause_between_looks_at_both_clocks_does_not_set_them_apart() {
        let clock = Interrupted::default();
        assert_eq!(WallTimes::default().of(&clock, Time::ZERO), SystemTime::UNIX_EPOCH);
    }

    #[tokio::test(start_paused = true)]
    async fn the_clock_of_tests_follows_tokio() {
        let clock = TokioClock::new();
        let wall = clock.wall();
        tokio::time::advance(Duration::from_secs(7)).await;
        assert_eq!(clock.now(), Time::from_nanos(7_000_000_000));
        assert_eq!(clock.wall(), wall + Duration::from_secs(7));
    }
}
