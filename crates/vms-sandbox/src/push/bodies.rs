//! The objects in default bodies: whole, as a real server sends them.

use serde_json::{Value, json};

const MORNING: &str = "2024-03-05T08:10:11.250000Z";
const NOON: &str = "2024-03-05T12:00:00.000000Z";
const EVENING: &str = "2024-03-05T18:30:45.500000Z";

pub(super) fn favourite(is_favorite: bool) -> Value {
    json!({
        "camera_id": 17,
        "user_id": 42,
        "order": 1,
        "name": "Gate",
        "is_favorite": is_favorite,
        "status": "active",
    })
}

pub(super) fn archive(failed: bool) -> Value {
    if failed {
        return json!({"url": null, "download": {"url": null}});
    }
    let url = "https://vms.example/archive/17/2024-03-05-gate.mp4";
    json!({"url": url, "download": {"url": format!("{url}?download=1")}})
}

pub(super) fn mark(title: &str) -> Value {
    json!({
        "id": 501,
        "title": title,
        "type": "mark",
        "type_pretty": "Mark",
        "from": MORNING,
        "to": null,
        "created_at": MORNING,
        "can_delete": true,
        "camera_id": 17,
        "camera": camera(),
        "name": null,
        "user": {"id": 42, "name": "demo"},
        "preview_url": "https://vms.example/previews/501.jpg",
        "analytic_case": null,
        "is_intercom": false,
    })
}

pub(super) fn analytic_event(kind: &str) -> Value {
    let (title, number) = match kind {
        "motion_detect" => ("Motion in the yard", 1),
        "line_intersection" => ("The line was crossed", 2),
        "smoke_fire" => ("Smoke in the hall", 3),
        "loud_sound" => ("A loud sound", 4),
        "camera_obstacle" => ("The view is blocked", 5),
        "face" => ("A known face", 6),
        "license_plate" => ("A known licence plate", 7),
        "person_counting" => ("People in the queue", 8),
        "visitor_counting" => ("Visitors today", 9),
        _ => ("A container number", 10),
    };
    let mut event = json!({
        "id": 600 + number,
        "title": title,
        "type": kind,
        "type_pretty": title,
        "from": NOON,
        "to": null,
        "created_at": NOON,
        "can_delete": false,
        "camera_id": 17,
        "camera": camera(),
        "name": null,
        "user": null,
        "analytic_file": null,
        "analytic_group": null,
        "crop": null,
        "similarity": null,
        "rect": null,
        "license_plate": null,
        "container_code": null,
        "container_dims_code": null,
        "preview_url": format!("https://vms.example/previews/{}.jpg", 600 + number),
        "uuid": format!("6f1c2f0a-7c3e-4a56-9d2b-0000000006{number:02}"),
        "is_intercom": false,
        "case_type": kind,
        "analytic_case_id": 80 + number,
        "analytic_case": analytic_case(kind, title, 80 + number),
        "event": {"id": 3, "name": title, "color": "#e53935", "analytic_type": kind, "description": null},
    });
    if let (Some(event), Value::Object(details)) = (event.as_object_mut(), kind_details(kind)) {
        event.extend(details);
    }
    event
}

/// The fields that only one kind of analytics fills.
fn kind_details(kind: &str) -> Value {
    match kind {
        "face" => json!({
            "similarity": 0.975,
            "crop": "https://vms.example/crops/606.jpg",
            "analytic_file": analytic_file("face", "Anna Smith"),
            "analytic_group": {"id": 12, "type": "face", "type_pretty": "Faces", "name": "Staff"},
        }),
        "license_plate" => json!({
            "license_plate": "A123BC",
            "crop": "https://vms.example/crops/607.jpg",
            "analytic_file": analytic_file("license_plate", "A123BC"),
            "analytic_group": {"id": 13, "type": "license_plate", "type_pretty": "Plates", "name": "Guests"},
        }),
        "person_counting" | "visitor_counting" => json!({"rect": 7}),
        "container_number_recognition" => json!({
            "container_code": "MSKU1234565",
            "container_dims_code": "22G1",
        }),
        _ => json!({}),
    }
}

fn analytic_case(kind: &str, title: &str, id: i64) -> Value {
    json!({
        "id": id,
        "title": title,
        "color": "#1e88e5",
        "type": kind,
        "type_pretty": title,
        "created_at": "2024-01-10T09:00:00.000000Z",
        "available_events": [
            {"id": 3, "name": title, "color": "#e53935", "analytic_type": kind, "description": null},
        ],
    })
}

fn analytic_file(type_: &str, name: &str) -> Value {
    json!({
        "id": 210,
        "name": name,
        "type": type_,
        "type_pretty": name,
        "uuid": "0b9d1f3e-52a4-4c11-8d07-000000000210",
        "url": "/storage/analytics/210.jpg",
        "body": name,
        "created_at": "2024-01-10T09:00:00.000000Z",
        "updated_at": "2024-02-01T09:00:00.000000Z",
    })
}

pub(super) fn intercom_face_event() -> Value {
    let mut event = analytic_event("face");
    event["id"] = json!(650);
    event["title"] = json!("A known face at the main entrance");
    event["is_intercom"] = json!(true);
    event
}

fn camera() -> Value {
    json!({
        "id": 17,
        "name": "Gate",
        "status": "active",
        "start_at": "2023-06-01T00:00:00.000000Z",
        "is_favorite": true,
        "is_restricted_live": false,
        "is_restricted_archive": false,
        "is_bridge": false,
        "user_status": "active",
        "pretty_text": "Gate, north side",
        "streams": [
            {"id": 1701, "type": "high", "status": "active", "has_sound": true, "video_codec": "H265"},
            {"id": 1702, "type": "low", "status": "active", "has_sound": false, "video_codec": "H264"},
        ],
        "services": {"ptz": false, "motion_detect": true},
        "archive_ranges": [{"from": 1_709_596_800, "duration": 43_200, "end": 1_709_640_000}],
    })
}

pub(super) fn intercom(title: &str, status: &str) -> Value {
    json!({
        "id": 9,
        "title": title,
        "department": "1",
        "address": "12 Harbour Street",
        "is_enabled": true,
        "camera": intercom_camera(),
        "status": status,
        "timetable": {
            "days": [
                {"type": "monday", "from": "08:00", "to": "22:00"},
                {"type": "sunday", "from": "10:00", "to": "20:00"},
            ],
            "intervals": [{"from": "2024-07-01T00:00:00.000000Z", "to": "2024-07-14T00:00:00.000000Z"}],
        },
        "is_online": true,
        "is_analytic_available": true,
        "available_answer_devices": ["is_enabled", "is_landline_sip_line_available"],
        "is_landline_sip_line_available": true,
        "is_analog_line_available": false,
        "is_open_door_code": true,
        "is_open_door_face": true,
        "is_open_door_app": true,
    })
}

fn intercom_camera() -> Value {
    json!({
        "id": 23,
        "group_id": 4,
        "status": "active",
        "start_at": "2023-06-01T00:00:00.000000Z",
        "created_at": "2023-06-01T00:00:00.000000Z",
        "pretty_name": "Entrance, 12 Harbour Street",
        "is_bridge": false,
        "is_favorite": false,
        "is_restricted_live": false,
        "is_restricted_archive": true,
        "user_status": "active",
        "name": "Entrance",
    })
}

pub(super) fn intercom_code() -> Value {
    json!({
        "id": 31,
        "title": "Courier",
        "code": "048213",
        "expired_at": EVENING,
        "created_at": NOON,
        "is_expired": false,
        "will_deleted_at": null,
        "intercom": intercom("Main entrance", "confirmed"),
    })
}

pub(super) fn intercom_call() -> Value {
    json!({
        "id": 71,
        "status": "ring",
        "type": "call",
        "mark_type": null,
        "started_at": EVENING,
        "created_at": EVENING,
        "ended_at": null,
        "intercom": intercom("Main entrance", "confirmed"),
    })
}

pub(super) fn cancelled_call() -> Value {
    json!({
        "id": 9,
        "title": "Main entrance",
        "address": "12 Harbour Street",
        "call_id": 71,
        "video_url": "https://vms.example/intercoms/9/live.m3u8",
        "call_created_at": EVENING,
        "camera_id": 23,
        "mark_type": "missed",
        "is_open_door_app": true,
    })
}
