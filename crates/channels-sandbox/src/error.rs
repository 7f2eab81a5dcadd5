//! Errors of starting and waiting.

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
    /// A setting is invalid.
    #[error("setting `{setting}` of the server: {problem}")]
    Config {
        /// The field of [`ServerConfig`](crate::ServerConfig).
        setting: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The certificate or its key is unusable.
    #[error("cannot serve TLS: {problem}")]
    Tls {
        /// What is wrong.
        problem: String,
    },
}

/// A condition did not come true in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server did not reach the wanted state within {timeout:?}; its state is {state:?}")]
pub struct WaitError {
    /// How long the wait lasted.
    pub timeout: Duration,
    /// The state at the end.
    pub state: Box<ServerState>,
}
