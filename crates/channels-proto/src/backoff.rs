//! When to try again. The whole retry policy is in this file.

use std::{collections::VecDeque, time::Duration};

use fastrand::Rng;

use crate::Time;

/// How soon a retry may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// Within a second, once between two resets.
    Immediate,
    /// Full jitter under a ceiling that doubles.
    Normal,
    /// The same, and never under a second.
    Overloaded,
    /// From half a minute to five minutes.
    Slow,
    /// From a minute to half an hour: each attempt disturbs the other channels.
    Rare,
}

/// Returns the generator of `seed`. The seed is mixed first (the finalizer of `SplitMix64`): the sequences of two seeds that
/// lie close together would be correlated otherwise, and so would be the clients.
pub(crate) fn seeded(seed: u64) -> Rng {
    let mut mixed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    Rng::with_seed(mixed ^ mixed >> 31)
}

/// Returns how long to wait for an answer after that many consecutive timeouts: `first`, doubled with each, up to
/// `longest`.
pub(crate) fn lengthened(first: Duration, longest: Duration, timeouts: u32) -> Duration {
    ceiling(first, timeouts, longest.max(first))
}

impl Class {
    /// Returns whether minutes may pass before the next try.
    pub(crate) const fn is_slow(self) -> bool {
        matches!(self, Self::Slow | Self::Rare)
    }

    /// Returns what the protocol itself asks to wait at least.
    pub(crate) const fn floor(self) -> Duration {
        match self {
            Self::Overloaded => OVERLOADED_FLOOR,
            Self::Immediate | Self::Normal | Self::Slow | Self::Rare => Duration::ZERO,
        }
    }
}

/// Full-jitter exponential back-off with classes. Attempts are unlimited; the counter saturates.
#[derive(Debug)]
pub(crate) struct Backoff {
    failures: u32,
    slow_failures: u32,
    rare_failures: u32,
    immediate_spent: bool,
    trouble: VecDeque<Time>,
}

impl Backoff {
    pub(crate) const fn new() -> Self {
        Self { failures: 0, slow_failures: 0, rare_failures: 0, immediate_spent: false, trouble: VecDeque::new() }
    }

    /// Forgets the failures: the connection has been up and complete for a while.
    pub(crate) fn reset(&mut self) {
        *self = Self { trouble: std::mem::take(&mut self.trouble), ..Self::new() };
    }

    /// Counts one protocol fault and returns its class: slow when it is the third within five minutes.
    pub(crate) fn count_trouble(&mut self, now: Time) -> Class {
        self.trouble.push_back(now);
        let is_old = |at: Time| now.saturating_since(at) > TROUBLE_WINDOW;
        while self.trouble.len() > TROUBLE_LIMIT || self.trouble.front().is_some_and(|&at| is_old(at)) {
            self.trouble.pop_front();
        }
        if self.trouble.len() < TROUBLE_LIMIT { Class::Normal } else { Class::Slow }
    }

    /// Returns the delay before the next attempt. `retry_after` is what the server asked for with the HTTP header of
    /// that name.
    pub(crate) fn next_delay(&mut self, class: Class, retry_after: Option<Duration>, rng: &mut Rng) -> Duration {
        self.next_delay_within(Duration::MAX, class, retry_after, rng)
    }

    /// The same with a delay of at most `longest`, except for what the server or the protocol asks for.
    pub(crate) fn next_delay_within(
        &mut self,
        longest: Duration,
        class: Class,
        retry_after: Option<Duration>,
        rng: &mut Rng,
    ) -> Duration {
        let demoted = class == Class::Immediate && self.immediate_spent;
        let class = if demoted { Class::Normal } else { class };
        self.immediate_spent |= class == Class::Immediate;
        let (floor, ceiling) = match class {
            Class::Immediate => (Duration::ZERO, FIRST_CEILING),
            Class::Normal => (FLOOR, ceiling(FIRST_CEILING, self.failures, CAP)),
            Class::Overloaded => (OVERLOADED_FLOOR, ceiling(FIRST_CEILING, self.failures.max(1), CAP)),
            Class::Slow => (SLOW_FLOOR, ceiling(SLOW_FLOOR, self.slow_failures.saturating_add(1), SLOW_CAP)),
            Class::Rare => {
                let ceiling = ceiling(RARE_FIRST, self.rare_failures, RARE_CAP);
                (ceiling / 2, ceiling)
            }
        };
        self.failures = self.failures.saturating_add(1);
        match class {
            Class::Slow => self.slow_failures = self.slow_failures.saturating_add(1),
            Class::Rare => self.rare_failures = self.rare_failures.saturating_add(1),
            Class::Immediate | Class::Normal | Class::Overloaded => {}
        }
        let longest = longest.max(class.floor());
        let drawn = uniform(rng, floor.min(longest), ceiling.min(longest));
        match retry_after {
            // A second of jitter on top, so that clients given the same time do not all return at once.
            Some(asked) => {
                drawn.max(asked.clamp(RETRY_AFTER_MIN, RETRY_AFTER_MAX) + uniform(rng, Duration::ZERO, FIRST_CEILING))
            }
            None => drawn,
        }
    }
}

/// Returns a delay drawn uniformly from `[floor, ceiling]`.
fn uniform(rng: &mut Rng, floor: Duration, ceiling: Duration) -> Duration {
    let span = ceiling.saturating_sub(floor).as_nanos();
    floor + Duration::from_nanos(rng.u64(0..=u64::try_from(span).unwrap_or(u64::MAX)))
}

fn ceiling(first: Duration, doublings: u32, cap: Duration) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(doublings)).min(cap)
}

const FLOOR: Duration = Duration::from_millis(250);
const FIRST_CEILING: Duration = Duration::from_secs(1);
const CAP: Duration = Duration::from_secs(30);
/// Pusher Channels protocol: "after backing off (at least 1 second)" for 4100 to 4199.
const OVERLOADED_FLOOR: Duration = Duration::from_secs(1);
const SLOW_FLOOR: Duration = Duration::from_secs(30);
const SLOW_CAP: Duration = Duration::from_secs(5 * 60);
const RARE_FIRST: Duration = Duration::from_secs(2 * 60);
const RARE_CAP: Duration = Duration::from_secs(30 * 60);
const RETRY_AFTER_MIN: Duration = Duration::from_secs(1);
const RETRY_AFTER_MAX: Duration = Duration::from_secs(5 * 60);
const TROUBLE_WINDOW: Duration = Duration::from_secs(5 * 60);
const TROUBLE_LIMIT: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn delays(class: Class, count: usize) -> Vec<Duration> {
        let (mut backoff, mut rng) = (Backoff::new(), seeded(7));
        (0..count).map(|_| backoff.next_delay(class, None, &mut rng)).collect()
    }

    // I33, R02
    #[test]
    fn delays_stay_between_the_floor_and_a_ceiling_that_doubles() {
        for seed in 0..200 {
            let (mut backoff, mut rng) = (Backoff::new(), seeded(seed));
            for ceiling in [1, 2, 4, 8, 16, 30, 30, 30] {
                let delay = backoff.next_delay(Class::Normal, None, &mut rng);
                assert!((FLOOR..=Duration::from_secs(ceiling)).contains(&delay), "{delay:?} under {ceiling} s");
            }
        }
    }

    // I35
    #[test]
    fn delays_are_spread_evenly() {
        let mut rng = seeded(3);
        let mut buckets = [0_u32; 30];
        for _ in 0..100_000 {
            let delay = Backoff::new().next_delay(Class::Normal, None, &mut rng);
            let share = (delay - FLOOR).as_secs_f64() / (FIRST_CEILING - FLOOR).as_secs_f64();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share lies in 0..=1")]
            let bucket = (share * 30.0) as usize;
            buckets[bucket.min(29)] += 1;
        }
        let expected = 100_000.0 / 30.0;
        let chi_square: f64 = buckets.iter().map(|&count| (f64::from(count) - expected).powi(2) / expected).sum();
        // The 99.9th percentile of the distribution with 29 degrees of freedom.
        assert!(chi_square < 58.3, "{chi_square}");
    }

    // I35
    #[test]
    fn two_clients_do_not_march_in_step() {
        let draw = |seed| {
            let mut rng = seeded(seed);
            (0..1_000)
                .map(|_| Backoff::new().next_delay(Class::Normal, None, &mut rng).as_secs_f64())
                .collect::<Vec<_>>()
        };
        let (a, b) = (draw(1), draw(2));
        let mean = |values: &[f64]| values.iter().sum::<f64>() / 1_000.0;
        let (mean_a, mean_b) = (mean(&a), mean(&b));
        let covariance: f64 = a.iter().zip(&b).map(|(x, y)| (x - mean_a) * (y - mean_b)).sum();
        let spread = |values: &[f64], mean: f64| values.iter().map(|v| (v - mean).powi(2)).sum::<f64>().sqrt();
        let correlation = covariance / (spread(&a, mean_a) * spread(&b, mean_b));
        assert!(correlation.abs() < 0.1, "{correlation}");
    }

    // C07
    #[test]
    fn an_overloaded_server_is_left_alone_for_a_second() {
        assert!(delays(Class::Overloaded, 100).iter().all(|&delay| delay >= Duration::from_secs(1)));
    }

    // C08, I33
    #[test]
    fn an_immediate_retry_comes_once_until_the_back_off_is_reset() {
        let mut longest = Duration::ZERO;
        for seed in 0..200 {
            let (mut backoff, mut rng) = (Backoff::new(), seeded(seed));
            for _ in 0..2 {
                assert!(backoff.next_delay(Class::Immediate, None, &mut rng) <= Duration::from_secs(1));
                for ceiling in [2, 4, 8, 16, 30, 30] {
                    let delay = backoff.next_delay(Class::Immediate, None, &mut rng);
                    assert!((FLOOR..=Duration::from_secs(ceiling)).contains(&delay), "{delay:?} under {ceiling} s");
                    longest = longest.max(delay);
                }
                backoff.reset();
            }
        }
        assert!(longest > Duration::from_secs(20), "{longest:?}");
    }

    // W03, T01
    #[test]
    fn a_refusal_is_retried_slowly() {
        let slow = delays(Class::Slow, 50);
        assert!(slow.iter().all(|delay| (SLOW_FLOOR..=SLOW_CAP).contains(delay)), "{slow:?}");
        assert!(slow[0] <= Duration::from_secs(60));
        assert!(slow[10..].iter().any(|&delay| delay > Duration::from_secs(120)));
    }

    // S07
    #[test]
    fn what_costs_others_something_is_tried_a_few_times_an_hour() {
        for seed in 0..200 {
            let (mut backoff, mut rng) = (Backoff::new(), seeded(seed));
            let mut times = vec![Duration::ZERO];
            for ceiling in [2, 4, 8, 16, 30, 30, 30, 30] {
                let delay = backoff.next_delay(Class::Rare, None, &mut rng);
                let ceiling = Duration::from_secs(ceiling * 60);
                assert!((ceiling / 2..=ceiling).contains(&delay), "{delay:?} under {ceiling:?}");
                times.push(times[times.len() - 1] + delay);
            }
            assert!(times.iter().filter(|&&time| time < Duration::from_secs(3600)).count() <= 7, "{times:?}");
        }
    }

    #[test]
    fn deadlines_double_with_each_time_out_up_to_the_longest() {
        let seconds = Duration::from_secs;
        let after = |timeouts| lengthened(seconds(10), seconds(60), timeouts).as_secs();
        assert_eq!([0, 1, 2, 3, 4, u32::MAX].map(after), [10, 20, 40, 60, 60, 60]);
        assert_eq!(lengthened(seconds(90), seconds(60), 3), seconds(90), "the first is never cut");
    }

    // C02
    #[test]
    fn the_third_protocol_fault_within_five_minutes_is_slow() {
        let at = |seconds| Time::ZERO + Duration::from_secs(seconds);
        let mut backoff = Backoff::new();
        let classes = [0, 100, 299, 300, 700].map(|seconds| backoff.count_trouble(at(seconds)));
        assert_eq!(classes, [Class::Normal, Class::Normal, Class::Slow, Class::Slow, Class::Normal]);
        let mut backoff = Backoff::new();
        let classes = [0, 10, 20, 290, 310, 325, 620].map(|seconds| backoff.count_trouble(at(seconds)));
        assert_eq!(
            classes[2..],
            [Class::Slow, Class::Slow, Class::Slow, Class::Slow, Class::Normal],
            "the newest count"
        );
        assert!(backoff.trouble.len() <= TROUBLE_LIMIT);
    }

    // W04, S02, R10
    #[test]
    fn what_the_server_asks_for_is_honoured_within_bounds() {
        let mut rng = seeded(1);
        let mut delay = |asked: u64| {
            Backoff::new().next_delay(Class::Normal, Some(Duration::from_secs(asked)), &mut rng).as_secs_f64()
        };
        assert!((20.0..=21.0).contains(&delay(20)));
        assert!((1.0..=2.0).contains(&delay(0)));
        assert!((300.0..=301.0).contains(&delay(1_000_000)));
    }

    // R04
    #[test]
    fn the_counter_saturates() {
        let mut backoff =
            Backoff { failures: u32::MAX, slow_failures: u32::MAX, rare_failures: u32::MAX, ..Backoff::new() };
        let mut rng = seeded(1);
        assert!(backoff.next_delay(Class::Normal, None, &mut rng) <= CAP);
        assert!(backoff.next_delay(Class::Slow, None, &mut rng) <= SLOW_CAP);
        assert!(backoff.next_delay(Class::Rare, None, &mut rng) <= RARE_CAP);
    }
}
