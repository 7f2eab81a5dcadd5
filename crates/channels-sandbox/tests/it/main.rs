//! The server over real sockets, looked at with clients that are not ours.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    unreachable_pub,
    reason = "tests stop at the first thing that is not as it should be"
)]

mod auth_endpoint;
mod client_events;
mod clients;
mod faults;
mod http_api;
mod kinds;
mod library;
mod lifecycle;
mod presence;
mod push1st;
mod pusher7;
mod reverb;
mod sockets;
mod sockudo;
mod soketi;
mod support;
mod tls;
mod users;
