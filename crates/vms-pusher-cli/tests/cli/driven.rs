use serde_json::Value;
use vms_sandbox::{SandboxConfig, Sockets, TokenStatus};

use crate::support::{Desk, From, Running, finish, run, vms_pusher};

/// What the tokens of the sandbox are worth.
fn token_statuses(desk: &Desk) -> Vec<TokenStatus> {
    desk.sandbox.state().sessions.iter().map(|session| session.token_status).collect()
}

#[test]
fn sessions_are_ended_and_tokens_expire_from_another_process() {
    let desk = Desk::new();
    let url = desk.sandbox.base_url();
    let id = desk.sandbox.sessions().remove(0).access_token_id;
    let other = desk.sandbox.open_session(42).unwrap().access_token_id;
    let drive = |arguments: &[&str]| finish(vms_pusher(arguments).args(["--sandbox", &url])).expect(0);

    assert_eq!(drive(&["expire", "--session", &id]).stdout, "expired: 1 token\n");
    assert_eq!(token_statuses(&desk), [TokenStatus::Expired, TokenStatus::Valid]);
    assert_eq!(drive(&["expire"]).stdout, "expired: 2 tokens\n");
    assert_eq!(drive(&["expire", "--undo"]).stdout, "made valid again: 2 tokens\n");
    assert_eq!(token_statuses(&desk), [TokenStatus::Valid, TokenStatus::Valid]);
    assert_eq!(drive(&["logout", "--session", &other, "--subject", "Too late"]).stdout, "ended 1 session\n");
    assert_eq!(token_statuses(&desk), [TokenStatus::Valid, TokenStatus::Revoked]);

    let nobody = drive(&["logout", "--session", "nobody"]);
    assert_eq!(nobody.stdout, "ended 0 sessions\n");
    nobody.says(&["no such session", "vms-pusher state"]);
}

#[test]
fn pushing_a_logout_says_that_the_token_stays_valid() {
    let desk = Desk::new();
    let pushed = run(&["push", "logout", "--sandbox", &desk.sandbox.base_url()]).expect(0);
    pushed.says(&["the token stays valid", "`vms-pusher logout` ends the session"]);
    assert_eq!(token_statuses(&desk), [TokenStatus::Valid]);
}

// A07
#[test]
fn a_client_hears_of_the_logout_that_another_process_orders() {
    let desk = Desk::new();
    let mut listen = vms_pusher(&["listen", "--base-url", &desk.sandbox.base_url(), "--login", "demo"]);
    let listen = Running::start(listen.env("VMS_PASSWORD", "demo"));
    listen.wait_for(From::Stderr, &["fresh", "token channel"]);
    listen.wait_for(From::Stderr, &["fresh", "user channel"]);
    run(&["logout", "--subject", "Elsewhere", "--sandbox", &desk.sandbox.base_url()]).expect(0);
    listen.finish().expect(4).says(&["Elsewhere"]);
}

#[test]
fn faults_are_ordered_and_called_off_from_another_process() {
    let desk = Desk::new();
    let url = desk.sandbox.base_url();
    let log_in = || {
        let mut listen = vms_pusher(&["listen", "--base-url", &url, "--login", "demo"]);
        Running::start(listen.env("VMS_PASSWORD", "demo"))
    };
    let ordered = run(&["fault", "login", "status:422", "--sandbox", &url]).expect(0);
    assert_eq!(ordered.stdout, "injected, to apply 1 time\n");
    log_in().finish().expect(4).says(&["422"]);

    let ordered = run(&["fault", "login", "status:422", "--always", "--sandbox", &url]).expect(0);
    assert_eq!(ordered.stdout, "injected, to apply until `vms-pusher fault --clear`\n");
    let cleared = run(&["fault", "--clear", "--sandbox", &url]).expect(0);
    assert_eq!(cleared.stdout, "all faults cleared\n");
    let listen = log_in();
    listen.wait_for(From::Stderr, &["fresh", "user channel"]);
    listen.interrupt().expect(130);
    run(&["fault", "login", "nonsense", "--sandbox", &url]).expect(2).says(&["nonsense", "fault --help"]);
}

#[test]
fn the_state_is_shown_to_people_and_to_programs() {
    let desk = Desk::with(SandboxConfig::default());
    let url = desk.sandbox.base_url();
    let id = desk.sandbox.sessions().remove(0).access_token_id;
    let mut listen = vms_pusher(&["listen", "--base-url", &url, "--login", "demo"]);
    let listen = Running::start(listen.env("VMS_PASSWORD", "demo"));
    listen.wait_for(From::Stderr, &["fresh", "token channel"]);
    listen.wait_for(From::Stderr, &["fresh", "user channel"]);
    desk.sandbox.stall(&Sockets::All);

    let shown = run(&["state", "--sandbox", &url]).expect(0).stdout;
    for part in [&url, "pusher7", &id, "of user 42", "stalled", "private-user.42  1", "POST /api/v1/token  1"] {
        assert!(shown.contains(part), "{part}:\n{shown}");
    }
    let json = run(&["state", "--json", "--sandbox", &url]).expect(0).stdout;
    assert_eq!(json.lines().count(), 1);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["channels"]["private-user.42"], 1);
    desk.sandbox.resume(&Sockets::All);
    listen.interrupt().expect(130);
}
