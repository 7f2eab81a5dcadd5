//! `listen` in scripts: it ends by itself, and the exit code says why.

use std::net::TcpListener;

use vms_sandbox::{Ending, Fault, FaultKind, Push, Target, UpgradeAnswer};

use crate::support::{Desk, From, PATIENCE, finish, run, vms_pusher};

#[test]
fn it_ends_in_good_order_with_the_last_event_that_was_wanted() {
    for format in [&[] as &[&str], &["--json"]] {
        let desk = Desk::new();
        let listen = desk.listening(&[&["--count", "2", "--only", "groups_update"], format].concat());
        let user = Target::User(desk.session.user_id);
        for event in ["layouts_updated", "groups_updated", "permissions_updated", "groups_updated", "groups_updated"] {
            desk.block_on(desk.sandbox.push(Push::new(event).to(user.clone()))).unwrap();
        }
        let done = listen.finish().expect(0);
        let events = done.stdout.lines().filter(|line| line.contains("groups_update")).count();
        assert_eq!(events, 2, "{}", done.stdout);
        assert!(!done.stdout.contains("layouts_update"), "{}", done.stdout);
        let ended = desk.block_on(desk.sandbox.wait_until(PATIENCE, |state| !state.ended.is_empty())).unwrap();
        let ending = &ended.ended[0].ending;
        assert!(matches!(ending, Some(Ending::ClosedByClient { code: Some(_), .. })), "{ending:?}");
    }
    run(&["listen", "--base-url", "http://127.0.0.1:1", "--count", "0"]).expect(2).says(&["--count"]);
}

#[test]
fn it_ends_when_the_time_is_up_and_tells_whether_the_events_have_come() {
    let desk = Desk::new();
    let done = finish(&mut desk.listen(&["--for", "300ms"])).expect(0);
    assert!(!done.stderr.contains("error"), "{}", done.stderr);
    let done = finish(&mut desk.listen(&["--for", "300ms", "--count", "3", "--json"])).expect(1);
    let done = done.says(&["the time is up, and 0 of 3 events have arrived", "tip: try a longer --for"]);
    let last: serde_json::Value = serde_json::from_str(done.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last["exit_code"], 1, "{last}");
    run(&["listen", "--base-url", "http://127.0.0.1:1", "--for", "0s"]).expect(2).says(&["--for"]);
}

#[test]
fn a_signal_has_its_own_exit_code_whatever_else_would_end_it() {
    let desk = Desk::new();
    let listen = desk.listening(&["--for", "1h", "--count", "3", "--connect-timeout", "1h"]);
    listen.interrupt().expect(130);
}

// N01, N02: what exit code 3 says
#[test]
fn without_a_subscription_in_time_it_ends_with_the_cause() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}", silent.local_addr().unwrap());
    let who = ["--user-id", "1", "--access-token-id", "a", "--connect-timeout", "500ms"];
    let silence = finish(vms_pusher(&["listen", "--base-url", &base_url]).args(who).env("VMS_TOKEN", "t")).expect(3);
    silence.says(&["no channel of ", &base_url, "was subscribed within 0.5 s", "tip: "]);

    let desk = Desk::new();
    let socket_url = desk.sandbox.socket_url();
    desk.sandbox
        .inject(Fault::always(FaultKind::Upgrade { answer: UpgradeAnswer::Status { status: 503, retry_after: None } }));
    let listen = desk.listen(&["--connect-timeout", "1s", "--socket-url", &socket_url, "--app-key", "sandbox-key"]);
    let refused = finish(&mut { listen }).expect(3);
    refused.says(&["no channel of ", &socket_url, "within 1 s: ", "503", "tip: wait, or ask the server's operator"]);
    run(&["listen", "--base-url", "http://127.0.0.1:1", "--connect-timeout", "0"]).expect(2);
}

// A connection that is lost later on is waited for: the time is over before the outage is.
#[test]
fn the_time_for_the_first_subscription_says_nothing_of_later_outages() {
    let desk = Desk::new();
    let start = tokio::time::Instant::now();
    let listen = desk.listening(&["--connect-timeout", "10s"]);
    listen.wait_for(From::Stderr, &["fresh"]);
    desk.block_on(desk.sandbox.kill());
    let mut seen = listen.length(From::Stderr);
    while start.elapsed().as_secs() < 10 {
        listen.wait_for_behind(seen, From::Stderr, &["the next attempt follows in "]);
        seen = listen.length(From::Stderr);
    }
    desk.block_on(desk.sandbox.restart()).unwrap();
    listen.wait_for(From::Stdout, &["resync_needed", "user channel"]);
    listen.interrupt().expect(130);
}
