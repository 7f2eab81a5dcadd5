//! Typed pushes: see the table at [`VmsSocketData`].
//!
//! Written as JSON, a push is `{"item": "app_socket" | "intercom_socket", "type": …, "data": …}`: `type` is the
//! variant's name in `snake_case`, and `data` is left out where a variant carries nothing.

use serde::{Deserialize, Serialize};

use crate::model::{
    VmsCameraGroup, VmsCanceledCall, VmsEvent, VmsIntercom, VmsIntercomCall, VmsIntercomCode, VmsNotification, model,
};
use crate::push_type::VmsPushStatus;

/// A push, whichever of the delegate's two methods it is for.
///
#[doc = include_str!("../docs/events.md")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "item", rename_all = "snake_case")]
pub enum VmsSocketData {
    /// A push about cameras, groups, marks, archive and the session.
    AppSocket(VmsAppSocketData),
    /// A push about intercoms.
    IntercomSocket(VmsIntercomSocketData),
}

impl VmsSocketData {
    /// Returns whether the push is delivered as received, because it is not in the tables or could not be read.
    #[must_use]
    pub const fn is_opaque(&self) -> bool {
        matches!(
            self,
            Self::AppSocket(VmsAppSocketData::Unknown(_) | VmsAppSocketData::Undecodable(_))
                | Self::IntercomSocket(VmsIntercomSocketData::Unknown(_) | VmsIntercomSocketData::Undecodable(_))
        )
    }
}

/// A push about cameras, groups, marks, archive and the session.
#[doc(alias = "VMSAppSocketData")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum VmsAppSocketData {
    /// Cameras were added to this user's account or removed from it.
    #[doc(alias = "camerasUpdate")]
    CamerasUpdate(VmsCamerasUpdateSocket),
    /// A camera became a favourite.
    #[doc(alias = "addFavoriteCamera")]
    AddFavoriteCamera(Box<VmsFavoriteCamerasUpdateSocket>),
    /// A camera is no longer a favourite.
    #[doc(alias = "removeFavoriteCamera")]
    RemoveFavoriteCamera(Box<VmsFavoriteCamerasUpdateSocket>),
    /// The user's permissions changed: reload them.
    #[doc(alias = "permissionsUpdate")]
    PermissionsUpdate,
    /// The user's layouts changed: reload them.
    LayoutsUpdate,
    /// The user's camera groups changed: reload them.
    #[doc(alias = "groupsUpdate")]
    GroupsUpdate,
    /// A camera group was created.
    GroupsCreated(Box<VmsCameraGroup>),
    /// The camera groups with these ids were deleted.
    GroupsDeleted(Vec<i64>),
    /// A change of a camera's groups that was answered with `async` was carried out.
    #[doc(alias = "cameraGroupsSynced")]
    CameraGroupsSynced,
    /// A mark was created.
    #[doc(alias = "eventCreated")]
    EventCreated(Box<VmsEvent>),
    /// A mark was changed.
    #[doc(alias = "eventUpdated")]
    EventUpdated(Box<VmsEvent>),
    /// A mark was deleted.
    #[doc(alias = "eventDeleted")]
    EventDeleted(Box<VmsEvent>),
    /// Analytics found something.
    AnalyticEventCreated(Box<VmsEvent>),
    /// An archive download is ready, or could not be made: see [`VmsArchiveLinkSocket::is_failed`].
    #[doc(alias = "archiveGenerated")]
    ArchiveGenerated(Box<VmsArchiveLinkSocket>),
    /// The session was ended; with the reason, as text for a person.
    #[doc(alias = "logout")]
    Logout(Option<String>),
    /// A push that is not in the tables of this version.
    Unknown(Box<VmsUnknownSocket>),
    /// A push whose payload could not be read.
    Undecodable(Box<VmsUndecodableSocket>),
}

/// A push about intercoms.
#[doc(alias = "VMSIntercomSocketData")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum VmsIntercomSocketData {
    /// An intercom was added.
    #[doc(alias = "intercomStored")]
    IntercomStored(Option<Box<VmsIntercom>>),
    /// An intercom was renamed.
    #[doc(alias = "intercomRenamed")]
    IntercomRenamed(Option<Box<VmsIntercom>>),
    /// An intercom was changed.
    IntercomUpdated(Option<Box<VmsIntercom>>),
    /// Intercoms were removed.
    #[doc(alias = "intercomsDeleted")]
    IntercomsDeleted(VmsIntercomDeleteSocket),
    /// An intercom's key was confirmed.
    #[doc(alias = "intercomKeyConfirmed")]
    IntercomKeyConfirmed(VmsIntercomKeyConfirmedSocket),
    /// An intercom's key was rejected.
    #[doc(alias = "intercomKeyError")]
    IntercomKeyError(VmsIntercomErrorSocket),
    /// An intercom could not be added.
    #[doc(alias = "intercomAddError")]
    IntercomAddError(VmsIntercomErrorSocket),
    /// A visitor code was created.
    #[doc(alias = "intercomCodeStored")]
    IntercomCodeStored(Option<Box<VmsIntercomCode>>),
    /// Visitor codes were deleted.
    #[doc(alias = "intercomCodesDeleted")]
    IntercomCodesDeleted(VmsIntercomDeleteSocket),
    /// A call came in or changed.
    #[doc(alias = "intercomCallStored")]
    IntercomCallStored(Option<Box<VmsIntercomCall>>),
    /// Calls were deleted from the list.
    #[doc(alias = "callsDeleted")]
    CallsDeleted(VmsIntercomDeleteSocket),
    /// A call was cancelled at the door: stop ringing.
    #[doc(alias = "callCanceled")]
    CallCanceled(VmsCallCanceledSocket),
    /// Analytics found something at an intercom.
    #[doc(alias = "intercomEventStored")]
    IntercomEventStored(Option<Box<VmsEvent>>),
    /// A push that is not in the tables of this version.
    Unknown(Box<VmsUnknownSocket>),
    /// A push whose payload could not be read.
    Undecodable(Box<VmsUndecodableSocket>),
}

model! {
    /// Which cameras were added to a user's account, and which were removed from it.
    #[doc(alias = "VMSCamerasUpdateSocket")]
    pub struct VmsCamerasUpdateSocket {
        optional {
            /// The ids of the cameras that were removed; if both this and `attached` are missing, reload the cameras.
            detached: Vec<i64> = "detached",
            /// The ids of the cameras that were added.
            attached: Vec<i64> = "attached",
        }
    }
}

model! {
    /// A camera that became, or is no longer, a favourite.
    #[doc(alias = "VMSFavoriteCamerasUpdateSocket")]
    pub struct VmsFavoriteCamerasUpdateSocket {
        required {
            /// The camera's id.
            #[doc(alias = "cameraId")]
            camera_id: i64 = "camera_id",
        }
        optional {
            /// The id of the user whose favourite it is.
            user_id: i64 = "user_id",
            /// Its place among the favourites.
            order: i64 = "order",
            /// The camera's name.
            name: String = "name",
            /// Whether it is a favourite now.
            is_favorite: bool = "is_favorite",
            /// Whether the camera records and shows.
            status: crate::model::VmsCameraStatus = "status",
        }
    }
}

model! {
    /// An archive download.
    #[doc(alias = "VMSArchiveLinkSocket")]
    pub struct VmsArchiveLinkSocket {
        optional {
            /// Where to download it, from older servers. [`VmsArchiveLinkSocket::link`] looks in both places.
            url: String = "url",
            /// Where to download it.
            download: VmsDownloadUrlData = "download",
            /// Whether it could be made.
            status: VmsPushStatus = "status",
            /// What it is about, for a person.
            subject: String = "subject",
            /// What happened, for a person.
            message: String = "message",
        }
    }
}

impl VmsArchiveLinkSocket {
    /// Returns the address to download from. It is data from the server: check its scheme before opening it.
    #[must_use]
    pub fn link(&self) -> Option<&str> {
        self.download.as_ref().and_then(|download| download.url.as_deref()).or(self.url.as_deref())
    }

    /// Returns whether the server says that it could not make the archive.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        self.status == Some(VmsPushStatus::Error)
    }
}

model! {
    /// Where an archive can be downloaded.
    #[doc(alias = "VMSDownloadUrlData")]
    pub struct VmsDownloadUrlData {
        optional {
            /// The address.
            url: String = "url",
        }
    }
}

model! {
    /// What was deleted.
    #[doc(alias = "VMSIntercomDeleteSocket")]
    pub struct VmsIntercomDeleteSocket {
        optional {
            /// The ids of what was deleted; if they are missing, reload the list.
            deleted_ids: Vec<i64> = "deleted_ids",
        }
    }
}

model! {
    /// Why an operation on an intercom failed.
    #[doc(alias = "VMSIntercomErrorSocket")]
    pub struct VmsIntercomErrorSocket {
        optional {
            /// The reason, for a person.
            error: String = "error",
        }
    }
}

model! {
    /// An intercom whose key was confirmed.
    pub struct VmsIntercomKeyConfirmedSocket {
        optional {
            /// The intercom.
            intercom: Box<VmsIntercom> = "intercom",
            /// For how many seconds the confirmation is valid.
            expire_in_seconds: i64 = "expire_in_seconds",
        }
    }
}

model! {
    /// A call that was cancelled at the door.
    pub struct VmsCallCanceledSocket {
        optional {
            /// The call.
            call: Box<VmsCanceledCall> = "call",
            /// The text of the notification for the person who was called.
            notification: Box<VmsNotification> = "notification",
        }
    }
}

model! {
    /// A push that is not in the tables of this version, kept whole.
    pub struct VmsUnknownSocket {
        required {
            /// The event name, as it came.
            event: String = "event",
            /// The channel it came on.
            channel: String = "channel",
            /// Its `data`: the JSON text inside when that was a string, otherwise as it stood on the wire.
            data: String = "data",
            /// Why it is unknown.
            reason: String = "reason",
        }
        optional {
            /// The type of the push, if it had one.
            push_type: String = "push_type",
        }
    }
}

model! {
    /// A push whose payload could not be read, kept whole.
    pub struct VmsUndecodableSocket {
        required {
            /// The event name, as it came.
            event: String = "event",
            /// The channel it came on.
            channel: String = "channel",
            /// Its `data`: the JSON text inside when that was a string, otherwise as it stood on the wire. For a
            /// message that is not valid JSON it is always as it was on the wire, up to the end of the message when
            /// it is not certain where `data` ends.
            data: String = "data",
            /// What is wrong, for a developer.
            reason: String = "reason",
            /// Where in `data` the fault is, as a JSON path: `$` is the whole, `$.data.data.id` a member.
            path: String = "path",
        }
        optional {
            /// The type of the push, if it could be read.
            push_type: String = "push_type",
        }
    }
}
