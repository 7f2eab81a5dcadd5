//! Every VMS event type, with its usual event name and body.

use serde_json::{Value, json};

use super::{PushEvent, bodies};

/// A VMS event type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventType {
    /// The type on the wire.
    pub name: &'static str,
    /// The envelope of the row: [`PushEvent::Token`] for the nested one (a push to a user is sent
    /// as [`PushEvent::User`]), [`PushEvent::Notification`] for the flat one.
    pub event: PushEvent,
}

impl EventType {
    /// A body that a real server could have sent.
    #[must_use]
    pub fn default_body(&self) -> Value {
        default_body(self.name, self.event, false)
    }
}

const fn nested(name: &'static str) -> EventType {
    EventType { name, event: PushEvent::Token }
}

const fn flat(name: &'static str) -> EventType {
    EventType { name, event: PushEvent::Notification }
}

/// Every type that a VMS sends, in the order of its tables: first those of token and user pushes,
/// then the notifications. `analytic_case_face_event_created` is in both.
pub const EVENT_TYPES: &[EventType] = &[
    nested("cameras_updated"),
    nested("camera.store_favorite"),
    nested("camera.destroy_favorite"),
    nested("permissions_updated"),
    nested("layouts_updated"),
    nested("groups_updated"),
    nested("groups_created"),
    nested("groups_deleted"),
    nested("camera_groups_synced"),
    nested("mark_created"),
    nested("mark_updated"),
    nested("mark_deleted"),
    nested("archive_generated"),
    nested("logout"),
    nested("analytic_case_motion_detect_event_created"),
    nested("analytic_case_line_intersection_event_created"),
    nested("analytic_case_smoke_fire_event_created"),
    nested("analytic_case_loud_sound_event_created"),
    nested("analytic_case_camera_obstacle_event_created"),
    nested("analytic_case_face_event_created"),
    nested("analytic_case_license_plate_event_created"),
    nested("analytic_case_person_counting_event_created"),
    nested("analytic_case_visitor_counting_event_created"),
    nested("analytic_case_container_number_recognition_event_created"),
    flat("intercom.store"),
    flat("intercom.rename"),
    flat("intercom.update"),
    flat("intercom.delete"),
    flat("intercom.key_confirmed"),
    flat("intercom.key_error"),
    flat("intercom.add_error"),
    flat("intercom.code.store"),
    flat("intercom.code.delete"),
    flat("intercom.call.store"),
    flat("intercom.call.delete"),
    flat("intercom_cancel"),
    flat("analytic_case_face_event_created"),
];

/// The envelope that a type usually has: the first row of its name.
pub(crate) fn usual_event(name: &str) -> Option<PushEvent> {
    EVENT_TYPES.iter().find(|row| row.name == name).map(|row| row.event)
}

/// The default body of a type in an envelope; null for a type that is not in the tables.
pub(crate) fn default_body(name: &str, event: PushEvent, failed: bool) -> Value {
    match event {
        PushEvent::Notification => notification_body(name),
        PushEvent::Token | PushEvent::User => push_body(name, failed),
    }
}

fn push_body(name: &str, failed: bool) -> Value {
    match name {
        "cameras_updated" => json!({"attached": [17, 18], "detached": null}),
        "camera.store_favorite" => bodies::favourite(true),
        "camera.destroy_favorite" => bodies::favourite(false),
        "groups_created" => json!({"id": 5, "name": "Warehouse"}),
        "groups_deleted" => json!({"ids": [5]}),
        "mark_created" => bodies::mark("Delivery arrived"),
        "mark_updated" => bodies::mark("Delivery arrived, dock 3"),
        "mark_deleted" => bodies::mark("Delivery arrived, dock 3"),
        "archive_generated" => bodies::archive(failed),
        "intercom_cancel" => bodies::cancelled_call(),
        _ => analytic_kind(name).map_or(Value::Null, bodies::analytic_event),
    }
}

fn notification_body(name: &str) -> Value {
    match name {
        "intercom.store" => json!({"intercom": bodies::intercom("Front door", "key_confirmed")}),
        "intercom.rename" => json!({"intercom": bodies::intercom("Main entrance", "confirmed")}),
        "intercom.update" => json!({"intercom": bodies::intercom("Main entrance", "confirmed")}),
        "intercom.key_confirmed" => json!({
            "intercom": bodies::intercom("Front door", "key_confirmed"),
            "expire_in_seconds": 300,
        }),
        "intercom.key_error" => json!({"error": "The key was not accepted by the intercom"}),
        "intercom.add_error" => json!({"error": "The intercom did not answer"}),
        "intercom.code.store" => json!({"intercom_code": bodies::intercom_code()}),
        "intercom.code.delete" => json!({"deleted_ids": [31]}),
        "intercom.call.store" => json!({"intercom_call": bodies::intercom_call()}),
        "intercom.call.delete" => json!({"deleted_ids": [71]}),
        "intercom.delete" => json!({"deleted_ids": [9]}),
        "intercom_cancel" => json!({
            "data": bodies::cancelled_call(),
            "notification": {"title": "Main entrance", "body": "The call was cancelled"},
        }),
        "analytic_case_face_event_created" => json!({"event": bodies::intercom_face_event()}),
        _ => json!({}),
    }
}

fn analytic_kind(name: &str) -> Option<&str> {
    let kind = name.strip_prefix("analytic_case_")?.strip_suffix("_event_created")?;
    usual_event(name).map(|_| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_a_body_or_is_one_that_says_all_by_its_name() {
        let bare = ["permissions_updated", "layouts_updated", "groups_updated", "camera_groups_synced", "logout"];
        for row in EVENT_TYPES {
            let body = row.default_body();
            assert_eq!(body.is_null(), bare.contains(&row.name), "{}: {body}", row.name);
            assert!(body.is_null() || body.as_object().is_some_and(|o| !o.is_empty()), "{}", row.name);
        }
    }

    #[test]
    fn an_unknown_type_has_no_body() {
        assert_eq!(default_body("weather_changed", PushEvent::User, false), Value::Null);
        assert_eq!(default_body("analytic_case_weather_event_created", PushEvent::User, false), Value::Null);
        assert_eq!(default_body("weather_changed", PushEvent::Notification, false), json!({}));
    }
}
