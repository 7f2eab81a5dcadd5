//! What the end-to-end tests share: servers that a test starts and stops, a publisher, a certificate authority and a
//! checker of what was delivered. The tests themselves are in `tests/`, one file a topic.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "support for tests: a failure ends the test, and most look for one kind of item"
)]

mod certificates;
mod clock;
mod consumer;
mod corpus;
mod history;
mod listener;
mod log;
mod numbered;
mod place;
mod publisher;
mod pusher_js;
mod relay;
mod server_library;
mod sockudo;

pub use certificates::TestCa;
pub use clock::wall_clock;
pub use consumer::{Consumer, log_in, session};
pub use corpus::{Case, as_in_fixtures, corpus};
pub use history::{Flaw, History, Seen};
pub use listener::{ListenerProcess, ListenerSession};
pub use log::{LogRecord, ProcessLog};
pub use numbered::{Sightings, number, numbered, publish_numbered, publish_pair};
pub use place::Place;
pub use publisher::{App, PublishError, Publisher};
pub use pusher_js::PusherJs;
pub use relay::Relay;
pub use server_library::{CallError, LibraryAuthorizer, MASTER_KEY, ServerLibrary};
pub use sockudo::SockudoServer;

/// The example of the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub struct Readme;
