//! Several accounts at once.

use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;
use vms_sandbox::{Push, SandboxConfig, Target, UserConfig};

use crate::support::{Desk, Finished, From, Running, finish, run, vms_pusher};

/// A VMS with two users, and what two accounts need: one with a token, one with a password.
struct Two {
    desk: Desk,
    folder: TempDir,
}

impl Two {
    fn new() -> Self {
        let users = vec![UserConfig::new(42, "demo", "demo"), UserConfig::new(7, "other", "secret")];
        let desk = Desk::with(SandboxConfig { users, ..SandboxConfig::default() });
        let two = Self { desk, folder: tempfile::tempdir().unwrap() };
        two.write("anna.token", &two.desk.session.access_token);
        two.write("bob.password", "secret\n");
        two
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path: PathBuf = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The first finds its host in its file, the second on the command line.
    fn files(&self) -> [String; 2] {
        let id = &self.desk.session.access_token_id;
        let base_url = self.desk.sandbox.base_url();
        let anna = format!(
            "# with a token\nbase-url = {base_url}\nuser-id = 42\naccess-token-id = {id}\ntoken-file = anna.token\n"
        );
        [
            self.write("anna.account", &anna),
            self.write("second", "name = bob\nlogin = other\npassword-file = bob.password\n"),
        ]
    }

    fn listen(&self, more: &[&str]) -> Running {
        let [anna, bob] = self.files();
        let base_url = self.desk.sandbox.base_url();
        let mut listen = vms_pusher(&["listen", "--account", &anna, "--account", &bob, "--base-url", &base_url]);
        Running::start(listen.args(more))
    }

    fn push(&self, event: &str, user_id: i64) {
        let pushed = self.desk.sandbox.push(Push::new(event).to(Target::User(user_id)));
        assert_eq!(self.desk.block_on(pushed).unwrap().sockets, 1, "{event}");
    }
}

#[test]
fn every_line_says_which_account_it_is_of() {
    let two = Two::new();
    let (text, json) = (two.listen(&[]), two.listen(&["--json"]));
    for account in ["anna", "bob"] {
        text.wait_for(From::Stderr, &[&format!("Z  {account:<6}  fresh"), "user channel"]);
        json.wait_for(From::Stdout, &[&format!(r#""account":"{account}""#), r#""change":"fresh","channel":"user""#]);
    }
    for (event, user_id) in [("groups_updated", 42), ("layouts_updated", 7)] {
        let pushed = two.desk.sandbox.push(Push::new(event).to(Target::User(user_id)));
        assert_eq!(two.desk.block_on(pushed).unwrap().sockets, 2, "{event}");
    }
    text.wait_for(From::Stdout, &["Z  anna    groups_update"]);
    text.wait_for(From::Stdout, &["Z  bob     layouts_update"]);
    json.wait_for(From::Stdout, &[r#","account":"anna","#, r#""type":"groups_update""#]);
    json.wait_for(From::Stdout, &[r#","account":"bob","#, r#""type":"layouts_update""#]);
    text.interrupt().expect(130);
    let done = json.interrupt().expect(130);
    for line in done.stdout.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(["anna", "bob"].contains(&line["account"].as_str().unwrap()), "{line}");
    }
}

#[test]
fn events_are_counted_over_all_accounts() {
    let two = Two::new();
    let listen = two.listen(&["--count", "2"]);
    for account in ["anna", "bob"] {
        listen.wait_for(From::Stderr, &[account, "fresh", "user channel"]);
    }
    two.push("groups_updated", 42);
    two.push("groups_updated", 7);
    let done = listen.finish().expect(0);
    assert_eq!(done.stdout.lines().count(), 2, "{}", done.stdout);
}

#[test]
fn an_account_that_ends_does_not_end_the_others_and_its_exit_code_remains() {
    let two = Two::new();
    two.write("anna.token", "not-the-token");
    let listen = two.listen(&["--json", "--count", "1"]);
    listen.wait_for(From::Stderr, &["error: anna: ", "401"]);
    listen.wait_for(From::Stdout, &[r#""account":"bob""#, r#""change":"fresh","channel":"user""#]);
    two.push("groups_updated", 7);
    let done = listen.finish().expect(4).says(&["1 of 2 accounts ended early, first: anna: ", "tip: "]);
    let failures: Vec<Value> = lines_with(&done, r#""item":"error""#);
    let [of_account, last] = failures.as_slice() else { panic!("{failures:#?}") };
    assert_eq!((&of_account["account"], &of_account["exit_code"]), (&"anna".into(), &Value::Null), "{of_account}");
    assert_eq!((&last["account"], &last["exit_code"]), (&Value::Null, &4.into()), "{last}");
}

#[test]
fn without_an_account_left_it_ends() {
    let two = Two::new();
    two.write("anna.token", "not-the-token");
    two.write("bob.password", "not-the-password");
    let done = two.listen(&[]).finish().expect(4).says(&["error: anna: ", "error: bob: cannot log in"]);
    assert!(done.stderr.contains("2 of 2 accounts ended early, first: "), "{}", done.stderr);
}

fn lines_with(done: &Finished, part: &str) -> Vec<Value> {
    done.stdout.lines().filter(|line| line.contains(part)).map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn what_is_wrong_with_an_account_is_told_with_its_file() {
    let two = Two::new();
    let file = |text: &str| two.write("carl.account", text);
    let listen = |path: &str| finish(&mut vms_pusher(&["listen", "--account", path]));
    listen(&file("login = x")).expect(2).says(&["carl.account", "no `base-url`", "tip: "]);
    listen(&file("base-url = nonsense\nlogin = x")).expect(2).says(&["carl: --base-url", "nonsense"]);
    listen(&file("password = canary-5f2d8c")).expect(2).says(&["carl.account: line 1: a password", "password-file"]);
    let bad = listen(&file("base-url = http://127.0.0.1:1\ncanary-5f2d8c")).expect(2).says(&["line 2"]);
    assert!(!bad.stderr.contains("canary"), "{}", bad.stderr);
    listen(&file("base-url = http://127.0.0.1:1\nlogin = x\npassword-file = none")).expect(1).says(&["carl: "]);
    listen("/does/not/exist").expect(1).says(&["/does/not/exist", "--account"]);
    let [anna, _] = two.files();
    let base = ["--base-url", "http://127.0.0.1:1"];
    run(&[&["listen", "--account", &anna, "--account", &anna], &base[..]].concat())
        .expect(2)
        .says(&["another account has the name `anna`"]);
    run(&[&["listen", "--account", &anna, "--login", "x"], &base[..]].concat()).expect(2).says(&["--account"]);
}
