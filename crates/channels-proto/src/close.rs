//! What a close code means for the next attempt.

use crate::backoff::Class;

/// Whether to try again after a socket ended, and how soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetryDecision {
    /// Try again, with a delay of this class.
    Retry(Class),
    /// Try again; several of these within minutes mean a fault that quick retries will not fix.
    Trouble,
    /// 4009: try once more with a fresh token, then stop.
    Unauthorized,
    /// Do not try again with these parameters.
    Stop,
}

/// Classifies a WebSocket or Pusher close code; `None` stands for a socket that ended without one.
///
/// Pusher's ranges: 4000 to 4099 do not reconnect, 4100 to 4199 reconnect after backing off for a second or more,
/// 4200 to 4299 reconnect at once (Pusher Channels protocol, "Connection closure"). Other codes are undefined; they
/// reconnect, since stopping for good would be worse.
pub(crate) const fn classify(code: Option<u16>) -> RetryDecision {
    match code {
        Some(1002 | 1003 | 1007..=1009) => RetryDecision::Trouble,
        Some(4009) => RetryDecision::Unauthorized,
        Some(4000..=4099) => RetryDecision::Stop,
        Some(4100..=4199) => RetryDecision::Retry(Class::Overloaded),
        Some(4200..=4299) => RetryDecision::Retry(Class::Immediate),
        Some(_) | None => RetryDecision::Retry(Class::Normal),
    }
}

/// Returns whether a server may put `code` into a close frame (RFC 6455, section 7.4, and the IANA registry that it
/// set up).
pub(crate) const fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// What the protocol says a final code means, for servers that give no reason.
pub(crate) const fn name_of(code: u16) -> &'static str {
    match code {
        4000 => "the application accepts only TLS connections",
        4001 => "the application does not exist; check the app key",
        4003 => "the application is disabled",
        4004 => "the application is over its connection quota",
        4005 => "the path was not found; check the socket URL",
        4006 => "invalid version string",
        4007 => "unsupported protocol version",
        4008 => "no protocol version supplied",
        4009 => "the connection is unauthorized",
        _ => "the server rejected the connection parameters",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // C04: 1005, 1006 and 1015 say how a socket ended; they are never on the wire.
    #[test]
    fn codes_that_no_server_may_send_are_known() {
        for code in [1000, 1001, 1002, 1003, 1007, 1011, 1012, 1014, 3000, 4001, 4999] {
            assert!(may_be_sent(code), "{code}");
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, u16::MAX] {
            assert!(!may_be_sent(code), "{code}");
        }
    }

    // C01-C09
    #[test]
    fn every_code_has_one_meaning() {
        for code in [4000, 4001, 4002, 4003, 4008, 4010, 4099] {
            assert_eq!(classify(Some(code)), RetryDecision::Stop, "{code}");
        }
        assert_eq!(classify(Some(4009)), RetryDecision::Unauthorized);
        for code in [4100, 4150, 4199] {
            assert_eq!(classify(Some(code)), RetryDecision::Retry(Class::Overloaded), "{code}");
        }
        for code in [4200, 4201, 4202, 4299] {
            assert_eq!(classify(Some(code)), RetryDecision::Retry(Class::Immediate), "{code}");
        }
        for code in [1000, 1001, 1005, 1006, 1011, 1012, 1013, 1014, 3999, 4300, 4301, 4999, 65535] {
            assert_eq!(classify(Some(code)), RetryDecision::Retry(Class::Normal), "{code}");
        }
        for code in [1002, 1003, 1007, 1008, 1009] {
            assert_eq!(classify(Some(code)), RetryDecision::Trouble, "{code}");
        }
        assert_eq!(classify(None), RetryDecision::Retry(Class::Normal));
    }
}
