//! Runs the event fixtures of `testing/fixtures` (their README tells what is in a file).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what is wrong by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use vms_pusher::{
    VmsAppSocketData, VmsAppSocketType, VmsDecoder, VmsIntercomPushType, VmsIntercomSocketData, VmsSocketData,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    event: String,
    channel: Channel,
    data: Option<Value>,
    payload: Option<String>,
    #[serde(default)]
    encoding: Encoding,
    item: Value,
    #[serde(rename = "about")]
    _about: Option<String>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Channel {
    Token,
    User,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    #[default]
    String,
    Bare,
}

impl Fixture {
    fn load(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn channel_name(&self) -> &'static str {
        match self.channel {
            Channel::Token => "private-token.session-1",
            Channel::User => "private-user.42",
        }
    }

    fn payload(&self) -> String {
        match (&self.payload, &self.data) {
            (Some(payload), None) => payload.clone(),
            (None, Some(data)) => data.to_string(),
            _ => panic!("a fixture has either `data` or `payload`"),
        }
    }

    /// The payload as the frame's `data` would bring it.
    fn unwrapped_payload(&self) -> String {
        match self.encoding {
            Encoding::Bare => self.payload(),
            Encoding::String => {
                let on_the_wire = Value::String(self.payload()).to_string();
                serde_json::from_str(&on_the_wire).unwrap()
            }
        }
    }

    fn decode(&self) -> VmsSocketData {
        VmsDecoder::new("https://example.com/").decode(&self.event, self.channel_name(), &self.unwrapped_payload())
    }

    fn expected(&self) -> Value {
        let mut item = self.item.clone();
        if let Some(channel) = item.pointer_mut("/data/channel").filter(|channel| **channel == "{channel}") {
            *channel = self.channel_name().into();
        }
        item
    }
}

fn fixtures(folders: &[&str]) -> Vec<(PathBuf, Fixture)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testing/fixtures");
    let mut paths: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(root.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), Fixture::load(&path))).collect()
}

// M02, M04, M05, M06, M11, M12, M13, M14, M19
#[test]
fn every_fixture_becomes_the_push_it_names() {
    let mut wrong = Vec::new();
    for (path, fixture) in fixtures(&["app", "intercom", "lenient"]) {
        let (actual, expected) = (serde_json::to_value(fixture.decode()).unwrap(), fixture.expected());
        if actual != expected {
            wrong.push(format!("{}\n  expected {expected}\n  actual   {actual}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_push_reads_back_from_a_json_line_as_it_was_written() {
    for (path, fixture) in fixtures(&["app", "intercom", "lenient"]) {
        let push = fixture.decode();
        let line = serde_json::to_string(&push).unwrap();
        assert_eq!(serde_json::from_str::<VmsSocketData>(&line).unwrap(), push, "{}", path.display());
    }
}

#[test]
fn the_name_of_a_push_is_its_type_when_written() {
    let mut names = BTreeSet::new();
    for (path, fixture) in fixtures(&["app", "intercom", "lenient"]) {
        let push = fixture.decode();
        assert_eq!(serde_json::to_value(&push).unwrap()["type"], push.name(), "{}", path.display());
        names.insert(push.name());
    }
    let all = VmsAppSocketData::NAMES.iter().chain(VmsIntercomSocketData::NAMES);
    assert_eq!(names, all.copied().collect());
}

#[test]
fn the_corpus_has_every_row_of_both_tables() {
    let mut missing: BTreeSet<String> = VmsAppSocketType::ALL.iter().map(|kind| format!("app {kind}")).collect();
    missing.extend(VmsIntercomPushType::ALL.iter().map(|kind| format!("intercom {kind}")));
    for (folder, pointer) in [("app", "/data/type"), ("intercom", "/type")] {
        for (_, fixture) in fixtures(&[folder]) {
            let data = fixture.data.unwrap();
            if let Some(kind) = data.pointer(pointer).and_then(Value::as_str) {
                missing.remove(&format!("{folder} {kind}"));
            }
        }
    }
    assert!(missing.is_empty(), "no fixture for {missing:?}");
}

// M13: whichever value of a payload is spoiled, and however, nothing else changes. Only a payload without what makes it a
// push, or identifies what it is about, is undecodable, and then it says where.
#[test]
fn spoiling_any_one_value_never_loses_the_push() {
    let decoder = VmsDecoder::new("https://example.com");
    let spoilers = [
        Value::Null,
        17.into(),
        0.5.into(),
        true.into(),
        "x".into(),
        serde_json::json!([{}]),
        serde_json::json!({"a": [1]}),
    ];
    let (mut kept, mut undecodable) = (0, 0);
    for (path, fixture) in fixtures(&["app", "intercom"]) {
        let data = fixture.data.clone().unwrap();
        let original = serde_json::to_value(fixture.decode()).unwrap();
        let mut pointers = Vec::new();
        collect_pointers(&data, String::new(), &mut pointers);
        for pointer in &pointers {
            for spoiler in &spoilers {
                let mut spoiled = data.clone();
                *spoiled.pointer_mut(pointer).unwrap() = spoiler.clone();
                let payload = spoiled.to_string();
                let push = serde_json::to_value(decoder.decode(&fixture.event, "private-user.42", &payload)).unwrap();
                let about = format!("{} {pointer} {spoiler}: {push}", path.display());
                match push["type"].as_str() {
                    Some("undecodable") => {
                        assert_eq!(push["data"]["data"], *payload, "{about}");
                        assert!(is_essential(&original, pointer, push["data"]["path"].as_str().unwrap()), "{about}");
                        undecodable += 1;
                    }
                    Some("unknown") => {
                        assert_eq!(push["data"]["data"], *payload, "{about}");
                        assert!(["/type", "/data/type"].contains(&pointer.as_str()) && spoiler.is_string(), "{about}");
                    }
                    _ => {
                        assert!(is_kind(&original, &push, pointer), "{about}");
                        assert!(only_that_changed(&original, &push, pointer), "{about}");
                        kept += 1;
                    }
                }
            }
        }
    }
    assert!(kept > 8_000 && undecodable > 500, "{kept} {undecodable}");
}

/// Whether a push may be undecodable for what is at `path`, which lies at or below what was spoiled.
fn is_essential(original: &Value, pointer: &str, path: &str) -> bool {
    let id = match original["type"].as_str() {
        Some("add_favorite_camera" | "remove_favorite_camera") => "$.data.data.camera_id",
        Some("cameras_update" | "archive_generated") => "",
        _ => "$.data.data.id",
    };
    let envelope = ["$", "$.data", "$.data.type", "$.data.data", id];
    let notification = ["$.type", "$.intercom", "$.intercom_code", "$.intercom_call", "$.event"];
    // Without its type, a cancelled call is neither a notification nor an envelope.
    if original["type"] == "call_canceled" && ["$.type", "$.data.type"].contains(&path) {
        return ["/type", "/data", "/data/type"].contains(&pointer);
    }
    let is_known = envelope.contains(&path) || notification.contains(&path.trim_end_matches(".id"));
    is_known && path.starts_with(&format!("${}", pointer.replace('/', ".")))
}

/// Whether the kind of push is what it was, or what the tables name for one that lacks what was spoiled.
fn is_kind(original: &Value, push: &Value, pointer: &str) -> bool {
    let falls_back = push["type"] == "groups_update"
        && (original["type"] == "groups_created" && ["/data/data", "/data/data/id"].contains(&pointer)
            || original["type"] == "groups_deleted" && pointer.starts_with("/data/data"));
    let moves = pointer == "/data/data/is_intercom"
        && [original, push].iter().any(|push| push["type"] == "intercom_event_stored");
    push["type"] == original["type"] || falls_back || moves
}

/// Whether nothing differs but what was spoiled, what it is a part of and what is a part of it.
fn only_that_changed(original: &Value, push: &Value, pointer: &str) -> bool {
    let places = differences(&original["data"], &push["data"]);
    let spoiled: Vec<&str> = pointer.split('/').skip(1).filter(|key| key.parse::<usize>().is_err()).collect();
    places.iter().all(|place| {
        // The call is in the `data` of a notification, and in the `data` of a push's `data`.
        let place = if place.first().is_some_and(|key| key == "call") { &place[1..] } else { place };
        (0..=spoiled.len().min(2)).any(|outer| spoiled[outer..].iter().zip(place).all(|(a, b)| a == b))
    })
}

/// The smallest members that differ. A list is compared as a whole.
fn differences(left: &Value, right: &Value) -> Vec<Vec<String>> {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            let keys: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            let inside = |key: &String| differences(left.get(key).unwrap_or(&Value::Null), &right[key]);
            let of_member = |key: &String| match (left.get(key), right.get(key)) {
                (Some(_), Some(_)) => {
                    inside(key).into_iter().map(|place| [vec![key.clone()], place].concat()).collect()
                }
                _ => vec![vec![key.clone()]],
            };
            keys.into_iter().flat_map(of_member).collect()
        }
        _ if left == right => vec![],
        _ => vec![vec![]],
    }
}

fn collect_pointers(value: &Value, at: String, all: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                collect_pointers(value, format!("{at}/{key}"), all);
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                collect_pointers(value, format!("{at}/{index}"), all);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    if !at.is_empty() {
        all.push(at);
    }
}
