use serde_json::{Value, json};
use vms_pusher::{ConnectionState, VmsContinuity, VmsDecoder, VmsSocketItem, VmsTime};
use vms_sandbox::{EVENT_TYPES, Push, Sockets, Target};

use crate::support::{Desk, From};

fn is_push(line: &str) -> bool {
    line.contains(r#","item":"app_socket","#) || line.contains(r#","item":"intercom_socket","#)
}

/// The item in a line, which also has the time.
fn item(line: &str) -> VmsSocketItem {
    let value: Value = serde_json::from_str(line).unwrap();
    assert!(VmsTime::parse(value["time"].as_str().unwrap()).is_some(), "{line}");
    serde_json::from_str(line).unwrap()
}

/// Pushes to the user, and returns what a decoder makes of it.
fn push(desk: &Desk, push: Push) -> VmsSocketItem {
    let push = push.to(Target::User(desk.session.user_id));
    let broadcast = desk.sandbox.broadcasts(&push).unwrap().remove(0);
    assert_eq!(desk.block_on(desk.sandbox.push(push)).unwrap().sockets, 1);
    let decoder = VmsDecoder::new(&desk.sandbox.base_url());
    decoder.decode(&broadcast.event, &broadcast.channel, &broadcast.data.to_string()).into()
}

/// A notification is given an id of its own each time, which an unknown one keeps in its raw data.
fn without_data(item: &VmsSocketItem) -> Value {
    let mut value = serde_json::to_value(item).unwrap();
    if matches!(value["type"].as_str(), Some("unknown" | "undecodable")) {
        value["data"]["data"].take();
    }
    value
}

// M12, M13
#[test]
fn a_line_of_every_event_reads_back_as_the_item_that_was_sent() {
    let desk = Desk::new();
    let listen = desk.listening(&["--json"]);
    let mut sent = Vec::new();
    for row in EVENT_TYPES.iter().filter(|row| row.name != "logout") {
        sent.push(push(&desk, Push::new(row.name).event(row.event)));
    }
    sent.push(push(&desk, Push::new("archive_generated").failed().subject("It failed")));
    sent.push(push(&desk, Push::new("weather_changed").data(json!({"\u{1b}[2J": "\u{9b}\u{202e}", "n": 0.1}))));
    sent.push(push(&desk, Push::new("mark_created").data(json!({"id": "not a number"}))));
    sent.push(push(&desk, Push::new("mark_created").data(json!({
        "id": i64::MAX, "title": "\u{1b}[31m\u{85}é\u{202e}", "similarity": 0.1 + 0.2, "created_at": "2024-03-05 10:11:12",
        "camera": {"id": "17", "status": "exploded", "streams": [null, {"id": 1, "type": "HIGH"}]},
    }))));
    let lines = listen.wait_for_lines(sent.len(), is_push);
    assert_eq!(lines.len(), sent.len());
    for (line, sent) in lines.iter().zip(&sent) {
        assert!(!line.contains(|character: char| character.is_control() && character != '\n'), "{line:?}");
        assert_eq!(without_data(&item(line)), without_data(sent));
    }
    let done = listen.interrupt().expect(130);
    assert_eq!(done.stderr, "");
}

#[test]
fn states_and_gaps_are_lines_of_their_own_kind() {
    let desk = Desk::new();
    let listen = desk.listening(&["--json", "--only", "logout"]);
    listen.wait_for(From::Stdout, &[r#""change":"fresh","channel":"user""#]);
    listen.wait_for(From::Stdout, &[r#""change":"fresh","channel":"token""#]);
    desk.sandbox.cut(&Sockets::All);
    listen.wait_for(From::Stdout, &["resync_needed", "user"]);
    listen.wait_for(From::Stdout, &["resync_needed", "token"]);
    desk.push(Push::new("groups_updated"));
    let done = listen.interrupt().expect(130);
    assert_eq!(done.stderr, "");
    let items: Vec<_> = done.stdout.lines().map(item).collect();
    let states: Vec<_> = items
        .iter()
        .filter_map(
            |item| {
                if let VmsSocketItem::ConnectionState { from, to } = item { Some((*from, *to)) } else { None }
            },
        )
        .collect();
    use ConnectionState::{Connected, Connecting, Disconnected, Reconnecting};
    assert_eq!(states.first(), Some(&(Disconnected, Connecting)));
    assert_eq!(states.last(), Some(&(Connected, Disconnected)));
    assert!(states.contains(&(Connected, Reconnecting)), "{states:?}");
    assert!(states.windows(2).all(|pair| pair[0].1 == pair[1].0), "{states:?}");
    let gap = |item: &&VmsSocketItem| matches!(item, VmsSocketItem::Continuity(VmsContinuity::ResyncNeeded { .. }));
    assert_eq!(items.iter().filter(gap).count(), 2, "{items:?}");
    assert!(items.iter().any(|item| matches!(item, VmsSocketItem::Error(_))), "{items:?}");
    assert!(!items.iter().any(|item| matches!(item, VmsSocketItem::AppSocket(_))), "filtered: {items:?}");
}
