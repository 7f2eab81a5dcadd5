use std::{io::Write as _, net::TcpListener, process::Command};

use serde_json::Value;
use vms_sandbox::{EVENT_TYPES, SandboxConfig};

use crate::support::{Desk, From, Running, finish, run, vms_pusher};

/// A `sandbox` on a free port, and what it has printed.
fn sandbox(arguments: &[&str]) -> (Running, Value) {
    let mut command = vms_pusher(&["sandbox", "--bind", "127.0.0.1:0", "--json"]);
    let sandbox = Running::start(command.args(arguments));
    let line = sandbox.wait_for(From::Stdout, &["base_url"]);
    (sandbox, serde_json::from_str(&line).unwrap())
}

fn text<'v>(needed: &'v Value, name: &str) -> &'v str {
    needed[name].as_str().unwrap()
}

/// Listens with everything that the sandbox has printed.
fn listen(needed: &Value) -> Running {
    let user_id = needed["user_id"].to_string();
    let mut listen = vms_pusher(&["listen", "--base-url", text(needed, "base_url"), "--user-id", &user_id]);
    listen.args(["--access-token-id", text(needed, "access_token_id"), "--app-key", text(needed, "app_key")]);
    listen.args(["--socket-url", text(needed, "socket_url")]).env("VMS_TOKEN", text(needed, "token"));
    let listen = Running::start(&mut listen);
    listen.wait_for(From::Stderr, &["fresh", "user channel"]);
    listen.wait_for(From::Stderr, &["fresh", "token channel"]);
    listen
}

/// A command line as it was printed.
fn in_shell(line: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec env {}", line.trim())]).env_remove("VMS_TOKEN").env_remove("VMS_PASSWORD");
    shell
}

#[test]
fn the_sandbox_is_driven_from_another_process() {
    let (sandbox, needed) = sandbox(&[]);
    let url = text(&needed, "base_url");
    let listen = listen(&needed);
    let mut body = tempfile::NamedTempFile::new().unwrap();
    write!(body, r#"{{"id": 4711, "title": "By hand"}}"#).unwrap();
    let path = body.path().to_str().unwrap();

    let pushed = run(&["push", "mark_created", "--data", path, "--sandbox", url]).expect(0);
    assert_eq!(pushed.stdout, "pushed mark_created to 1 socket\n");
    assert_eq!(pushed.stderr, "");
    listen.wait_for(From::Stdout, &["event_created", "id=4711", r#"title="By hand""#]);

    let mut push = vms_pusher(&["push", "intercom.store", "--data", "-", "--to", "user:42", "--sandbox", url]);
    let mut push = Running::start(push.stdin(std::process::Stdio::piped()));
    push.type_in(r#"{"intercom": {"id": 12}}"#);
    push.finish().expect(0);
    listen.wait_for(From::Stdout, &["intercom_stored", "intercom=12"]);

    let session = format!("session:{}", text(&needed, "access_token_id"));
    run(&["push", "archive_generated", "--failed", "--subject", "No disk", "--to", &session, "--sandbox", url])
        .expect(0);
    listen.wait_for(From::Stdout, &["archive_generated", "status=failed", r#"subject="No disk""#]);
    run(&["push", "weather_changed", "--force", "--sandbox", url]).expect(0);
    listen.wait_for(From::Stdout, &["unknown", "type=weather_changed"]);

    let cut = finish(vms_pusher(&["cut"]).env("VMS_SANDBOX", url)).expect(0);
    assert_eq!(cut.stdout, "cut 1 socket\n");
    listen.wait_for(From::Stdout, &["resync_needed", "user channel"]);
    listen.interrupt().expect(130);

    let pushed = run(&["push", "mark_created", "--sandbox", url]).expect(0);
    assert_eq!(pushed.stdout, "pushed mark_created to 0 sockets\n");
    pushed.says(&["none of its recipients", "it is lost"]);
    let done = sandbox.interrupt().expect(130);
    for sockets in ["to 1 socket\n", "to 0 sockets\n"] {
        let is_it = |line: &str| line.contains("pushed mark_created on ") && line.ends_with(sockets);
        assert!(done.stderr.split_inclusive('\n').any(is_it), "{sockets:?}: {}", done.stderr);
    }
    assert_eq!(done.stdout.lines().count(), 1, "{}", done.stdout);
}

#[test]
fn the_command_lines_that_the_sandbox_prints_work_as_they_stand() {
    let mut command = vms_pusher(&["sandbox", "--bind", "127.0.0.1:0", "--quiet"]);
    let sandbox = Running::start(&mut command);
    for (start, user) in [("VMS_TOKEN=", "token channel"), ("VMS_PASSWORD=", "token channel")] {
        let line = sandbox.wait_for(From::Stdout, &[start, " listen "]);
        let listen = Running::start(&mut in_shell(&line));
        listen.wait_for(From::Stderr, &["fresh", user]);
        listen.wait_for(From::Stderr, &["fresh", "user channel"]);
        let push = sandbox.wait_for(From::Stdout, &[" push "]);
        finish(&mut in_shell(&push)).expect(0);
        listen.wait_for(From::Stdout, &["event_created"]);
        let cut = sandbox.wait_for(From::Stdout, &[" cut "]);
        finish(&mut in_shell(&cut)).expect(0);
        listen.wait_for(From::Stdout, &["resync_needed", "user channel"]);
        listen.interrupt().expect(130);
    }
    let done = sandbox.interrupt().expect(130);
    assert_eq!(done.stderr, "", "--quiet");
}

#[test]
fn several_users_log_in_each_with_a_password_of_their_own() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "a secret\nand more").unwrap();
    let bert = format!("8:bert:{}", file.path().display());
    let mut command = vms_pusher(&["sandbox", "--bind", "127.0.0.1:0", "--user", "7:anna", "--user", &bert, "--quiet"]);
    let sandbox = Running::start(&mut command);
    for login in ["anna", "bert"] {
        let line = sandbox.wait_for(From::Stdout, &["VMS_PASSWORD=", &format!("--login {login}")]);
        assert!(!line.contains("a secret"), "{line}");
        let listen = Running::start(&mut in_shell(&line));
        listen.wait_for(From::Stderr, &["fresh", "user channel"]);
        listen.interrupt().expect(130);
    }
    let line = sandbox.wait_for(From::Stdout, &["bert, password in "]);
    assert!(line.contains(file.path().to_str().unwrap()), "{line}");
    sandbox.interrupt().expect(130);
}

#[test]
fn a_user_that_makes_no_sense_is_refused() {
    for user in ["anna", "x:anna", "7:", "7:anna:", ":anna"] {
        run(&["sandbox", "--user", user]).expect(2).says(&["--user", "ID:NAME"]);
    }
    run(&["sandbox", "--user", "7:anna:/does/not/exist"]).expect(1).says(&["--user"]);
    let empty = tempfile::NamedTempFile::new().unwrap();
    run(&["sandbox", "--user", &format!("7:anna:{}", empty.path().display())]).expect(2).says(&["user 7", "empty"]);
    for second in ["7:bert", "8:anna"] {
        let both = run(&["sandbox", "--bind", "127.0.0.1:0", "--user", "7:anna", "--user", second]);
        both.expect(2).says(&["users", "same"]);
    }
}

// T03
#[test]
fn a_certificate_of_its_own_is_trusted_by_the_command_lines_that_are_printed() {
    for host in [&[][..], &["--host", "localhost"]] {
        let mut command = vms_pusher(&["sandbox", "--bind", "127.0.0.1:0", "--tls", "--quiet"]);
        let sandbox = Running::start(command.args(host));
        let trust = sandbox.wait_for(From::Stdout, &["To trust it: --ca "]);
        let line = sandbox.wait_for(From::Stdout, &["VMS_TOKEN=", " listen ", "--base-url https://", " --ca "]);
        let listen = Running::start(&mut in_shell(&line));
        listen.wait_for(From::Stderr, &["fresh", "user channel"]);
        let cut = sandbox.wait_for(From::Stdout, &[" cut ", " --ca "]);
        finish(&mut in_shell(&cut)).expect(0);
        listen.wait_for(From::Stdout, &["resync_needed", "user channel"]);
        listen.interrupt().expect(130);

        let file = trust.split("--ca ").nth(1).and_then(|rest| rest.split(',').next()).unwrap().trim_matches('\'');
        assert!(std::fs::read_to_string(file).unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
        let distrusting = cut.replace(&format!(" --ca {file}"), "");
        assert!(distrusting.len() < cut.len(), "{cut}");
        finish(&mut in_shell(&distrusting)).expect(6).says(&["certificate"]);
        sandbox.interrupt().expect(130);
        assert!(!std::path::Path::new(file).exists());
    }
}

#[test]
fn the_sandbox_plays_its_day_when_somebody_listens() {
    let (_sandbox, needed) = sandbox(&["--scenario", "--loop"]);
    let mut listen = vms_pusher(&["listen", "--base-url", text(&needed, "base_url"), "--login", "demo"]);
    let listen = Running::start(listen.env("VMS_PASSWORD", "demo"));
    listen.wait_for(From::Stdout, &["cameras_update"]);
    listen.wait_for(From::Stdout, &["add_favorite_camera"]);
    listen.interrupt().expect(130);
    run(&["sandbox", "--loop"]).expect(2).says(&["--scenario"]);
}

#[test]
fn sigterm_ends_the_sandbox_without_an_error() {
    let (sandbox, _) = sandbox(&["--profile", "reverb"]);
    sandbox.signal(rustix::process::Signal::TERM);
    sandbox.finish().expect(0);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    run(&["sandbox", "--bind", &address]).expect(1).says(&[&address, "--bind 127.0.0.1:0"]);
}

#[test]
fn an_unknown_type_is_refused_with_the_nearest_ones() {
    let refused = run(&["push", "mark_creatd"]).expect(2);
    refused.says(&["mark_creatd", "did you mean `mark_created`", "push --list"]);
    run(&["push", "zzzzzzzzzz"]).expect(2).says(&["zzzzzzzzzz", "push --list"]);
    run(&["push"]).expect(2).says(&["TYPE"]);
}

#[test]
fn every_type_is_listed_and_its_body_is_one_to_push() {
    let listed = run(&["push", "--list"]).expect(0).stdout;
    assert_eq!(listed.lines().count(), EVENT_TYPES.len());
    for (line, row) in listed.lines().zip(EVENT_TYPES) {
        assert_eq!(line.split_whitespace().next(), Some(row.name));
    }
    let shown = run(&["push", "mark_created", "--show"]).expect(0).stdout;
    let row = EVENT_TYPES.iter().find(|row| row.name == "mark_created").unwrap();
    assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), row.default_body());
}

#[test]
fn a_body_that_cannot_be_read_is_named() {
    let mut body = tempfile::NamedTempFile::new().unwrap();
    write!(body, "{{\n  \"id\": }}").unwrap();
    let path = body.path().to_str().unwrap();
    run(&["push", "mark_created", "--data", path]).expect(2).says(&[path, "not JSON", "line 2"]);
    run(&["push", "mark_created", "--data", "/does/not/exist"]).expect(1).says(&["/does/not/exist", "--data"]);
}

#[test]
fn the_sandbox_that_is_not_there_is_named() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    for command in [
        vec!["push", "mark_created"],
        vec!["cut"],
        vec!["logout"],
        vec!["expire"],
        vec!["fault", "ping"],
        vec!["state"],
    ] {
        let done = finish(vms_pusher(&command).args(["--sandbox", &url])).expect(6);
        done.says(&["no sandbox at", &url, "vms-pusher sandbox"]);
    }
    run(&["cut", "--sandbox", "nonsense"]).expect(2).says(&["--sandbox"]);
}

#[test]
fn what_the_sandbox_refuses_is_told() {
    let desk = Desk::new();
    let url = desk.sandbox.base_url();
    run(&["push", "mark_created", "--to", "user:7", "--sandbox", &url]).expect(6).says(&["422", "no user 7", &url]);
    run(&["push", "mark_created", "--to", "someone"]).expect(2).says(&["--to", "user:ID"]);
    run(&["cut", "--to", "someone"]).expect(2).says(&["--to", "latest"]);
    run(&["cut", "--to", "user:7", "--reset", "--sandbox", &url]).expect(0);
    let closed = Desk::with(SandboxConfig { control: false, ..SandboxConfig::default() });
    let url = closed.sandbox.base_url();
    run(&["cut", "--sandbox", &url]).expect(6).says(&["404", &url, "--allow-remote-control"]);
}
