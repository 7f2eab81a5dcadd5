use std::{fmt, time::Duration};

use crate::{
    ChannelName, ClientEventError, ConnectionError, ConnectionState, DecryptionError, Event, FrameError, Member,
    Members, Secret, SignInError, SocketId, SubscriptionError, Time, User,
};

/// The number of a socket. It grows with every socket that a [`Connection`](crate::Connection) requests; an input
/// that carries an old number has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub(crate) u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// The number of a requested authorization; its result is returned with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuthorizationId(pub(crate) u64);

/// What the driver has to do, in the order in which it comes out.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Output<'t> {
    /// Resolve, dial, secure and upgrade a new socket; answer with `handle_opened` or `handle_connect_failed`.
    OpenSocket {
        /// The number of the new socket.
        epoch: Epoch,
        /// How many authorizations its channels need at a time.
        authorizations: usize,
    },
    /// Send one text message.
    SendText {
        /// The socket.
        epoch: Epoch,
        /// The message, which may contain a signature.
        text: Secret,
    },
    /// Ignore this socket, or this attempt, from now on and close it in the background, within 2 s.
    CloseSocket {
        /// The socket.
        epoch: Epoch,
        /// The close frame to send; none when the socket is dead or was never open.
        close: Option<CloseFrame>,
    },
    /// Request an authorization; answer with `handle_authorization`.
    Authorize {
        /// To be returned with the result.
        id: AuthorizationId,
        /// The channel to sign for.
        channel: ChannelName,
        /// The socket to sign for.
        socket_id: SocketId,
        /// Request a fresh token first: the server has refused the current one.
        refresh_token: bool,
    },
    /// Request an authentication of the user; answer with `handle_authentication`.
    Authenticate {
        /// To be returned with the result.
        id: AuthorizationId,
        /// The socket to sign for.
        socket_id: SocketId,
        /// Request a fresh token first: the server has refused the current one.
        refresh_token: bool,
    },
    /// The result of this authorization, or authentication, is no longer needed.
    CancelAuthorization {
        /// Its number.
        id: AuthorizationId,
    },
    /// Tell the consumer.
    Report(Report),
    /// Deliver to the consumer: an application event of a subscribed channel, borrowed from the text of its frame when
    /// it came just now, owned when it was kept.
    Event(Event<'t>),
}

/// What is reported to the consumer, in the order in which it happened.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Report {
    /// The connection went from one state to another; never to the same.
    StateChanged {
        /// The state before.
        from: ConnectionState,
        /// The state now.
        to: ConnectionState,
        /// The id of the live socket: there is one exactly when the state is connected.
        socket_id: Option<SocketId>,
    },
    /// The server acknowledged a channel; events follow.
    Subscribed {
        /// The channel.
        channel: ChannelName,
        /// What may have been missed before.
        continuity: Continuity,
        /// On a presence channel, who is on it; it replaces any list before.
        members: Option<Members>,
    },
    /// A member came onto a subscribed presence channel, or one that is there came again with other info.
    MemberAdded {
        /// The channel.
        channel: ChannelName,
        /// The member.
        member: Member,
    },
    /// A member left a subscribed presence channel.
    MemberRemoved {
        /// The channel.
        channel: ChannelName,
        /// The member, as it was known.
        member: Member,
    },
    /// The number of connections that are subscribed to a channel changed.
    SubscriptionCount {
        /// The channel.
        channel: ChannelName,
        /// How many there are.
        count: u64,
    },
    /// A cache channel has no cached event. When it has one, that follows the acknowledgement as an ordinary event: it
    /// may have been sent at any time, also before a gap, and delivered then.
    CacheMiss {
        /// The channel.
        channel: ChannelName,
    },
    /// An event of an encrypted channel could not be decrypted and is lost.
    Undecryptable {
        /// The channel.
        channel: ChannelName,
        /// The name of the event.
        event: Box<str>,
        /// Why.
        error: DecryptionError,
    },
    /// A client event that was accepted was not sent, or the server refused it.
    ClientEventFailed {
        /// The channel.
        channel: ChannelName,
        /// The name of the event; none when the server refused one of several without saying which.
        event: Option<Box<str>>,
        /// Why.
        error: ClientEventError,
    },
    /// The server knows this client as `user` from now on, until the socket ends; its channel is subscribed next.
    SignedIn {
        /// The user.
        user: User,
    },
    /// An attempt to sign in failed; the channels are not affected. Every failed attempt is reported.
    SignInFailed {
        /// The reason.
        error: SignInError,
        /// Time until the next attempt, which comes sooner when the socket is replaced; none when there is no further
        /// attempt until the caller signs in or connects again.
        retry_in: Option<Duration>,
    },
    /// Users whom the signed-in user watches came online, or went offline.
    Watchlist {
        /// Whether they are online now.
        online: bool,
        /// Their ids.
        user_ids: Vec<Box<str>>,
    },
    /// A message that is nothing else: an event without a channel, or one of the protocol's own that is not known. Only
    /// with [`Options::report_unknown`](crate::Options::report_unknown).
    Message(Message),
    /// A subscribed channel lost its socket, or the server ended the subscription: a gap opens, and the next
    /// `Subscribed` closes it.
    Interrupted {
        /// The channel.
        channel: ChannelName,
        /// Everything the server sent before this time was received: it is when the last request (a ping or a
        /// subscribe) was sent that the server answered on the lost socket. Pings go out at least every
        /// [`Options::activity_timeout`](crate::Options), so with a server that answers it is at most that long plus
        /// a round trip before the loss.
        since: Time,
        /// What happened.
        cause: GapCause,
    },
    /// An attempt to subscribe to a channel failed; the others are not affected. Every failed attempt is reported.
    SubscriptionFailed {
        /// The channel.
        channel: ChannelName,
        /// The reason.
        error: SubscriptionError,
        /// When the first of the consecutive failures occurred.
        since: Time,
        /// The number of consecutive failures, including this one.
        failures: u32,
        /// Time until the next attempt, which comes sooner when the socket is replaced; none when there is no further
        /// attempt until the caller subscribes or connects again.
        retry_in: Option<Duration>,
    },
    /// The events that arrived before the acknowledgement exceeded the limit; the oldest were dropped.
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
        /// Time until the next attempt; none when there is no further attempt until the caller connects again.
        retry_in: Option<Duration>,
    },
    /// The server sent `pusher:error`.
    ServerError {
        /// Its code, if it had a usable one.
        code: Option<u16>,
        /// Its text.
        message: String,
    },
    /// There has been no connection, or no subscription to a wanted channel on a live connection, for two minutes;
    /// attempts go on. Reported once per outage.
    Suspended {
        /// The channel; none when it is the connection that is missing.
        channel: Option<ChannelName>,
        /// When the outage began.
        since: Time,
    },
    /// Messages that may have been events could not be read, and are lost. The first in a minute is reported at once,
    /// the others with their number at the end of the minute or of the socket.
    Unreadable {
        /// How many were lost since the last report.
        lost: u64,
        /// What was wrong with the last of them.
        last: FrameError,
    },
}

/// A message from the server that this client does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// Its name.
    pub event: Box<str>,
    /// The channel it names.
    pub channel: Option<Box<str>>,
    /// Its `data`, as JSON text; empty when there is none.
    pub data: Box<str>,
    /// Its other members, each with its value as JSON text.
    pub other_members: Vec<(Box<str>, Box<str>)>,
}

/// Whether events of a channel may have been missed before its current subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Continuity {
    /// The first subscription since the caller connected: nothing to compare with.
    Fresh,
    /// Events sent between `since` and `until` were missed, if there were any.
    Gap {
        /// Everything the server sent before this time was received on the old socket; see [`Report::Interrupted`].
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
    /// Nothing more was received.
    Silent,
    /// The server violated the protocol, so the socket was abandoned.
    ProtocolViolation,
    /// A message exceeded the configured limit, so the socket was abandoned.
    MessageTooLong,
    /// A subscription was never acknowledged, so the socket was abandoned.
    Unacknowledged,
    /// The server ended the subscription; the socket stays open.
    EndedByServer {
        /// The status that the server gave.
        code: Option<u16>,
    },
    /// The caller replaced the channel with another; the socket stays open.
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

/// Why a socket could not be opened, as seen by the driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectFailure {
    /// How the machine should treat it.
    pub class: FailureClass,
    /// What failed, for a program.
    pub kind: ConnectFailureKind,
    /// What the server asked for with `Retry-After`.
    pub retry_after: Option<Duration>,
    /// What failed, against which address, and what may help; without secrets.
    pub message: String,
}

/// What failed when a socket could not be opened, for a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectFailureKind {
    /// The address provider did not give the address of the socket.
    Address,
    /// The host could not be resolved.
    Resolve,
    /// No address of the host could be reached, or the connection was lost before the upgrade was answered.
    Network,
    /// The server's certificate was rejected.
    Certificate,
    /// The TLS handshake failed for another reason.
    Tls,
    /// The proxy did not connect to the server.
    Proxy,
    /// The server answered the upgrade with this HTTP status.
    Status(u16),
    /// The server answered, but is not a WebSocket server.
    NotWebSocket,
    /// A bug in this program.
    Defect,
}

/// How a failed attempt is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureClass {
    /// The network or an overloaded server: the usual back-off.
    Network,
    /// A refusal that a quick retry will not change (HTTP 4xx, TLS, not a WebSocket server): 30 s to 5 min.
    Refused,
}

/// How a socket ended, as seen by the driver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Closed {
    /// The code of the server's close frame; none when there was no frame or it was empty. Together with an `error`,
    /// the code with which the transport itself abandoned the socket: 1009 for a message over the limit, another one
    /// because the server violated the WebSocket protocol.
    pub code: Option<u16>,
    /// The reason in that frame.
    pub reason: String,
    /// The transport's error, when the socket failed instead of being closed.
    pub error: Option<String>,
}

/// What lets one socket subscribe to one channel: the authorization endpoint's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Authorization {
    /// The signature, `key:hex`.
    pub auth: Secret,
    /// Data to send to the server with the subscription; on a presence channel, who subscribes.
    pub channel_data: Option<String>,
    /// The key of an encrypted channel, 32 bytes in base64. It is not sent to the server.
    pub shared_secret: Option<Secret>,
}

impl Authorization {
    /// Creates an authorization that consists of the signature `auth`, `key:hex`.
    #[must_use]
    pub fn new(auth: impl Into<Secret>) -> Self {
        Self { auth: auth.into(), channel_data: None, shared_secret: None }
    }

    /// Adds the data to send to the server with the subscription: it must be the text that was signed, byte for byte.
    #[must_use]
    pub fn with_channel_data(self, channel_data: impl Into<String>) -> Self {
        Self { channel_data: Some(channel_data.into()), ..self }
    }

    /// Adds the key of an encrypted channel, 32 bytes in base64.
    #[must_use]
    pub fn with_shared_secret(self, shared_secret: impl Into<Secret>) -> Self {
        Self { shared_secret: Some(shared_secret.into()), ..self }
    }
}
