//! The Pusher server: upgrade, frames, sockets, channels, and the habits of several servers.

pub(crate) mod assembly;
pub(crate) mod dialect;
pub(crate) mod frame;
pub(crate) mod hub;
pub(crate) mod liveness;
pub(crate) mod message;
pub(crate) mod message_fault;
pub(crate) mod rate;
pub(crate) mod signature;
pub(crate) mod socket;
pub(crate) mod upgrade;
