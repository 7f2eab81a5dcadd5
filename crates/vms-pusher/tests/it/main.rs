//! `VmsPusherApi` and `VmsApi` against a sandbox, over real sockets on loopback.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    unreachable_pub,
    reason = "a test says what is wrong by panicking"
)]

mod continuity;
mod delegate;
mod discovery;
mod ending;
mod lifetime;
mod rest;
mod session;
mod session_change;
mod stream;
mod support;
