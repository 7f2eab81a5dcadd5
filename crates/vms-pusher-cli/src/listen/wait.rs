use std::time::Duration;

/// How long to wait between attempts to log in or to ask for the socket, spread as the client's own waits are, so
/// that the listeners of a restarted server do not come back at once.
#[derive(Debug)]
pub(super) struct Waits {
    random: fastrand::Rng,
    ceiling: Duration,
}

impl Waits {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: fastrand::Rng::with_seed(seed), ceiling: FIRST_CEILING }
    }

    /// Returns the longest wait that the server does not ask for.
    pub(super) const fn longest(&self) -> Duration {
        LONGEST_CEILING
    }

    /// Returns the next wait. What the server asks for is never undercut.
    pub(super) fn next(&mut self, asked: Option<Duration>) -> Duration {
        let wait = match asked {
            Some(asked) => asked + FIRST_CEILING.mul_f64(self.random.f64()),
            None => FLOOR + self.ceiling.saturating_sub(FLOOR).mul_f64(self.random.f64()),
        };
        self.ceiling = (self.ceiling * 2).min(LONGEST_CEILING);
        wait
    }
}

const FLOOR: Duration = Duration::from_millis(250);
const FIRST_CEILING: Duration = Duration::from_secs(1);
const LONGEST_CEILING: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    // I33
    #[test]
    fn waits_are_spread_under_a_ceiling_that_doubles() {
        let mut seeds = fastrand::Rng::with_seed(1);
        for (attempt, ceiling) in [1, 2, 4, 8, 16, 30, 30].into_iter().enumerate() {
            let ceiling = f64::from(ceiling);
            let mut quarters = [0; 4];
            for _ in 0..1_000 {
                let mut waits = Waits::new(seeds.u64(..));
                let wait = (0..=attempt).map(|_| waits.next(None)).last().unwrap().as_secs_f64();
                assert!((0.25..=ceiling).contains(&wait), "{attempt}: {wait}");
                let quarter = [0.25, 0.5, 0.75].iter().filter(|part| wait > 0.25 + *part * (ceiling - 0.25)).count();
                quarters[quarter] += 1;
            }
            assert!(quarters.iter().all(|count| (180..320).contains(count)), "{attempt}: {quarters:?}");
        }
    }

    // I33, R10
    #[test]
    fn what_the_server_asks_for_is_never_undercut_and_spread_too() {
        let asked = Duration::from_secs(7);
        let waits: Vec<Duration> = (0..100).map(|seed| Waits::new(seed).next(Some(asked))).collect();
        assert!(waits.iter().all(|wait| (asked..asked + FIRST_CEILING).contains(wait)), "{waits:?}");
        assert!(waits.iter().any(|wait| *wait > asked + FIRST_CEILING / 2), "{waits:?}");
    }
}
