//! Where the examples connect to: `cargo run -p vms-pusher-cli -- sandbox` runs a server, and any other of the protocol will do.

#![allow(dead_code, reason = "each example takes what it needs")]

use std::env;

use channels_client::{HttpAuthorizer, HttpAuthorizerError};

/// Returns a variable of the environment, or what it is by default.
pub(crate) fn variable(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}

/// The URL of the server and the key of the application.
pub(crate) fn server() -> (String, String) {
    (variable("CHANNELS_URL", "ws://127.0.0.1:6001"), variable("CHANNELS_KEY", "app-key"))
}

/// The endpoint that signs for channels, and for users, as `user`.
pub(crate) fn authorizer(user: &str) -> Result<HttpAuthorizer, HttpAuthorizerError> {
    let channels = variable("CHANNELS_AUTH", "http://127.0.0.1:6001/pusher/auth");
    let users = variable("CHANNELS_USER_AUTH", "http://127.0.0.1:6001/pusher/user-auth");
    HttpAuthorizer::builder(&channels).user_endpoint(&users).param("user_id", user).build()
}
