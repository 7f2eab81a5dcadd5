use std::time::Duration;

use thiserror::Error;

use crate::{ChannelKind, ChannelName, ConnectFailureKind, envelope::FrameError};

/// Why an attempt to connect failed, or a live connection ended.
///
/// Unless [`is_final`](Self::is_final) says otherwise, the machine tries again by itself.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The socket could not be opened: resolution, TCP, TLS or the WebSocket upgrade failed.
    #[error("{message}")]
    Connect {
        /// What failed, for a program.
        kind: ConnectFailureKind,
        /// What failed, against which address, and what may help.
        message: String,
    },
    /// The attempt did not reach `pusher:connection_established` in time.
    #[error("the server did not establish the connection within {} s ({step})", .after.as_secs())]
    TimedOut {
        /// What was being waited for.
        step: &'static str,
        /// The deadline that passed.
        after: Duration,
    },
    /// The server closed the socket, with a code or without one.
    #[error("the server closed the connection{}", describe_close(*.code, .reason))]
    Closed {
        /// The WebSocket close code; absent when the socket ended without a close frame.
        code: Option<u16>,
        /// The reason the server gave, possibly empty.
        reason: String,
    },
    /// The server closed the socket before it had established the connection, as some servers do on a wrong app key.
    #[error("the server closed the connection{} before it established it; is the app key right?", describe_close(*.code, .reason))]
    ClosedEarly {
        /// The WebSocket close code; absent when the socket ended without a close frame.
        code: Option<u16>,
        /// The reason the server gave, possibly empty.
        reason: String,
    },
    /// The socket broke.
    #[error("the connection was lost: {message}")]
    Lost {
        /// What the transport said.
        message: String,
    },
    /// Nothing was received for longer than the activity and pong timeouts allow.
    #[error("the server was silent for {} s and did not answer a ping", .silence.as_secs())]
    Silent {
        /// Time since the last byte received.
        silence: Duration,
    },
    /// The server does not keep to the protocol.
    #[error("the server broke the protocol: {0}")]
    Violation(#[from] ProtocolViolation),
    /// The server never acknowledged a subscription.
    #[error("the server did not acknowledge the subscription to `{channel}`")]
    Unacknowledged {
        /// The channel.
        channel: ChannelName,
    },
    /// The server refuses this application or these parameters (codes 4000 to 4099); no further attempt is made
    /// until the caller connects again.
    #[error("the server refuses the connection: {message} (code {code})")]
    Refused {
        /// The Pusher code, 4000 to 4099.
        code: u16,
        /// The server's text, or the protocol's name for the code.
        message: String,
    },
}

impl ConnectionError {
    /// Returns whether the machine stops trying until the caller connects again.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }
}

/// What the server did against the protocol; the socket is given up and a new one is tried.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProtocolViolation {
    /// Another event came before `pusher:connection_established`.
    #[error("`{event}` came before `pusher:connection_established`")]
    EventBeforeEstablished {
        /// Its name.
        event: String,
    },
    /// `pusher:connection_established` carried no usable socket id.
    #[error("`pusher:connection_established` carries no usable socket id")]
    BadSocketId,
    /// `pusher:connection_established` came a second time on the same socket.
    #[error("`pusher:connection_established` came twice")]
    EstablishedTwice,
    /// More than 100 frames within a minute were not messages.
    #[error("more than 100 frames a minute were not messages, the last one: {last}")]
    TooManyMalformedFrames {
        /// What was wrong with the last one.
        last: FrameError,
    },
}

/// Why a subscription was refused before anything was sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SubscribeError {
    /// Channels of this kind are not supported by this version.
    #[error("`{channel}` is a channel of the kind {kind:?}, which is not supported")]
    UnsupportedKind {
        /// The channel.
        channel: ChannelName,
        /// Its kind.
        kind: ChannelKind,
    },
    /// The limit of channels is reached; the others are not affected.
    #[error("`{channel}` would be more than {limit} channels")]
    TooManyChannels {
        /// The channel.
        channel: ChannelName,
        /// [`Limits::max_channels`](crate::Limits::max_channels).
        limit: usize,
    },
}

/// Why a channel could not be subscribed; the connection and the other channels go on.
///
/// [`Report::SubscriptionFailed`](crate::Report::SubscriptionFailed) says whether it is tried again, and when.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SubscriptionError {
    /// The authorization endpoint refused, also with a fresh token.
    #[error("the authorization was denied with status {status}")]
    Denied {
        /// The HTTP status.
        status: u16,
    },
    /// The authorization endpoint answered something else than an authorization, three times.
    #[error("the authorization endpoint gave an unusable answer: {message}")]
    MalformedAuthorization {
        /// What was wrong with the answer.
        message: String,
    },
    /// The signature was made for another application.
    #[error("the authorization is signed for another app key than the one in use")]
    WrongAppKey,
    /// The server refused the subscription.
    #[error("the server rejected the subscription: {message}")]
    RejectedByServer {
        /// The server's code or status, when it gave one.
        code: Option<u16>,
        /// The server's words, or what it did.
        message: String,
    },
    /// The server never acknowledged the subscription, on two sockets.
    #[error("the server never acknowledged the subscription")]
    Unacknowledged,
    /// The authorization endpoint could not be asked or could not answer.
    #[error("the authorization endpoint is unavailable: {message}")]
    AuthorizationUnavailable {
        /// What failed.
        message: String,
    },
    /// The authorization endpoint did not answer in time.
    #[error("the authorization endpoint did not answer in time")]
    AuthorizationTimedOut,
}

/// Why an authorization did not come.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AuthorizationError {
    /// The endpoint refused: final, after one fresh token.
    #[error("the authorization was denied with status {status}")]
    Denied {
        /// The HTTP status.
        status: u16,
    },
    /// The endpoint could not be asked or could not answer; tried again after a back-off.
    #[error("the authorization endpoint is unavailable: {message}")]
    Unavailable {
        /// What failed.
        message: String,
        /// How long the endpoint asked to wait.
        retry_after: Option<Duration>,
    },
    /// The endpoint answered something else than an authorization; tried three times.
    #[error("the authorization endpoint gave an unusable answer: {message}")]
    Malformed {
        /// What was wrong with the answer.
        message: String,
    },
    /// The endpoint did not answer in time; tried again after a back-off.
    #[error("the authorization endpoint did not answer in time")]
    TimedOut,
}

impl AuthorizationError {
    /// Returns whether asking again may help.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        !matches!(self, Self::Denied { .. })
    }

    /// Returns how long the endpoint asked to wait before the next try.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => *retry_after,
            Self::Denied { .. } | Self::Malformed { .. } | Self::TimedOut => None,
        }
    }
}

fn describe_close(code: Option<u16>, reason: &str) -> String {
    match (code, reason) {
        (None, _) => " without a close frame".to_owned(),
        (Some(code), "") => format!(" with code {code}"),
        (Some(code), reason) => format!(" with code {code}: {}", reason.escape_debug()),
    }
}
