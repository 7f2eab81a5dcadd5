//! With `--login` a session that is refused is followed by another.

use serde_json::Value;
use vms_pusher::{VmsChannel, VmsContinuity, VmsSocketItem, VmsTime};
use vms_sandbox::{Endpoint, Fault, FaultKind, Push, RestAnswer, Session, Sockets, Target, TokenStatus};

use crate::support::{Desk, From, PATIENCE, Running, finish, vms_pusher};

fn login(desk: &Desk, arguments: &[&str]) -> std::process::Command {
    let mut listen = vms_pusher(&["listen", "--base-url", &desk.sandbox.base_url(), "--login", "demo"]);
    listen.args(arguments).env("VMS_PASSWORD", "demo");
    listen
}

/// How often somebody asked to be logged in.
fn logins(desk: &Desk) -> usize {
    desk.sandbox.requests().iter().filter(|request| request.path.ends_with("/token")).count()
}

/// Waits for the newest of so many sessions to be subscribed to both channels.
#[track_caller]
fn newest(desk: &Desk, sessions: usize) -> Session {
    let opened = desk.sandbox.wait_until(PATIENCE, |state| state.sessions.len() >= sessions);
    desk.block_on(opened).expect("a session is opened");
    let session = desk.sandbox.sessions().pop().unwrap();
    desk.block_on(desk.sandbox.wait_subscribed(&session, PATIENCE)).expect("its channels are subscribed");
    session
}

fn refuse_every_authorization() -> Fault {
    let answer = RestAnswer::Status { status: 401, retry_after: None };
    Fault::always(FaultKind::Rest { endpoint: Endpoint::BroadcastingAuth, channel: None, answer })
}

#[track_caller]
fn gap(items: &[VmsSocketItem], wanted: VmsChannel) -> (VmsTime, VmsTime) {
    for item in items.iter().rev() {
        if let VmsSocketItem::Continuity(VmsContinuity::ResyncNeeded { channel, since, until, .. }) = item
            && *channel == wanted
        {
            return (*since, *until);
        }
    }
    panic!("no gap of the {wanted} channel: {items:#?}")
}

// I26, A08: the channel of the session has another name from then on; the gap is over both.
#[test]
fn a_session_that_is_refused_is_followed_by_another_with_a_gap_over_both_channels() {
    let desk = Desk::new();
    let listen = Running::start(&mut login(&desk, &["--json"]));
    let first = newest(&desk, 2);
    listen.wait_for(From::Stdout, &[r#""change":"fresh","channel":"token""#]);
    listen.wait_for(From::Stdout, &[r#""change":"fresh","channel":"user""#]);
    desk.sandbox.set_token_status(&first.access_token_id, TokenStatus::Expired);
    desk.sandbox.cut(&Sockets::All);
    let second = newest(&desk, 3);
    assert_ne!(second.access_token_id, first.access_token_id);
    listen.wait_for(From::Stdout, &["resync_needed", r#""channel":"token""#]);
    listen.wait_for(From::Stdout, &["resync_needed", r#""channel":"user""#]);
    let push = Push::new("groups_updated").to(Target::Session(second.access_token_id));
    assert_eq!(desk.block_on(desk.sandbox.push(push)).unwrap().sockets, 1);
    listen.wait_for(From::Stdout, &["groups_update"]);
    assert_eq!(logins(&desk), 2);
    let done = listen.interrupt().expect(130);
    let lines: Vec<Value> = done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let items: Vec<VmsSocketItem> = lines.iter().map(|line| serde_json::from_value(line.clone()).unwrap()).collect();
    for channel in [VmsChannel::Token, VmsChannel::User] {
        let is_lost = |item: &&VmsSocketItem| matches!(item, VmsSocketItem::Continuity(VmsContinuity::Interrupted { channel: lost, .. }) if *lost == channel);
        let lost: Vec<_> = items.iter().filter(is_lost).collect();
        let [VmsSocketItem::Continuity(VmsContinuity::Interrupted { since, .. })] = lost[..] else {
            panic!("{lost:?}")
        };
        let (began, ended) = gap(&items, channel);
        assert_eq!(began, *since, "the gap begins where the old session was certain");
        let fresh = serde_json::json!({"item": "continuity", "change": "fresh", "channel": channel});
        let is_fresh = |line: &&Value| ["item", "change", "channel"].iter().all(|key| line[key] == fresh[key]);
        assert_eq!(lines.iter().filter(is_fresh).count(), 1, "only the first session is fresh");
        let resync =
            lines.iter().rfind(|line| line["change"] == "resync_needed" && line["channel"] == fresh["channel"]);
        let printed = VmsTime::parse(resync.unwrap()["time"].as_str().unwrap()).unwrap();
        assert!(began < ended && ended.unix_micros() - printed.unix_micros() <= 5_000_000, "{began} {ended} {printed}");
    }
}

// A08: one channel alone is asked for again, while the other is live.
#[test]
fn the_gap_of_a_channel_that_was_live_begins_within_what_a_dead_connection_may_take() {
    let desk = Desk::new();
    let listen = Running::start(&mut login(&desk, &["--json"]));
    let first = newest(&desk, 2);
    listen.wait_for(From::Stdout, &[r#""change":"fresh","channel":"token""#]);
    listen.wait_for(From::Stdout, &[r#""change":"fresh","channel":"user""#]);
    let before = VmsTime::parse(&now(&listen)).unwrap();
    desk.sandbox.set_token_status(&first.access_token_id, TokenStatus::Revoked);
    let ended = serde_json::json!({
        "event": "pusher:subscription_error", "channel": first.user_channel(), "data": {},
    });
    desk.block_on(desk.sandbox.send(&Sockets::All, vms_sandbox::Outbound::Text(ended.to_string())));
    newest(&desk, 3);
    listen.wait_for(From::Stdout, &["resync_needed", r#""channel":"user""#]);
    listen.wait_for(From::Stdout, &["resync_needed", r#""channel":"token""#]);
    let done = listen.interrupt().expect(130);
    let items: Vec<VmsSocketItem> = done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (since, until) = gap(&items, VmsChannel::Token);
    let earliest = before.unix_micros() - 45_000_000;
    assert!((earliest..=before.unix_micros() + 45_000_000).contains(&since.unix_micros()), "{before} {since}");
    assert!(until > since);
}

/// The time of the last line.
fn now(listen: &Running) -> String {
    let line = listen.wait_for_lines(1, |line| line.contains("fresh")).pop().unwrap();
    serde_json::from_str::<Value>(&line).unwrap()["time"].as_str().unwrap().to_owned()
}

// A03: final is a refusal of a fresh token.
#[test]
fn a_new_session_that_is_refused_too_ends_it() {
    let desk = Desk::new();
    let listen = Running::start(&mut login(&desk, &[]));
    newest(&desk, 2);
    listen.wait_for(From::Stderr, &["fresh", "user channel"]);
    desk.sandbox.inject(refuse_every_authorization());
    desk.sandbox.cut(&Sockets::All);
    let done = listen.finish().expect(4).says(&["does not accept the session", &desk.sandbox.base_url(), "401"]);
    assert!(done.stderr.contains("the next login follows in "), "{}", done.stderr);
    assert_eq!(logins(&desk), 2);
}

#[test]
fn a_first_session_that_is_refused_ends_it() {
    let desk = Desk::new();
    desk.sandbox.inject(refuse_every_authorization());
    finish(&mut login(&desk, &[])).expect(4).says(&["does not accept the session", "401"]);
    assert_eq!(logins(&desk), 1);
}

// A refused password is never sent again: the account could be locked.
#[test]
fn a_password_that_is_refused_later_on_ends_it() {
    let desk = Desk::new();
    let listen = Running::start(&mut login(&desk, &[]));
    let first = newest(&desk, 2);
    listen.wait_for(From::Stderr, &["fresh", "user channel"]);
    let answer = RestAnswer::Status { status: 422, retry_after: None };
    desk.sandbox.inject(Fault::always(FaultKind::Rest { endpoint: Endpoint::Token, channel: None, answer }));
    desk.sandbox.set_token_status(&first.access_token_id, TokenStatus::Revoked);
    desk.sandbox.cut(&Sockets::All);
    listen.finish().expect(4).says(&["cannot log in", "422"]);
    assert_eq!(logins(&desk), 2);
}

#[test]
fn a_login_waits_for_a_server_in_trouble_and_is_made_once_at_a_time() {
    let desk = Desk::new();
    let listen = Running::start(&mut login(&desk, &[]));
    let first = newest(&desk, 2);
    listen.wait_for(From::Stderr, &["fresh", "user channel"]);
    let answer = RestAnswer::Status { status: 503, retry_after: None };
    desk.sandbox.inject(Fault::times(FaultKind::Rest { endpoint: Endpoint::Token, channel: None, answer }, 2));
    desk.sandbox.set_token_status(&first.access_token_id, TokenStatus::Revoked);
    desk.sandbox.cut(&Sockets::All);
    newest(&desk, 3);
    listen.wait_for(From::Stdout, &["resync_needed", "user channel"]);
    listen.interrupt().expect(130);
    assert_eq!(logins(&desk), 4);
}
