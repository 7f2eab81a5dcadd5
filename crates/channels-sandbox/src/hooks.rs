//! Decisions of an application for the server's sockets.

use std::fmt;

use crate::push::RawPush;

/// Decisions of an application for the server's sockets. `()` leaves everything at its default.
pub trait Hooks: fmt::Debug + Send + Sync {
    /// An event that is sent to a socket just before its subscription to `channel` is acknowledged, as push1st may.
    /// Default: none. [`except`](RawPush::except) is ignored.
    fn before_acknowledgement(&self, channel: &str) -> Option<RawPush> {
        let _ = channel;
        None
    }
}

impl Hooks for () {}
