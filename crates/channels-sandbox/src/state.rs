//! The state of a server.

use std::collections::BTreeMap;

use crate::{member::Member, sockets::SocketInfo};

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
    /// Members per presence channel, by their ids; a channel without any is not listed.
    pub members: BTreeMap<String, Vec<Member>>,
    /// The users who are signed in, with the numbers of their sockets.
    pub users: BTreeMap<String, Vec<u64>>,
    /// How often a message crashed the whole server (push1st).
    pub crashes: u64,
}

impl ServerState {
    /// Sockets subscribed to a channel.
    #[must_use]
    pub fn subscribers(&self, channel: &str) -> usize {
        self.channels.get(channel).copied().unwrap_or(0)
    }

    /// The ids of the members of a presence channel.
    #[must_use]
    pub fn member_ids(&self, channel: &str) -> Vec<&str> {
        self.members.get(channel).into_iter().flatten().map(|member| member.user_id.as_str()).collect()
    }
}
