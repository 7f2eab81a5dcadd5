//! Faults that a test orders in advance.

use channels_sandbox::{SocketFault, SubscribeAnswer, UpgradeAnswer};
use serde::{Deserialize, Serialize};

/// A fault that waits for its occasion.
pub type Fault = channels_sandbox::Fault<FaultKind>;

/// Where a fault strikes, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// `pusher:ping` goes unanswered. The socket works otherwise.
    Ping,
    /// A REST request is answered badly, before the bearer is looked at.
    Rest {
        /// Which requests.
        endpoint: Endpoint,
        /// Of `broadcasting/auth`: only those for this channel. A trailing `*` stands for any ending.
        #[serde(default)]
        channel: Option<String>,
        /// What happens instead.
        answer: RestAnswer,
    },
    /// A `pusher:subscribe` is answered badly.
    Subscribe {
        /// Only those for this channel. A trailing `*` stands for any ending.
        #[serde(default)]
        channel: Option<String>,
        /// What happens instead.
        answer: SubscribeAnswer,
    },
    /// A WebSocket upgrade is answered badly.
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

/// A bad answer to a REST request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestAnswer {
    /// This body, as it stands.
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
    /// A page in place of JSON.
    Html {
        /// The HTTP status.
        status: u16,
    },
    /// A JSON document of this size.
    Huge {
        /// Bytes of the body, about.
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
        /// The `Retry-After`, as it stands.
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

/// A fault, by the side that it strikes.
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
