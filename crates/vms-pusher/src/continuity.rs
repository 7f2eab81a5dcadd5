use std::fmt;

use channels_proto::GapCause;
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
        /// Every push sent before this has arrived.
        since: VmsTime,
        /// What happened, for a developer.
        cause: String,
    },
    /// The channel is back: pushes sent between `since` and `until` were missed, if there were any.
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
    },
    /// The channel was given up, and nothing comes on it until `connect()` is called after a `disconnect()`. The other
    /// channel goes on.
    Unavailable {
        /// The channel.
        channel: VmsChannel,
        /// The server takes the session for ended: have the user log in. It answered 401 or 419, also with a fresh token,
        /// or it denied both channels (403 on one alone means that this channel is someone else's).
        session_is_invalid: bool,
    },
    /// Pushes were dropped at this place, because they came faster than they were taken: act as on a gap of both channels.
    Lagged {
        /// How many.
        dropped: u64,
    },
    /// There has been no connection for two minutes. Attempts go on.
    Suspended {
        /// When the outage began.
        since: VmsTime,
    },
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

pub(crate) fn describe(cause: GapCause) -> String {
    match cause {
        GapCause::ClosedByServer { code } => {
            let code = code.map(|code| format!(" with code {code}")).unwrap_or_default();
            format!("the server closed the connection{code}")
        }
        GapCause::TransportLost => "the connection was lost".to_owned(),
        GapCause::Silent => "nothing was received any more".to_owned(),
        GapCause::ProtocolViolation => "the server broke the protocol".to_owned(),
        GapCause::Unacknowledged => "the server did not acknowledge a subscription".to_owned(),
        _ => "the connection was given up".to_owned(),
    }
}
