//! Where the examples connect to: `cargo run -p vms-pusher-cli -- sandbox` runs a server, and any other of the protocol will do.

use std::env;

/// Returns a variable of the environment, or what it is by default.
pub(crate) fn variable(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}

/// The URL of the server and the key of the application.
pub(crate) fn server() -> (String, String) {
    (variable("CHANNELS_URL", "ws://127.0.0.1:6001"), variable("CHANNELS_KEY", "app-key"))
}
