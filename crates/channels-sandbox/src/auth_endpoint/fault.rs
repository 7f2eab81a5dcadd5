//! Faults of the endpoint.

use serde::{Deserialize, Serialize};

/// Which requests of the endpoint a fault affects, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthFault {
    /// An authorization.
    Channel {
        /// Only of this channel. A trailing `*` matches any suffix.
        #[serde(default)]
        channel: Option<String>,
        /// What happens instead.
        answer: AuthAnswer,
    },
    /// A user authentication.
    User {
        /// What happens instead.
        answer: AuthAnswer,
    },
}

/// A wrong answer of the endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthAnswer {
    /// This body, verbatim, as JSON.
    Body {
        /// The HTTP status.
        status: u16,
        /// The body.
        body: String,
    },
    /// The right answer, late.
    Delay {
        /// Milliseconds to wait first.
        millis: u64,
    },
    /// The connection is dropped without an answer.
    Drop,
    /// No answer; the connection stays open.
    Hang,
    /// This status without a body.
    Status {
        /// The HTTP status.
        status: u16,
        /// The `Retry-After`, verbatim.
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// The right answer with the `shared_secret` of another channel.
    WrongSecret,
    /// The right answer with the signature of another socket.
    WrongSignature,
}
