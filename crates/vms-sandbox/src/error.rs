//! Errors of starting and waiting.

use std::{io, net::SocketAddr, time::Duration};

use channels_sandbox::ServerError;

use crate::state::SandboxState;

/// A sandbox that cannot be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A setting is invalid.
    #[error("setting `{setting}` of the sandbox: {problem}")]
    Config {
        /// The field of [`SandboxConfig`](crate::SandboxConfig).
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

impl From<ServerError> for SandboxError {
    fn from(error: ServerError) -> Self {
        match error {
            ServerError::Bind { address, source } => Self::Bind { address, source },
            ServerError::Config { setting, problem } => Self::Config { setting, problem },
            ServerError::Tls { problem } => Self::Tls { problem },
            other => Self::Config { setting: "bind", problem: other.to_string() },
        }
    }
}

/// A condition did not come true in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox did not reach the wanted state within {timeout:?}; its state is {state:?}")]
pub struct WaitError {
    /// How long the wait lasted.
    pub timeout: Duration,
    /// The state at the end.
    pub state: Box<SandboxState>,
}
