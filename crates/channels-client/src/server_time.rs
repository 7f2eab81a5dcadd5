use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use channels_proto::Time;
use http::{HeaderMap, header};

use crate::{Clock, ServerClock, clock::read_both};

/// What is known of the server's clock, from the `Date` of its responses. Cheap to clone; clones share what they
/// learn.
///
/// A [`StreamClient`](crate::StreamClient) learns from its own upgrades; give it, and every
/// [`HttpClient`](crate::http::HttpClient) for the same server, clones of one of these, so that it learns from all of them.
///
/// A date gives the time to the second, and was written between the moments when the request was sent and the
/// response received. So each response bounds the offset between the server's clock and this device's monotonic clock
/// from both sides, whatever the network did, and the bounds of several responses are intersected. They widen with
/// time, since clocks drift. Bounds that contradict earlier ones replace them: a clock was set. This device's wall
/// clock plays no part, so it may be wrong, and may be set.
#[derive(Clone)]
pub struct ServerTime(Arc<Shared>);

struct Shared {
    clock: Arc<dyn Clock>,
    estimate: Mutex<Option<Estimate>>,
}

/// The bounds as they were at a moment.
#[derive(Clone, Copy, Debug)]
struct Estimate {
    at: Time,
    bounds: Bounds,
}

/// Between what the distance lies: the server's clock less this device's monotonic one, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    low: i128,
    high: i128,
}

impl ServerTime {
    /// Creates an estimator that knows nothing yet. `clock` must be that of the client that uses it.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Shared { clock, estimate: Mutex::default() }))
    }

    /// Returns the time to note when a request is sent.
    pub(crate) fn now(&self) -> Time {
        self.0.clock.now()
    }

    /// Learns from the headers of a response, just received, to a request sent at `sent`. A response from a cache
    /// (with an `Age`: RFC 9111, section 5.1) is ignored, because it dates an earlier response.
    pub(crate) fn learn(&self, sent: Time, headers: &HeaderMap) {
        let date =
            headers.get(header::DATE).and_then(|date| httpdate::parse_http_date(date.to_str().ok()?.trim()).ok());
        let Some(date) = date.filter(|_| !headers.contains_key(header::AGE)) else { return };
        let now = self.now();
        let bounds = Bounds {
            low: nanos_of(date) - nanos(now),
            high: nanos_of(date) + signed(DATE_RESOLUTION + DATE_MAY_BE_LATE) - nanos(sent.min(now)),
        };
        let mut estimate = self.estimate();
        let known = estimate.map(|estimate| estimate.bounds_at(now));
        let both = known.and_then(|known| known.intersect(bounds));
        *estimate = Some(Estimate { at: now, bounds: both.unwrap_or(bounds) });
    }

    /// Returns the bounds as they hold for every moment from `oldest` until now; none when no answer had a date.
    pub(crate) fn bounds(&self, oldest: Time) -> Option<Bounds> {
        let estimate = (*self.estimate())?;
        let [then, now] = [oldest, self.now()].map(|at| estimate.bounds_at(at));
        Some(then.hull(now))
    }

    /// Says `bounds` by this device's wall clock as it stands now.
    pub(crate) fn tell(&self, bounds: Bounds) -> ServerClock {
        let (now, wall) = read_both(self.0.clock.as_ref());
        let wall = nanos_of(wall) - nanos(now);
        let (low, high) = (bounds.low - wall, bounds.high - wall);
        let ahead = low.midpoint(high).div_euclid(NANOS_PER_MILLI);
        let wrong = (high - ahead * NANOS_PER_MILLI).max(ahead * NANOS_PER_MILLI - low);
        let uncertainty = u64::try_from(wrong.div_euclid(NANOS_PER_MILLI) + 1).unwrap_or(u64::MAX);
        let ahead_ms = i64::try_from(ahead).unwrap_or(if ahead < 0 { i64::MIN } else { i64::MAX });
        ServerClock { ahead_ms, uncertainty: Duration::from_millis(uncertainty) }
    }

    fn estimate(&self) -> MutexGuard<'_, Option<Estimate>> {
        self.0.estimate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Estimate {
    fn bounds_at(&self, at: Time) -> Bounds {
        let apart = at.saturating_since(self.at).max(self.at.saturating_since(at));
        let drift = signed(apart) / DRIFT;
        Bounds { low: self.bounds.low - drift, high: self.bounds.high + drift }
    }
}

impl Bounds {
    fn intersect(self, other: Self) -> Option<Self> {
        let both = Self { low: self.low.max(other.low), high: self.high.min(other.high) };
        (both.low <= both.high).then_some(both)
    }

    /// Returns bounds that hold if either do.
    pub(crate) fn hull(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }

    /// Returns the earliest time that the server's clock may have shown at `at`.
    pub(crate) fn earliest(self, at: Time) -> SystemTime {
        time_of(nanos(at) + self.low)
    }

    /// Returns the latest time that the server's clock may have shown at `at`.
    pub(crate) fn latest(self, at: Time) -> SystemTime {
        time_of(nanos(at) + self.high)
    }
}

fn nanos(time: Time) -> i128 {
    i128::from(time.as_nanos())
}

fn signed(duration: Duration) -> i128 {
    i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX)
}

fn nanos_of(time: SystemTime) -> i128 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => signed(since),
        Err(before) => -signed(before.duration()),
    }
}

fn time_of(nanos: i128) -> SystemTime {
    let apart = nanos.unsigned_abs();
    let seconds = u64::try_from(apart / NANOS_PER_SECOND).unwrap_or(u64::MAX);
    let rest = u64::try_from(apart % NANOS_PER_SECOND).unwrap_or_default();
    let apart = Duration::from_secs(seconds).saturating_add(Duration::from_nanos(rest));
    let epoch = SystemTime::UNIX_EPOCH;
    let time = if nanos < 0 { epoch.checked_sub(apart) } else { epoch.checked_add(apart) };
    time.unwrap_or(epoch)
}

impl fmt::Debug for ServerTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTime").field("estimate", &*self.estimate()).finish_non_exhaustive()
    }
}

const NANOS_PER_MILLI: i128 = 1_000_000;
const NANOS_PER_SECOND: u128 = 1_000_000_000;
const DATE_RESOLUTION: Duration = Duration::from_secs(1);
/// Many servers write the date once a second, and are late with it under load.
const DATE_MAY_BE_LATE: Duration = Duration::from_millis(100);
/// 100 parts in a million between two clocks: each of them keeps to half of that.
const DRIFT: i128 = 10_000;

#[cfg(test)]
mod tests;
