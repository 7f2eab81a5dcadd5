//! The event fixtures of `testing/fixtures`, addressed to one session.

use std::path::{Path, PathBuf};

use serde_json::Value;
use vms_sandbox::{RawData, RawPush, Session};

/// The base URL that the fixtures' absolute addresses were made with.
const FIXTURE_BASE: &str = "https://example.com";

/// An event as a server sends it, and the push that has to come out.
#[derive(Debug, Clone)]
pub struct Case {
    /// The file, for messages.
    pub name: String,
    /// The channel it comes on.
    pub channel: String,
    /// The event name on the wire.
    pub event: String,
    /// The payload, as JSON text; empty when the event has no data.
    pub payload: String,
    /// Whether the payload stands in the frame as it is, not inside a string.
    pub bare: bool,
    /// What comes out, as `VmsSocketData` writes itself.
    pub item: Value,
}

impl Case {
    /// The event for a sandbox.
    #[must_use]
    pub fn raw_push(&self) -> RawPush {
        let data = match (self.payload.as_str(), self.bare) {
            ("", _) => RawData::Absent,
            (payload, true) => RawData::Bare(payload.to_owned()),
            (payload, false) => RawData::Text(payload.to_owned()),
        };
        RawPush { channel: self.channel.clone(), event: self.event.clone(), data, except: None }
    }

    fn load(root: &Path, path: &Path, session: &Session) -> Self {
        let text = std::fs::read_to_string(path).expect("a readable fixture");
        let fixture: Value = serde_json::from_str(&text).expect("a fixture is JSON");
        let channel = match fixture["channel"].as_str() {
            Some("token") => format!("private-token.{}", session.access_token_id),
            Some("user") => format!("private-user.{}", session.user_id),
            other => panic!("{}: unknown channel {other:?}", path.display()),
        };
        let payload = fixture["payload"].as_str().map_or_else(|| fixture["data"].to_string(), str::to_owned);
        let item = fixture["item"].to_string().replace("{channel}", &channel);
        Self {
            name: path.strip_prefix(root).unwrap_or(path).display().to_string(),
            event: fixture["event"].as_str().expect("an event name").to_owned(),
            bare: fixture["encoding"] == "bare",
            item: serde_json::from_str(&item).expect("still JSON"),
            channel,
            payload,
        }
    }
}

/// Every fixture, in the order of the file names.
#[must_use]
pub fn corpus(session: &Session) -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let mut paths: Vec<PathBuf> = ["app", "intercom", "lenient"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(root.join(folder)).expect("a folder of fixtures"))
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    paths.sort();
    paths.iter().map(|path| Case::load(&root, path, session)).collect()
}

/// A push as the fixtures would write it, had the client been given their base URL.
#[must_use]
pub fn as_in_fixtures(item: &Value, base_url: &str) -> Value {
    let text = item.to_string().replace(base_url, FIXTURE_BASE);
    serde_json::from_str(&text).expect("still JSON")
}
