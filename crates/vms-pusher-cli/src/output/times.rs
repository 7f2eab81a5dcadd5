//! Times for a person.

use vms_pusher::VmsTime;

/// `2024-03-05T10:11:12.123Z`
pub(crate) fn date_and_clock(time: VmsTime) -> String {
    let text = time.to_string();
    text.get(..23).map_or_else(|| text.clone(), |millis| format!("{millis}Z"))
}

/// `10:11:12.123`
pub(crate) fn clock(time: VmsTime) -> String {
    let text = time.to_string();
    text.get(11..23).map_or_else(|| text.clone(), str::to_owned)
}
