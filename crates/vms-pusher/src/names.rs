//! The names of pushes: the `type` of a push written as JSON.

use crate::socket::{VmsAppSocketData as App, VmsIntercomSocketData as Intercom, VmsSocketData};

macro_rules! names {
    ($enum:ident { $( $pattern:pat => $name:literal, )* }) => {
        impl $enum {
            /// The names of all kinds.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// Returns the name of its kind: what `type` is when it is written as JSON.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $( $pattern => $name, )*
                }
            }
        }
    };
}

names! {
    App {
        Self::CamerasUpdate(_) => "cameras_update",
        Self::AddFavoriteCamera(_) => "add_favorite_camera",
        Self::RemoveFavoriteCamera(_) => "remove_favorite_camera",
        Self::PermissionsUpdate => "permissions_update",
        Self::LayoutsUpdate => "layouts_update",
        Self::GroupsUpdate => "groups_update",
        Self::GroupsCreated(_) => "groups_created",
        Self::GroupsDeleted(_) => "groups_deleted",
        Self::CameraGroupsSynced => "camera_groups_synced",
        Self::EventCreated(_) => "event_created",
        Self::EventUpdated(_) => "event_updated",
        Self::EventDeleted(_) => "event_deleted",
        Self::AnalyticEventCreated(_) => "analytic_event_created",
        Self::ArchiveGenerated(_) => "archive_generated",
        Self::Logout(_) => "logout",
        Self::Unknown(_) => "unknown",
        Self::Undecodable(_) => "undecodable",
    }
}

names! {
    Intercom {
        Self::IntercomStored(_) => "intercom_stored",
        Self::IntercomRenamed(_) => "intercom_renamed",
        Self::IntercomUpdated(_) => "intercom_updated",
        Self::IntercomsDeleted(_) => "intercoms_deleted",
        Self::IntercomKeyConfirmed(_) => "intercom_key_confirmed",
        Self::IntercomKeyError(_) => "intercom_key_error",
        Self::IntercomAddError(_) => "intercom_add_error",
        Self::IntercomCodeStored(_) => "intercom_code_stored",
        Self::IntercomCodesDeleted(_) => "intercom_codes_deleted",
        Self::IntercomCallStored(_) => "intercom_call_stored",
        Self::CallsDeleted(_) => "calls_deleted",
        Self::CallCanceled(_) => "call_canceled",
        Self::IntercomEventStored(_) => "intercom_event_stored",
        Self::Unknown(_) => "unknown",
        Self::Undecodable(_) => "undecodable",
    }
}

impl VmsSocketData {
    /// Returns the name of its kind: what `type` is when it is written as JSON.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AppSocket(socket) => socket.name(),
            Self::IntercomSocket(socket) => socket.name(),
        }
    }
}
