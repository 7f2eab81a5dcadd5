use std::time::Duration;

use ::http::StatusCode;
use thiserror::Error;

use crate::dial::ConnectError;

/// Why a request got no usable response. A response with an error status is a response, not an error, unless it is a
/// redirect.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HttpError {
    /// No connection to the server.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// No complete response within the deadline.
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
        /// The target, without query; empty when the server gave none.
        to: String,
    },
    /// The response body is over the limit.
    #[error("{url} answered with more than {limit} bytes")]
    TooLarge {
        /// The address that was asked, without its query.
        url: String,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The connection was lost, or the response is not HTTP.
    #[error("the exchange with {url} failed: {reason}")]
    Failed {
        /// The address that was asked, without its query.
        url: String,
        /// What happened.
        reason: String,
    },
    /// The request names a server other than the configured one; nothing was sent.
    #[error("a request for a server other than {origin} was refused")]
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
