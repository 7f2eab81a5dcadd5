//! What the server says in codes and in words.

use vms_sandbox::{Fault, FaultKind, Outbound, Sockets, UpgradeAnswer};

use crate::support::{Desk, From};

// C05: the code of the close frame is named, and decides the exit code, whatever was said before.
#[test]
fn a_close_code_that_is_final_is_named_and_decides_the_exit_code() {
    let desk = Desk::new();
    let listen = desk.listening(&[]);
    let error = serde_json::json!({"event": "pusher:error", "data": {"code": 4009, "message": "Not yours"}});
    desk.block_on(desk.sandbox.send(&Sockets::All, Outbound::Text(error.to_string())));
    listen.wait_for(From::Stderr, &["Not yours", "4009", "tip: is the token still valid"]);
    desk.block_on(desk.sandbox.close(&Sockets::All, 4001, ""));
    listen.finish().expect(5).says(&[
        "refuses the connection permanently",
        "code 4001",
        "tip: check --socket-url and --app-key",
    ]);

    let listen = desk.listening(&[]);
    desk.block_on(desk.sandbox.close(&Sockets::All, 4004, "Over quota"));
    listen.finish().expect(5).says(&["Over quota", "code 4004", "tip: the server's connection quota is used up"]);
}

// C06, A09: 4009 is tried once more.
#[test]
fn a_close_for_want_of_authorization_has_its_own_exit_code() {
    let desk = Desk::new();
    let answer = UpgradeAnswer::Status { status: 503, retry_after: None };
    desk.sandbox.inject(Fault::once(FaultKind::Upgrade { answer }));
    let listen = desk.listening(&[]);
    desk.block_on(desk.sandbox.close(&Sockets::All, 4009, "Unauthorized"));
    listen.wait_for(From::Stdout, &["resync_needed", "user channel"]);
    listen.wait_for(From::Stdout, &["resync_needed", "token channel"]);
    desk.block_on(desk.sandbox.close(&Sockets::All, 4009, "Unauthorized"));
    listen.finish().expect(4).says(&["503", "tip: wait, or ask the server's operator", "code 4009"]);
}

// M06: whatever a server says stays on its line.
#[test]
fn nothing_that_a_server_says_makes_a_line_of_its_own() {
    let forged = "bye\nerror: forged\r\n2024-03-05T10:11:12.000Z  forged\u{2028}\u{34f}\u{3164}";
    let is_forged =
        |line: &str| line.starts_with("error: forged") || line.contains("Z  forged") && line.starts_with("2024");
    let text = |event: &str, data: serde_json::Value| {
        Outbound::Text(serde_json::json!({"event": event, "data": data, "channel": null}).to_string())
    };
    let desk = Desk::new();
    let listen = desk.listening(&[]);
    let error = text("pusher:error", serde_json::json!({"code": 4100, "message": forged}));
    desk.block_on(desk.sandbox.send(&Sockets::All, error));
    listen.wait_for(From::Stderr, &["bye", r"\u{34f}\u{3164}"]);
    desk.block_on(desk.sandbox.log_out(&desk.session.access_token_id, Some(forged)));
    let done = listen.finish().expect(4);
    let lines: Vec<_> = done.stdout.lines().chain(done.stderr.lines()).collect();
    assert!(!lines.iter().any(|line| is_forged(line)), "{lines:#?}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("error: ")).count(), 1, "{lines:#?}");

    let desk = Desk::new();
    let listen = desk.listening(&[]);
    let error = text("pusher:error", serde_json::json!({"code": 4003, "message": forged}));
    desk.block_on(desk.sandbox.send(&Sockets::All, error));
    desk.block_on(desk.sandbox.close(&Sockets::All, 4003, forged));
    let done = listen.finish().expect(5);
    assert!(!done.stderr.lines().any(is_forged), "{}", done.stderr);
}
