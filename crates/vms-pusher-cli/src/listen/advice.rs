//! An error as a person reads it: what failed, against which server, and what to try. What to try follows from the kind
//! of the error, the HTTP status and the Pusher code, never from its text.

use vms_pusher::{PusherError, PusherErrorKind as Kind};

/// The servers that errors are about.
#[derive(Debug)]
pub(super) struct Servers {
    /// The VMS, which also authorizes channels.
    pub(super) api: String,
    /// The server of the connection; the VMS as long as that is not known.
    pub(super) socket: String,
}

impl Servers {
    /// Completes an error by its server, unless it names it.
    pub(super) fn explain(&self, error: &PusherError) -> String {
        let server = if is_about_api(error.kind) { &self.api } else { &self.socket };
        let place = if error.message.contains(authority(server)) { String::new() } else { format!(" ({server})") };
        format!("{error}{place}")
    }
}

/// Whether the error is the VMS's own, and not that of its socket.
const fn is_about_api(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Address | Kind::Api | Kind::Denied | Kind::AuthorizationUnavailable | Kind::AuthorizationMalformed
    )
}

fn authority(url: &str) -> &str {
    url.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or(url)
}

/// What to try, in the words of this program; the error itself says what is wrong.
#[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum that grows; what it gains has no advice yet")]
pub(super) fn tip(error: &PusherError) -> &'static str {
    match error.kind {
        Kind::Resolve => "check the spelling of the host, and the network",
        Kind::Network => "is the server running, and are host and port correct?",
        Kind::Certificate => "if a root certificate is missing, add it with --ca FILE",
        Kind::Tls => "if the server does not use TLS, write http:// and ws://",
        Kind::TimedOut => {
            "the connection is accepted but nothing is answered: are host and port correct, or is a proxy in the way?"
        }
        Kind::NotWebSocket => ASK,
        Kind::HttpStatus => of_socket(error.status),
        // Some servers close so on a wrong app key, and the error says so.
        Kind::ClosedEarly if !matches!(error.code, Some(4000..=4299)) => ASK,
        Kind::ClosedEarly | Kind::Closed | Kind::Refused | Kind::ServerError => of_code(error.code),
        Kind::Lost | Kind::Silent => "if this persists, check the network, and whether a proxy cuts connections",
        Kind::MessageTooLong => "that message is lost, and a new connection follows; check what the VMS sends",
        Kind::ProtocolViolation => "is this a Pusher server? without --socket-url, the VMS is asked for it",
        Kind::Denied => of_denial(error.status),
        Kind::WrongAppKey => "is --app-key that of this VMS? without it, the VMS is asked for it",
        Kind::SubscriptionRejected => {
            "are --socket-url and --app-key those of this VMS? without them, the VMS is asked for both"
        }
        Kind::Unacknowledged => "is the server slow or overloaded?",
        Kind::AuthorizationUnavailable if error.status.is_none() => "does the VMS answer, and can the token be read?",
        Kind::Api | Kind::Address | Kind::AuthorizationUnavailable | Kind::AuthorizationMalformed => {
            of_api(error.status)
        }
        _ => "if this persists, check that --socket-url and --app-key are those of this VMS",
    }
}

/// What to try when the VMS answered with this status, or with something else than it should.
const fn of_api(status: Option<u16>) -> &'static str {
    match status {
        Some(401 | 419) => "is the token from this VMS? --login gets a new one",
        Some(403) => "is the token from this VMS? a gateway may also answer this for a while",
        Some(404) => "check --base-url; a gateway may also answer this for a while",
        Some(409) => "install a newer version of this program",
        Some(status) => of_any(status),
        None => "check --base-url; `curl -i` on it shows who answers there",
    }
}

/// What to try when the upgrade was answered with this status.
const fn of_socket(status: Option<u16>) -> &'static str {
    match status {
        // push1st answers a wrong app key with 403.
        Some(401 | 403) => {
            "without --socket-url and --app-key, the VMS is asked for both; a gateway may also answer this for a while"
        }
        Some(404) => "without --socket-url, the VMS is asked for it",
        Some(200..=299 | 426) | None => ASK,
        Some(status) => of_any(status),
    }
}

/// What to try whoever answered with this status.
const fn of_any(status: u16) -> &'static str {
    match status {
        300..=399 => "give the final address, or sign in to the network that redirects",
        408 => "check the network, and whether a proxy delays requests",
        429 => "wait; do many clients share this IP address?",
        502 | 504 => "wait, or ask the operator of the gateway and the server behind it",
        503 => "wait, or ask the server's operator",
        500..=599 => "wait; if this persists, ask the server's operator",
        _ => "check the address; `curl -i` on it shows who answers there",
    }
}

const fn of_denial(status: Option<u16>) -> &'static str {
    match status {
        Some(401 | 419) => "log in with --login, or replace the token where this one came from",
        _ => "are --user-id and --access-token-id those that came with the token?",
    }
}

/// What to try when the Pusher server said this code, in a close frame or in an error.
const fn of_code(code: Option<u16>) -> &'static str {
    match code {
        Some(4000) => "the server requires TLS: use a wss:// URL for --socket-url",
        Some(4001) => ADDRESS,
        Some(4003) => "the application is disabled on the server: ask its operator",
        Some(4004) => "the server's connection quota is used up: close other connections, or ask its operator for more",
        Some(4005) => "check the path of --socket-url, or leave it out: then the VMS is asked for it",
        Some(4006..=4008) => "the server does not support protocol version 7: ask its operator",
        Some(4009) => "is the token still valid?",
        Some(4010..=4099) => "check --socket-url and --app-key",
        Some(4100..=4199) => "the server is overloaded: wait",
        Some(4200..=4299 | 1001 | 1012) => "the server is restarting or moving: wait",
        Some(_) | None => "if this persists, ask the server's operator",
    }
}

const ASK: &str = "without --socket-url and --app-key, the VMS is asked for both";
const ADDRESS: &str = "check --socket-url and --app-key, or leave both out: then the VMS is asked for them";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn error(kind: Kind, code: Option<u16>, status: Option<u16>) -> PusherError {
        PusherError { kind, code, status, message: "certificate, cannot resolve, authorization was denied".to_owned() }
    }

    #[test]
    fn advice_follows_from_kind_status_and_code_whatever_the_text_says() {
        let of = |kind, code, status| tip(&error(kind, code, status));
        assert!(of(Kind::Network, None, None).contains("is the server running"));
        assert!(of(Kind::Refused, Some(4004), None).contains("quota"));
        assert!(!of(Kind::Refused, Some(4004), None).contains("--app-key"));
        assert!(of(Kind::Closed, Some(4001), None).contains("--app-key"));
        assert!(of(Kind::Denied, None, Some(419)).contains("--login"));
        for kind in [Kind::HttpStatus, Kind::Api, Kind::AuthorizationUnavailable] {
            let statuses = [None, Some(403), Some(404), Some(429), Some(502), Some(503)];
            let told: BTreeSet<_> = statuses.into_iter().map(|status| of(kind, None, status)).collect();
            assert_eq!(told.len(), statuses.len(), "each has its own advice: {told:?}");
        }
    }

    #[test]
    fn an_error_names_the_server_that_it_is_about_once() {
        let servers = Servers { api: "https://api.example".to_owned(), socket: "wss://push.example/x".to_owned() };
        assert!(servers.explain(&error(Kind::Denied, None, Some(403))).contains("(https://api.example)"));
        assert!(servers.explain(&error(Kind::Lost, None, None)).contains("(wss://push.example/x)"));
        let named = PusherError { message: "push.example is gone".to_owned(), ..error(Kind::Lost, None, None) };
        assert!(!servers.explain(&named).contains("(wss"));
    }
}
