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
    #[error("{origin} did not answer within {} s", .after.as_secs_f32())]
    TimedOut {
        /// The server.
        origin: String,
        /// The deadline.
        after: Duration,
    },
    /// The server redirected, which is never followed: the token must not leave the configured server.
    #[error("{origin} answered with a redirect ({status}) to `{to}`, which is not followed")]
    Redirected {
        /// The server.
        origin: String,
        /// The status, 3xx.
        status: StatusCode,
        /// Where to, without query; empty when the server did not say.
        to: String,
    },
    /// The body of the answer is over the limit.
    #[error("{origin} answered with more than {limit} bytes")]
    TooLarge {
        /// The server.
        origin: String,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The connection broke, or what came back is not HTTP.
    #[error("the exchange with {origin} failed: {reason}")]
    Failed {
        /// The server.
        origin: String,
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
