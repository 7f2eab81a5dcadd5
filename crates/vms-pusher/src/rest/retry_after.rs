use std::time::{Duration, SystemTime};

use http::{HeaderMap, header};

/// Reads `Retry-After` (RFC 9110, section 10.2.3), held between one second and five minutes as everywhere in the project.
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default(),
    };
    Some(wait.clamp(Duration::from_secs(1), Duration::from_secs(300)))
}
