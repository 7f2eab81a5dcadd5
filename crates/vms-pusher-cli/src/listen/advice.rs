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
    /// Completes an error by its server, unless it names it, and by what to try.
    pub(super) fn explain(&self, error: &PusherError) -> String {
        let server = if is_about_api(error.kind) { &self.api } else { &self.socket };
        let place = if error.message.contains(authority(server)) { String::new() } else { format!(" ({server})") };
        format!("{error}{place}; tip: {}", tip(error))
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

/// What to try.
#[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum that grows; what it gains has no advice yet")]
pub(super) fn tip(error: &PusherError) -> &'static str {
    match error.kind {
        Kind::Resolve => "is the host spelled right, and is there a network?",
        Kind::Network => "is the server running, and are host and port right?",
        Kind::Certificate => "--ca FILE trusts the server's own certificate authority; the clock has to be right too",
        Kind::Tls => "does the server speak TLS on this port? http:// and ws:// do without",
        Kind::TimedOut => "something accepts and stays silent: are host and port right, or does a proxy hold it up?",
        Kind::NotWebSocket => ADDRESS,
        Kind::HttpStatus => of_socket(error.status),
        Kind::ClosedEarly | Kind::Closed | Kind::Refused | Kind::ServerError => of_code(error.code),
        Kind::Lost | Kind::Silent => "it is tried again; if it goes on, is the network sound, or does a proxy cut in?",
        Kind::MessageTooLong => "that message is lost, and a new connection follows: what does the VMS send there?",
        Kind::ProtocolViolation => "is this a Pusher server? without --socket-url the VMS is asked",
        Kind::Denied => of_denial(error.status),
        Kind::WrongAppKey => "is --app-key the one of this VMS? without it the VMS is asked",
        Kind::SubscriptionRejected => "are --socket-url and --app-key those of this VMS? without them it is asked",
        Kind::Unacknowledged => "the server is slow or overloaded: it is tried again",
        Kind::AuthorizationUnavailable if error.status.is_none() => {
            "it is tried again: does the VMS answer, and is the token where it is read from?"
        }
        Kind::Api | Kind::Address | Kind::AuthorizationUnavailable | Kind::AuthorizationMalformed => {
            of_api(error.status)
        }
        _ => "it is tried again; if it goes on, are --socket-url and --app-key those of this VMS?",
    }
}

/// What to try when the VMS answered with this status, or with something else than it should.
const fn of_api(status: Option<u16>) -> &'static str {
    match status {
        Some(401 | 419) => "is the token still valid, and from this VMS? --login gets a new one",
        Some(403) => "is the token from this VMS, and may this user listen? a gateway may say so too, for a while",
        Some(404) => "check --base-url: there is no VMS at this path, or a gateway does not find it for a while",
        Some(409) => "the VMS wants a newer version of this program",
        Some(status) => of_any(status),
        None => "check --base-url; `curl -i` on it shows who answers there",
    }
}

/// What to try when the upgrade was answered with this status.
const fn of_socket(status: Option<u16>) -> &'static str {
    match status {
        // push1st answers a wrong app key with 403.
        Some(401 | 403) => {
            "check --socket-url and --app-key, or leave both out: the VMS is then asked for them; a gateway may say so \
             too, for a while"
        }
        Some(404) => {
            "nothing is at this path: check that of --socket-url, or leave it out: the VMS is then asked for it"
        }
        Some(200..=299 | 426) | None => ADDRESS,
        Some(status) => of_any(status),
    }
}

/// What to try whoever answered with this status.
const fn of_any(status: u16) -> &'static str {
    match status {
        300..=399 => "a redirect is not followed: give the address itself, or sign in to the network that redirects",
        408 => "the server did not hear the request in time: is the network sound, or does a proxy hold it up?",
        429 => "too many requests came from here: wait; do many programs share this address?",
        502 | 504 => "a gateway gets no answer from the server behind it: wait, or ask who runs it",
        503 => "the server is overloaded or under maintenance: wait, or ask who runs it",
        500..=599 => "the server is in trouble: wait, or ask who runs it",
        _ => "check the address; `curl -i` on it shows who answers there",
    }
}

const fn of_denial(status: Option<u16>) -> &'static str {
    match status {
        Some(401 | 419) => "is the token still valid? --login gets a new one, and so may who writes --token-file",
        _ => "is the token valid, and are --user-id and --access-token-id those that belong to it?",
    }
}

/// What to try when the Pusher server said this code, in a close frame or in an error.
const fn of_code(code: Option<u16>) -> &'static str {
    match code {
        Some(4000) => "the server wants TLS: is --socket-url a wss:// one?",
        Some(4001) => ADDRESS,
        Some(4003) => "the application is disabled at the server: ask who runs it",
        Some(4004) => "the server's quota of connections is used up: end others, or ask who runs it for more",
        Some(4005) => "check the path of --socket-url, or leave it out: the VMS is then asked for it",
        Some(4006..=4008) => "the server speaks another version of the protocol than 7: ask who runs it",
        Some(4009) => "is the token still valid?",
        Some(4010..=4099) => "check --socket-url and --app-key",
        Some(4100..=4199) => "the server has too much to do: it is tried again, slowly",
        Some(4200..=4299 | 1001 | 1012) => "the server restarts or moves: it is tried again",
        Some(_) | None => "it is tried again; if it goes on, check --app-key: some servers close on a wrong one",
    }
}

const ADDRESS: &str = "check --socket-url and --app-key, or leave both out: the VMS is then asked for them";

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
