//! The few fields of a push that a person looks at first.

use vms_pusher::{
    VmsAppSocketData, VmsArchiveLinkSocket, VmsCallCanceledSocket, VmsCameraGroup, VmsCamerasUpdateSocket, VmsEvent,
    VmsFavoriteCamerasUpdateSocket, VmsIntercom, VmsIntercomCall, VmsIntercomCode, VmsIntercomSocketData, VmsTime,
    VmsUndecodableSocket, VmsUnknownSocket,
};

use super::{fields::Fields, times::date_and_clock};

pub(crate) fn app(socket: &VmsAppSocketData) -> String {
    use VmsAppSocketData as App;
    match socket {
        App::CamerasUpdate(VmsCamerasUpdateSocket { attached, detached }) => {
            Fields::new().list("attached", attached.as_deref()).list("detached", detached.as_deref()).finish()
        }
        App::AddFavoriteCamera(camera) | App::RemoveFavoriteCamera(camera) => favourite(camera),
        App::PermissionsUpdate => "load the permissions again".to_owned(),
        App::LayoutsUpdate => "load the layouts again".to_owned(),
        App::GroupsUpdate => "load the camera groups again".to_owned(),
        App::CameraGroupsSynced => "a change of a camera's groups is done".to_owned(),
        App::GroupsCreated(group) => self::group(group),
        App::GroupsDeleted(ids) => Fields::new().list("ids", Some(ids)).finish(),
        App::EventCreated(event)
        | App::EventUpdated(event)
        | App::EventDeleted(event)
        | App::AnalyticEventCreated(event) => self::event(event),
        App::ArchiveGenerated(archive) => self::archive(archive),
        App::Logout(reason) => Fields::new().text("reason", reason.as_deref()).finish(),
        App::Unknown(unknown) => self::unknown(unknown),
        App::Undecodable(undecodable) => self::undecodable(undecodable),
    }
}

pub(crate) fn intercom(socket: &VmsIntercomSocketData) -> String {
    use VmsIntercomSocketData as Intercom;
    match socket {
        Intercom::IntercomStored(intercom)
        | Intercom::IntercomRenamed(intercom)
        | Intercom::IntercomUpdated(intercom) => intercom_fields(Fields::new(), intercom.as_deref()).finish(),
        Intercom::IntercomKeyConfirmed(key) => {
            let fields = intercom_fields(Fields::new(), key.intercom.as_deref());
            fields.plain("expires_in", key.expire_in_seconds.map(|seconds| format!("{seconds}s"))).finish()
        }
        Intercom::IntercomsDeleted(deleted)
        | Intercom::IntercomCodesDeleted(deleted)
        | Intercom::CallsDeleted(deleted) => Fields::new().list("ids", deleted.deleted_ids.as_deref()).finish(),
        Intercom::IntercomKeyError(error) | Intercom::IntercomAddError(error) => {
            Fields::new().text("error", error.error.as_deref()).finish()
        }
        Intercom::IntercomCodeStored(code) => code.as_deref().map(self::code).unwrap_or_default(),
        Intercom::IntercomCallStored(call) => call.as_deref().map(self::call).unwrap_or_default(),
        Intercom::CallCanceled(canceled) => self::canceled(canceled),
        Intercom::IntercomEventStored(event) => event.as_deref().map(self::event).unwrap_or_default(),
        Intercom::Unknown(unknown) => self::unknown(unknown),
        Intercom::Undecodable(undecodable) => self::undecodable(undecodable),
    }
}

fn favourite(camera: &VmsFavoriteCamerasUpdateSocket) -> String {
    let fields = Fields::new().plain("camera", Some(camera.camera_id)).text("name", camera.name.as_deref());
    fields.plain("order", camera.order).text("status", camera.status.as_ref().map(|status| status.as_str())).finish()
}

fn group(group: &VmsCameraGroup) -> String {
    let fields = Fields::new().plain("id", Some(group.id)).text("name", group.name.as_deref());
    fields.plain("cameras", group.items_count).finish()
}

fn event(event: &VmsEvent) -> String {
    let camera = event.camera_id.or_else(|| event.camera.as_ref().map(|camera| camera.id));
    Fields::new()
        .plain("id", Some(event.id))
        .text("type", event.kind.as_deref())
        .text("title", event.title.as_deref())
        .plain("camera", camera)
        .text("plate", event.license_plate.as_deref())
        .text("container", event.container_code.as_deref())
        .plain("count", event.rect)
        .text("match", event.analytic_file.as_ref().and_then(|file| file.name.as_deref()))
        .plain("similarity", event.similarity)
        .plain("from", time(event.from))
        .finish()
}

fn archive(archive: &VmsArchiveLinkSocket) -> String {
    let failed = archive.is_failed().then_some("failed");
    let fields = Fields::new().plain("status", failed).text("subject", archive.subject.as_deref());
    fields.text("message", archive.message.as_deref()).text("link", archive.link()).finish()
}

fn intercom_fields(fields: Fields, intercom: Option<&VmsIntercom>) -> Fields {
    let Some(intercom) = intercom else { return fields };
    fields
        .plain("intercom", Some(intercom.id))
        .text("title", intercom.title.as_deref())
        .text("address", intercom.address.as_deref())
        .text("status", intercom.status.as_ref().map(|status| status.as_str()))
        .plain("online", intercom.is_online)
}

fn code(code: &VmsIntercomCode) -> String {
    let fields = Fields::new().plain("id", Some(code.id)).text("title", code.title.as_deref());
    let fields = fields.plain("intercom", code.intercom.as_ref().map(|intercom| intercom.id));
    fields.plain("expires", time(code.expired_at)).finish()
}

fn call(call: &VmsIntercomCall) -> String {
    let fields =
        Fields::new().plain("id", Some(call.id)).text("status", call.status.as_ref().map(|status| status.as_str()));
    let fields = fields.plain("intercom", call.intercom.as_ref().map(|intercom| intercom.id));
    let title = call.intercom.as_ref().and_then(|intercom| intercom.title.as_deref());
    fields.text("title", title).plain("started", time(call.started_at)).finish()
}

fn canceled(canceled: &VmsCallCanceledSocket) -> String {
    let text = canceled.notification.as_ref().and_then(|notification| notification.body.as_deref());
    let Some(call) = &canceled.call else { return Fields::new().text("text", text).finish() };
    let fields = Fields::new().plain("call", call.call_id).plain("intercom", call.id);
    fields.text("title", call.title.as_deref()).plain("camera", call.camera_id).text("text", text).finish()
}

fn unknown(unknown: &VmsUnknownSocket) -> String {
    let fields = Fields::new().text("type", unknown.push_type.as_deref());
    let fields = if unknown.push_type.is_none() { fields.text("event", Some(&unknown.event)) } else { fields };
    fields.text("reason", Some(&unknown.reason)).text("data", Some(&unknown.data)).finish()
}

fn undecodable(undecodable: &VmsUndecodableSocket) -> String {
    let fields = Fields::new().text("type", undecodable.push_type.as_deref());
    let fields = fields.text("path", Some(&undecodable.path)).text("reason", Some(&undecodable.reason));
    fields.text("data", Some(&undecodable.data)).finish()
}

fn time(time: Option<VmsTime>) -> Option<String> {
    time.map(date_and_clock)
}
