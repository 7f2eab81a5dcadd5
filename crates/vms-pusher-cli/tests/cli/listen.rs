use std::{
    io::{BufRead as _, BufReader},
    process::{ChildStdout, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use vms_sandbox::{Ending, Push, SandboxConfig, Sockets, Target, UserConfig};

use crate::support::{Desk, From, PATIENCE, Running, run, wait};

#[test]
fn events_are_on_stdout_and_states_on_stderr() {
    let desk = Desk::new();
    let listen = desk.listening(&[]);
    listen.wait_for(From::Stderr, &["listening", &desk.sandbox.socket_url(), "user 42"]);
    listen.wait_for(From::Stderr, &["connecting → connected"]);
    desk.push(Push::new("cameras_updated"));
    let line = listen.wait_for(From::Stdout, &["cameras_update ", "attached=17,18"]);
    assert!(line.starts_with("20") && line.contains("Z  "), "no time: {line}");
    let done = listen.interrupt().expect(130);
    assert_eq!(done.stdout.lines().count(), 1, "{}", done.stdout);
    assert!(!done.stderr.contains("cameras_update"), "{}", done.stderr);
}

// I26
#[test]
fn a_gap_stands_among_the_events_and_listening_goes_on() {
    let desk = Desk::new();
    let listen = desk.listening(&[]);
    listen.wait_for(From::Stderr, &["fresh", "user channel"]);
    listen.wait_for(From::Stderr, &["fresh", "token channel"]);
    desk.sandbox.cut(&Sockets::All);
    listen.wait_for(From::Stdout, &["interrupted", "user channel"]);
    listen.wait_for(From::Stdout, &["resync_needed", "token channel"]);
    listen.wait_for(From::Stdout, &["resync_needed", "user channel", "reload everything"]);
    desk.push(Push::new("permissions_updated"));
    listen.wait_for(From::Stdout, &["permissions_update"]);
    let done = listen.interrupt().expect(130);
    let position = |part: &str| done.stdout.find(part).unwrap();
    assert!(position("interrupted") < position("resync_needed"));
    assert!(position("resync_needed") < position("permissions_update"));
}

#[test]
fn only_and_not_choose_among_the_events() {
    let desk = Desk::new();
    let push_three = || {
        desk.push(Push::new("mark_created"));
        desk.push(Push::new("layouts_updated"));
        desk.push(Push::new("groups_updated"));
    };
    let listen = desk.listening(&["--only", "event_created,groups_update"]);
    push_three();
    listen.wait_for(From::Stdout, &["groups_update"]);
    let done = listen.interrupt().expect(130);
    assert!(done.stdout.contains("event_created") && !done.stdout.contains("layouts_update"), "{}", done.stdout);

    let listen = desk.listening(&["--only", "mark_created,groups_updated"]);
    push_three();
    listen.wait_for(From::Stdout, &["groups_update"]);
    let done = listen.interrupt().expect(130);
    assert!(done.stdout.contains("event_created") && !done.stdout.contains("layouts_update"), "{}", done.stdout);

    let listen = desk.listening(&["--not", "event_created", "--not", "layouts_update"]);
    push_three();
    listen.wait_for(From::Stdout, &["groups_update"]);
    let done = listen.interrupt().expect(130);
    assert!(!done.stdout.contains("event_created") && !done.stdout.contains("layouts_update"), "{}", done.stdout);
}

#[test]
fn an_unknown_event_name_is_refused_with_the_known_ones() {
    let refused = run(&["listen", "--base-url", "http://127.0.0.1:1", "--only", "event_creatd"]).expect(2);
    let refused = refused.says(&["event_creatd", "cameras_update", "call_canceled", "undecodable"]);
    let refused = refused.says(&["mark_created", "intercom.store", "analytic_case_face_event_created"]);
    refused.says(&["a similar value exists: 'event_created'"]);
    run(&["listen", "--base-url", "http://127.0.0.1:1", "--not", ""]).expect(2);
}

#[test]
fn a_reader_who_goes_away_ends_it_quietly() {
    let desk = Desk::new();
    let mut listen = desk.listen(&[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    desk.block_on(desk.sandbox.wait_subscribed(&desk.session, PATIENCE)).unwrap();
    desk.push(Push::new("groups_updated"));
    let mut stdout = BufReader::new(listen.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert!(line.contains("groups_update"), "{line}");
    drop(stdout);
    desk.push(Push::new("groups_updated"));
    let done = wait(listen);
    let stderr = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(0), "{stderr}");
    assert!(!stderr.contains("error"), "{stderr}");
}

// Whoever reads may be stuck, and the program with it in a write.
#[test]
fn a_signal_closes_the_socket_in_good_order_while_nobody_reads_the_output() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 0)] {
        let desk = Desk::new();
        let mut listen = desk.listen(&["--json"]);
        let mut listen = listen.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        desk.block_on(desk.sandbox.wait_subscribed(&desk.session, PATIENCE)).unwrap();
        // A line that is longer than any pipe.
        let title = "x".repeat(200_000);
        for id in 0..20 {
            desk.push(Push::new("mark_created").data(serde_json::json!({"id": id, "title": title})));
        }
        let stdout = listen.stdout.take().unwrap();
        wait_until_stuck(&desk, &stdout);
        kill_process(Pid::from_child(&listen), signal).unwrap();
        let ended = desk.block_on(desk.sandbox.wait_until(PATIENCE, |state| !state.ended.is_empty())).unwrap();
        let ending = &ended.ended[0].ending;
        assert!(matches!(ending, Some(Ending::ClosedByClient { code: Some(_), .. })), "{ending:?}");
        assert_eq!(wait(listen).status.code(), Some(code));
        drop(stdout);
    }
}

/// Waits until the pipe is so full that a long line is being written to it, which does not fit.
#[track_caller]
fn wait_until_stuck(desk: &Desk, stdout: &ChildStdout) {
    let filled = async {
        while rustix::io::ioctl_fionread(stdout).unwrap() < LONGER_THAN_THE_OTHER_LINES {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    desk.block_on(async { tokio::time::timeout(PATIENCE, filled).await }).expect("the pipe fills up");
}

/// A pipe holds no less on Linux (64 KiB) and macOS (16 KiB, growing to 64).
const LONGER_THAN_THE_OTHER_LINES: u64 = 12_000;

// M06
#[test]
fn what_a_payload_holds_cannot_drive_the_terminal() {
    let desk = Desk::new();
    let listen = desk.listening(&["--color", "never"]);
    let nasty = "\u{1b}]0;title\u{7}\u{1b}[2J\u{9b}31m\u{202e}\r\nforged 00:00 line\u{0}";
    desk.push(Push::new("mark_created").data(serde_json::json!({"id": 1, "title": nasty})));
    desk.push(Push::new(nasty).data(serde_json::json!({"x": nasty})));
    listen.wait_for(From::Stdout, &["event_created", r"\u{1b}", r"\r\nforged"]);
    listen.wait_for(From::Stdout, &["unknown"]);
    let done = listen.interrupt().expect(130);
    let acts = |character: char| character.is_control() && character != '\n' || character == '\u{202e}';
    assert!(!done.stdout.contains(acts), "{:?}", done.stdout);
    assert_eq!(done.stdout.lines().count(), 2, "{}", done.stdout);
}

#[test]
fn a_signal_ends_it_at_once_and_the_socket_in_good_order() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 0)] {
        let desk = Desk::new();
        let listen = desk.listening(&[]);
        listen.signal(signal);
        listen.finish().expect(code).says(&["connected → disconnected"]);
        let ended = desk.block_on(desk.sandbox.wait_until(PATIENCE, |state| !state.ended.is_empty())).unwrap();
        assert!(matches!(ended.ended[0].ending, Some(Ending::ClosedByClient { .. })), "{:?}", ended.ended);
    }
}

#[test]
fn the_end_of_the_session_ends_it_with_the_reason_and_the_socket_in_good_order() {
    // The program must not be faster than the close frame, not even once.
    for _ in 0..20 {
        let desk = Desk::new();
        let listen = desk.listening(&[]);
        desk.block_on(desk.sandbox.log_out(&desk.session.access_token_id, Some("Signed in elsewhere")));
        let done = listen.finish().expect(4);
        let done = done.says(&["ended the session: Signed in elsewhere", &desk.sandbox.base_url()]);
        assert!(done.stdout.contains("logout"), "{}", done.stdout);
        let ended = desk.block_on(desk.sandbox.wait_until(PATIENCE, |state| !state.ended.is_empty())).unwrap();
        let ending = &ended.ended[0].ending;
        assert!(matches!(ending, Some(Ending::ClosedByClient { code: Some(_), .. })), "{ending:?}");
    }
}

// S01: one channel's failure never harms the other.
#[test]
fn the_channel_of_someone_else_is_reported_and_the_own_one_goes_on() {
    let users = vec![UserConfig::new(42, "demo", "demo"), UserConfig::new(7, "other", "other")];
    let desk = Desk::with(SandboxConfig { users, ..SandboxConfig::default() });
    let listen = Running::start(&mut desk.listen_as(7, &[]));
    listen.wait_for(From::Stderr, &["error", "private-user.7", "403"]);
    listen.wait_for(From::Stderr, &["unavailable", "user channel"]);
    listen.wait_for(From::Stderr, &["fresh", "token channel"]);
    let session = Target::Session(desk.session.access_token_id.clone());
    desk.block_on(desk.sandbox.push(Push::new("groups_updated").to(session))).unwrap();
    listen.wait_for(From::Stdout, &["groups_update"]);
    listen.interrupt().expect(130);
}
