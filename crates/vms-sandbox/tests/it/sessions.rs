//! Users with several sessions, and who hears what.

use serde_json::{Value, json};
use vms_sandbox::{Encoding, Profile, Push, PushError, RawData, RawPush, Sandbox, SandboxConfig, Target, UserConfig};

use crate::{
    clients::Ws,
    support::{call, first_session, join, start},
};

fn two_users() -> SandboxConfig {
    let first = UserConfig { sessions: 2, ..UserConfig::new(42, "anna", "a") };
    SandboxConfig { users: vec![first, UserConfig::new(43, "bert", "b")], ..SandboxConfig::default() }
}

async fn joined(sandbox: &Sandbox) -> Vec<Ws> {
    let mut all = Vec::new();
    for session in sandbox.sessions() {
        let mut ws = Ws::connect(sandbox).await;
        join(&mut ws, sandbox, &session).await;
        all.push(ws);
    }
    all
}

/// The type of every event that came before the round trip's pong.
async fn heard(ws: &mut Ws) -> Vec<String> {
    ws.send(r#"{"event":"pusher:ping"}"#).await;
    let mut types = Vec::new();
    loop {
        let event = ws.event().await;
        if event["event"] == "pusher:pong" {
            return types;
        }
        let data: Value = serde_json::from_str(event["data"].as_str().unwrap()).unwrap();
        types.push(data["data"]["type"].as_str().unwrap().to_owned());
    }
}

#[tokio::test]
async fn a_session_channel_reaches_one_session_and_a_user_channel_all_of_the_user() {
    let sandbox = Sandbox::start(two_users()).await.unwrap();
    let mut all = joined(&sandbox).await;
    let first = first_session(&sandbox).access_token_id;
    let one = sandbox.push(Push::new("layouts_updated").to(Target::Session(first))).await.unwrap();
    let both = sandbox.push(Push::new("groups_updated").to(Target::User(42))).await.unwrap();
    let everyone = sandbox.push(Push::new("permissions_updated")).await.unwrap();
    assert_eq!((one.sockets, both.sockets, everyone.sockets), (1, 2, 3));
    assert_eq!(heard(&mut all[0]).await, ["layouts_updated", "groups_updated", "permissions_updated"]);
    assert_eq!(heard(&mut all[1]).await, ["groups_updated", "permissions_updated"]);
    assert_eq!(heard(&mut all[2]).await, ["permissions_updated"]);
}

#[tokio::test]
async fn a_push_can_leave_a_socket_out() {
    let sandbox = Sandbox::start(two_users()).await.unwrap();
    let mut all = joined(&sandbox).await;
    let except = Some(all[0].socket_id.clone());
    let push = Push { except, ..Push::new("groups_updated").to(Target::User(42)) };
    assert_eq!(sandbox.push(push).await.unwrap().sockets, 1);
    assert_eq!(heard(&mut all[0]).await, Vec::<String>::new());
    assert_eq!(heard(&mut all[1]).await, ["groups_updated"]);
}

/// A07: the session hears its logout, and then its token is worth nothing; the other session's is.
#[tokio::test]
async fn logging_a_session_out_tells_it_why_and_ends_its_token() {
    let sandbox = Sandbox::start(two_users()).await.unwrap();
    let mut all = joined(&sandbox).await;
    let sessions = sandbox.sessions();
    assert!(sandbox.log_out(&sessions[0].access_token_id, Some("Too late")).await);
    let event = all[0].event().await;
    assert_eq!(event["event"], r"App\Events\TokenPush");
    let data: Value = serde_json::from_str(event["data"].as_str().unwrap()).unwrap();
    let expected =
        json!({"data": {"type": "logout", "status": "ok", "data": null}, "subject": "Too late", "message": null});
    assert_eq!(data, expected);
    assert_eq!(heard(&mut all[1]).await, Vec::<String>::new());
    assert_eq!(call(&sandbox, "GET", "wsurl", &sessions[0].access_token, "").await.status, 401);
    assert_eq!(call(&sandbox, "GET", "wsurl", &sessions[1].access_token, "").await.status, 200);
    assert!(!sandbox.log_out("nobody", None).await);
}

/// M02: every form that data can have.
#[tokio::test]
async fn raw_events_carry_their_data_as_it_was_given() {
    let sandbox = start(Profile::Pusher7).await;
    let mut ws = Ws::connect(&sandbox).await;
    ws.subscribe(&sandbox, "x").await;
    for (data, expected) in [
        (RawData::Absent, r#"{"event":"e","channel":"x"}"#),
        (RawData::Bare("null".into()), r#"{"event":"e","data":null,"channel":"x"}"#),
        (RawData::Bare("[1,{}]".into()), r#"{"event":"e","data":[1,{}],"channel":"x"}"#),
        (RawData::Bare("1e400".into()), r#"{"event":"e","data":1e400,"channel":"x"}"#),
        (RawData::Text(r#"{"a":1}"#.into()), r#"{"event":"e","data":"{\"a\":1}","channel":"x"}"#),
        (RawData::Bare("oops".into()), r#"{"event":"e","data":oops,"channel":"x"}"#),
    ] {
        let push = RawPush { channel: "x".into(), event: "e".into(), data, except: None };
        assert_eq!(sandbox.push_raw(push).await.sockets, 1);
        assert_eq!(ws.text().await, expected);
    }
}

#[tokio::test]
async fn a_push_may_be_bare_json() {
    let sandbox = start(Profile::Pusher7).await;
    let session = first_session(&sandbox);
    let mut ws = Ws::connect(&sandbox).await;
    join(&mut ws, &sandbox, &session).await;
    let push = Push::new("groups_deleted").to(Target::User(42));
    sandbox.push(Push { encoding: Encoding::Bare, ..push }).await.unwrap();
    assert_eq!(ws.event().await["data"]["data"]["data"], json!({"ids": [5]}));
}

#[tokio::test]
async fn a_push_to_nobody_is_an_error_that_names_them() {
    let sandbox = start(Profile::Pusher7).await;
    let refused = sandbox.push(Push::new("x").to(Target::User(7))).await;
    assert_eq!(refused, Err(PushError::UnknownUser { id: 7 }));
    let heard = sandbox.push(Push::new("x").to(Target::User(42))).await.unwrap();
    assert_eq!(heard.sockets, 0, "nobody is connected");
}

/// M06: as a VMS written in PHP publishes it, and as each server then puts that into a frame.
#[tokio::test]
async fn pushes_are_escaped_as_php_escapes_them() {
    for profile in Profile::ALL {
        let sandbox = start(profile).await;
        let session = first_session(&sandbox);
        let mut ws = Ws::connect(&sandbox).await;
        join(&mut ws, &sandbox, &session).await;
        let body = json!({"id": 5, "name": "Вход/é"});
        let push = Push::new("groups_created").to(Target::User(42)).data(body.clone());
        sandbox.push(push.clone()).await.unwrap();
        let text = ws.text().await;
        let slash = if profile == Profile::Reverb { r"\\\/" } else { r"\\/" };
        let name = format!(r#"\"\\u0412\\u0445\\u043e\\u0434{slash}\\u00e9\""#);
        assert!(text.contains(&name), "{profile}: {text}");
        let event: Value = serde_json::from_str(&text).unwrap();
        let data: Value = serde_json::from_str(event["data"].as_str().unwrap()).unwrap();
        assert_eq!(data["data"]["data"], body);
        sandbox.push(Push { encoding: Encoding::Bare, ..push }).await.unwrap();
        let text = ws.text().await;
        assert!(text.contains(r#""\u0412\u0445\u043e\u0434\/\u00e9""#), "{profile}: {text}");
    }
}
