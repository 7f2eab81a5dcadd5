//! The whole client against servers that the tests script, over loopback.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    clippy::wildcard_enum_match_arm,
    reason = "a test may fail loudly at what it did not expect, and looks at no more than it is about"
)]

mod support;

mod address;
mod authorize;
mod authorizers;
mod broken;
mod callbacks;
mod callers;
mod connecting;
mod crowd;
mod delivery;
mod ending;
mod figures;
mod gap_times;
mod handler;
mod handles;
mod http;
mod http_authorizer;
mod lifecycle;
mod memory;
mod pauses;
mod proxy;
mod secrets;
mod socket;
mod spans;
mod talking;
mod threads;
mod tls;
