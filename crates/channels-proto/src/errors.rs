use std::time::Duration;

use thiserror::Error;

use crate::{
    ChannelKind, ChannelName, ConnectFailureKind, Printable,
    authorization_error::{denial, quotation},
    close,
    envelope::FrameError,
};

/// Why an attempt to connect failed, or a live connection ended.
///
/// Unless [`is_final`](Self::is_final) returns true, the machine tries again by itself.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The socket could not be opened: resolution, TCP, TLS or the WebSocket upgrade failed.
    #[error("{}", Printable(.message))]
    Connect {
        /// What failed, for a program.
        kind: ConnectFailureKind,
        /// What failed, against which address, and what may help.
        message: String,
    },
    /// The attempt did not reach `pusher:connection_established` in time.
    #[error("the server did not establish the connection within {} s ({step})", .after.as_secs())]
    TimedOut {
        /// The step that was in progress.
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
    /// The socket failed.
    #[error("the connection was lost: {}", Printable(.message))]
    Lost {
        /// The transport's error.
        message: String,
    },
    /// The server sent a message over the limit: the message is lost, and so is the socket. The next attempt follows
    /// as after any lost connection.
    #[error("the server sent a message of more than {limit} bytes, which is the configured limit")]
    MessageTooLong {
        /// [`Limits::max_message_bytes`](crate::Limits::max_message_bytes).
        limit: usize,
    },
    /// Nothing was received for longer than the activity and pong timeouts allow.
    #[error("the server was silent for {} s and did not answer a ping", .silence.as_secs())]
    Silent {
        /// Time since the last byte received.
        silence: Duration,
    },
    /// The server violated the protocol.
    #[error("the server violated the protocol: {0}")]
    Violation(#[from] ProtocolViolation),
    /// The server never acknowledged a subscription.
    #[error("the server did not acknowledge the subscription to `{channel}`")]
    Unacknowledged {
        /// The channel.
        channel: ChannelName,
    },
    /// The server refused this application or these parameters (codes 4000 to 4099); there is no further attempt
    /// until the caller connects again.
    #[error("the server refused the connection: {} (code {code})", Printable(.message))]
    Refused {
        /// The Pusher code, 4000 to 4099.
        code: u16,
        /// The server's text, or what the protocol says the code means.
        message: String,
    },
    /// No other attempt follows until the caller connects again, because the options say so
    /// ([`auto_reconnect`](crate::Options::auto_reconnect), [`max_attempts`](crate::Options::max_attempts)).
    #[error("{}: {last}", gave_up(*.attempts))]
    GaveUp {
        /// How many attempts in a row failed; 0 when a connection was lost.
        attempts: u32,
        /// What happened last.
        #[source]
        last: Box<Self>,
    },
}

impl ConnectionError {
    /// Returns whether there is no further attempt until the caller connects again.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::GaveUp { .. })
    }
}

/// How the server violated the protocol; the socket is abandoned and a new one is opened.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProtocolViolation {
    /// Another event came before `pusher:connection_established`.
    #[error("`{}` came before `pusher:connection_established`", Printable(.event))]
    EventBeforeEstablished {
        /// Its name.
        event: String,
    },
    /// `pusher:connection_established` carried no usable socket id.
    #[error("`pusher:connection_established` carried no usable socket id")]
    BadSocketId,
    /// `pusher:connection_established` came a second time on the same socket.
    #[error("`pusher:connection_established` came twice")]
    EstablishedTwice,
    /// More than 100 frames within a minute were not valid messages.
    #[error("more than 100 frames within a minute were not valid messages; the last one: {last}")]
    TooManyMalformedFrames {
        /// What was wrong with the last one.
        last: FrameError,
    },
}

/// Why a subscription was refused before anything was sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SubscribeError {
    /// Channels of this kind cannot be subscribed: encrypted ones need the crate feature `encryption`, and a user's own
    /// channel is subscribed by signing in.
    #[error("`{channel}` is a channel of kind {kind:?}, which is not supported{}", advice(*.kind))]
    UnsupportedKind {
        /// The channel.
        channel: ChannelName,
        /// Its kind.
        kind: ChannelKind,
    },
    /// The limit on the number of channels is reached; the others are not affected.
    #[error("subscribing to `{channel}` would exceed the limit of {limit} channels")]
    TooManyChannels {
        /// The channel.
        channel: ChannelName,
        /// [`Limits::max_channels`](crate::Limits::max_channels).
        limit: usize,
    },
}

/// Why a channel could not be subscribed; the connection and the other channels are not affected.
///
/// [`Report::SubscriptionFailed`](crate::Report::SubscriptionFailed) says whether it is tried again, and when.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SubscriptionError {
    /// The authorization endpoint refused, even with a fresh token. 401 and 419 are final: the session is over; any
    /// other status is retried slowly.
    #[error("the authorization was denied with status {status}{}{}", denial(*.status), quotation(.said.as_deref()))]
    #[non_exhaustive]
    Denied {
        /// The HTTP status.
        status: u16,
        /// The beginning of what the endpoint said: one line of at most 200 characters, without secrets.
        said: Option<Box<str>>,
    },
    /// The authorization endpoint's answer was not an authorization. Retried soon, and slowly from the third time on.
    #[error("the authorization endpoint gave an unusable answer: {}", Printable(.message))]
    #[non_exhaustive]
    MalformedAuthorization {
        /// What was wrong with the answer.
        message: String,
        /// Its HTTP status, when there was one.
        status: Option<u16>,
    },
    /// The signature was made for another application. Retried slowly.
    #[error("the authorization is signed for a different app key than the one in use")]
    WrongAppKey,
    /// The server refused the subscription, or ended it. Retried soon when its status is 408, 429 or 5xx, otherwise
    /// slowly, and rarely when the server answers the subscribe by closing the connection.
    #[error("the server rejected the subscription: {}", Printable(.message))]
    RejectedByServer {
        /// The server's code or status, when it gave one.
        code: Option<u16>,
        /// The server's text, or what it did.
        message: String,
    },
    /// The server is push1st, which a presence channel may bring down. Final; see
    /// [`Options::trust_push1st`](crate::Options::trust_push1st).
    #[error("the server is push1st, which has no presence channels and may exit on a subscription to one")]
    UnsupportedByServer,
    /// The server did not acknowledge the subscription on two sockets. Retried slowly; a late acknowledgement counts.
    #[error("the server never acknowledged the subscription")]
    Unacknowledged,
    /// The authorization endpoint could not be reached or could not answer. Retried soon.
    #[error("the authorization endpoint is unavailable: {}", Printable(.message))]
    #[non_exhaustive]
    AuthorizationUnavailable {
        /// What failed, with the beginning of what the endpoint said.
        message: String,
        /// The HTTP status, when there was an answer.
        status: Option<u16>,
    },
    /// The authorizer declined by itself. Final.
    #[error("the authorizer declined: {}", Printable(.message))]
    #[non_exhaustive]
    AuthorizationDeclined {
        /// Why, and what to do.
        message: String,
    },
    /// The authorization endpoint did not answer in time. Retried soon, with more time.
    #[error("the authorization endpoint did not answer in time")]
    AuthorizationTimedOut,
}

impl SubscriptionError {
    /// Returns the HTTP status of the authorization endpoint, or the code or status that the Pusher server gave.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Denied { status, .. } => Some(*status),
            Self::MalformedAuthorization { status, .. } | Self::AuthorizationUnavailable { status, .. } => *status,
            Self::RejectedByServer { code, .. } => *code,
            Self::WrongAppKey
            | Self::Unacknowledged
            | Self::UnsupportedByServer
            | Self::AuthorizationDeclined { .. }
            | Self::AuthorizationTimedOut => None,
        }
    }
}

fn gave_up(attempts: u32) -> String {
    match attempts {
        0 => "the connection is not opened again".to_owned(),
        1 => "gave up after an attempt".to_owned(),
        attempts => format!("gave up after {attempts} attempts in a row"),
    }
}

fn describe_close(code: Option<u16>, reason: &str) -> String {
    let Some(code) = code else { return " without a close frame".to_owned() };
    let forbidden = if close::may_be_sent(code) { "" } else { ", which no server may send" };
    let reason = if reason.is_empty() { String::new() } else { format!(": {}", Printable(reason)) };
    format!(" with code {code}{forbidden}{reason}")
}

const fn advice(kind: ChannelKind) -> &'static str {
    match kind {
        ChannelKind::PrivateEncrypted => ": it needs the crate feature `encryption`",
        ChannelKind::ServerToUser => ": sign in, and it is subscribed",
        ChannelKind::Public | ChannelKind::Private | ChannelKind::Presence => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AuthorizationError;

    const FORGED: &str = "no\nerror: the password is needed\u{202e}\u{3164}";

    // M06: whatever a server says stays on the line of the message that quotes it
    #[test]
    fn nothing_that_a_server_says_makes_a_line_of_its_own() {
        let text = || FORGED.to_owned();
        let connection = [
            ConnectionError::Connect { kind: ConnectFailureKind::NotWebSocket, message: text() },
            ConnectionError::Closed { code: Some(4200), reason: text() },
            ConnectionError::ClosedEarly { code: Some(1000), reason: text() },
            ConnectionError::Lost { message: text() },
            ConnectionError::Violation(ProtocolViolation::EventBeforeEstablished { event: text() }),
            ConnectionError::Refused { code: 4001, message: text() },
        ];
        let subscription = [
            SubscriptionError::MalformedAuthorization { message: text(), status: None },
            SubscriptionError::RejectedByServer { code: None, message: text() },
            SubscriptionError::AuthorizationUnavailable { message: text(), status: None },
            SubscriptionError::AuthorizationDeclined { message: text() },
        ];
        let authorization = [
            AuthorizationError::unavailable(text()),
            AuthorizationError::malformed(text()),
            AuthorizationError::declined(text()),
        ];
        let shown = connection.iter().map(ToString::to_string);
        let shown = shown.chain(subscription.iter().map(ToString::to_string));
        for text in shown.chain(authorization.iter().map(ToString::to_string)) {
            assert!(text.contains(r"no\nerror: the password is needed\u{202e}\u{3164}"), "{text}");
            assert!(!text.contains(crate::is_unprintable), "{text}");
        }
    }

    #[test]
    fn a_close_code_that_may_not_be_sent_is_named_as_such() {
        let closed = |code| ConnectionError::Closed { code, reason: "bye".to_owned() }.to_string();
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
            let expected = format!("the server closed the connection with code {code}, which no server may send: bye");
            assert_eq!(closed(Some(code)), expected);
        }
        for code in [1000, 1002, 1008, 1011, 1012, 3000, 4001, 4999] {
            assert_eq!(closed(Some(code)), format!("the server closed the connection with code {code}: bye"));
        }
        assert_eq!(closed(None), "the server closed the connection without a close frame");
    }
}
