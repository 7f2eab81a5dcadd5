//! The wall clock, read in one place.

use std::time::{Instant, SystemTime};

/// The present time.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "events are stamped with real time: the clients under test stamp their gaps with it"
)]
pub fn wall_clock() -> SystemTime {
    SystemTime::now()
}

#[expect(clippy::disallowed_methods, reason = "deadlines for processes that keep real time")]
pub(crate) fn monotonic() -> Instant {
    Instant::now()
}
