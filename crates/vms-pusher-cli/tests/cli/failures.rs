//! Bad input and bad servers: the error says what failed, against which address, and what to try.

use std::{net::TcpListener, time::Duration};

use tokio::time::Instant;
use vms_sandbox::{
    Endpoint, Fault, FaultKind, Profile, RestAnswer, SandboxConfig, Sockets, SubscribeAnswer, TokenStatus,
    UpgradeAnswer,
};

use crate::support::{Desk, From, PATIENCE, Running, finish, vms_pusher};

fn upgrade(answer: UpgradeAnswer) -> Fault {
    Fault::always(FaultKind::Upgrade { answer })
}

fn address(url: &str) -> &str {
    url.split("//").nth(1).unwrap().split('/').next().unwrap()
}

#[test]
fn a_setting_that_cannot_be_right_is_named() {
    let listen = |arguments: &[&str]| {
        finish(vms_pusher(&["listen"]).args(arguments).env("VMS_TOKEN", "t")).expect(2).says(&["tip: "])
    };
    let base = ["--base-url", "http://127.0.0.1:1", "--user-id", "1", "--access-token-id", "a"];
    let with = |more: &[&str]| listen(&[&base as &[&str], more].concat());
    for url in ["", "example.com", "ws://example.com", "http://", "http://a b"] {
        listen(&["--base-url", url]).says(&["error: --base-url"]);
    }
    for url in ["", "example.com/pusher", "https://example.com", "ws://"] {
        with(&["--socket-url", url]).says(&["error: --socket-url"]);
    }
    with(&["--app-key", ""]).says(&["error: --app-key"]);
    listen(&["--base-url", "http://127.0.0.1:1", "--user-id", "-5", "--access-token-id", "a"])
        .says(&["--user-id", "-5"]);
    listen(&["--base-url", "http://127.0.0.1:1", "--user-id", "1", "--access-token-id", ""])
        .says(&["--access-token-id"]);
    listen(&["--base-url", "http://127.0.0.1:1", "--user-id", "1", "--access-token-id", "a b"])
        .says(&["--access-token-id"]);
}

#[test]
fn a_token_that_is_empty_or_missing_is_told_with_how_to_give_one() {
    let listen = || vms_pusher(&["listen", "--base-url", "http://127.0.0.1:1", "--user-id", "1"]);
    finish(listen().env("VMS_TOKEN", " ")).expect(2).says(&["VMS_TOKEN is empty", "tip: set VMS_TOKEN"]);
    finish(listen().env("VMS_TOKEN", "a b"))
        .expect(2)
        .says(&["VMS_TOKEN does not hold exactly one token", "tip: set VMS_TOKEN"]);
    finish(&mut listen()).expect(2).says(&["there is no token", "tip: set VMS_TOKEN"]);
    let missing = finish(listen().args(["--token-file", "/nonexistent/token"])).expect(1);
    missing.says(&["--token-file", "No such file", "tip: --token-file takes the name of a file"]);
}

// N01: a label of more than 63 letters is refused before any server is asked.
#[test]
fn a_host_that_cannot_be_resolved_is_told_with_its_name_and_what_to_try() {
    let host = "no-such-host.invalid";
    let (base_url, socket_url) = (format!("http://{host}"), format!("ws://{host}/pusher"));
    let address = format!("{host}:80");
    let base = ["--user-id", "1", "--access-token-id", "a"];
    let mut api = vms_pusher(&["listen", "--base-url", &base_url]);
    let api = Running::start(api.args(base).env("VMS_TOKEN", "t"));
    api.wait_for(From::Stderr, &["cannot resolve", &address, "tip: check the spelling of the host"]);
    api.interrupt().expect(130);
    let place = ["--socket-url", &socket_url, "--app-key", "k"];
    let mut socket = vms_pusher(&["listen", "--base-url", "http://127.0.0.1:1"]);
    let socket = Running::start(socket.args(base).args(place).env("VMS_TOKEN", "t"));
    socket.wait_for(From::Stderr, &["cannot resolve", &address, "tip: check the spelling of the host"]);
    socket.interrupt().expect(130);
}

// S01
#[test]
fn a_channel_that_is_denied_is_told_with_the_server_that_denied_it() {
    let desk = Desk::new();
    let listen = Running::start(&mut desk.listen_as(7, &[]));
    let who = address(&desk.sandbox.base_url()).to_owned();
    listen.wait_for(
        From::Stderr,
        &["error", "private-user.7", "403", &who, "tip: are --user-id and --access-token-id those that came"],
    );
    listen.interrupt().expect(130);
}

// S08
#[test]
fn a_channel_that_the_server_refuses_is_told_with_its_address() {
    let desk = Desk::new();
    let channel = Some("private-user.42".to_owned());
    desk.sandbox.inject(Fault::always(FaultKind::Subscribe { channel, answer: SubscribeAnswer::Refuse }));
    let listen = Running::start(&mut desk.listen(&[]));
    let who = address(&desk.sandbox.socket_url()).to_owned();
    listen.wait_for(From::Stderr, &["error", "the channel `private-user.42`", &who, "tip: are --socket-url"]);
    listen.interrupt().expect(130);
}

// An unencrypted socket beside an encrypted API.
#[test]
fn an_insecure_socket_beside_a_secure_api_is_refused_unless_it_is_allowed() {
    let desk = Desk::new();
    let base = desk.sandbox.base_url().replace("http://", "https://");
    let socket_url = desk.sandbox.socket_url();
    let mut arguments = vec!["listen", "--base-url", &base, "--user-id", "42", "--access-token-id", "a"];
    arguments.extend(["--socket-url", &socket_url, "--app-key", "sandbox-key"]);
    let refused = finish(vms_pusher(&arguments).env("VMS_TOKEN", "t")).expect(2);
    refused.says(&[&socket_url, "not encrypted", "--allow-insecure-socket"]);
    arguments.push("--allow-insecure-socket");
    let allowed = Running::start(vms_pusher(&arguments).env("VMS_TOKEN", "t"));
    allowed.wait_for(From::Stderr, &["connecting → connected"]);
    allowed.interrupt().expect(130);
}

#[test]
fn a_wrong_token_ends_it_and_says_where_it_was_refused() {
    let desk = Desk::new();
    let socket_url = desk.sandbox.socket_url();
    for arguments in [vec![], vec!["--socket-url", &socket_url, "--app-key", "sandbox-key"]] {
        let done = finish(desk.listen(&arguments).env("VMS_TOKEN", "wrong")).expect(4);
        done.says(&[&desk.sandbox.base_url(), "401", "tip: "]);
    }
}

#[test]
fn an_expired_session_ends_it() {
    let desk = Desk::new();
    desk.sandbox.set_token_status(&desk.session.access_token_id, TokenStatus::Expired);
    finish(&mut desk.listen(&[])).expect(4).says(&[&desk.sandbox.base_url(), "419", "--login"]);
}

#[test]
fn a_wrong_password_ends_it() {
    let desk = Desk::new();
    let mut listen = vms_pusher(&["listen", "--base-url", &desk.sandbox.base_url(), "--login", "demo"]);
    let done = finish(listen.env("VMS_PASSWORD", "wrong")).expect(4);
    done.says(&["cannot log in", &desk.sandbox.base_url(), "422", "check the name and the password"]);
}

// C05: 4001 is final.
#[test]
fn a_wrong_key_ends_it() {
    let desk = Desk::new();
    let done = finish(&mut desk.listen(&["--app-key", "wrong-key"])).expect(5);
    done.says(&[address(&desk.sandbox.socket_url()), "refuses the connection permanently", "4001", "--app-key"]);
}

// push1st says 403 at the upgrade, which might also come from a proxy: it is tried again, slowly.
#[test]
fn a_wrong_key_at_push1st_is_told_and_ctrl_c_works_at_once() {
    let desk = Desk::with(SandboxConfig::with_profile(Profile::Push1st));
    let listen = Running::start(&mut desk.listen(&["--app-key", "wrong-key"]));
    listen.wait_for(
        From::Stderr,
        &["error", address(&desk.sandbox.socket_url()), "403", "tip: without --socket-url and --app-key"],
    );
    listen.wait_for(From::Stderr, &["next attempt"]);
    listen.interrupt().expect(130);
    assert_eq!(desk.sandbox.state().upgrades_ever, 1, "it waited for the next attempt");
}

// S08: what the library tries again is no end.
#[test]
fn channels_that_are_refused_are_told_and_had_as_soon_as_the_server_gives_them() {
    let desk = Desk::new();
    desk.sandbox.inject(Fault::times(FaultKind::Subscribe { channel: None, answer: SubscribeAnswer::Refuse }, 2));
    let listen = Running::start(&mut desk.listen(&[]));
    listen.wait_for(From::Stderr, &["unavailable", "user channel"]);
    listen.wait_for(From::Stderr, &["unavailable", "token channel"]);
    desk.sandbox.cut(&Sockets::All);
    listen.wait_for(From::Stderr, &["fresh", "user channel"]);
    listen.wait_for(From::Stderr, &["fresh", "token channel"]);
    listen.interrupt().expect(130);
}

#[test]
fn a_server_that_is_down_is_waited_for() {
    let desk = Desk::new();
    desk.block_on(desk.sandbox.kill());
    let listen = Running::start(&mut desk.listen(&[]));
    listen.wait_for(
        From::Stderr,
        &["error", "cannot connect to", address(&desk.sandbox.base_url()), "tip: is the server running"],
    );
    listen.wait_for(From::Stderr, &["next attempt follows in"]);
    desk.block_on(desk.sandbox.restart()).unwrap();
    listen.wait_for(From::Stderr, &["fresh", "user channel"]);
    let before = listen.length(From::Stderr);
    desk.block_on(desk.sandbox.kill());
    listen.wait_for(From::Stdout, &["interrupted"]);
    listen.wait_for_behind(before, From::Stderr, &["cannot connect to", address(&desk.sandbox.socket_url()), "tip: "]);
    desk.block_on(desk.sandbox.restart()).unwrap();
    listen.wait_for(From::Stdout, &["resync_needed", "user channel"]);
    listen.interrupt().expect(130);
}

// S02: both channels are refused at every try
#[test]
fn errors_that_say_the_same_are_told_once_a_minute_to_a_person_and_always_to_a_program() {
    let desk = Desk::new();
    let answer = RestAnswer::Status { status: 503, retry_after: None };
    desk.sandbox.inject(Fault::always(FaultKind::Rest { endpoint: Endpoint::BroadcastingAuth, channel: None, answer }));
    let start = Instant::now();
    let text = Running::start(&mut desk.listen(&[]));
    wait_for_authorizations(&desk, 8);
    text.wait_for(From::Stderr, &["error", "private-token.", "/api/v1/broadcasting/auth answered with status 503"]);
    text.wait_for(From::Stderr, &["error", "private-user.42", "503"]);
    let done = text.interrupt().expect(130);
    let minutes = usize::try_from(start.elapsed().as_secs() / 60).unwrap() + 1;
    let count = |part: &str| done.stderr.matches(part).count();
    assert!(count("is not subscribed") <= 2 * minutes, "{}", done.stderr);
    assert!(count("tip: ") <= minutes, "{}", done.stderr);
    let json = Running::start(&mut desk.listen(&["--json"]));
    let failed = |line: &str| line.contains(r#""kind":"authorization_unavailable""#);
    assert!(json.wait_for_lines(6, failed).iter().all(|line| line.contains("503")));
    json.interrupt().expect(130);
}

/// Waits until so many were asked for.
#[track_caller]
fn wait_for_authorizations(desk: &Desk, wanted: usize) {
    let asked = async {
        while desk.sandbox.requests().iter().filter(|request| request.path.ends_with("/auth")).count() < wanted {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    desk.block_on(async { tokio::time::timeout(PATIENCE, asked).await }).expect("authorizations are tried again");
}

#[test]
fn while_a_server_is_down_errors_are_lines_in_json_too() {
    let desk = Desk::new();
    desk.block_on(desk.sandbox.kill());
    let listen = Running::start(&mut desk.listen(&["--json"]));
    listen.wait_for(From::Stdout, &[r#""item":"error""#, "cannot connect to", address(&desk.sandbox.base_url())]);
    let done = listen.interrupt().expect(130);
    assert_eq!(done.stderr, "");
    for line in done.stdout.lines() {
        serde_json::from_str::<vms_pusher::VmsSocketItem>(line).unwrap();
    }
}

// N02: a server that accepts and says nothing.
#[test]
fn ctrl_c_works_at_once_while_a_server_is_silent() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let base_url = format!("http://{address}");
    let socket_url = format!("ws://{address}/pusher");
    let who = ["--user-id", "1", "--access-token-id", "a"];
    let discovery = Running::start(vms_pusher(&["listen", "--base-url", &base_url]).args(who).env("VMS_TOKEN", "t"));
    let (accepted, _) = silent.accept().unwrap();
    ends_before_the_deadline(discovery);
    drop(accepted);
    let place = ["--socket-url", &socket_url, "--app-key", "k"];
    let socket =
        Running::start(vms_pusher(&["listen", "--base-url", &base_url]).args(who).args(place).env("VMS_TOKEN", "t"));
    socket.wait_for(From::Stderr, &["disconnected → connecting"]);
    let accepted = silent.accept().unwrap();
    ends_before_the_deadline(socket);
    drop(accepted);
}

/// A program that waits for the end of an attempt says first how that went.
#[track_caller]
fn ends_before_the_deadline(running: Running) {
    let done = running.interrupt().expect(130);
    assert!(!done.stderr.contains("error"), "{}", done.stderr);
}

// N02, P01: ten seconds, then the cause.
#[test]
fn a_silent_upgrade_is_told_with_its_cause() {
    let desk = Desk::new();
    desk.sandbox.inject(upgrade(UpgradeAnswer::Silent));
    let listen = Running::start(&mut desk.listen(&[]));
    listen.wait_for(
        From::Stderr,
        &[
            "error",
            "within 10 s",
            address(&desk.sandbox.socket_url()),
            "tip: the connection is accepted but nothing is answered",
        ],
    );
    listen.interrupt().expect(130);
}

// N14
#[test]
fn html_instead_of_an_upgrade_is_told_with_its_cause() {
    let desk = Desk::new();
    desk.sandbox.inject(upgrade(UpgradeAnswer::Html));
    let listen = Running::start(&mut desk.listen(&[]));
    listen.wait_for(
        From::Stderr,
        &["error", address(&desk.sandbox.socket_url()), "200", "tip: without --socket-url and --app-key"],
    );
    listen.interrupt().expect(130);
}
