//! The time of day.

use channels_client::{Clock as _, SystemClock};
use vms_pusher::VmsTime;

/// Returns the time of day; the epoch when the clock is outside the years 0000 to 9999.
pub(crate) fn now() -> VmsTime {
    let epoch = || VmsTime::from_unix_micros(0);
    #[expect(clippy::expect_used, reason = "1970 lies between the years 0000 and 9999")]
    VmsTime::try_from(SystemClock::new().wall()).ok().or_else(epoch).expect("1970 is a time")
}
