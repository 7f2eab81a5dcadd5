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

/// The tables of all events, which the client is checked against as well.
const PAGE: &str = include_str!("../../../../docs/events.md");

/// Every row of the tables: the envelope (flat or not) and the type.
fn rows() -> BTreeMap<(bool, String), usize> {
    let (_, tables) = PAGE.split_once("## Pushes about the app").expect("the first table");
    let (nested, flat) = tables.split_once("## Pushes about intercoms").expect("the second table");
    let types = |text: &'static str, flat| {
        let names = text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        names.map(move |name| ((flat, name.to_owned()), 1))
    };
    types(nested, false).chain(types(flat, true)).collect()
}

/// Compares what there is with what there should be, and names what differs.
#[track_caller]
fn assert_same(there: &BTreeMap<(bool, String), usize>, expected: &BTreeMap<(bool, String), usize>, about: &str) {
    let missing: Vec<_> = expected.iter().filter(|(row, times)| there.get(*row) != Some(times)).collect();
    let foreign: Vec<_> = there.iter().filter(|(row, times)| expected.get(*row) != Some(times)).collect();
    assert!(missing.is_empty() && foreign.is_empty(), "{about}: expected {missing:?}, there is {foreign:?}");
}

#[test]
fn the_catalogue_is_the_tables() {
    let mut catalogue = BTreeMap::new();
    for row in EVENT_TYPES {
        *catalogue.entry((row.event == PushEvent::Notification, row.name.to_owned())).or_insert(0) += 1;
    }
    assert!(catalogue.len() > 30, "{catalogue:?}");
    assert_same(&catalogue, &rows(), "the catalogue");
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
        assert_same(&types, &expected, &format!("the day at {profile}"));
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
