//! The sockets of a server, and how to reach them.

mod cache;
mod channel;
pub(crate) mod exchange;
pub(crate) mod queue;
pub(crate) mod roster;
pub(crate) mod seat;
mod users;
