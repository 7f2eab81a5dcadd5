//! The sandbox over real sockets, looked at with clients that are not ours.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    unreachable_pub,
    reason = "tests stop at the first thing that is not as it should be"
)]

#[path = "../../../channels-sandbox/tests/it/clients/mod.rs"]
mod clients;
mod control_api;
mod early;
mod faults;
mod lifecycle;
mod rest;
mod scenario;
mod sessions;
mod sockets;
mod support;
mod tls;
