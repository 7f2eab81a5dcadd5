//! The names of events: the `type` of a JSON line, which is also what `--only` and `--not` take.

use vms_pusher::{VmsAppSocketData, VmsIntercomSocketData};

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
    use vms_pusher::{VmsAppSocketData, VmsDecoder, VmsSocketData};

    use super::*;

    /// Every default body of the sandbox, decoded.
    fn samples() -> Vec<VmsSocketData> {
        let decoder = VmsDecoder::new("https://example.com");
        let decode = |row: &vms_sandbox::EventType| {
            let nested = serde_json::json!({"data": {"type": row.name, "data": row.default_body()}});
            let mut flat = row.default_body();
            if let Some(object) = flat.as_object_mut() {
                object.insert("type".to_owned(), row.name.into());
            }
            let body = if row.event == vms_sandbox::PushEvent::Notification { flat } else { nested };
            decoder.decode(row.event.as_str(), "private-user.42", &body.to_string())
        };
        let unknown = decoder.decode("x", "private-user.42", "{}");
        let undecodable = decoder.decode(vms_pusher::TOKEN_PUSH, "private-user.42", "{");
        vms_sandbox::EVENT_TYPES.iter().map(decode).chain([unknown, undecodable]).collect()
    }

    #[test]
    fn the_name_of_an_event_is_its_type_in_json() {
        let mut seen = Vec::new();
        for sample in samples() {
            let json = serde_json::to_value(&sample).unwrap();
            let name = match &sample {
                VmsSocketData::AppSocket(socket) => of_app(socket),
                VmsSocketData::IntercomSocket(socket) => of_intercom(socket),
            };
            assert_eq!(json.get("type").and_then(Value::as_str), Some(name));
            seen.push(name);
        }
        for name in ALL {
            assert!(seen.contains(&name), "no sample of {name}");
        }
        assert!(matches!(samples()[3], VmsSocketData::AppSocket(VmsAppSocketData::PermissionsUpdate)));
    }
}
