//! Signing in, a user's own channel, and watchlists.

use channels_sandbox::{Fault, Features, Profile, RawData, Server, ServerConfig, SignInAnswer, SocketFault};
use serde_json::{Value, json};

use crate::{
    clients::{End, PATIENCE, Ws},
    support::{inner, sign_in, start},
};

const WITH_USERS: [Profile; 3] = [Profile::Pusher7, Profile::Sockudo, Profile::Soketi];

/// The data of an event, in an object or in a string.
fn data(event: &Value) -> Value {
    if event["data"].is_string() { inner(event) } else { event["data"].clone() }
}

async fn signed_in(server: &Server, user_data: &str) -> Ws {
    let mut ws = Ws::connect(server).await;
    sign_in(&mut ws, server, user_data).await;
    let success = ws.event().await;
    assert_eq!(success["event"], "pusher:signin_success");
    assert_eq!(data(&success)["user_data"], user_data);
    ws
}

#[tokio::test]
async fn a_user_signs_in_and_gets_what_is_for_that_user_alone() {
    for profile in WITH_USERS {
        let server = start(profile).await;
        let mut ann = signed_in(&server, r#"{"id":"ann"}"#).await;
        let mut bob = signed_in(&server, r#"{"id":"bob"}"#).await;
        ann.subscribe_with("#server-to-user-ann", "").await;
        assert_eq!(ann.event().await["event"], "pusher_internal:subscription_succeeded", "{profile}");
        assert_eq!(server.state().users.keys().collect::<Vec<_>>(), ["ann", "bob"]);

        let delivered = server.publish_to_user("ann", "hello".into(), RawData::Text("{}".into())).await;
        assert_eq!(delivered.sockets, 1, "{profile}");
        let event = json!({"event": "hello", "channel": "#server-to-user-ann", "data": "{}"});
        assert_eq!(ann.event().await, event, "{profile}");
        bob.round_trip().await;
    }
}

#[tokio::test]
async fn the_channel_of_a_user_of_pusher_is_for_nobody_else() {
    let server = start(Profile::Pusher7).await;
    let mut ws = Ws::connect(&server).await;
    ws.subscribe_with("#server-to-user-ann", "").await;
    assert_eq!(ws.event().await["event"], "pusher:subscription_error");
    sign_in(&mut ws, &server, r#"{"id":"bob"}"#).await;
    ws.event().await;
    ws.subscribe_with("#server-to-user-ann", "").await;
    assert_eq!(ws.event().await["event"], "pusher:subscription_error");
}

#[tokio::test]
async fn a_bad_sign_in_is_4009_and_ends_the_connection_on_soketi_alone() {
    for profile in WITH_USERS {
        for (user_data, auth) in [(r#"{"id":"ann"}"#, Some("sandbox-key:00")), ("{}", None), ("no json", None)] {
            let server = start(profile).await;
            let mut ws = Ws::connect(&server).await;
            let right = server.app().authenticate_user(&ws.socket_id, user_data);
            let sent = json!({"auth": auth.unwrap_or(&right), "user_data": user_data});
            ws.send(&json!({"event": "pusher:signin", "data": sent}).to_string()).await;
            let error = ws.event().await;
            assert_eq!((&error["event"], &error["data"]["code"]), (&json!("pusher:error"), &json!(4009)), "{profile}");
            if profile == Profile::Soketi {
                assert_eq!(ws.end().await, End::Closed(4009, String::new()));
            } else {
                ws.round_trip().await;
            }
            assert!(server.state().users.is_empty());
        }
    }
}

#[tokio::test]
async fn a_sign_in_can_be_refused_left_unanswered_and_switched_off() {
    let server = start(Profile::Pusher7).await;
    let mut ws = Ws::connect(&server).await;
    for (answer, code) in [(SignInAnswer::Refuse, Some(4009)), (SignInAnswer::Ignore, None)] {
        server.inject(Fault::once(SocketFault::SignIn { answer }));
        sign_in(&mut ws, &server, r#"{"id":"ann"}"#).await;
        if let Some(code) = code {
            assert_eq!(ws.event().await["data"]["code"], code);
        }
        ws.round_trip().await;
        assert!(server.state().users.is_empty());
    }
    let config = ServerConfig { features: Features::NONE, ..ServerConfig::with_profile(Profile::Sockudo) };
    let server = Server::start(config).await.unwrap();
    let mut ws = Ws::connect(&server).await;
    sign_in(&mut ws, &server, r#"{"id":"ann"}"#).await;
    assert_eq!(ws.event().await["data"]["code"], 4009);
}

#[tokio::test]
async fn every_connection_of_a_user_can_be_ended_with_4009() {
    for profile in WITH_USERS {
        let server = start(profile).await;
        let mut first = signed_in(&server, r#"{"id":"ann"}"#).await;
        let mut second = signed_in(&server, r#"{"id":"ann"}"#).await;
        let mut other = signed_in(&server, r#"{"id":"bob"}"#).await;
        assert_eq!(server.terminate_user("ann").await, 2);
        for ws in [&mut first, &mut second] {
            assert_eq!(ws.event().await["data"]["code"], 4009, "{profile}");
            assert!(matches!(ws.end().await, End::Closed(4009, _)), "{profile}");
        }
        other.round_trip().await;
    }
}

#[tokio::test]
async fn pusher_tells_of_a_watchlist_in_one_event_after_the_sign_in() {
    let server = start(Profile::Pusher7).await;
    let mut ann = signed_in(&server, r#"{"id":"ann","watchlist":["bob","eve"]}"#).await;
    let event = ann.event().await;
    assert_eq!((&event["event"], event.get("channel")), (&json!("pusher_internal:watchlist_events"), None));
    assert_eq!(inner(&event), json!({"events": [{"name": "offline", "user_ids": ["bob", "eve"]}]}));
    let first = signed_in(&server, r#"{"id":"bob"}"#).await;
    assert_eq!(inner(&ann.event().await), json!({"events": [{"name": "online", "user_ids": ["bob"]}]}));
    let second = signed_in(&server, r#"{"id":"bob"}"#).await;
    drop(first);
    server.wait_until(PATIENCE, |state| state.sockets.len() == 2).await.unwrap();
    ann.round_trip().await;
    drop(second);
    assert_eq!(inner(&ann.event().await), json!({"events": [{"name": "offline", "user_ids": ["bob"]}]}));
}

/// Sockudo sees only those who watch somebody, and tells them of themselves, once for each of their watchers.
#[tokio::test]
async fn sockudo_tells_of_a_watchlist_in_an_event_a_kind_before_the_sign_in_is_answered() {
    let server = start(Profile::Sockudo).await;
    let _dan = signed_in(&server, r#"{"id":"dan"}"#).await;
    let mut bob = Ws::connect(&server).await;
    sign_in(&mut bob, &server, r#"{"id":"bob","watchlist":[]}"#).await;
    assert_eq!(bob.event().await["event"], "pusher:signin_success");
    let mut ann = Ws::connect(&server).await;
    sign_in(&mut ann, &server, r#"{"id":"ann","watchlist":["bob","dan","eve"]}"#).await;
    assert_eq!(ann.event().await, json!({"event": "online", "data": {"user_ids": ["bob"]}}));
    assert_eq!(ann.event().await, json!({"event": "offline", "data": {"user_ids": ["dan", "eve"]}}));
    assert_eq!(ann.event().await["event"], "pusher:signin_success");
    let mut eve = Ws::connect(&server).await;
    sign_in(&mut eve, &server, r#"{"id":"eve","watchlist":[]}"#).await;
    let online = json!({"event": "online", "data": {"user_ids": ["eve"]}});
    assert_eq!((eve.event().await, ann.event().await), (online.clone(), online));
    assert_eq!(eve.event().await["event"], "pusher:signin_success");
    drop(eve);
    assert_eq!(ann.event().await, json!({"event": "offline", "data": {"user_ids": ["eve"]}}));
}
