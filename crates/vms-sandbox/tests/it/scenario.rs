//! A plausible day.

use std::collections::BTreeMap;

use serde_json::Value;
use vms_sandbox::{
    EVENT_TYPES, Profile, PushEvent, Scenario,
    scenario::{Action, Step},
};

use crate::{
    clients::{End, Ws, soon},
    support::{first_session, join, start},
};

/// The types of a VMS, written out once more so that the catalogue cannot forget one.
const PUSH_TYPES: [&str; 14] = [
    "archive_generated",
    "camera.destroy_favorite",
    "camera.store_favorite",
    "camera_groups_synced",
    "cameras_updated",
    "groups_created",
    "groups_deleted",
    "groups_updated",
    "layouts_updated",
    "logout",
    "mark_created",
    "mark_deleted",
    "mark_updated",
    "permissions_updated",
];
const ANALYTIC_KINDS: [&str; 10] = [
    "camera_obstacle",
    "container_number_recognition",
    "face",
    "license_plate",
    "line_intersection",
    "loud_sound",
    "motion_detect",
    "person_counting",
    "smoke_fire",
    "visitor_counting",
];
const NOTIFICATION_TYPES: [&str; 13] = [
    "analytic_case_face_event_created",
    "intercom.add_error",
    "intercom.call.delete",
    "intercom.call.store",
    "intercom.code.delete",
    "intercom.code.store",
    "intercom.delete",
    "intercom.key_confirmed",
    "intercom.key_error",
    "intercom.rename",
    "intercom.store",
    "intercom.update",
    "intercom_cancel",
];

/// Every row of the tables: the envelope (flat or not) and the type.
fn rows() -> BTreeMap<(bool, String), usize> {
    let nested = PUSH_TYPES.map(str::to_owned).into_iter();
    let analytic = ANALYTIC_KINDS.map(|kind| format!("analytic_case_{kind}_event_created"));
    let nested = nested.chain(analytic).map(|name| ((false, name), 1));
    let flat = NOTIFICATION_TYPES.iter().map(|name| ((true, (*name).to_owned()), 1));
    nested.chain(flat).collect()
}

#[test]
fn the_catalogue_is_the_tables() {
    let mut catalogue = BTreeMap::new();
    for row in EVENT_TYPES {
        *catalogue.entry((row.event == PushEvent::Notification, row.name.to_owned())).or_insert(0) += 1;
    }
    assert_eq!(catalogue, rows());
}

/// Plays the day with one client and returns what it heard: envelope and type, as often as they came.
async fn heard(profile: Profile) -> (BTreeMap<(bool, String), usize>, usize) {
    let sandbox = start(profile).await;
    let session = first_session(&sandbox);
    let day = Scenario::day(&session);
    let listen = async {
        let mut types = BTreeMap::new();
        let mut connections = 0;
        loop {
            let mut ws = Ws::connect(&sandbox).await;
            join(&mut ws, &sandbox, &session).await;
            connections += 1;
            while let Some(event) = ws.try_event().await {
                let data: Value = serde_json::from_str(event["data"].as_str().unwrap()).unwrap();
                let flat = event["event"].as_str().unwrap().starts_with("Illuminate");
                let name = if flat { &data["type"] } else { &data["data"]["type"] };
                let name = name.as_str().unwrap();
                *types.entry((flat, name.to_owned())).or_insert(0) += 1;
                if name == "logout" {
                    return (types, connections);
                }
            }
        }
    };
    let (played, heard) = soon(async { tokio::join!(day.play(&sandbox, 100.0), listen) }).await;
    played.unwrap();
    heard
}

#[tokio::test]
async fn every_type_of_the_tables_comes_up_once_and_the_socket_is_cut_on_the_way() {
    for profile in Profile::ALL {
        let (types, connections) = heard(profile).await;
        let mut expected = rows();
        expected.insert((false, "archive_generated".to_owned()), 2);
        expected.insert((false, "weather_changed".to_owned()), 1);
        assert_eq!(types, expected, "{profile}");
        assert_eq!(connections, 2, "{profile}");
    }
}

#[test]
fn the_day_takes_about_fifteen_seconds_and_its_steps_are_in_order() {
    let session = vms_sandbox::Session { user_id: 42, access_token_id: "id".into(), access_token: "token".into() };
    let day = Scenario::day(&session);
    assert!((12..=18).contains(&day.duration().as_secs()), "{:?}", day.duration());
    assert!(day.steps.is_sorted_by_key(|step| step.offset));
    let cuts = day.steps.iter().filter(|step| step.action == Action::Cut).count();
    assert_eq!(cuts, 1);
    assert!(matches!(day.steps.last().unwrap().action, Action::LogOut { .. }));
}

#[tokio::test]
async fn a_socket_that_is_cut_ends_without_a_close_frame() {
    let sandbox = start(Profile::Pusher7).await;
    let session = first_session(&sandbox);
    let steps = vec![Step { offset: std::time::Duration::ZERO, action: Action::Cut }];
    let mut ws = Ws::connect(&sandbox).await;
    join(&mut ws, &sandbox, &session).await;
    Scenario { session, steps }.play(&sandbox, 1.0).await.unwrap();
    assert_eq!(ws.end().await, End::Dropped);
}
