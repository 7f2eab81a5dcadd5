//! What can go wrong in starting and waiting.

use std::{io, net::SocketAddr, time::Duration};

use crate::state::ServerState;

/// A server that cannot be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A setting makes no sense.
    #[error("setting `{setting}` of the server: {problem}")]
    Config {
        /// The field of [`ServerConfig`](crate::ServerConfig).
        setting: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The certificate or its key is of no use.
    #[error("cannot serve TLS: {problem}")]
    Tls {
        /// What is wrong.
        problem: String,
    },
}

/// A condition did not come true in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server did not get there within {timeout:?}; it stands at {state:?}")]
pub struct WaitError {
    /// How long it was waited for.
    pub timeout: Duration,
    /// How things stood at the end.
    pub state: Box<ServerState>,
}
