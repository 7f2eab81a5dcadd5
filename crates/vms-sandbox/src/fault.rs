//! Faults that a test injects in advance.

use channels_sandbox::{SocketFault, SubscribeAnswer, UpgradeAnswer};
use serde::{Deserialize, Serialize};

/// A fault that applies to the next request that it matches.
pub type Fault = channels_sandbox::Fault<FaultKind>;

/// What a fault affects, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// `pusher:ping` goes unanswered. The socket works otherwise.
    Ping,
    /// A REST request is answered wrongly, before the bearer token is checked.
    Rest {
        /// Which requests.
        endpoint: Endpoint,
        /// For `broadcasting/auth`: only requests for this channel. A trailing `*` matches any suffix.
        #[serde(default)]
        channel: Option<String>,
        /// What happens instead.
        answer: RestAnswer,
    },
    /// A `pusher:subscribe` is answered wrongly.
    Subscribe {
        /// Only subscribes to this channel. A trailing `*` matches any suffix.
        #[serde(default)]
        channel: Option<String>,
        /// What happens instead.
        answer: SubscribeAnswer,
    },
    /// A WebSocket upgrade is answered wrongly.
    Upgrade {
        /// What happens instead.
        answer: UpgradeAnswer,
    },
}

/// A REST endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// Any of the others.
    Any,
    /// `POST broadcasting/auth`.
    BroadcastingAuth,
    /// `POST cameras/{id}/sync-groups`.
    SyncGroups,
    /// `POST token`.
    Token,
    /// `GET wsurl`.
    WsUrl,
}

/// A wrong answer to a REST request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestAnswer {
    /// This body, verbatim.
    Body {
        /// The HTTP status.
        status: u16,
        /// The `Content-Type`.
        content_type: String,
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
    /// A page instead of JSON.
    Html {
        /// The HTTP status.
        status: u16,
    },
    /// A JSON document of this size.
    Huge {
        /// The approximate size of the body in bytes.
        bytes: usize,
    },
    /// A redirect.
    Redirect {
        /// The HTTP status, such as 302.
        status: u16,
        /// The `Location`.
        location: String,
    },
    /// A JSON error with this status.
    Status {
        /// The HTTP status.
        status: u16,
        /// The `Retry-After`, verbatim.
        #[serde(default)]
        retry_after: Option<String>,
    },
}

/// A fault of a REST request.
#[derive(Clone, Debug)]
pub(crate) struct RestFault {
    pub(crate) endpoint: Endpoint,
    pub(crate) channel: Option<String>,
    pub(crate) answer: RestAnswer,
}

/// A fault, by the side that it affects.
#[derive(Debug)]
pub(crate) enum Side {
    Rest(RestFault),
    Socket(SocketFault),
}

impl From<FaultKind> for Side {
    fn from(kind: FaultKind) -> Self {
        match kind {
            FaultKind::Ping => Self::Socket(SocketFault::Ping),
            FaultKind::Rest { endpoint, channel, answer } => Self::Rest(RestFault { endpoint, channel, answer }),
            FaultKind::Subscribe { channel, answer } => Self::Socket(SocketFault::Subscribe { channel, answer }),
            FaultKind::Upgrade { answer } => Self::Socket(SocketFault::Upgrade { answer }),
        }
    }
}
