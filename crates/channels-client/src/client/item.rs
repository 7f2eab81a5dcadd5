//! What the stream of a channel yields.

use std::time::{Duration, SystemTime};

use channels_proto::{ClientEventError, DecryptionError, FrameError, GapCause, Member, Members, SubscriptionError};

use super::event::ChannelEvent;
use crate::{Continuity, Item, ServerClock};

/// What a [`Channel`](crate::Channel) yields, in the order in which it happened.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ChannelItem {
    /// An event.
    Event(ChannelEvent),
    /// The server acknowledged the subscription; events follow. It is the first item of a handle to a channel that is
    /// already subscribed, too.
    Subscribed {
        /// What may have been missed before.
        continuity: Continuity,
        /// On a presence channel, who is on it; it replaces any list before.
        members: Option<Members>,
    },
    /// A member came onto a presence channel, or one that is there came again with other info.
    MemberAdded {
        /// The member.
        member: Member,
    },
    /// A member left a presence channel.
    MemberRemoved {
        /// The member, as it was known.
        member: Member,
    },
    /// The number of connections that are subscribed to the channel changed.
    SubscriptionCount {
        /// How many there are.
        count: u64,
    },
    /// The cache channel has no cached event; see [`Item::CacheMiss`].
    CacheMiss,
    /// An event of an encrypted channel could not be decrypted and is lost.
    Undecryptable {
        /// The name of the event.
        event: Box<str>,
        /// Why.
        error: DecryptionError,
    },
    /// A client event that was accepted was not sent, or the server refused it.
    ClientEventFailed {
        /// The name of the event; none when the server refused one of several without saying which.
        event: Option<Box<str>>,
        /// Why.
        error: ClientEventError,
    },
    /// The channel lost its socket, or the server ended the subscription: a gap opens, and the next `Subscribed`
    /// closes it.
    Interrupted {
        /// Everything the server sent before this time was received; see [`Item::Interrupted`].
        since: SystemTime,
        /// Whose time `since` is; see [`Item::Interrupted`].
        clock: Option<ServerClock>,
        /// What happened.
        cause: GapCause,
    },
    /// An attempt to subscribe failed. Repeated failures with nothing in between are merged into the last.
    Failed {
        /// The reason.
        error: SubscriptionError,
        /// When the first of the consecutive failures occurred, by this device's clock.
        since: SystemTime,
        /// The number of consecutive failures, including this one.
        failures: u32,
        /// Time until the next attempt, which comes sooner when the socket is replaced; none when there is no further
        /// attempt until somebody subscribes to the channel again or the client begins another session.
        retry_in: Option<Duration>,
    },
    /// There has been no subscription on a live connection for two minutes; attempts go on. Reported once per outage.
    Suspended {
        /// When the outage began, by this device's clock.
        since: SystemTime,
    },
    /// Events were dropped here, because this handle is read too slowly or because too many came before the
    /// acknowledgement.
    Lagged {
        /// How many.
        dropped: u64,
    },
    /// Messages that may have been events of this channel could not be read, and are lost; see [`Item::Unreadable`].
    Unreadable {
        /// How many were lost since the last report, of all channels together.
        lost: u64,
        /// What was wrong with the last of them.
        last: FrameError,
    },
    /// This handle was not read for so long that its reports would have outgrown its queue: they were folded into the
    /// ones that follow, which describe the current state.
    Coalesced {
        /// The number of reports that were folded away.
        reports: u64,
    },
}

/// What has become of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChannelState {
    /// Not acknowledged yet: there is no connection, or the request is on its way.
    Pending,
    /// The server has acknowledged it; events arrive.
    Subscribed,
    /// The last attempt failed. Most failures are tried again: see [`ChannelItem::Failed`].
    Failed(SubscriptionError),
    /// It was unsubscribed: nothing more comes.
    Unsubscribed,
}

impl ChannelItem {
    /// Returns what the stream of a channel shows of `item`; none when it is not about a channel.
    pub(super) fn of(item: Item<ChannelEvent>) -> Option<Self> {
        Some(match item {
            Item::Event(event) => Self::Event(event),
            Item::Subscribed { continuity, members, .. } => Self::Subscribed { continuity, members },
            Item::MemberAdded { member, .. } => Self::MemberAdded { member },
            Item::MemberRemoved { member, .. } => Self::MemberRemoved { member },
            Item::SubscriptionCount { count, .. } => Self::SubscriptionCount { count },
            Item::CacheMiss { .. } => Self::CacheMiss,
            Item::Undecryptable { event, error, .. } => Self::Undecryptable { event, error },
            Item::ClientEventFailed { event, error, .. } => Self::ClientEventFailed { event, error },
            Item::Interrupted { since, clock, cause, .. } => Self::Interrupted { since, clock, cause },
            Item::SubscriptionFailed { error, since, failures, retry_in, .. } => {
                Self::Failed { error, since, failures, retry_in }
            }
            Item::Suspended { since, .. } => Self::Suspended { since },
            Item::Lagged { dropped, .. } => Self::Lagged { dropped },
            Item::Unreadable { lost, last } => Self::Unreadable { lost, last },
            Item::Coalesced { reports } => Self::Coalesced { reports },
            Item::ConnectionFailed { .. }
            | Item::HandlerPanicked { .. }
            | Item::Message(_)
            | Item::ServerError { .. }
            | Item::SignedIn { .. }
            | Item::SignInFailed { .. }
            | Item::Watchlist { .. }
            | Item::StateChanged { .. } => return None,
        })
    }
}
