//! The names of events: the `type` of a JSON line, which is also what `--only` and `--not` take, beside the types of the
//! wire that `push` takes.

use vms_pusher::{VmsAppSocketData, VmsDecoder, VmsIntercomSocketData, VmsSocketData};
use vms_sandbox::{EVENT_TYPES, EventType, PushEvent};

/// All of them, in the order of the two enumerations.
pub(crate) const ALL: [&str; 30] = [
    "cameras_update",
    "add_favorite_camera",
    "remove_favorite_camera",
    "permissions_update",
    "layouts_update",
    "groups_update",
    "groups_created",
    "groups_deleted",
    "camera_groups_synced",
    "event_created",
    "event_updated",
    "event_deleted",
    "analytic_event_created",
    "archive_generated",
    "logout",
    "intercom_stored",
    "intercom_renamed",
    "intercom_updated",
    "intercoms_deleted",
    "intercom_key_confirmed",
    "intercom_key_error",
    "intercom_add_error",
    "intercom_code_stored",
    "intercom_codes_deleted",
    "intercom_call_stored",
    "calls_deleted",
    "call_canceled",
    "intercom_event_stored",
    "unknown",
    "undecodable",
];

/// The types of the wire, without those that are an event's name as well.
pub(crate) fn wire_types() -> impl Iterator<Item = &'static str> {
    EVENT_TYPES.iter().map(|row| row.name).filter(|name| !ALL.contains(name))
}

/// The events that are meant by a name: itself, or what the pushes of this type of the wire become.
pub(crate) fn meant_by(name: &str) -> Vec<&'static str> {
    match ALL.iter().find(|known| **known == name) {
        Some(known) => vec![known],
        None => EVENT_TYPES.iter().filter(|row| row.name == name).map(|row| of(&sample(row))).collect(),
    }
}

/// A push of this type, as a client gets it.
fn sample(row: &EventType) -> VmsSocketData {
    let mut body = serde_json::json!({"data": {"type": row.name, "data": row.default_body()}});
    if row.event == PushEvent::Notification {
        body = row.default_body();
        if let Some(object) = body.as_object_mut() {
            object.insert("type".to_owned(), row.name.into());
        }
    }
    VmsDecoder::new("https://example.com").decode(row.event.as_str(), "private-user.42", &body.to_string())
}

const fn of(socket: &VmsSocketData) -> &'static str {
    match socket {
        VmsSocketData::AppSocket(socket) => of_app(socket),
        VmsSocketData::IntercomSocket(socket) => of_intercom(socket),
    }
}

pub(crate) const fn of_app(socket: &VmsAppSocketData) -> &'static str {
    use VmsAppSocketData as App;
    match socket {
        App::CamerasUpdate(_) => "cameras_update",
        App::AddFavoriteCamera(_) => "add_favorite_camera",
        App::RemoveFavoriteCamera(_) => "remove_favorite_camera",
        App::PermissionsUpdate => "permissions_update",
        App::LayoutsUpdate => "layouts_update",
        App::GroupsUpdate => "groups_update",
        App::GroupsCreated(_) => "groups_created",
        App::GroupsDeleted(_) => "groups_deleted",
        App::CameraGroupsSynced => "camera_groups_synced",
        App::EventCreated(_) => "event_created",
        App::EventUpdated(_) => "event_updated",
        App::EventDeleted(_) => "event_deleted",
        App::AnalyticEventCreated(_) => "analytic_event_created",
        App::ArchiveGenerated(_) => "archive_generated",
        App::Logout(_) => "logout",
        App::Unknown(_) => "unknown",
        App::Undecodable(_) => "undecodable",
    }
}

pub(crate) const fn of_intercom(socket: &VmsIntercomSocketData) -> &'static str {
    use VmsIntercomSocketData as Intercom;
    match socket {
        Intercom::IntercomStored(_) => "intercom_stored",
        Intercom::IntercomRenamed(_) => "intercom_renamed",
        Intercom::IntercomUpdated(_) => "intercom_updated",
        Intercom::IntercomsDeleted(_) => "intercoms_deleted",
        Intercom::IntercomKeyConfirmed(_) => "intercom_key_confirmed",
        Intercom::IntercomKeyError(_) => "intercom_key_error",
        Intercom::IntercomAddError(_) => "intercom_add_error",
        Intercom::IntercomCodeStored(_) => "intercom_code_stored",
        Intercom::IntercomCodesDeleted(_) => "intercom_codes_deleted",
        Intercom::IntercomCallStored(_) => "intercom_call_stored",
        Intercom::CallsDeleted(_) => "calls_deleted",
        Intercom::CallCanceled(_) => "call_canceled",
        Intercom::IntercomEventStored(_) => "intercom_event_stored",
        Intercom::Unknown(_) => "unknown",
        Intercom::Undecodable(_) => "undecodable",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Every default body of the sandbox, decoded.
    fn samples() -> Vec<VmsSocketData> {
        let decoder = VmsDecoder::new("https://example.com");
        let unknown = decoder.decode("x", "private-user.42", "{}");
        let undecodable = decoder.decode(vms_pusher::TOKEN_PUSH, "private-user.42", "{");
        EVENT_TYPES.iter().map(sample).chain([unknown, undecodable]).collect()
    }

    #[test]
    fn a_type_of_the_wire_means_the_event_that_it_becomes() {
        assert_eq!(meant_by("mark_created"), ["event_created"]);
        assert_eq!(meant_by("event_created"), ["event_created"]);
        for name in wire_types() {
            let meant = meant_by(name);
            assert!(!meant.is_empty() && meant.iter().all(|event| ALL.contains(event)), "{name}: {meant:?}");
            assert!(!meant.contains(&"unknown") && !meant.contains(&"undecodable"), "{name}: {meant:?}");
        }
        for row in EVENT_TYPES.iter().filter(|row| ALL.contains(&row.name)) {
            assert_eq!(of(&sample(row)), row.name);
        }
    }

    #[test]
    fn the_name_of_an_event_is_its_type_in_json() {
        let mut seen = Vec::new();
        for sample in samples() {
            let json = serde_json::to_value(&sample).unwrap();
            let name = of(&sample);
            assert_eq!(json.get("type").and_then(Value::as_str), Some(name));
            seen.push(name);
        }
        for name in ALL {
            assert!(seen.contains(&name), "no sample of {name}");
        }
        assert!(matches!(samples()[3], VmsSocketData::AppSocket(VmsAppSocketData::PermissionsUpdate)));
    }
}
