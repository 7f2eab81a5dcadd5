//! The state of a server.

use std::collections::BTreeMap;

use crate::sockets::SocketInfo;

/// The state of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerState {
    /// Open sockets, oldest first.
    pub sockets: Vec<SocketInfo>,
    /// Sockets that have ended, oldest first; the last 256.
    pub ended: Vec<SocketInfo>,
    /// Sockets ever opened.
    pub sockets_ever: u64,
    /// WebSocket upgrades requested, whatever their outcome.
    pub upgrades_ever: u64,
    /// Subscriptions per channel; a channel without any is not listed.
    pub channels: BTreeMap<String, usize>,
    /// How often a message crashed the whole server (push1st).
    pub crashes: u64,
}

impl ServerState {
    /// Sockets subscribed to a channel.
    #[must_use]
    pub fn subscribers(&self, channel: &str) -> usize {
        self.channels.get(channel).copied().unwrap_or(0)
    }
}
