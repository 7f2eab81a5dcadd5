use std::fmt;

use channels_client::ServerClock;
use channels_proto::{ChannelName, GapCause};
use serde::{Deserialize, Serialize};

use crate::time::VmsTime;

/// Whether the stream of pushes is whole.
///
/// Pushes that a server sends while there is no connection are lost for good: no VMS server keeps them. That is never
/// silent. A gap opens with [`Interrupted`](Self::Interrupted) and ends with [`ResyncNeeded`](Self::ResyncNeeded), which
/// comes before any later push of that channel and says what to ask the API for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum VmsContinuity {
    /// The channel is subscribed for the first time since `connect()`: pushes come from here on.
    Fresh {
        /// The channel.
        channel: VmsChannel,
    },
    /// The channel has lost its connection: a gap opens. The client reconnects by itself.
    Interrupted {
        /// The channel.
        channel: VmsChannel,
        /// Every push sent before this has arrived: it is when the last request was sent that the server answered on the
        /// lost connection, up to half a minute before the loss while all was well.
        since: VmsTime,
        /// Whose time `since` is: the server's, by this estimate of its clock and earlier by its uncertainty, or this
        /// device's when there is none, because no answer of the server said the time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clock: Option<VmsServerClock>,
        /// What kind of event ended the subscription.
        kind: VmsGapKind,
        /// What happened, for a developer.
        cause: String,
    },
    /// The channel is back: pushes sent between `since` and `until` were missed, if there were any.
    ///
    /// Ask the API for what is newer than `since` as it is: no time has to be allowed for a clock that is wrong, as long as
    /// `clock` is there.
    ///
    /// Both channels of a client come back within moments of each other and each says so: collect for a second before
    /// reloading, and spread reloads after a large outage.
    ResyncNeeded {
        /// The channel.
        channel: VmsChannel,
        /// What may have changed unseen.
        scopes: Vec<VmsResyncScope>,
        /// Every push sent before this has arrived.
        since: VmsTime,
        /// Pushes sent after this arrive.
        until: VmsTime,
        /// Whose time these are: the server's, by this estimate of its clock and rounded outwards by its uncertainty, or
        /// this device's when there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clock: Option<VmsServerClock>,
    },
    /// The channel could not be subscribed, and nothing comes on it. The other channel goes on.
    Unavailable {
        /// The channel.
        channel: VmsChannel,
        /// Nothing comes until [`set_session`](crate::VmsPusherApi::set_session) is called, or `connect()` after a
        /// `disconnect()`. Otherwise the channel is tried again, when the error before this says, and on every new
        /// connection.
        is_final: bool,
        /// The server takes the session for ended: have the user log in. It answered 401 or 419, also with a fresh token,
        /// or it denied both channels (403 on one alone means that this channel is someone else's).
        session_is_invalid: bool,
    },
    /// Pushes were dropped at this place, because they came faster than they were taken: act as on a gap of both channels.
    Lagged {
        /// How many.
        dropped: u64,
    },
    /// Messages that may have been pushes could not be read, and are lost: act as on a gap of both channels. The first in a
    /// minute is told at once, the others when the minute is over or the connection ends; those that a `disconnect()` cuts
    /// off are not told.
    Unreadable {
        /// How many.
        lost: u64,
        /// What is wrong with the last of them, for a developer.
        reason: String,
    },
    /// There has been no connection for two minutes, or nothing on a channel although there is one. Attempts go on.
    Suspended {
        /// The channel; none when it is the connection.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel: Option<VmsChannel>,
        /// When the outage began.
        since: VmsTime,
    },
}

/// An estimate of the server's clock, from the `Date` of its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VmsServerClock {
    /// How far the server's clock is ahead of this device's, in milliseconds; negative when it is behind.
    pub ahead_ms: i64,
    /// By how much that may be wrong, either way, in milliseconds.
    pub uncertainty_ms: u64,
}

impl From<ServerClock> for VmsServerClock {
    fn from(clock: ServerClock) -> Self {
        let ServerClock { ahead_ms, uncertainty } = clock;
        Self { ahead_ms, uncertainty_ms: u64::try_from(uncertainty.as_millis()).unwrap_or(u64::MAX) }
    }
}

/// What kind of event ended a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum VmsGapKind {
    /// The server closed the connection.
    ClosedByServer,
    /// The connection broke.
    TransportLost,
    /// Nothing was received any more.
    Silent,
    /// The server broke the protocol, so the connection was given up.
    ProtocolViolation,
    /// A message was over the limit set here, so the connection was given up.
    MessageTooLong,
    /// A subscription was never acknowledged, so the connection was given up.
    Unacknowledged,
    /// The server ended the subscription on a connection that lives on.
    EndedByServer,
    /// Another session took its place: see [`VmsPusherApi::set_session`](crate::VmsPusherApi::set_session).
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
    /// `private-user.{user_id}`: this user, on all sessions.
    User,
}

impl VmsChannel {
    /// Returns which one has this name.
    pub(crate) fn named(name: &ChannelName) -> Self {
        if name.as_str().starts_with(TOKEN_CHANNEL) { Self::Token } else { Self::User }
    }

    /// Returns what a gap in this channel may have hidden.
    ///
    /// The user's channel may carry anything. The token's carries what is meant for this login session alone.
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

/// What may have changed while nobody was listening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VmsResyncScope {
    /// Whether the session is still valid: a `logout` may have been missed. Make any authorized call.
    Session,
    /// The user's cameras: load the list.
    Cameras,
    /// The favourites: load the list.
    FavoriteCameras,
    /// The permissions: load them.
    Permissions,
    /// The layouts: load them.
    Layouts,
    /// The camera groups: load the list.
    CameraGroups,
    /// Whether a `sync_groups` that was answered with `async` is done: load the camera's groups.
    GroupSync,
    /// Marks and findings of analyses: ask for those from `since` on.
    Events,
    /// Whether an archive that was ordered is ready: ask for it.
    Archives,
    /// The intercoms: load the list.
    Intercoms,
    /// The codes for visitors: load the list.
    IntercomCodes,
    /// Calls: load the list, and stop ringing when the call is over.
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
        GapCause::Silent => "nothing was received any more".to_owned(),
        GapCause::ProtocolViolation => "the server broke the protocol".to_owned(),
        GapCause::MessageTooLong => "the server sent a message over the limit set here".to_owned(),
        GapCause::EndedByServer { code } => {
            let code = code.map(|code| format!(" with status {code}")).unwrap_or_default();
            format!("the server ended the subscription{code}")
        }
        GapCause::Replaced => "another session took its place".to_owned(),
        GapCause::Unacknowledged => "the server did not acknowledge a subscription".to_owned(),
        _ => "the connection was given up".to_owned(),
    }
}
