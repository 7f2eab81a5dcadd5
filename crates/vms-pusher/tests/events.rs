//! The tables of events in the documentation, and the names of the published API, against the code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what is wrong by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;
use vms_pusher::{
    VmsAppSocketData, VmsAppSocketType, VmsDecoder, VmsIntercomPushType, VmsIntercomSocketData, VmsSocketData,
};
use vms_sandbox::{EVENT_TYPES, EventType, PushEvent};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path.as_ref()).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

/// All sources of the crate.
fn sources() -> Vec<String> {
    fn collect(folder: &Path, all: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, all);
            } else {
                all.push(read(path));
            }
        }
    }
    let mut all = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    all
}

/// A variant as it is declared: the name in the published API, and what it carries.
struct Declared {
    published: Option<String>,
    carries: String,
}

/// The variants of an enumeration of `src/socket.rs`, by name.
fn variants(enumeration: &str) -> BTreeMap<String, Declared> {
    let source = read(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/socket.rs"));
    let (_, rest) = source.split_once(&format!("pub enum {enumeration} {{")).expect("the enumeration");
    let (body, _) = rest.split_once("\n}").expect("its end");
    let (mut all, mut published) = (BTreeMap::new(), None);
    for line in body.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("///")) {
        if let Some(alias) = line.strip_prefix("#[doc(alias = \"") {
            published = alias.split('"').next().map(str::to_owned);
            continue;
        }
        let declaration = line.trim_end_matches(',');
        let (name, payload) = declaration.split_once('(').unwrap_or((declaration, ""));
        let declared = Declared { published: published.take(), carries: describe(payload.trim_end_matches(')')) };
        all.insert(name.to_owned(), declared);
    }
    all
}

/// What a payload is, for the table.
fn describe(payload: &str) -> String {
    let inner = |text: &str, wrapper: &str| {
        text.strip_prefix(wrapper).and_then(|rest| rest.strip_suffix('>')).map(str::to_owned)
    };
    let unboxed = |text: String| inner(&text, "Box<").unwrap_or(text);
    match payload {
        "" => "nothing".to_owned(),
        "Vec<i64>" => "the ids".to_owned(),
        "Option<String>" => "the reason, if there is one".to_owned(),
        _ => match inner(payload, "Option<") {
            Some(optional) => format!("`{}`, if there is one", unboxed(optional)),
            None => format!("`{}`", unboxed(payload.to_owned())),
        },
    }
}

/// What the case of the corpus for a type becomes.
fn decoded(folder: &str, kind: &str) -> VmsSocketData {
    let fixture: Value =
        serde_json::from_str(&read(root().join(format!("testing/fixtures/{folder}/{kind}.json")))).unwrap();
    let payload = fixture["data"].to_string();
    VmsDecoder::new("https://example.com").decode(fixture["event"].as_str().unwrap(), "private-user.42", &payload)
}

/// The row of a type, as it has to be in the table, and the name of its variant.
fn row(folder: &str, kind: &str) -> (String, String) {
    let push = decoded(folder, kind);
    let (enumeration, shown) = match &push {
        VmsSocketData::AppSocket(socket) => ("VmsAppSocketData", format!("{socket:?}")),
        VmsSocketData::IntercomSocket(socket) => ("VmsIntercomSocketData", format!("{socket:?}")),
    };
    let variant = shown.split(['(', ' ']).next().unwrap().to_owned();
    let declared = variants(enumeration).remove(&variant).expect("the variant");
    let published = declared.published.map_or_else(|| "–".to_owned(), |name| format!("`{name}`"));
    let row = format!("| `{kind}` | `{variant}` | `{}` | {published} | {} |", push.name(), declared.carries);
    (row, push.name().to_owned())
}

// Adding an event: the row that is missing is the message
#[test]
fn every_event_has_its_row_in_the_tables_and_no_row_is_of_anything_else() {
    let page = read(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/events.md"));
    let mut rows = BTreeSet::new();
    let mut names = BTreeSet::from(["unknown".to_owned(), "undecodable".to_owned()]);
    let kinds = VmsAppSocketType::ALL.iter().map(|kind| ("app", kind.as_str()));
    for (folder, kind) in kinds.chain(VmsIntercomPushType::ALL.iter().map(|kind| ("intercom", kind.as_str()))) {
        let (row, name) = row(folder, kind);
        rows.insert(row);
        names.insert(name);
    }
    let written: BTreeSet<String> = page.lines().filter(|line| line.starts_with("| `")).map(str::to_owned).collect();
    let missing: Vec<_> = rows.difference(&written).map(String::as_str).collect();
    assert!(missing.is_empty(), "docs/events.md of the crate lacks\n{}", missing.join("\n"));
    let foreign: Vec<_> = written.difference(&rows).map(String::as_str).collect();
    assert!(foreign.is_empty(), "docs/events.md of the crate has rows of nothing\n{}", foreign.join("\n"));
    let all = VmsAppSocketData::NAMES.iter().chain(VmsIntercomSocketData::NAMES);
    let without: Vec<_> = all.filter(|name| !names.contains(**name)).collect();
    assert!(without.is_empty(), "no type of the wire becomes {without:?}");
}

// Adding an event: the type that the sandbox lacks is the message
#[test]
fn the_sandbox_knows_every_event() {
    let flat = |row: &&EventType| row.event == PushEvent::Notification;
    let names = |is_flat: bool| -> BTreeSet<&str> {
        EVENT_TYPES.iter().filter(|row| flat(row) == is_flat).map(|row| row.name).collect()
    };
    assert_eq!(names(false), VmsAppSocketType::ALL.iter().map(VmsAppSocketType::as_str).collect());
    assert_eq!(names(true), VmsIntercomPushType::ALL.iter().map(VmsIntercomPushType::as_str).collect());
}

#[test]
fn the_page_of_the_repository_is_that_of_the_crate() {
    let of_crate = read(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/events.md"));
    assert!(read(root().join("docs/events.md")) == of_crate, "copy crates/vms-pusher/docs/events.md to docs/events.md");
}

/// Every name that the published page gives to something.
const PUBLISHED: [&str; 65] = [
    "VMSPusherApi",
    "baseUrl",
    "socketUrl",
    "appKey",
    "userToken",
    "userId",
    "accessTokenId",
    "SocketApi",
    "GroupApi",
    "VMSSocketManager",
    "isConnected",
    "connect",
    "disconnect",
    "getSocketId",
    "VMSSocketManagerDelegate",
    "changedConnectionState",
    "ConnectionState",
    "receivedError",
    "PusherError",
    "receivedAppSocket",
    "VMSAppSocketData",
    "VMSAppSocketType",
    "receivedIntercomSocket",
    "VMSIntercomSocketData",
    "VMSIntercomPushTypes",
    "camerasUpdate",
    "VMSCamerasUpdateSocket",
    "detached",
    "attached",
    "addFavoriteCamera",
    "removeFavoriteCamera",
    "VMSFavoriteCamerasUpdateSocket",
    "cameraId",
    "permissionsUpdate",
    "groupsUpdate",
    "syncGroups",
    "cameraGroupsSynced",
    "eventCreated",
    "eventDeleted",
    "eventUpdated",
    "VMSEvent",
    "archiveGenerated",
    "VMSArchiveLinkSocket",
    "download",
    "VMSDownloadUrlData",
    "url",
    "logout",
    "callCanceled",
    "VMSCanceledCall",
    "intercomCodeStored",
    "VMSIntercomCode",
    "intercomCallStored",
    "VMSIntercomCall",
    "intercomStored",
    "VMSIntercom",
    "intercomEventStored",
    "intercomKeyConfirmed",
    "intercomRenamed",
    "intercomsDeleted",
    "VMSIntercomDeleteSocket",
    "intercomCodesDeleted",
    "callsDeleted",
    "intercomKeyError",
    "VMSIntercomErrorSocket",
    "intercomAddError",
];

#[test]
fn every_published_name_is_found_by_searching_the_documentation() {
    let sources = sources();
    let is_found = |name: &str| {
        let alias = format!("#[doc(alias = \"{name}\")]");
        let same = ["pub struct", "pub enum", "pub trait", "pub fn", "fn", "pub"].map(|kind| format!("{kind} {name}"));
        let field = format!("{name}: ");
        sources.iter().flat_map(|source| source.lines()).map(str::trim_start).any(|line| {
            let declares =
                same.iter().any(|same| line.strip_prefix(same.as_str()).is_some_and(|rest| !rest.starts_with(is_word)));
            line == alias || line.starts_with(&field) || declares
        })
    };
    let lost: Vec<_> = PUBLISHED.iter().filter(|name| !is_found(name)).collect();
    assert!(lost.is_empty(), "no item has the name or `#[doc(alias)]` {lost:?}");
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}
