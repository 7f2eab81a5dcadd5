use std::time::{Duration, SystemTime};

use channels_proto::{
    ChannelName, ConnectionError, ConnectionState, Event, FrameError, GapCause, OwnedEvent, SubscriptionError,
};

/// Turns an event of the wire into what the consumer gets. It runs on the client's task: it must not block.
///
/// A decoder that panics loses that event only: the loss is counted in a [`Item::Lagged`] at its place.
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
    /// Never drop it when the queue is full.
    pub keep: bool,
    /// Deliver it, then disconnect and stay away until the caller connects again.
    pub disconnect: bool,
}

impl<T> Decoded<T> {
    /// Returns an ordinary event.
    #[must_use]
    pub const fn new(item: T) -> Self {
        Self { item, keep: false, disconnect: false }
    }
}

/// The decoder that takes events as they are.
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
pub enum Item<T> {
    /// The connection went from one state to another; `from` is the `to` of the report before, `Disconnected` at first.
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
    },
    /// A subscribed channel lost its socket: a gap opens, and the `Subscribed` to come will close it.
    Interrupted {
        /// The channel.
        channel: ChannelName,
        /// Everything the server sent before is in: when the last request was sent (a ping or a subscribe) that the server
        /// answered on the lost socket. That is up to half a minute and a round trip before the loss, longer when the
        /// process stood still or the server did not answer.
        since: SystemTime,
        /// Whose time `since` is: the server's, by this estimate of its clock and earlier by its uncertainty, or this
        /// device's when there is none, because no answer of the server had a `Date`.
        clock: Option<ServerClock>,
        /// What happened.
        cause: GapCause,
    },
    /// A try to subscribe a channel failed; the others go on. Repeated ones of a channel without anything between are
    /// merged into the last.
    SubscriptionFailed {
        /// The channel.
        channel: ChannelName,
        /// The reason.
        error: SubscriptionError,
        /// When the first of the failures in a row was, by this device's clock.
        since: SystemTime,
        /// How many there have been in a row, this one included.
        failures: u32,
        /// Time until the next try, which comes sooner when the socket is replaced; none when no try follows until the
        /// caller subscribes or connects again.
        retry_in: Option<Duration>,
    },
    /// Events were dropped here: the queue was full, or came too early, or the decoder panicked.
    Lagged {
        /// How many.
        dropped: u64,
    },
    /// The consumer was away so long that its reports would have outgrown the queue: they were folded into the ones
    /// that follow, which say where things stand now.
    Coalesced {
        /// How many reports were folded away.
        reports: u64,
    },
    /// An attempt failed or the connection ended. Repeated ones without anything between are merged into the last.
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
        /// When the outage began, by this device's clock.
        since: SystemTime,
    },
    /// Messages that may have been events could not be read, and are lost: act as on a gap. The first in a minute is told
    /// at once, the others with their number when the minute is over or the socket ends; nothing is told of those that a
    /// `disconnect()` cuts off.
    Unreadable {
        /// How many were lost since this was last told.
        lost: u64,
        /// What was wrong with the last of them.
        last: FrameError,
    },
    /// The handler panicked on an earlier item. Reported once for a handler; it goes on being called.
    HandlerPanicked {
        /// What it said.
        message: String,
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
        /// Everything the server sent before was received on the old socket; see [`Item::Interrupted`], whose `since` is not
        /// earlier when it was told by the server's clock too.
        since: SystemTime,
        /// When the new subscription was acknowledged.
        until: SystemTime,
        /// Whose time these are: the server's, by this estimate of its clock and rounded outwards by its uncertainty, or
        /// this device's when there is none. A better estimate than at the interruption makes the gap no narrower, and a
        /// server's clock that was set in between makes it wider.
        clock: Option<ServerClock>,
        /// What ended the old socket.
        cause: GapCause,
    },
}

/// An estimate of the server's clock, from the `Date` of its answers; see [`ServerTime`](crate::ServerTime).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerClock {
    /// How far the server's clock is ahead of this device's as that stood when the item was made, in milliseconds; negative
    /// when it is behind.
    pub ahead_ms: i64,
    /// By how much that may be wrong, either way.
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
