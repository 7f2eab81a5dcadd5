//! Benchmarks of `vms-pusher` beside other Pusher clients. `README.md` says how they are run and what they measure.
//!
//! - [`workload`]: the messages.
//! - [`blaster`]: the server that sends them; [`websocket`] and [`certificate`] are what it needs.
//! - [`proxy`]: a network that counts round trips.
//! - [`clients`]: the clients that are written in Rust; those in other languages are in `runners/`.
//! - [`runner`]: all clients as processes.
//! - [`measures`]: what is measured, and [`report`]: how it is written down.
//! - [`guard`]: instruction counts, which a check may fail on.
//! - [`resources`]: what the operating system says about a process.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![allow(missing_debug_implementations, reason = "nobody prints the parts of a benchmark")]

pub mod blaster;
pub mod certificate;
pub mod clients;
pub mod guard;
pub mod measures;
pub mod proxy;
pub mod report;
pub mod resources;
pub mod runner;
pub mod websocket;
pub mod workload;
