use serde_json::{Value, json};
use vms_pusher::{ConnectionState, USER_PUSH, VmsContinuity, VmsDecoder, VmsSocketItem, VmsTime};
use vms_sandbox::{EVENT_TYPES, Push, RawData, RawPush, Sockets, Target};

use crate::support::{Desk, Finished, From, finish, run};

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
    for (line, row) in lines.iter().zip(EVENT_TYPES.iter().filter(|row| row.name != "logout")) {
        let value: Value = serde_json::from_str(line).unwrap();
        assert_eq!(value["wire_type"], row.name, "{line}");
    }
    for (line, wire_type) in lines.iter().rev().zip(["mark_created", "mark_created", "weather_changed"]) {
        let value: Value = serde_json::from_str(line).unwrap();
        assert_eq!(value["wire_type"], wire_type, "{line}");
    }
    for (line, sent) in lines.iter().zip(&sent) {
        assert!(!line.contains(|character: char| character.is_control() && character != '\n'), "{line:?}");
        assert_eq!(without_data(&item(line)), without_data(sent));
        let value: Value = serde_json::from_str(line).unwrap();
        assert_eq!(value["channel"], "user", "{line}");
    }
    let done = listen.interrupt().expect(130);
    assert_eq!(done.stderr, "");
}

#[test]
fn a_failure_is_the_last_line_too() {
    let last = |done: &Finished, code: i32| -> Value {
        let line: Value = serde_json::from_str(done.stdout.lines().last().expect("a last line")).unwrap();
        assert_eq!((&line["item"], &line["exit_code"]), (&json!("error"), &json!(code)), "{line}");
        assert!(VmsTime::parse(line["time"].as_str().unwrap()).is_some(), "{line}");
        assert!(done.stderr.contains(line["message"].as_str().unwrap()), "{line}: {}", done.stderr);
        line
    };
    let desk = Desk::new();
    let refused = finish(&mut desk.listen(&["--json", "--app-key", "wrong-key"])).expect(5);
    let line = last(&refused, 5);
    assert_eq!((&line["kind"], &line["code"]), (&json!("refused"), &json!(4001)), "{line}");
    assert!(line["tip"].as_str().unwrap().contains("--app-key"), "{line}");
    for line in refused.stdout.lines() {
        serde_json::from_str::<VmsSocketItem>(line).unwrap();
    }
    let denied = last(&finish(desk.listen(&["--json"]).env("VMS_TOKEN", "wrong")).expect(4), 4);
    assert_eq!((&denied["kind"], &denied["status"]), (&json!("api"), &json!(401)), "{denied}");
    last(&finish(desk.listen(&["--json"]).env("VMS_TOKEN", "two words")).expect(2), 2);
    let listen = desk.listening(&["--json"]);
    desk.block_on(desk.sandbox.log_out(&desk.session.access_token_id, Some("Signed in elsewhere")));
    let line = last(&listen.finish().expect(4), 4);
    assert!(line["message"].as_str().unwrap().contains("Signed in elsewhere"), "{line}");
    let sandbox = ["sandbox", "--json", "--bind", &desk.sandbox.local_addr().to_string()];
    last(&run(&sandbox).expect(1), 1);
}

#[test]
fn a_raw_line_holds_what_the_server_sent_as_it_came() {
    let desk = Desk::new();
    let listen = desk.listening(&["--json", "--raw"]);
    let payload = r#"{"data": {"type": "groups_updated", "data": {"rate": 1.50}}, "new": "\u001b[2J"}"#;
    desk.block_on(desk.sandbox.push_raw(RawPush {
        channel: format!("private-user.{}", desk.session.user_id),
        event: USER_PUSH.to_owned(),
        data: RawData::Text(payload.to_owned()),
        except: None,
    }));
    let line = listen.wait_for_lines(1, is_push).remove(0);
    let value: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&value["type"], &value["raw"]), (&json!("groups_update"), &json!(payload)), "{line}");
    assert_eq!(item(&line), VmsSocketItem::AppSocket(vms_pusher::VmsAppSocketData::GroupsUpdate));
    let done = listen.interrupt().expect(130);
    assert_eq!(done.stdout.matches(r#""raw":"#).count(), 1, "{}", done.stdout);
}

#[test]
fn states_and_gaps_are_lines_of_their_own_kind() {
    let desk = Desk::new();
    let listen = desk.listening(&["--json", "--only", "layouts_update"]);
    listen.wait_for(From::Stdout, &[r#""change":"fresh","channel":"user""#]);
    listen.wait_for(From::Stdout, &[r#""change":"fresh","channel":"token""#]);
    desk.sandbox.cut(&Sockets::All);
    listen.wait_for(From::Stdout, &["resync_needed", "user"]);
    listen.wait_for(From::Stdout, &["resync_needed", "token"]);
    desk.push(Push::new("groups_updated"));
    desk.push(Push::new("layouts_updated"));
    listen.wait_for(From::Stdout, &["layouts_update"]);
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
    assert_eq!(done.stdout.lines().filter(|line| is_push(line)).count(), 1, "filtered: {items:?}");
}
