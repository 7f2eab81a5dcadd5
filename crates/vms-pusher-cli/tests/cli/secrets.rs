use std::process::Stdio;

use vms_sandbox::{Fault, FaultKind, SandboxConfig, Session, Sockets, TokenStatus, UpgradeAnswer, UserConfig};

use crate::support::{Desk, Finished, From, Running, finish, run, vms_pusher};

pub(crate) const CANARY: &str = "canary-5f2d8c";

pub(crate) fn desk_with_a_password() -> Desk {
    let users = vec![UserConfig::new(42, "anna", CANARY)];
    Desk::with(SandboxConfig { users, ..SandboxConfig::default() })
}

#[track_caller]
fn has_no_secret(done: &Finished, secrets: &[&str]) {
    for secret in secrets {
        assert!(!done.stdout.contains(secret), "a secret is on stdout:\n{}", done.stdout);
        assert!(!done.stderr.contains(secret), "a secret is on stderr:\n{}", done.stderr);
    }
}

/// The session that a login has opened.
fn newest(desk: &Desk) -> Session {
    desk.sandbox.sessions().pop().unwrap()
}

// Q01, Q03: the event on stdout is what the server sent; what the program says of it holds no token, old or new
#[test]
fn a_token_in_the_reason_of_a_logout_is_not_in_the_error_that_ends_it() {
    let desk = Desk::new();
    let first = desk.session.access_token.clone();
    let path = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(path.path(), &first).unwrap();
    let listen = Running::start(&mut desk.listen(&["--json", "--token-file", path.path().to_str().unwrap()]));
    for channel in ["user", "token"] {
        listen.wait_for(From::Stdout, &["fresh", &format!("\"channel\":\"{channel}\"")]);
    }
    let renewed = desk.sandbox.rotate_token(&desk.session.access_token_id).unwrap();
    std::fs::write(path.path(), &renewed).unwrap();
    desk.sandbox.cut(&Sockets::All);
    for channel in ["user", "token"] {
        listen.wait_for(From::Stdout, &["resync_needed", &format!("\"channel\":\"{channel}\"")]);
    }
    let reason = format!("ended {first} and {renewed}");
    desk.block_on(desk.sandbox.log_out(&desk.session.access_token_id, Some(&reason)));
    let done = listen.finish().expect(4);
    assert!(done.stderr.contains("ended *** and ***"), "{}", done.stderr);
    let last = done.stdout.lines().last().unwrap();
    assert!(last.contains("ended *** and ***"), "{last}");
    for token in [&first, &renewed] {
        assert!(!done.stderr.contains(token) && !last.contains(token), "{}\n{last}", done.stderr);
    }
}

#[test]
fn the_token_comes_from_a_file_which_is_read_again_for_every_socket() {
    let desk = Desk::new();
    let path = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(path.path(), format!("{}\n", desk.session.access_token)).unwrap();
    let mut listen = desk.listen(&["--token-file", path.path().to_str().unwrap()]);
    let listen = Running::start(listen.env("VMS_TOKEN", "not-this-one"));
    listen.wait_for(From::Stderr, &["fresh", "user channel"]);
    // The next socket needs the new one.
    let renewed = desk.sandbox.rotate_token(&desk.session.access_token_id).unwrap();
    std::fs::write(path.path(), &renewed).unwrap();
    desk.sandbox.cut(&Sockets::All);
    listen.wait_for(From::Stdout, &["resync_needed", "user channel"]);
    has_no_secret(&listen.interrupt().expect(130), &[&renewed, &desk.session.access_token]);
}

// A02: who rewrites the file may be slow.
#[test]
fn a_token_file_that_is_being_rewritten_is_waited_for() {
    let desk = Desk::new();
    let path = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(path.path(), format!("\u{feff}{}\n", desk.session.access_token)).unwrap();
    let mut listen = desk.listen(&["--token-file", path.path().to_str().unwrap()]);
    let listen = Running::start(listen.env_remove("VMS_TOKEN"));
    listen.wait_for(From::Stderr, &["fresh", "user channel"]);
    for text in [String::new(), format!("{CANARY}\n{CANARY}\n")] {
        let asked = desk.sandbox.requests().len();
        std::fs::write(path.path(), text).unwrap();
        desk.sandbox.cut(&Sockets::All);
        listen.wait_for(From::Stderr, &["connected → reconnecting"]);
        let again = desk.sandbox.wait_until(crate::support::PATIENCE, |state| !state.sockets.is_empty());
        desk.block_on(again).unwrap();
        std::fs::write(path.path(), &desk.session.access_token).unwrap();
        desk.wait_subscribed(&listen);
        for request in desk.sandbox.requests().split_off(asked) {
            let bearer = request.header("authorization").map(str::to_owned);
            assert_eq!(bearer, Some(format!("Bearer {}", desk.session.access_token)), "{}", request.path);
        }
    }
    has_no_secret(&listen.interrupt().expect(130), &[CANARY, &desk.session.access_token]);
}

// A02
#[test]
fn a_token_file_without_one_token_at_the_start_is_an_error_of_the_settings_as_the_help_says() {
    for text in ["", "\n", "\u{feff}", "canary-5f2d8c\ncanary-5f2d8c\n"] {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let path = file.path().to_str().unwrap();
        let done = run(&["listen", "--base-url", "http://127.0.0.1:1", "--token-file", path]).expect(2);
        has_no_secret(&done, &[CANARY]);
        done.says(&["the file of --token-file", "tip: "]);
    }
    let help = run(&["listen", "--help"]).expect(0).stdout;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let promise = "While it is empty or holds more than one token, as during a rewrite, nothing is sent, and the file is \
                   read again a little later. At the start, however, that is an error in the settings (exit code 2).";
    assert!(help.contains(promise), "{help}");
}

// Q05: a token in the place of the name of a file.
#[test]
fn a_token_given_as_a_file_is_not_repeated() {
    let (path, long) = (format!("/{CANARY}/x=="), format!("{CANARY}{}", "y".repeat(5_000)));
    for token in [CANARY, path.as_str(), long.as_str()] {
        for more in [&[] as &[&str], &["--json"]] {
            let mut listen = vms_pusher(&["listen", "--base-url", "http://127.0.0.1:1", "--token-file", token]);
            let done = finish(listen.args(more)).expect(1);
            has_no_secret(&done, &[CANARY]);
            done.says(&["--token-file", "tip: --token-file takes the name of a file"]);
        }
    }
}

#[test]
fn the_token_comes_from_stdin() {
    let desk = Desk::new();
    let mut listen = desk.listen(&["--token-file", "-"]);
    let mut listen = Running::start(listen.env_remove("VMS_TOKEN").stdin(Stdio::piped()));
    listen.type_in(&format!("{}\r\n", desk.session.access_token));
    desk.wait_subscribed(&listen);
    has_no_secret(&listen.interrupt().expect(130), &[&desk.session.access_token]);
}

#[test]
fn a_login_takes_the_password_from_the_environment() {
    let desk = desk_with_a_password();
    let mut listen = vms_pusher(&["listen", "--base-url", &desk.sandbox.base_url(), "--login", "anna"]);
    let listen = Running::start(listen.env("VMS_PASSWORD", CANARY));
    listen.wait_for(From::Stderr, &["fresh", "token channel"]);
    let token = newest(&desk).access_token;
    has_no_secret(&listen.interrupt().expect(130), &[CANARY, &token]);
}

#[test]
fn a_login_takes_the_password_from_stdin() {
    let desk = desk_with_a_password();
    let mut listen = vms_pusher(&["listen", "--base-url", &desk.sandbox.base_url(), "--login", "anna"]);
    let mut listen = Running::start(listen.stdin(Stdio::piped()));
    listen.type_in(&format!("{CANARY}\nnot this line\n"));
    listen.wait_for(From::Stderr, &["fresh", "token channel"]);
    has_no_secret(&listen.interrupt().expect(130), &[CANARY]);
}

// Q05
#[test]
fn a_secret_in_an_argument_is_refused_and_not_repeated() {
    for secret in [
        &["--token", CANARY] as &[&str],
        &["--token=canary-5f2d8c"],
        &["--bearer", CANARY],
        &["--access-token", CANARY],
        &["--password", CANARY],
        &["--pass=canary-5f2d8c"],
        &["-p", CANARY],
        &["-pcanary-5f2d8c"],
        &[CANARY],
        &["--", CANARY],
        &["--tokken=canary-5f2d8c"],
        &["--secret", CANARY],
    ] {
        let mut listen = vms_pusher(&["listen", "--base-url", "http://127.0.0.1:1"]);
        let done = finish(listen.args(secret).env("VMS_TOKEN", "x")).expect(2);
        has_no_secret(&done, &[CANARY]);
        assert!(done.stderr.contains("error: "), "{}", done.stderr);
    }
    run(&["listen", "--base-url", "http://127.0.0.1:1", "--token", CANARY]).says(&["VMS_TOKEN", "--token-file"]);
    run(&["listen", "--base-url", "http://127.0.0.1:1", "--password", CANARY]).says(&["VMS_PASSWORD", "stdin"]);
}

// Q02
#[test]
fn a_password_in_a_url_is_refused_and_not_repeated() {
    for password in [CANARY.to_owned(), format!("pa/{CANARY}"), format!("pa#{CANARY}"), format!("pa@{CANARY}")] {
        let (http, ws) = (format!("http://anna:{password}@127.0.0.1:1"), format!("ws://anna:{password}@127.0.0.1:1"));
        for arguments in [
            vec!["listen", "--base-url", &http],
            vec!["listen", "--base-url", "http://127.0.0.1:1", "--socket-url", &ws],
            vec!["push", "mark_created", "--sandbox", &http],
        ] {
            let done = finish(vms_pusher(&arguments).env("VMS_TOKEN", "x")).expect(2);
            has_no_secret(&done, &[CANARY]);
            done.says(&["***@127.0.0.1:1", "must not contain a user or password"]);
        }
    }
}

// Q01, Q03: whatever goes wrong, the token stays where it is.
#[test]
fn no_failure_shows_the_token() {
    let desk = Desk::new();
    let token = &desk.session.access_token;
    let ca = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(ca.path(), token).unwrap();
    for arguments in [
        vec!["--app-key", "wrong-key"],
        vec!["--socket-url", "http://example.com"],
        vec!["--ca", ca.path().to_str().unwrap()],
        vec!["--ca", "/does/not/exist"],
        vec!["--user-id", "-1"],
    ] {
        let done = finish(&mut desk.listen(&arguments));
        assert_ne!(done.code, Some(0), "{}", done.stderr);
        has_no_secret(&done, &[token]);
    }
    desk.sandbox.inject(Fault::always(FaultKind::Upgrade { answer: UpgradeAnswer::Html }));
    let listen = Running::start(&mut desk.listen(&["--json"]));
    listen.wait_for(From::Stdout, &[r#""item":"error""#]);
    has_no_secret(&listen.interrupt().expect(130), &[token]);
    desk.sandbox.set_token_status(&desk.session.access_token_id, TokenStatus::Revoked);
    has_no_secret(&finish(&mut desk.listen(&[])).expect(4), &[token]);
    let bad = finish(desk.listen(&[]).env("VMS_TOKEN", format!("{CANARY}\n{CANARY}"))).expect(2);
    has_no_secret(&bad, &[CANARY]);
}

#[test]
fn what_is_missing_is_named() {
    let listen = |arguments: &[&str]| {
        let mut command = vms_pusher(&["listen", "--base-url", "http://127.0.0.1:1"]);
        command.args(arguments);
        command
    };
    finish(&mut listen(&[])).expect(2).says(&["no token", "VMS_TOKEN", "--token-file", "--login"]);
    finish(listen(&[]).env("VMS_TOKEN", " ")).expect(2).says(&["VMS_TOKEN is empty"]);
    finish(listen(&[]).env("VMS_TOKEN", "t")).expect(2).says(&["--user-id", "--access-token-id", "--login"]);
    finish(&mut listen(&["--login", "anna"])).expect(2).says(&["no password", "VMS_PASSWORD"]);
    finish(&mut listen(&["--token-file", "/does/not/exist"])).expect(1).says(&["--token-file", "No such file"]);
    finish(&mut listen(&["--login", "anna", "--token-file", "x"])).expect(2);
    run(&["listen"]).expect(2).says(&["--base-url"]);
}
