use std::time::{Duration, SystemTime};

use http::{HeaderMap, header};

/// Reads `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date, which is compared with `now`. The result is
/// between one second and five minutes, so that neither a wrong clock nor a faulty server stops a client for good
/// (faults W04, R10).
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match value.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) => LONGEST,
        Err(_) => httpdate::parse_http_date(value).ok()?.duration_since(now).unwrap_or_default(),
    };
    Some(wait.clamp(SHORTEST, LONGEST))
}

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;

    // W04, R10
    #[test]
    fn seconds_and_dates_are_honoured_within_a_second_and_five_minutes() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, value.parse().unwrap());
            retry_after(&headers, now).map(|wait| wait.as_secs())
        };
        assert_eq!(read("7"), Some(7));
        assert_eq!(read(" 0 "), Some(1));
        assert_eq!(read("99999999999999999999999"), Some(300));
        assert_eq!(read("Sun, 06 Nov 1994 08:50:37 GMT"), Some(60));
        assert_eq!(read("Sun, 06 Nov 1994 07:00:00 GMT"), Some(1));
        assert_eq!(read("Mon, 07 Nov 1994 08:49:37 GMT"), Some(300));
        for nonsense in ["", "-1", "soon", "1.5"] {
            assert_eq!(read(nonsense), None, "{nonsense:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
