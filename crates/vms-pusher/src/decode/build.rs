//! From a push that has been read to the variant that it becomes.

use super::body::{Body, Kind};
use super::{Context, Side};
use crate::lenient::Read;
use crate::model::{VmsEvent, VmsNotification};
use crate::push_type::{VmsAppSocketType as Type, VmsPushStatus};
use crate::socket::{
    VmsAppSocketData as App, VmsArchiveLinkSocket, VmsCallCanceledSocket, VmsIntercomSocketData, VmsSocketData,
};

/// A push whose type is known and whose payload has been read accordingly.
pub(super) struct Push {
    pub(super) kind: Kind,
    pub(super) status: Option<VmsPushStatus>,
    pub(super) body: Body,
    /// Of a cancelled call.
    pub(super) notification: Option<Box<VmsNotification>>,
}

/// The texts of a push that are meant for a person.
#[derive(Default)]
pub(super) struct Person {
    pub(super) subject: Option<String>,
    pub(super) message: Option<String>,
    /// Of a cancelled call.
    pub(super) notification: Option<Box<VmsNotification>>,
}

/// Builds what a `TokenPush` or `UserPush` becomes.
pub(super) fn socket(context: &Context<'_>, push: Push, person: Person) -> VmsSocketData {
    let Push { kind, status, body, notification } = push;
    context.note_type(kind.known_text());
    let kind = match kind {
        Kind::App(kind) => kind,
        Kind::CancelCall => return call_canceled(body, notification.or(person.notification)),
    };
    let defect = match app_socket(&kind, status, body, person) {
        Ok(Some(socket)) => return socket,
        Ok(None) => return context.unknown(Side::App, Some(kind.as_str()), "the type is not one of an app push"),
        Err(defect) => defect,
    };
    context.defective(Side::App, Some(kind.as_str()), "$.data.data", defect)
}

pub(super) fn call_canceled(body: Body, notification: Option<Box<VmsNotification>>) -> VmsSocketData {
    let call = if let Body::Call(call) = body { call.value() } else { None };
    let socket = VmsCallCanceledSocket { call, notification };
    VmsSocketData::IntercomSocket(VmsIntercomSocketData::CallCanceled(socket))
}

/// Returns `None` for a type that is not in the table.
fn app_socket(
    kind: &Type,
    status: Option<VmsPushStatus>,
    body: Body,
    person: Person,
) -> Result<Option<VmsSocketData>, crate::lenient::Defect> {
    let socket = match (kind, body) {
        (Type::CamerasUpdated, Body::Cameras(cameras)) => App::CamerasUpdate(cameras.optional()?.unwrap_or_default()),
        (Type::FavoriteCameraStored, Body::Favorite(camera)) => App::AddFavoriteCamera(camera.required()?),
        (Type::FavoriteCameraDestroyed, Body::Favorite(camera)) => App::RemoveFavoriteCamera(camera.required()?),
        (Type::PermissionsUpdated, _) => App::PermissionsUpdate,
        (Type::LayoutsUpdated, _) => App::LayoutsUpdate,
        (Type::GroupsUpdated, _) => App::GroupsUpdate,
        (Type::GroupsCreated, Body::Group(group)) => group.value().map_or(App::GroupsUpdate, App::GroupsCreated),
        (Type::GroupsDeleted, Body::GroupIds(ids)) => {
            ids.value().and_then(|ids| ids.ids).map_or(App::GroupsUpdate, App::GroupsDeleted)
        }
        (Type::CameraGroupsSynced, _) => App::CameraGroupsSynced,
        (Type::MarkCreated, Body::Event(event)) => App::EventCreated(event.required()?),
        (Type::MarkUpdated, Body::Event(event)) => App::EventUpdated(event.required()?),
        (Type::MarkDeleted, Body::Event(event)) => App::EventDeleted(event.required()?),
        (Type::ArchiveGenerated, Body::Archive(archive)) => {
            App::ArchiveGenerated(archive_link(archive, status, person)?)
        }
        (Type::Logout, _) => App::Logout(person.subject),
        (Type::Other(_), _) => return Ok(None),
        (_, Body::Event(event)) => return event.required().map(analytic_event).map(Some),
        _ => return Ok(None),
    };
    Ok(Some(VmsSocketData::AppSocket(socket)))
}

/// The server says "failed" beside the payload, and then the payload may be anything.
fn archive_link(
    archive: Read<Box<VmsArchiveLinkSocket>>,
    status: Option<VmsPushStatus>,
    person: Person,
) -> Result<Box<VmsArchiveLinkSocket>, crate::lenient::Defect> {
    let mut archive = match archive.optional() {
        Ok(archive) => archive.unwrap_or_default(),
        Err(_) if status == Some(VmsPushStatus::Error) => Box::default(),
        Err(defect) => return Err(defect),
    };
    *archive = VmsArchiveLinkSocket { status, subject: person.subject, message: person.message, ..*archive };
    Ok(archive)
}

fn analytic_event(event: Box<VmsEvent>) -> VmsSocketData {
    if event.is_intercom == Some(true) {
        VmsSocketData::IntercomSocket(VmsIntercomSocketData::IntercomEventStored(Some(event)))
    } else {
        VmsSocketData::AppSocket(App::AnalyticEventCreated(event))
    }
}
