//! The whole client against servers that the tests script, over loopback.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test that meets what it did not expect shall fail with a word about it"
)]

mod support;

mod authorize;
mod connecting;
mod http;
mod lifecycle;
mod tls;
