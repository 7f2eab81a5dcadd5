use std::{fmt, time::Duration};

use crate::{
    ChannelName, ConnectionError, ConnectionState, FrameError, OwnedEvent, Secret, SocketId, SubscriptionError, Time,
};

/// The number of a socket. It grows with every socket a [`Connection`](crate::Connection) asks for; an input that
/// carries an old number has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub(crate) u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// The number of an authorization asked for; its answer carries it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuthorizationId(pub(crate) u64);

/// What the driver has to do, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Resolve, dial, secure and upgrade a new socket; answer with `handle_opened` or `handle_connect_failed`.
    OpenSocket {
        /// The number of the new socket.
        epoch: Epoch,
    },
    /// Send one text message.
    SendText {
        /// The socket.
        epoch: Epoch,
        /// The message, which may hold a signature.
        text: Secret,
    },
    /// Be deaf to this socket, or to this attempt, from now on and let it go in the background, within 2 s.
    CloseSocket {
        /// The socket.
        epoch: Epoch,
        /// The close frame to send; none when the socket is dead or was never open.
        close: Option<CloseFrame>,
    },
    /// Ask for an authorization; answer with `handle_authorization`.
    Authorize {
        /// Comes back with the answer.
        id: AuthorizationId,
        /// The channel to sign for.
        channel: ChannelName,
        /// The socket to sign for.
        socket_id: SocketId,
        /// Ask for a fresh token first: the server has refused the present one.
        refresh_token: bool,
    },
    /// The answer to this authorization is not wanted any more.
    CancelAuthorization {
        /// Its number.
        id: AuthorizationId,
    },
    /// Tell the consumer.
    Report(Report),
}

/// What the consumer is told, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    /// The connection went from one state to another; never to the same.
    StateChanged {
        /// The state before.
        from: ConnectionState,
        /// The state now.
        to: ConnectionState,
    },
    /// The server acknowledged a channel; events follow.
    Subscribed {
        /// The channel.
        channel: ChannelName,
        /// What may have been missed before.
        continuity: Continuity,
    },
    /// A subscribed channel lost its socket, or the server ended the subscription: a gap opens, and the `Subscribed` to come will close it.
    Interrupted {
        /// The channel.
        channel: ChannelName,
        /// Everything the server sent before is in: when the last request was sent (a ping or a subscribe) that the server
        /// answered on the lost socket. Pings go out at least every [`Options::activity_timeout`](crate::Options), so with
        /// a server that answers it is that long and a round trip before the loss, or less.
        since: Time,
        /// What happened.
        cause: GapCause,
    },
    /// A try to subscribe a channel failed; the others go on. Every failed try is reported.
    SubscriptionFailed {
        /// The channel.
        channel: ChannelName,
        /// The reason.
        error: SubscriptionError,
        /// When the first of the failures in a row was.
        since: Time,
        /// How many there have been in a row, this one included.
        failures: u32,
        /// Time until the next try, which comes sooner when the socket is replaced; none when no try follows until the
        /// caller subscribes or connects again.
        retry_in: Option<Duration>,
    },
    /// An event that came before its channel was acknowledged, released now.
    Event(OwnedEvent),
    /// Events that came before the acknowledgement exceeded the limit; the oldest were dropped.
    Lagged {
        /// The channel.
        channel: ChannelName,
        /// How many were dropped.
        dropped: u64,
    },
    /// An attempt failed or the connection ended.
    ConnectionFailed {
        /// The reason.
        error: ConnectionError,
        /// Time until the next attempt; none when no attempt follows until the caller connects again.
        retry_in: Option<Duration>,
    },
    /// The server sent `pusher:error`.
    ServerError {
        /// Its code, when there was a usable one.
        code: Option<u16>,
        /// Its text.
        message: String,
    },
    /// There has been no connection, or no subscription to a wanted channel on a live connection, for two minutes;
    /// attempts go on. Reported once an outage.
    Suspended {
        /// The channel; none when it is the connection.
        channel: Option<ChannelName>,
        /// When the outage began.
        since: Time,
    },
    /// Messages that may have been events could not be read, and are lost. The first in a minute is reported at once, the
    /// others with their number when the minute is over or the socket ends.
    Unreadable {
        /// How many were lost since the last report.
        lost: u64,
        /// What was wrong with the last of them.
        last: FrameError,
    },
}

/// Whether events of a channel may have been missed before its present subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Continuity {
    /// The first subscription since the caller connected: nothing to compare with.
    Fresh,
    /// Events sent between `since` and `until` were missed, if there were any.
    Gap {
        /// Everything the server sent before was received on the old socket; see [`Report::Interrupted`].
        since: Time,
        /// When the new subscription was acknowledged.
        until: Time,
        /// What ended the old socket.
        cause: GapCause,
    },
}

/// What ended the socket before a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GapCause {
    /// The server closed the socket, with a code or without one.
    ClosedByServer {
        /// The WebSocket close code.
        code: Option<u16>,
    },
    /// The transport failed.
    TransportLost,
    /// Nothing was received any more.
    Silent,
    /// The server broke the protocol, so the socket was given up.
    ProtocolViolation,
    /// A message was over the limit set here, so the socket was given up.
    MessageTooLong,
    /// A subscription was never acknowledged, so the socket was given up.
    Unacknowledged,
    /// The server ended the subscription; the socket lives on.
    EndedByServer {
        /// The status that the server gave.
        code: Option<u16>,
    },
    /// The caller put another channel in its place; the socket lives on.
    Replaced,
}

/// The close frame to send with [`Output::CloseSocket`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseFrame {
    /// The close code (RFC 6455, section 7.4).
    pub code: u16,
    /// The reason, at most 123 bytes.
    pub reason: &'static str,
}

/// Why a socket could not be opened, as the driver saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectFailure {
    /// How the machine shall take it.
    pub class: FailureClass,
    /// What failed, for a program.
    pub kind: ConnectFailureKind,
    /// What the server asked for by `Retry-After`.
    pub retry_after: Option<Duration>,
    /// What failed, against which address, and what may help; without secrets.
    pub message: String,
}

/// What failed when a socket could not be opened, for a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectFailureKind {
    /// The address of the socket could not be had from who knows it.
    Address,
    /// The host could not be resolved.
    Resolve,
    /// No address of the host could be reached, or the connection broke before the upgrade was answered.
    Network,
    /// The certificate of the server was refused.
    Certificate,
    /// TLS could not be agreed on.
    Tls,
    /// The server answered the upgrade with this HTTP status.
    Status(u16),
    /// The server answered, and is no WebSocket server.
    NotWebSocket,
    /// A defect of this program.
    Defect,
}

/// How a failed attempt is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureClass {
    /// The network or an overloaded server: the usual back-off.
    Network,
    /// A refusal that a quick retry will not change (HTTP 4xx, TLS, not a WebSocket server): 30 s to 5 min.
    Refused,
}

/// How a socket ended, as the driver saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Closed {
    /// The code of the server's close frame; none when there was no frame or it was empty. Together with an `error`, the
    /// code by which the transport itself gave the socket up: 1009 for a message over the limit, another because the server
    /// broke the WebSocket protocol.
    pub code: Option<u16>,
    /// The reason in that frame.
    pub reason: String,
    /// What the transport said, when the socket broke instead of being closed.
    pub error: Option<String>,
}

/// What the authorization endpoint answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// The signature, `key:hex`.
    pub auth: Secret,
    /// Data the server wants to see with the subscription.
    pub channel_data: Option<String>,
}
