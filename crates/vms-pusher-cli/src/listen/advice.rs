//! An error that is no end yet, as a person reads it: what failed, against which server, and what to try.

use vms_pusher::PusherError;

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
        let is_authorization = error.message.contains("authoriz");
        let server = if is_authorization { &self.api } else { &self.socket };
        let place = if error.message.contains(authority(server)) { String::new() } else { format!(" ({server})") };
        format!("{error}{place}; tip: {}", tip(&error.message))
    }
}

fn authority(url: &str) -> &str {
    url.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or(url)
}

/// What to try, by how the error begins or what it says.
fn tip(message: &str) -> &'static str {
    let tip = TIPS.iter().find(|(part, _)| message.contains(part)).map(|(_, tip)| *tip);
    tip.unwrap_or("it is tried again; if it goes on, are --socket-url and --app-key those of this VMS?")
}

/// Parts of the library's texts, the first that fits counts; `tests/cli/failures.rs` brings each about.
const TIPS: [(&str, &str); 11] = [
    ("another app key", "is --app-key the one of this VMS? without it the VMS is asked"),
    (
        "authorization was denied",
        "is the token valid, and are --user-id and --access-token-id those that belong to it?",
    ),
    ("the channel `", "are --socket-url and --app-key those of this VMS? without them it is asked"),
    ("cannot resolve", "is the host spelled right, and is there a network?"),
    ("cannot connect to", "is the server running, and are host and port right?"),
    ("certificate", "--ca FILE trusts the server's own certificate authority; the clock has to be right too"),
    (" within ", "something accepts and stays silent: are host and port right, or does a proxy hold it up?"),
    ("no WebSocket connection", "check --socket-url and --app-key, or leave both out: the VMS is then asked for them"),
    ("answered with status", "the server is in trouble or busy: wait, or ask who runs it"),
    ("refuses the connection", "check --socket-url and --app-key, or leave both out: the VMS is then asked for them"),
    ("the server closed the connection", "it is tried again; if it goes on, check --app-key"),
];
