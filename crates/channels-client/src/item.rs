use std::time::{Duration, SystemTime};

use channels_proto::{
    ChannelName, ClientEventError, ConnectionError, ConnectionState, DecryptionError, Event, FrameError, GapCause,
    Member, Members, Message, OwnedEvent, SignInError, SubscriptionError, User,
};

/// Turns an event from the wire into what the consumer gets. It runs on the client's task and must not block.
///
/// A decoder that panics loses only that event: the loss is counted in an [`Item::Lagged`] in its place.
pub trait Decoder: Send + 'static {
    /// What the consumer gets.
    type Item: Send + 'static;

    /// Decodes one event, borrowed from its frame.
    fn decode(&mut self, event: &Event<'_>) -> Decoded<Self::Item>;
}

/// What a [`Decoder`] made of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoded<T> {
    /// What the consumer gets.
    pub item: T,
    /// Never drop it because the queue is full, as long as other events can be dropped.
    pub keep: bool,
    /// Deliver it, then disconnect and stay disconnected until the caller connects again.
    pub disconnect: bool,
}

impl<T> Decoded<T> {
    /// Creates an ordinary event.
    #[must_use]
    pub const fn new(item: T) -> Self {
        Self { item, keep: false, disconnect: false }
    }
}

/// A decoder that delivers events as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RawDecoder;

impl Decoder for RawDecoder {
    type Item = OwnedEvent;

    fn decode(&mut self, event: &Event<'_>) -> Decoded<OwnedEvent> {
        Decoded::new(event.to_owned_event())
    }
}

/// What the consumer gets, in the order in which it happened.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Item<T> {
    /// The connection went from one state to another; `from` is the `to` of the previous report, `Disconnected` at
    /// first.
    StateChanged {
        /// The state before.
        from: ConnectionState,
        /// The state now.
        to: ConnectionState,
    },
    /// An event, decoded.
    Event(T),
    /// The server acknowledged a channel; its events follow.
    Subscribed {
        /// The channel.
        channel: ChannelName,
        /// What may have been missed before.
        continuity: Continuity,
        /// On a presence channel, who is on it; it replaces any list before.
        members: Option<Members>,
    },
    /// A member came onto a subscribed presence channel, or one that is there came again with other info.
    ///
    /// This and what follows up to [`Message`](Self::Message), but for the sign-in, is dropped like an event when the
    /// queue is full, and counted in [`Lagged`](Self::Lagged).
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
    /// An attempt to sign in failed; the channels are not affected. Repeated failures with nothing in between are
    /// merged into the last.
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
    /// with [`Options::report_unknown`](channels_proto::Options::report_unknown).
    Message(Message),
    /// A subscribed channel lost its socket, or its subscription ended: a gap opens, and the next `Subscribed` closes
    /// it.
    Interrupted {
        /// The channel.
        channel: ChannelName,
        /// Everything the server sent before this time was received: it is when the last request (a ping or a
        /// subscribe) was sent that the server answered on the lost socket. That is up to half a minute and a round
        /// trip before the loss, or longer when the process was suspended or the server did not answer.
        since: SystemTime,
        /// Whose time `since` is: the server's, by this estimate of its clock and earlier by its uncertainty; or this
        /// device's when there is no estimate, because no response of the server had a `Date`.
        clock: Option<ServerClock>,
        /// What happened.
        cause: GapCause,
    },
    /// An attempt to subscribe to a channel failed; the others are not affected. Repeated failures of a channel with
    /// nothing in between are merged into the last.
    SubscriptionFailed {
        /// The channel.
        channel: ChannelName,
        /// The reason.
        error: SubscriptionError,
        /// When the first of the consecutive failures occurred, by this device's clock.
        since: SystemTime,
        /// The number of consecutive failures, including this one.
        failures: u32,
        /// Time until the next attempt, which comes sooner when the socket is replaced; none when there is no further
        /// attempt until the caller subscribes or connects again.
        retry_in: Option<Duration>,
    },
    /// Events were dropped here: the queue was full, too many came before the acknowledgement, or the decoder
    /// panicked.
    Lagged {
        /// The channel, when all of them were lost before its acknowledgement; none when the queue was full, or the
        /// events were of several channels.
        channel: Option<ChannelName>,
        /// How many.
        dropped: u64,
    },
    /// The consumer was away so long that its reports would have outgrown the queue: they were folded into the ones
    /// that follow, which describe the current state.
    Coalesced {
        /// The number of reports that were folded away.
        reports: u64,
    },
    /// An attempt failed or the connection ended. Repeated failures with nothing in between are merged into the last.
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
        /// When the outage began, by this device's clock.
        since: SystemTime,
    },
    /// Messages that may have been events could not be read, and are lost: act as on a gap. The first in a minute is
    /// reported at once, the others with their number at the end of the minute or of the socket; those still
    /// unreported at a `disconnect()` are not reported.
    Unreadable {
        /// How many were lost since the last report.
        lost: u64,
        /// What was wrong with the last of them.
        last: FrameError,
    },
    /// The handler panicked on an earlier item. Reported once per handler; it is still called.
    HandlerPanicked {
        /// The panic's message.
        message: String,
    },
}

impl<T> Item<T> {
    /// Returns the channel that a report is about; none for an event, whose channel the decoder knows.
    #[must_use]
    pub const fn channel(&self) -> Option<&ChannelName> {
        match self {
            Self::Subscribed { channel, .. }
            | Self::CacheMiss { channel }
            | Self::ClientEventFailed { channel, .. }
            | Self::Interrupted { channel, .. }
            | Self::MemberAdded { channel, .. }
            | Self::MemberRemoved { channel, .. }
            | Self::SubscriptionCount { channel, .. }
            | Self::Undecryptable { channel, .. }
            | Self::SubscriptionFailed { channel, .. }
            | Self::Lagged { channel: Some(channel), .. }
            | Self::Suspended { channel: Some(channel), .. } => Some(channel),
            Self::Coalesced { .. }
            | Self::ConnectionFailed { .. }
            | Self::Event(_)
            | Self::HandlerPanicked { .. }
            | Self::Lagged { channel: None, .. }
            | Self::Message(_)
            | Self::ServerError { .. }
            | Self::SignedIn { .. }
            | Self::SignInFailed { .. }
            | Self::StateChanged { .. }
            | Self::Watchlist { .. }
            | Self::Suspended { channel: None, .. }
            | Self::Unreadable { .. } => None,
        }
    }
}

/// Whether events of a channel may have been missed before its current subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Continuity {
    /// The first subscription since the caller connected: nothing to compare with.
    Fresh,
    /// Events sent between `since` and `until` were missed, if there were any.
    Gap {
        /// Everything the server sent before this time was received on the old socket; see [`Item::Interrupted`],
        /// whose `since` is not earlier if it was given by the server's clock too.
        since: SystemTime,
        /// When the new subscription was acknowledged.
        until: SystemTime,
        /// Whose times these are: the server's, by this estimate of its clock and widened by its uncertainty, or this
        /// device's when there is no estimate. A better estimate than at the interruption does not make the gap
        /// narrower, and a server clock that was set in between makes it wider.
        clock: Option<ServerClock>,
        /// What ended the old socket.
        cause: GapCause,
    },
}

/// An estimate of the server's clock, from the `Date` of its responses; see [`ServerTime`](crate::ServerTime).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerClock {
    /// How far the server's clock is ahead of this device's clock as it was when the item was created, in
    /// milliseconds; negative when it is behind.
    pub ahead_ms: i64,
    /// How far off `ahead_ms` may be, either way.
    pub uncertainty: Duration,
}

impl ServerClock {
    /// Returns the earliest time that the server's clock may have shown when this device's showed `wall`.
    pub(crate) fn earliest(self, wall: SystemTime) -> SystemTime {
        let ahead = Duration::from_millis(self.ahead_ms.unsigned_abs());
        let shown = if self.ahead_ms < 0 { wall.checked_sub(ahead) } else { wall.checked_add(ahead) };
        shown.and_then(|shown| shown.checked_sub(self.uncertainty)).unwrap_or(SystemTime::UNIX_EPOCH)
    }
}
