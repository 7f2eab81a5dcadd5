//! From the start to the first connection: what may pass by itself is told and tried again; what the caller has set wrong
//! or the server says wrongly is not.

use serde_json::json;
use vms_sandbox::{Endpoint, Fault, FaultKind, RestAnswer};

use crate::support::{Desk, From, PATIENCE, Running, finish, vms_pusher};

fn rest(endpoint: Endpoint, answer: RestAnswer) -> FaultKind {
    FaultKind::Rest { endpoint, channel: None, answer }
}

fn status(status: u16) -> RestAnswer {
    RestAnswer::Status { status, retry_after: None }
}

fn body(body: &serde_json::Value) -> RestAnswer {
    RestAnswer::Body { status: 200, content_type: "application/json".to_owned(), body: body.to_string() }
}

fn login(desk: &Desk) -> std::process::Command {
    let mut listen = vms_pusher(&["listen", "--base-url", &desk.sandbox.base_url(), "--login", "demo"]);
    listen.env("VMS_PASSWORD", "demo");
    listen
}

// N14, W04
#[test]
fn what_may_pass_by_itself_is_told_and_tried_again() {
    let desk = Desk::new();
    let redirect = RestAnswer::Redirect { status: 302, location: "http://127.0.0.1:1/".to_owned() };
    for (answer, told) in [
        (RestAnswer::Html { status: 200 }, ["unusable answer", "tip: check --base-url"]),
        (RestAnswer::Html { status: 502 }, ["502", "tip: wait, or ask the operator of the gateway"]),
        (redirect, [" answered with a redirect (302", "tip: give the final address"]),
        (status(404), ["404", "tip: check --base-url"]),
        (status(408), ["408", "tip: check the network"]),
        (status(409), ["409", "tip: install a newer version"]),
        (status(429), ["429", "tip: wait; do many clients"]),
        (status(503), ["503", "tip: wait, or ask the server's operator"]),
        (RestAnswer::Drop, ["failed", "tip: if this persists"]),
    ] {
        desk.sandbox.inject(Fault::once(rest(Endpoint::WsUrl, answer.clone())));
        let discovery = Running::start(&mut desk.listen(&[]));
        desk.sandbox.inject(Fault::once(rest(Endpoint::Token, answer)));
        let login = Running::start(&mut login(&desk));
        for (listen, path) in [(discovery, "/api/v1/wsurl"), (login, "/api/v1/token")] {
            let error = listen.wait_for(From::Stderr, &["error", told[0], told[1]]);
            assert!(
                error.contains(&format!("{}{path}", desk.sandbox.base_url())),
                "the address that was asked: {error}"
            );
            assert!(!error.contains("base_url"), "{error}");
            listen.wait_for(From::Stderr, &["the next attempt follows in "]);
            listen.wait_for(From::Stderr, &["fresh", "user channel"]);
            listen.interrupt().expect(130);
        }
    }
}

#[test]
fn what_the_server_says_wrongly_is_no_fault_of_the_settings() {
    let desk = Desk::new();
    let token = desk.session.access_token.as_str();
    let user = |id: i64, token: &str| json!({"user": {"id": id, "access_token_id": "a"}, "access_token": token});
    for (endpoint, wrong, told) in [
        (Endpoint::Token, user(-5, token), "negative"),
        (Endpoint::Token, user(5, "secret\nsecret"), "line break"),
        (
            Endpoint::Token,
            json!({"user": {"id": 5, "access_token_id": "a b"}, "access_token": token}),
            "access_token_id",
        ),
        (Endpoint::Token, json!({"user": {"id": 5}, "access_token": "t"}), "no access token id"),
        (Endpoint::WsUrl, json!({"ws_url": "http://127.0.0.1:1", "app_key": "k"}), "socket"),
        (Endpoint::WsUrl, json!({"ws_url": desk.sandbox.socket_url(), "app_key": ""}), "app key"),
    ] {
        desk.sandbox.inject(Fault::once(rest(endpoint, body(&wrong))));
        let done = finish(&mut login(&desk)).expect(3).says(&[told, &desk.sandbox.base_url(), "tip: "]);
        assert!(!done.stderr.contains("secret"), "{}", done.stderr);
        desk.sandbox.clear_faults();
    }
}

// A06: the file may have another token by the time that the first one is refused.
#[test]
fn a_token_that_is_renewed_before_the_socket_is_known_is_used() {
    let desk = Desk::new();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &desk.session.access_token).unwrap();
    desk.sandbox.inject(Fault::always(rest(Endpoint::WsUrl, status(503))));
    let mut listen = desk.listen(&["--token-file", file.path().to_str().unwrap()]);
    let listen = Running::start(listen.env_remove("VMS_TOKEN"));
    listen.wait_for(From::Stderr, &["the next attempt follows in "]);
    std::fs::write(file.path(), "").unwrap();
    listen.wait_for(
        From::Stderr,
        &["error", "the file of --token-file is empty", "tip: does the VMS answer, and can the token be read?"],
    );
    let renewed = desk.sandbox.rotate_token(&desk.session.access_token_id).unwrap();
    std::fs::write(file.path(), format!("\u{feff}{renewed}\r\n")).unwrap();
    desk.sandbox.clear_faults();
    listen.wait_for(From::Stderr, &["fresh", "user channel"]);
    listen.interrupt().expect(130);
    for request in desk.sandbox.requests() {
        assert_ne!(request.header("authorization").map(str::trim), Some("Bearer"), "an empty token was sent");
    }
}

#[test]
fn a_server_in_trouble_is_asked_again() {
    let desk = Desk::new();
    let answer = RestAnswer::Status { status: 503, retry_after: Some("1".to_owned()) };
    desk.sandbox.inject(Fault::once(FaultKind::Rest { endpoint: Endpoint::WsUrl, channel: None, answer }));
    let listen = Running::start(&mut desk.listen(&[]));
    listen
        .wait_for(From::Stderr, &["error", "503", &desk.sandbox.base_url(), "tip: wait, or ask the server's operator"]);
    listen.wait_for(From::Stderr, &["the next attempt follows in "]);
    listen.wait_for(From::Stderr, &["fresh", "user channel"]);
    listen.interrupt().expect(130);
}

// R02: what was found at the start is found anew.
#[test]
fn a_server_that_has_moved_is_found_again() {
    for given in [&[] as &[&str], &["--app-key", "sandbox-key"]] {
        let (desk, elsewhere) = (Desk::new(), Desk::new());
        let there = json!({"ws_url": elsewhere.sandbox.socket_url(), "app_key": "sandbox-key"});
        desk.sandbox.inject(Fault::once(rest(Endpoint::WsUrl, body(&there))));
        let listen = Running::start(&mut desk.listen(given));
        let there = elsewhere.sandbox.wait_subscribed(&desk.session, PATIENCE);
        elsewhere.block_on(there).unwrap();
        elsewhere.block_on(elsewhere.sandbox.kill());
        desk.wait_subscribed(&listen);
        listen.wait_for(From::Stdout, &["resync_needed", "user channel"]);
        listen.interrupt().expect(130);
    }
}
