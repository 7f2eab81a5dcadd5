//! The wall clock, read in one place.

use std::time::{Instant, SystemTime};

#[expect(
    clippy::disallowed_methods,
    reason = "events are stamped with real time: the clients under test stamp their gaps with it"
)]
pub(crate) fn wall() -> SystemTime {
    SystemTime::now()
}

#[expect(clippy::disallowed_methods, reason = "deadlines for processes that keep real time")]
pub(crate) fn monotonic() -> Instant {
    Instant::now()
}
