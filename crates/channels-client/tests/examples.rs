//! Every example runs against the sandbox's server and does what it says.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what is wrong by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use channels_sandbox::{Ending, Outbound, RawData, RawPush, Server, ServerConfig, Sockets};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Long enough for any machine; nothing waits that long unless something is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// Those with a test of their own here.
const EXAMPLES: [&str; 10] = [
    "cache",
    "callbacks",
    "client_events",
    "encrypted",
    "http_authorizer",
    "own_authorizer",
    "presence",
    "private",
    "public",
    "sign_in",
];

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
        "`cargo build -p channels-client --examples` builds {}, which is not there or outdated",
        path.display()
    );
    Command::new(path)
}

/// An example at work.
struct Running {
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(server: &Server, example: &str, environment: &[(&str, &str)]) -> Self {
        let mut command = program(example);
        command.env("CHANNELS_URL", server.socket_url()).env("CHANNELS_KEY", &server.app().key);
        command.env("CHANNELS_AUTH", format!("{}/pusher/auth", server.base_url()));
        command.env("CHANNELS_USER_AUTH", format!("{}/pusher/user-auth", server.base_url()));
        command.envs(environment.iter().copied());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let input = child.stdin.take().unwrap();
        Self { child, input, lines }
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

    async fn is_told(&mut self, line: &str) {
        self.input.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    async fn ends(self) -> bool {
        let Self { mut child, input, .. } = self;
        drop(input);
        tokio::time::timeout(PATIENCE, child.wait()).await.expect("it does not end").unwrap().success()
    }
}

async fn server() -> Server {
    Server::start(ServerConfig::default()).await.unwrap()
}

/// Publishes when somebody listens.
async fn publish(server: &Server, channel: &str, event: &str, data: &str) {
    server.wait_until(PATIENCE, |state| state.subscribers(channel) > 0).await.unwrap();
    let (channel, event, data) = (channel.to_owned(), event.to_owned(), RawData::Text(data.to_owned()));
    assert!(server.publish(RawPush { channel, event, data, except: None }).await.sockets > 0);
}

#[test]
fn every_example_has_a_test() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let there: BTreeSet<String> = files.filter_map(|name| name.strip_suffix(".rs").map(str::to_owned)).collect();
    assert_eq!(there, EXAMPLES.map(str::to_owned).into());
}

#[tokio::test]
async fn the_public_example_shows_events_and_the_reason_of_a_refusal() {
    let server = server().await;
    let mut running = Running::start(&server, "public", &[]);
    running.says("subscribed to news").await;
    publish(&server, "news", "added", "17").await;
    running.says("added: 17").await;
    server.cut(&Sockets::All);
    running.says("subscribed again: Gap").await;
    server.send(&Sockets::All, &Outbound::Close { code: 4001, reason: "no such app".to_owned() }).await;
    assert!(!running.ends().await);
}

#[tokio::test]
async fn the_http_authorizer_is_let_into_a_private_channel() {
    let server = server().await;
    let mut running = Running::start(&server, "http_authorizer", &[]);
    running.says("subscribed to private-orders").await;
    publish(&server, "private-orders", "paid", "17").await;
    running.says("paid: 17").await;
    publish(&server, "private-orders", "end", "").await;
    assert!(running.ends().await);
}

#[tokio::test]
async fn the_own_authorizer_declines_one_channel_and_signs_for_the_other() {
    let server = server().await;
    let mut running = Running::start(&server, "own_authorizer", &[]);
    running.says("the authorizer declined: private-closed is closed").await;
    running.says("subscribed to private-orders").await;
    assert!(running.ends().await);
}

#[tokio::test]
async fn the_callbacks_are_called_until_somebody_ends_them() {
    let server = server().await;
    let mut running = Running::start(&server, "callbacks", &[]);
    running.says("Connecting -> Connected").await;
    publish(&server, "weather", "added", "rain").await;
    running.says("added to weather: rain").await;
    publish(&server, "news", "end", "").await;
    assert!(running.ends().await);
    let state = server.wait_until(PATIENCE, |state| state.sockets.is_empty()).await.unwrap();
    let ending = state.ended.last().and_then(|socket| socket.ending.clone());
    assert!(matches!(ending, Some(Ending::ClosedByClient { code: Some(1000), .. })), "{ending:?}");
}

#[tokio::test]
async fn the_private_example_shows_the_events_of_one_name() {
    let server = server().await;
    let mut running = Running::start(&server, "private", &[]);
    running.says("subscribed to private-orders").await;
    publish(&server, "private-orders", "cancelled", "16").await;
    publish(&server, "private-orders", "placed", "17").await;
    running.says("placed: 17").await;
    server.send(&Sockets::All, &Outbound::Close { code: 4001, reason: "no such app".to_owned() }).await;
    assert!(running.ends().await);
}

#[tokio::test]
async fn two_chat_on_a_presence_channel() {
    let server = server().await;
    let mut ann = Running::start(&server, "presence", &[("CHANNELS_USER", "ann")]);
    ann.says("1 here").await;
    let mut bob = Running::start(&server, "presence", &[("CHANNELS_USER", "bob")]);
    bob.says("2 here").await;
    ann.says("bob came").await;
    bob.is_told("hello").await;
    ann.says(r#"bob: "hello""#).await;
    assert!(bob.ends().await);
    ann.says("bob left").await;
    assert!(ann.ends().await);
}

#[tokio::test]
async fn the_encrypted_example_shows_the_plaintext() {
    let server = server().await;
    let mut running = Running::start(&server, "encrypted", &[]);
    running.says("Subscribed").await;
    let channel = "private-encrypted-letters";
    server.publish_encrypted(channel.to_owned(), "letter".to_owned(), r#"{"to":"bob"}"#).await;
    running.says(r#"letter: {"to":"bob"}"#).await;
    publish(&server, channel, "letter", "plain").await;
    running.says("letter cannot be read").await;
}

#[tokio::test]
async fn client_events_reach_the_others_and_what_cannot_be_sent_is_said() {
    let server = server().await;
    let mut first = Running::start(&server, "client_events", &[]);
    first.says("not sent: `moved` is not the name of a client event").await;
    first.says("Subscribed").await;
    let mut second = Running::start(&server, "client_events", &[]);
    second.says("Subscribed").await;
    first.says(r#"client-moved: {"from":"e2","to":"e4"}"#).await;
    publish(&server, "private-game", "client-resigned", "{}").await;
    assert!(first.ends().await && second.ends().await);
}

#[tokio::test]
async fn the_user_gets_what_is_for_that_user_alone() {
    let server = server().await;
    let mut running = Running::start(&server, "sign_in", &[]);
    running.says("signed in as ann").await;
    server.wait_until(PATIENCE, |state| state.channels.contains_key("#server-to-user-ann")).await.unwrap();
    server.publish_to_user("ann", "greeting".to_owned(), RawData::Text("hello".to_owned())).await;
    running.says("for me: greeting: hello").await;
}

#[tokio::test]
async fn the_cached_event_comes_with_the_subscription() {
    let server = server().await;
    let mut first = Running::start(&server, "cache", &[]);
    first.says("no price yet").await;
    publish(&server, "cache-price", "price", "17").await;
    first.says("price: 17").await;
    let mut second = Running::start(&server, "cache", &[]);
    second.says("price: 17").await;
}
