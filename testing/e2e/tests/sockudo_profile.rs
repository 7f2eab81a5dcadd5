//! The profile `sockudo` of the sandbox beside Sockudo itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure ends the test")]

use std::net::SocketAddr;
use std::time::Duration;

use channels_sandbox::{Profile, Server, ServerConfig};
use e2e::{App, Publisher, SockudoServer};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

/// Longer than any server takes for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

// What the tests on the profile prove, they prove of Sockudo as far as this holds.
#[tokio::test]
async fn the_profile_answers_every_message_as_sockudo_does() {
    let (sandbox, sockudo) = servers().await;

    let expected = answers(&sandbox, sockudo.address()).await;
    let given = answers(&sandbox, sandbox.local_addr()).await;

    assert_same(&given, &expected);
}

// Members, client events, users, watchlists, cached and encrypted events.
#[tokio::test]
async fn the_profile_tells_the_others_what_sockudo_tells_them() {
    let (sandbox, sockudo) = servers().await;

    let given = story(&sandbox, sandbox.local_addr(), None).await;
    let expected = story(&sandbox, sockudo.address(), Some(&given)).await;

    assert_same(&given, &expected);
}

/// Shows every difference at once.
fn assert_same<T: PartialEq + std::fmt::Debug>(given: &[T], expected: &[T]) {
    let differences: Vec<_> = given.iter().zip(expected).filter(|(given, expected)| given != expected).collect();
    assert!(differences.is_empty(), "the profile and Sockudo: {differences:#?}");
    assert_eq!(given.len(), expected.len());
}

/// Both with the same application.
async fn servers() -> (Server, SockudoServer) {
    let sandbox = Server::start(ServerConfig::with_profile(Profile::Sockudo)).await.unwrap();
    let sockudo = SockudoServer::start(app(&sandbox)).await;
    (sandbox, sockudo)
}

fn app(sandbox: &Server) -> App {
    let app = sandbox.app().clone();
    App { id: app.id, key: app.key, secret: app.secret }
}

type Socket = WebSocketStream<TcpStream>;

async fn connect(sandbox: &Server, address: SocketAddr) -> (Socket, Value) {
    let tcp = TcpStream::connect(address).await.unwrap();
    let url = format!("ws://sockudo/app/{}?protocol=7", sandbox.app().key);
    let (mut socket, _) = Box::pin(client_async(url, tcp)).await.unwrap();
    let greeting = next(&mut socket).await;
    (socket, serde_json::from_str(greeting["data"].as_str().unwrap()).unwrap())
}

/// Each message with what comes back before the pong of a ping that was sent behind it.
async fn answers(sandbox: &Server, address: SocketAddr) -> Vec<(String, Vec<Value>)> {
    let (mut socket, data) = connect(sandbox, address).await;
    let mut answers = vec![("the timeout".to_owned(), vec![data["activity_timeout"].clone()])];
    for message in messages(sandbox, data["socket_id"].as_str().unwrap()) {
        socket.send(Message::text(message.clone())).await.unwrap();
        let events = until_pong(&mut socket).await;
        answers.push((label(&message), events));
    }
    answers
}

/// A message without its signature, which is of the socket.
fn label(message: &str) -> String {
    let Ok(mut message) = serde_json::from_str::<Value>(message) else { return message.to_owned() };
    if let Some(data) = message["data"].as_object_mut() {
        data.remove("auth");
    }
    message.to_string()
}

/// What arrives before the pong of a ping that is sent now.
async fn until_pong(socket: &mut Socket) -> Vec<Value> {
    socket.send(Message::text(r#"{"event":"pusher:ping","data":{}}"#)).await.unwrap();
    let mut events = Vec::new();
    loop {
        let event = next(socket).await;
        if event["event"] == "pusher:pong" {
            return events;
        }
        events.push(event);
    }
}

fn messages(sandbox: &Server, socket_id: &str) -> Vec<String> {
    let sign = |channel: &str| sandbox.app().authorize(socket_id, channel, None);
    let subscribe =
        |channel: &str, auth: &str| json!({"event": "pusher:subscribe", "data": {"channel": channel, "auth": auth}});
    let other_key = sign("private-x").replacen(&sandbox.app().key, "other-key", 1);
    let mut messages: Vec<String> = [
        "no json",
        "{}",
        r#"{"a":1}"#,
        r#"{"event":"pusher:subscribe","data":{}}"#,
        r#"{"event":"pusher:subscribe","data":{"channel":"private-x"}}"#,
        r#"{"event":"pusher:unsubscribe","data":{}}"#,
        r#"{"event":"pusher:unsubscribe","data":{"channel":"never"}}"#,
        r#"{"event":"pusher:signin","data":{"auth":"a","user_data":"{}"}}"#,
        r#"{"event":"pusher:signin","data":{"auth":"a","user_data":"{\"id\":\"ann\"}"}}"#,
        r#"{"event":"pusher:unheard_of","data":{}}"#,
        r#"{"event":"pusher:pong","data":{}}"#,
        r#"{"event":"whatever","data":{}}"#,
        r#"{"event":"client-x","channel":"private-y","data":{}}"#,
        r#"{"event":"client-x","channel":"x","data":{}}"#,
    ]
    .map(str::to_owned)
    .into();
    let (long, too_long) = ("x".repeat(200), "x".repeat(201));
    for channel in ["x", "", "not a name", "#server-to-user-ann", &long, &too_long, "cache-x"] {
        messages.push(json!({"event": "pusher:subscribe", "data": {"channel": channel}}).to_string());
    }
    for auth in ["", "nonsense", "sandbox-key:00", &other_key] {
        messages.push(subscribe("private-x", auth).to_string());
    }
    for channel in ["private-y", "private-y", "private-cache-x", "private-encrypted-x", "private-encrypted-cache-x"] {
        messages.push(subscribe(channel, &sign(channel)).to_string());
    }
    for (event, channel) in [("x", "x"), ("x", "private-y"), ("x", "private-encrypted-x"), (&too_long, "private-y")] {
        messages.push(json!({"event": format!("client-{event}"), "channel": channel, "data": {}}).to_string());
    }
    messages
}

/// What somebody does, and what everybody receives then.
type Scene = (String, [Vec<Value>; 3]);

/// Three sockets talk to each other. What is awaited of a server is as many events as the other has sent.
async fn story(sandbox: &Server, address: SocketAddr, other: Option<&[Scene]>) -> Vec<Scene> {
    let mut sockets = Vec::new();
    let mut ids = Vec::new();
    for _ in 0..3 {
        let (socket, data) = connect(sandbox, address).await;
        sockets.push(socket);
        ids.push(data["socket_id"].as_str().unwrap().to_owned());
    }
    let mut publisher = Publisher::new(address, app(sandbox));
    let mut scenes = Vec::new();
    for (number, deed) in deeds(sandbox, &ids).into_iter().enumerate() {
        let (name, sender) = match &deed {
            Deed::Publish { channel, data } => {
                publisher.publish(channel, "news", data).await.unwrap();
                (format!("{number}: an event on {channel}"), None)
            }
            Deed::Send { from, message } => {
                sockets[*from].send(Message::text(message.clone())).await.unwrap();
                (format!("{number}: {from} sends {}", label(message)), Some(*from))
            }
        };
        let mut received = [Vec::new(), Vec::new(), Vec::new()];
        for (index, socket) in sockets.iter_mut().enumerate() {
            let awaited = other.and_then(|other| other.get(number)).map_or(0, |scene| scene.1[index].len());
            for _ in 0..awaited {
                let Ok(event) = timeout(PATIENCE, next(socket)).await else { break };
                received[index].push(event);
            }
        }
        // The sender's pong shows that its message has been handled, the others' that everything has arrived.
        let others = (0..sockets.len()).filter(|index| Some(*index) != sender && other.is_none());
        for index in sender.into_iter().chain(others) {
            received[index].extend(until_pong(&mut sockets[index]).await);
        }
        scenes.push((name, received));
    }
    scenes
}

enum Deed {
    Publish { channel: &'static str, data: String },
    Send { from: usize, message: String },
}

fn deeds(sandbox: &Server, ids: &[String]) -> Vec<Deed> {
    let app = sandbox.app();
    let send = |from: usize, message: Value| Deed::Send { from, message: message.to_string() };
    let subscribe = |from: usize, channel: &str| {
        let data = json!({"channel": channel, "auth": app.authorize(&ids[from], channel, None)});
        send(from, json!({"event": "pusher:subscribe", "data": data}))
    };
    let join = |from: usize, channel: &str, channel_data: &str| {
        let auth = app.authorize(&ids[from], channel, Some(channel_data));
        let data = json!({"channel": channel, "channel_data": channel_data, "auth": auth});
        send(from, json!({"event": "pusher:subscribe", "data": data}))
    };
    let unsubscribe = |from, channel| send(from, json!({"event": "pusher:unsubscribe", "data": {"channel": channel}}));
    let whisper =
        |from, channel, data: Value| send(from, json!({"event": "client-whisper", "channel": channel, "data": data}));
    let sign_in = |from: usize, user_data: &str| {
        let data = json!({"user_data": user_data, "auth": app.authenticate_user(&ids[from], user_data)});
        send(from, json!({"event": "pusher:signin", "data": data}))
    };
    let publish = |channel, data: &str| Deed::Publish { channel, data: data.to_owned() };
    vec![
        join(0, "presence-x", r#"{"user_id":"ann","user_info":{"name":"Ann"}}"#),
        join(1, "presence-x", r#"{"user_id":"bob"}"#),
        join(2, "presence-x", r#"{"user_id":"bob","user_info":{"name":"another"}}"#),
        join(2, "presence-y", r#"{"user_id":7}"#),
        join(2, "presence-y", "{}"),
        join(2, "presence-y", "no json"),
        whisper(0, "presence-x", json!({"a": 1})),
        whisper(1, "presence-x", json!("text")),
        whisper(1, "presence-x", json!(null)),
        unsubscribe(1, "presence-x"),
        unsubscribe(2, "presence-x"),
        subscribe(0, "private-x"),
        subscribe(1, "private-x"),
        whisper(0, "private-x", json!([1, "2"])),
        whisper(2, "private-x", json!({})),
        publish("private-x", r#"{"b":2}"#),
        publish("cache-x", "1"),
        publish("cache-x", "2"),
        subscribe(0, "cache-x"),
        subscribe(1, "private-encrypted-x"),
        publish("private-encrypted-x", &app.encrypt("private-encrypted-x", "{}")),
        sign_in(0, r#"{"id":"ann","watchlist":["bob"]}"#),
        sign_in(1, r#"{"id":"bob","watchlist":["eve"]}"#),
        sign_in(2, "{}"),
        sign_in(2, r#"{"id":7}"#),
        sign_in(2, "no json"),
        publish("#server-to-user-ann", "{}"),
        subscribe(0, "#server-to-user-ann"),
        publish("#server-to-user-ann", "{}"),
        subscribe(2, "#server-to-user-ann"),
        publish("#server-to-user-ann", "{}"),
    ]
}

async fn next(socket: &mut Socket) -> Value {
    loop {
        let message = timeout(PATIENCE, socket.next()).await.expect("an answer").expect("an open socket").unwrap();
        if let Message::Text(text) = message {
            let mut event: Value = serde_json::from_str(text.as_str()).unwrap();
            if event["event"] == "pusher_internal:subscription_succeeded"
                || event["event"] == "pusher_internal:member_added"
            {
                event["data"] = sorted(&event["data"]);
            }
            if event["event"] == "pusher:error" {
                // Its words are for people.
                event["data"]["message"].take();
            }
            return event;
        }
    }
}

/// The JSON in a string, as a value with its ids in order: Sockudo's is that of a hash map.
fn sorted(data: &Value) -> Value {
    let mut data: Value = serde_json::from_str(data.as_str().expect("a string")).unwrap();
    if let Some(ids) = data.pointer_mut("/presence/ids").and_then(Value::as_array_mut) {
        ids.sort_by_key(Value::to_string);
    }
    data
}
