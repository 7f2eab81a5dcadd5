use std::fmt;

use channels_client::ServerClock;
use channels_proto::{ChannelName, GapCause};
use serde::{Deserialize, Serialize};

use crate::time::VmsTime;

/// Whether pushes may be missing from the stream.
///
/// Pushes that a server sends while there is no connection are lost for good: no VMS server keeps them. They are
/// never lost without notice. A gap opens with [`Interrupted`](Self::Interrupted) and ends with
/// [`ResyncNeeded`](Self::ResyncNeeded), which comes before any later push of that channel and says what to reload
/// from the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum VmsContinuity {
    /// The channel is subscribed for the first time since `connect()`: pushes follow.
    Fresh {
        /// The channel.
        channel: VmsChannel,
    },
    /// The channel has lost its connection or its subscription: a gap opens. The client resubscribes by itself.
    Interrupted {
        /// The channel.
        channel: VmsChannel,
        /// Every push sent before this time was received: it is when the last request that the server answered on the
        /// lost connection was sent, up to half a minute before the loss while all was well.
        since: VmsTime,
        /// Whose time `since` is: the server's, by this estimate of its clock and earlier by its uncertainty; or this
        /// device's when there is no estimate, because no response of the server gave the time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clock: Option<VmsServerClock>,
        /// What ended the subscription, for a program.
        kind: VmsGapKind,
        /// What happened, for a developer.
        cause: String,
    },
    /// The channel is back: pushes sent between `since` and `until` were missed, if there were any.
    ///
    /// Ask the API for everything newer than `since`, exactly as given: as long as `clock` is present, no margin for
    /// wrong clocks is needed.
    ///
    /// Both channels of a client come back within moments of each other, each with its own report: collect for a
    /// second before reloading, and spread reloads after a large outage.
    ResyncNeeded {
        /// The channel.
        channel: VmsChannel,
        /// What may have changed unnoticed.
        scopes: Vec<VmsResyncScope>,
        /// Every push sent before this time was received.
        since: VmsTime,
        /// Pushes sent after this time are received.
        until: VmsTime,
        /// Whose times these are: the server's, by this estimate of its clock and widened by its uncertainty, or this
        /// device's when there is no estimate.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clock: Option<VmsServerClock>,
    },
    /// The channel could not be subscribed, and nothing is received on it. The other channel is not affected.
    Unavailable {
        /// The channel.
        channel: VmsChannel,
        /// Nothing is received on it until [`set_session`](crate::VmsPusherApi::set_session) is called, or
        /// `connect()` after a `disconnect()`. If false, the channel is tried again at the time given in the error
        /// before this, and on every new connection.
        is_final: bool,
        /// The server considers the session ended: have the user log in. It answered 401 or 419, even with a fresh
        /// token, or it denied both channels (403 on only one means that this channel is someone else's).
        session_is_invalid: bool,
    },
    /// Pushes were dropped here, because they came faster than they were taken: act as on a gap of both channels.
    Lagged {
        /// How many.
        dropped: u64,
    },
    /// Messages that may have been pushes could not be read, and are lost: act as on a gap of both channels. The
    /// first in a minute is reported at once, the others at the end of the minute or of the connection; those still
    /// unreported at a `disconnect()` are not reported.
    Unreadable {
        /// How many.
        lost: u64,
        /// What is wrong with the last of them, for a developer.
        reason: String,
    },
    /// There has been no connection for two minutes, or a channel has not been subscribed although there is one.
    /// Attempts go on.
    Suspended {
        /// The channel; none when it is the connection that is missing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel: Option<VmsChannel>,
        /// When the outage began.
        since: VmsTime,
    },
}

/// An estimate of the server's clock, from the `Date` of its responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VmsServerClock {
    /// How far the server's clock is ahead of this device's, in milliseconds; negative when it is behind.
    pub ahead_ms: i64,
    /// How far off `ahead_ms` may be, either way, in milliseconds.
    pub uncertainty_ms: u64,
}

impl From<ServerClock> for VmsServerClock {
    fn from(clock: ServerClock) -> Self {
        let ServerClock { ahead_ms, uncertainty } = clock;
        Self { ahead_ms, uncertainty_ms: u64::try_from(uncertainty.as_millis()).unwrap_or(u64::MAX) }
    }
}

/// What ended a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum VmsGapKind {
    /// The server closed the connection.
    ClosedByServer,
    /// The connection was lost.
    TransportLost,
    /// Nothing more was received.
    Silent,
    /// The server violated the protocol, so the connection was abandoned.
    ProtocolViolation,
    /// A message exceeded the configured limit, so the connection was abandoned.
    MessageTooLong,
    /// A subscription was never acknowledged, so the connection was abandoned.
    Unacknowledged,
    /// The server ended the subscription; the connection stays open.
    EndedByServer,
    /// Another session replaced it: see [`VmsPusherApi::set_session`](crate::VmsPusherApi::set_session).
    SessionChanged,
    /// Something else.
    Other,
}

impl From<GapCause> for VmsGapKind {
    fn from(cause: GapCause) -> Self {
        match cause {
            GapCause::ClosedByServer { .. } => Self::ClosedByServer,
            GapCause::TransportLost => Self::TransportLost,
            GapCause::Silent => Self::Silent,
            GapCause::ProtocolViolation => Self::ProtocolViolation,
            GapCause::MessageTooLong => Self::MessageTooLong,
            GapCause::Unacknowledged => Self::Unacknowledged,
            GapCause::EndedByServer { .. } => Self::EndedByServer,
            GapCause::Replaced => Self::SessionChanged,
            _ => Self::Other,
        }
    }
}

/// One of the two channels of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VmsChannel {
    /// `private-token.{access_token_id}`: this login session.
    Token,
    /// `private-user.{user_id}`: this user, in all sessions.
    User,
}

impl VmsChannel {
    /// Returns which one has this name.
    pub(crate) fn named(name: &ChannelName) -> Self {
        if name.as_str().starts_with(TOKEN_CHANNEL) { Self::Token } else { Self::User }
    }

    /// Returns what a gap in this channel may have hidden.
    ///
    /// The user's channel may carry anything. The token's carries what is meant only for this login session.
    #[must_use]
    pub const fn scopes(self) -> &'static [VmsResyncScope] {
        match self {
            Self::User => VmsResyncScope::ALL,
            Self::Token => &[
                VmsResyncScope::Session,
                VmsResyncScope::Archives,
                VmsResyncScope::GroupSync,
                VmsResyncScope::IntercomCalls,
            ],
        }
    }
}

impl fmt::Display for VmsChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Token => "token",
            Self::User => "user",
        })
    }
}

/// What may have changed during a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VmsResyncScope {
    /// Whether the session is still valid: a `logout` may have been missed. Make any authorized call.
    Session,
    /// The user's cameras: reload the list.
    Cameras,
    /// The favourites: reload the list.
    FavoriteCameras,
    /// The permissions: reload them.
    Permissions,
    /// The layouts: reload them.
    Layouts,
    /// The camera groups: reload the list.
    CameraGroups,
    /// Whether a `sync_groups` that was answered with `async` is done: reload the camera's groups.
    GroupSync,
    /// Marks and analytics findings: ask for those from `since` on.
    Events,
    /// Whether a requested archive download is ready: ask for it.
    Archives,
    /// The intercoms: reload the list.
    Intercoms,
    /// The visitor codes: reload the list.
    IntercomCodes,
    /// Calls: reload the list, and stop ringing when the call is over.
    IntercomCalls,
}

impl VmsResyncScope {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Session,
        Self::Cameras,
        Self::FavoriteCameras,
        Self::Permissions,
        Self::Layouts,
        Self::CameraGroups,
        Self::GroupSync,
        Self::Events,
        Self::Archives,
        Self::Intercoms,
        Self::IntercomCodes,
        Self::IntercomCalls,
    ];
}

/// What the names of the channels of login sessions begin with.
pub(crate) const TOKEN_CHANNEL: &str = "private-token.";
/// What the names of the channels of users begin with.
pub(crate) const USER_CHANNEL: &str = "private-user.";

pub(crate) fn describe(cause: GapCause) -> String {
    match cause {
        GapCause::ClosedByServer { code } => {
            let code = code.map(|code| format!(" with code {code}")).unwrap_or_default();
            format!("the server closed the connection{code}")
        }
        GapCause::TransportLost => "the connection was lost".to_owned(),
        GapCause::Silent => "nothing more was received".to_owned(),
        GapCause::ProtocolViolation => "the server violated the protocol".to_owned(),
        GapCause::MessageTooLong => "the server sent a message over the configured limit".to_owned(),
        GapCause::EndedByServer { code } => {
            let code = code.map(|code| format!(" with status {code}")).unwrap_or_default();
            format!("the server ended the subscription{code}")
        }
        GapCause::Replaced => "another session replaced it".to_owned(),
        GapCause::Unacknowledged => "the server did not acknowledge a subscription".to_owned(),
        _ => "the connection was abandoned".to_owned(),
    }
}
