use std::time::Duration;

use ::http::StatusCode;
use thiserror::Error;

use crate::dial::ConnectError;

/// Why a request got no answer that can be used. An answer with an error status is an answer, not an error, unless it
/// is a redirect.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HttpError {
    /// No connection to the server.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// No complete answer within the deadline.
    #[error("{url} did not answer within {} s", .after.as_secs_f32())]
    TimedOut {
        /// The address that was asked, without its query.
        url: String,
        /// The deadline.
        after: Duration,
    },
    /// The server redirected, which is never followed: the token must not leave the configured server.
    #[error("{url} answered with a redirect ({status}) to `{to}`, which is not followed")]
    Redirected {
        /// The address that was asked, without its query.
        url: String,
        /// The status, 3xx.
        status: StatusCode,
        /// Where to, without query; empty when the server did not say.
        to: String,
    },
    /// The body of the answer is over the limit.
    #[error("{url} answered with more than {limit} bytes")]
    TooLarge {
        /// The address that was asked, without its query.
        url: String,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The connection broke, or what came back is not HTTP.
    #[error("the exchange with {url} failed: {reason}")]
    Failed {
        /// The address that was asked, without its query.
        url: String,
        /// What happened.
        reason: String,
    },
    /// The request names another server than the configured one; nothing was sent.
    #[error("a request for another server than {origin} was refused")]
    ForeignOrigin {
        /// The configured server.
        origin: String,
    },
}

impl HttpError {
    /// Completes the server in it by the path that was asked for.
    pub(super) fn at(mut self, path: &str) -> Self {
        match &mut self {
            Self::TimedOut { url, .. }
            | Self::Redirected { url, .. }
            | Self::TooLarge { url, .. }
            | Self::Failed { url, .. } => url.push_str(path),
            Self::Connect(_) | Self::ForeignOrigin { .. } => {}
        }
        self
    }
}
