//! The profile `sockudo` of the sandbox beside Sockudo itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure ends the test")]

use std::net::SocketAddr;
use std::time::Duration;

use e2e::{App, SockudoServer};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};
use vms_sandbox::{Profile, Sandbox, SandboxConfig};

/// Longer than any server takes for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

// What the tests on the profile prove, they prove of Sockudo as far as this holds.
#[tokio::test]
async fn the_profile_answers_every_message_as_sockudo_does() {
    let sandbox = Sandbox::start(SandboxConfig::with_profile(Profile::Sockudo)).await.unwrap();
    let (key, secret) = (sandbox.app_key().to_owned(), sandbox.app_secret().to_owned());
    let sockudo = SockudoServer::start(App { id: "vms".to_owned(), key, secret }).await;

    let expected = answers(&sandbox, sockudo.address()).await;
    let given = answers(&sandbox, sandbox.local_addr()).await;

    for (given, expected) in given.iter().zip(&expected) {
        assert_eq!(given, expected);
    }
    assert_eq!(given.len(), expected.len());
}

/// Each message with what comes back before the pong of a ping that was sent behind it.
async fn answers(sandbox: &Sandbox, address: SocketAddr) -> Vec<(String, Vec<Value>)> {
    let tcp = TcpStream::connect(address).await.unwrap();
    let url = format!("ws://sockudo/app/{}?protocol=7", sandbox.app_key());
    let (mut socket, _) = Box::pin(client_async(url, tcp)).await.unwrap();
    let greeting = next(&mut socket).await;
    let data: Value = serde_json::from_str(greeting["data"].as_str().unwrap()).unwrap();
    let mut answers = vec![("the timeout".to_owned(), vec![data["activity_timeout"].clone()])];
    for message in messages(sandbox, data["socket_id"].as_str().unwrap()) {
        socket.send(Message::text(message.clone())).await.unwrap();
        socket.send(Message::text(r#"{"event":"pusher:ping","data":{}}"#)).await.unwrap();
        let mut events = Vec::new();
        loop {
            let mut event = next(&mut socket).await;
            if event["event"] == "pusher:pong" {
                break;
            }
            if event["event"] == "pusher:error" {
                // Its words are for people.
                event["data"]["message"].take();
            }
            events.push(event);
        }
        // The signature is of the socket.
        answers.push((message.split("\"auth\"").next().unwrap_or_default().to_owned(), events));
    }
    answers
}

fn messages(sandbox: &Sandbox, socket_id: &str) -> Vec<String> {
    let subscribe =
        |channel: &str, auth: &str| json!({"event": "pusher:subscribe", "data": {"channel": channel, "auth": auth}});
    let signed = |channel: &str| subscribe(channel, &sandbox.sign(socket_id, channel));
    let other_key = sandbox.sign(socket_id, "private-x").replacen(sandbox.app_key(), "other-key", 1);
    let mut messages: Vec<String> = [
        "no json",
        "{}",
        r#"{"a":1}"#,
        r#"{"event":"pusher:subscribe","data":{}}"#,
        r#"{"event":"pusher:subscribe","data":{"channel":"private-x"}}"#,
        r#"{"event":"pusher:unsubscribe","data":{}}"#,
        r#"{"event":"pusher:unsubscribe","data":{"channel":"never"}}"#,
        r#"{"event":"pusher:signin","data":{"auth":"a","user_data":"{}"}}"#,
        r#"{"event":"pusher:unheard_of","data":{}}"#,
        r#"{"event":"pusher:pong","data":{}}"#,
        r#"{"event":"whatever","data":{}}"#,
        r#"{"event":"client-x","channel":"private-y","data":{}}"#,
    ]
    .map(str::to_owned)
    .into();
    let (long, too_long) = ("x".repeat(200), "x".repeat(201));
    for channel in ["x", "", "not a name", &long, &too_long, "cache-x"] {
        messages.push(json!({"event": "pusher:subscribe", "data": {"channel": channel}}).to_string());
    }
    for auth in ["", "nonsense", "sandbox-key:00", &other_key] {
        messages.push(subscribe("private-x", auth).to_string());
    }
    for channel in ["private-y", "private-y", "private-cache-x"] {
        messages.push(signed(channel).to_string());
    }
    messages
}

async fn next(socket: &mut WebSocketStream<TcpStream>) -> Value {
    loop {
        let message = timeout(PATIENCE, socket.next()).await.expect("an answer").expect("an open socket").unwrap();
        if let Message::Text(text) = message {
            return serde_json::from_str(text.as_str()).unwrap();
        }
    }
}
