//! The program, run as a process.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a test says what is wrong by panicking"
)]

mod accounts;
mod completions;
mod demo;
mod driven;
mod failures;
mod generated;
mod json;
mod limits;
mod listen;
mod said;
mod sandbox;
mod secrets;
mod sessions;
mod start;
mod support;
mod terminal;
mod tls;
