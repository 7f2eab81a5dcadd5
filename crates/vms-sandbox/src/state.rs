//! The state of a sandbox.

use std::collections::BTreeMap;

use channels_sandbox::{Profile, SocketInfo};
use serde::{Deserialize, Serialize};

use crate::accounts::SessionInfo;

/// `GET /sandbox/state`: the state of the sandbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxState {
    /// The base URL.
    pub base_url: String,
    /// The socket URL.
    pub socket_url: String,
    /// The application key.
    pub app_key: String,
    /// The profile.
    pub profile: Profile,
    /// The sessions, oldest first.
    pub sessions: Vec<SessionInfo>,
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
    /// REST requests answered, by endpoint path (`/api/v1/…`, ids as `{id}`).
    pub requests: BTreeMap<String, u64>,
    /// How often a message crashed the whole server (push1st).
    pub crashes: u64,
}

impl SandboxState {
    /// Sockets subscribed to a channel.
    #[must_use]
    pub fn subscribers(&self, channel: &str) -> usize {
        self.channels.get(channel).copied().unwrap_or(0)
    }
}
