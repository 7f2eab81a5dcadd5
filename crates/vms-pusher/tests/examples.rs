//! Every example runs against the sandbox, does what it says, and ends by itself.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what is wrong by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use vms_sandbox::{Activity, Ending, Push, Sandbox, SandboxConfig, Session, Target, TokenStatus, UserConfig};

/// Long enough for any machine; nothing waits that long unless something is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// Those with a test of their own here.
const EXAMPLES: [&str; 8] =
    ["accounts", "delegate", "new_session", "own_test", "rest", "shutdown", "stream", "token_provider"];

fn source_of(example: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/{example}.rs"))
}

/// The program of an example. `cargo test` builds it with the tests; with `--all-targets`, or for this test alone, it has to be
/// there.
fn program(example: &str) -> Command {
    let tests = std::env::current_exe().unwrap();
    let path = tests.parent().unwrap().parent().unwrap().join("examples").join(example);
    let built = std::fs::metadata(&path).and_then(|file| file.modified());
    let written = std::fs::metadata(source_of(example)).and_then(|file| file.modified()).unwrap();
    let is_current = built.is_ok_and(|built| built >= written);
    assert!(
        is_current,
        "`cargo build -p vms-pusher --examples` builds {}, which is not there or outdated",
        path.display()
    );
    Command::new(path)
}

/// An example at work.
struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(sandbox: &Sandbox, example: &str, environment: &[(&str, &str)]) -> Self {
        let mut command = program(example);
        command.env("VMS_URL", sandbox.base_url()).env("VMS_LOGIN", "demo").env("VMS_PASSWORD", "demo");
        command.envs(environment.iter().copied());
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Reads until a line says this.
    async fn says(&mut self, text: &str) {
        let mut said = Vec::new();
        let reading = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                if line.contains(text) {
                    return true;
                }
                said.push(line);
            }
            false
        };
        let has_said = tokio::time::timeout(PATIENCE, reading).await;
        assert!(has_said == Ok(true), "it does not say {text:?} but {said:#?}");
    }

    async fn ends(mut self) {
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it does not end").unwrap();
        assert!(status.success(), "{status}");
    }
}

async fn sandbox() -> Sandbox {
    Sandbox::start(SandboxConfig::default()).await.unwrap()
}

/// The newest of so many sessions, when it listens.
async fn listening(sandbox: &Sandbox, sessions: usize) -> Session {
    sandbox.wait_until(PATIENCE, |state| state.sessions.len() >= sessions).await.expect("it logs in");
    let session = sandbox.sessions().pop().unwrap();
    sandbox.wait_subscribed(&session, PATIENCE).await.expect("it listens");
    session
}

async fn push(sandbox: &Sandbox, session: &Session, kind: &str) {
    let delivered = sandbox.push(Push::new(kind).to(Target::User(session.user_id))).await.unwrap();
    assert_eq!(delivered.sockets, 1, "{kind}");
}

async fn log_out(sandbox: &Sandbox, session: &Session) {
    assert!(sandbox.log_out(&session.access_token_id, Some("bye")).await);
}

#[test]
fn every_example_has_a_test() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let there: BTreeSet<String> = files.filter_map(|name| name.strip_suffix(".rs").map(str::to_owned)).collect();
    assert_eq!(there, EXAMPLES.map(str::to_owned).into());
}

// A07
#[tokio::test]
async fn the_stream_shows_events_until_the_logout() {
    let sandbox = sandbox().await;
    let mut running = Running::start(&sandbox, "stream", &[]);
    let session = listening(&sandbox, 2).await;
    push(&sandbox, &session, "cameras_updated").await;
    running.says("cameras: Some").await;
    push(&sandbox, &session, "intercom.rename").await;
    running.says("intercom_renamed").await;
    log_out(&sandbox, &session).await;
    running.says(r#"logged out: Some("bye")"#).await;
    running.ends().await;
}

#[tokio::test]
async fn the_delegate_is_told_events_until_the_logout() {
    let sandbox = sandbox().await;
    let mut running = Running::start(&sandbox, "delegate", &[]);
    let session = listening(&sandbox, 2).await;
    running.says("connecting -> connected").await;
    push(&sandbox, &session, "intercom.store").await;
    running.says("intercom_stored").await;
    log_out(&sandbox, &session).await;
    running.says("-> disconnected").await;
    running.ends().await;
}

// A01, A06
#[tokio::test]
async fn the_token_provider_goes_on_with_a_token_that_was_renewed() {
    let sandbox = sandbox().await;
    let file = std::env::temp_dir().join(format!("vms-pusher-example-{}", std::process::id()));
    let mut running = Running::start(&sandbox, "token_provider", &[("VMS_TOKEN_FILE", file.to_str().unwrap())]);
    let session = listening(&sandbox, 2).await;
    std::fs::write(&file, sandbox.rotate_token(&session.access_token_id).unwrap()).unwrap();
    sandbox.cut(&vms_sandbox::Sockets::All);
    sandbox.wait_until(PATIENCE, |state| state.sockets_ever == 2).await.unwrap();
    sandbox.wait_subscribed(&session, PATIENCE).await.expect("it listens again");
    push(&sandbox, &session, "groups_updated").await;
    running.says("groups_update").await;
    log_out(&sandbox, &session).await;
    running.ends().await;
    std::fs::remove_file(file).unwrap();
}

// A03, A08
#[tokio::test]
async fn the_new_session_takes_over_from_one_that_is_no_longer_valid() {
    let sandbox = sandbox().await;
    let mut running = Running::start(&sandbox, "new_session", &[]);
    let first = listening(&sandbox, 2).await;
    sandbox.set_token_status(&first.access_token_id, TokenStatus::Revoked);
    sandbox.cut(&vms_sandbox::Sockets::All);
    running.says("logging in again").await;
    running.says("is back").await;
    let session = listening(&sandbox, 3).await;
    push(&sandbox, &session, "groups_updated").await;
    running.says("groups_update").await;
    log_out(&sandbox, &session).await;
    running.ends().await;
}

#[tokio::test]
async fn the_rest_example_changes_groups_and_is_told_when_it_is_done() {
    let sandbox = sandbox().await;
    let mut running = Running::start(&sandbox, "rest", &[]);
    running.says("it will be done").await;
    running.says("it is done").await;
    running.ends().await;
}

#[tokio::test]
async fn the_accounts_listen_side_by_side() {
    let users = vec![UserConfig::new(42, "ann", "demo"), UserConfig::new(43, "bob", "demo")];
    let sandbox = Sandbox::start(SandboxConfig { users, ..SandboxConfig::default() }).await.unwrap();
    let before = sandbox.sessions().len();
    let mut running = Running::start(&sandbox, "accounts", &[("VMS_LOGINS", "ann,bob")]);
    sandbox.wait_until(PATIENCE, |state| state.sessions.len() == before + 2).await.unwrap();
    for session in sandbox.sessions().split_off(before) {
        sandbox.wait_subscribed(&session, PATIENCE).await.unwrap();
        let name = if session.user_id == 42 { "ann" } else { "bob" };
        push(&sandbox, &session, "groups_updated").await;
        running.says(&format!("{name}: groups_update")).await;
        log_out(&sandbox, &session).await;
        running.says(&format!("{name} is logged out")).await;
    }
    running.ends().await;
}

#[tokio::test]
async fn the_test_of_ones_own_program_passes() {
    let mut running = Running::start(&sandbox().await, "own_test", &[]);
    running.says("ok").await;
    running.ends().await;
}

// D06, W19: as often as it is tried, and whether or not the server answers the close frame
#[tokio::test]
async fn the_shutdown_shows_the_server_a_close_frame_every_time() {
    for profile in [vms_sandbox::Profile::Pusher7, vms_sandbox::Profile::Push1st] {
        let sandbox = Sandbox::start(SandboxConfig { profile, ..SandboxConfig::default() }).await.unwrap();
        let mut activity = sandbox.activity();
        for round in 0..5 {
            let mut running = Running::start(&sandbox, "shutdown", &[]);
            let session = listening(&sandbox, 2 + round).await;
            push(&sandbox, &session, "groups_updated").await;
            running.says("groups_update").await;
            let pid = running.child.id().and_then(|id| Pid::from_raw(id.try_into().unwrap())).unwrap();
            kill_process(pid, Signal::INT).unwrap();
            running.ends().await;
            let ending = async {
                loop {
                    if let Activity::SocketEnded { ending, .. } = activity.recv().await.unwrap() {
                        return ending;
                    }
                }
            };
            let ending = tokio::time::timeout(PATIENCE, ending).await.expect("the socket is still there");
            assert!(matches!(ending, Ending::ClosedByClient { code: Some(1000), .. }), "{profile} {round}: {ending:?}");
        }
    }
}
