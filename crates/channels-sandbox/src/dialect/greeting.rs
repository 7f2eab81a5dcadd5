//! The greeting, and strings in it.

use serde_json::Value;

use crate::timing::Timing;

pub(super) fn quote(text: &str) -> String {
    Value::from(text).to_string()
}

/// `activity_timeout` in a greeting: a number or a numeric string, unless the test wants otherwise.
pub(super) fn activity_timeout(timing: &Timing, as_text: bool) -> Value {
    if let Some(chosen) = &timing.activity_timeout_on_wire {
        return chosen.clone();
    }
    let seconds = timing.activity_timeout.as_secs().max(1);
    if as_text { Value::from(seconds.to_string()) } else { Value::from(seconds) }
}

/// The data of a greeting with its keys in the order given; a null `activity_timeout` is left out.
pub(super) fn greeting_data(socket_id: &str, timeout: &Value, socket_id_first: bool) -> String {
    let id = format!("\"socket_id\":{}", quote(socket_id));
    match (timeout, socket_id_first) {
        (Value::Null, _) => format!("{{{id}}}"),
        (timeout, true) => format!("{{{id},\"activity_timeout\":{timeout}}}"),
        (timeout, false) => format!("{{\"activity_timeout\":{timeout},{id}}}"),
    }
}
