//! Client events.

use std::time::Duration;

use channels_sandbox::{Features, Profile, RateLimit, Server, ServerConfig};
use serde_json::{Value, json};

use crate::{
    clients::Ws,
    support::{inner, join, start},
};

async fn send(ws: &mut Ws, channel: &str, data: &Value) {
    ws.send(&json!({"event": "client-typing", "channel": channel, "data": data}).to_string()).await;
}

/// The code of an error, in an object or in a string.
fn code(event: &Value) -> Value {
    assert_eq!(event["event"], "pusher:error", "{event}");
    if event["data"].is_string() { inner(event)["code"].take() } else { event["data"]["code"].clone() }
}

#[tokio::test]
async fn a_client_event_reaches_the_others_in_the_form_of_each_server() {
    for (profile, object, text) in [
        (Profile::Pusher7, json!(r#"{"a":1}"#), json!(r#"{"b":2}"#)),
        (Profile::Reverb, json!({"a": 1}), json!({"b": 2})),
        (Profile::Sockudo, json!({"a": 1}), json!(r#"{"b":2}"#)),
        (Profile::Soketi, json!({"a": 1}), json!(r#"{"b":2}"#)),
    ] {
        let server = start(profile).await;
        let [mut ann, mut bob] = [Ws::connect(&server).await, Ws::connect(&server).await];
        ann.subscribe(&server, "private-x").await;
        bob.subscribe(&server, "private-x").await;
        send(&mut ann, "private-x", &json!({"a": 1})).await;
        send(&mut ann, "private-x", &json!(r#"{"b":2}"#)).await;
        for data in [object, text] {
            let expected = json!({"event": "client-typing", "channel": "private-x", "data": data});
            assert_eq!(bob.event().await, expected, "{profile}");
        }
        ann.round_trip().await;
    }
}

#[tokio::test]
async fn the_sender_is_named_on_a_presence_channel_except_by_sockudo() {
    for (profile, user_id) in [
        (Profile::Pusher7, json!("ann")),
        (Profile::Reverb, json!("ann")),
        (Profile::Sockudo, Value::Null),
        (Profile::Soketi, json!("ann")),
    ] {
        let server = start(profile).await;
        let [mut ann, mut bob] = [Ws::connect(&server).await, Ws::connect(&server).await];
        join(&mut bob, &server, "presence-x", r#"{"user_id":"bob"}"#).await;
        bob.event().await;
        join(&mut ann, &server, "presence-x", r#"{"user_id":"ann"}"#).await;
        send(&mut ann, "presence-x", &json!({})).await;
        assert_eq!(bob.event().await["event"], "pusher_internal:member_added");
        assert_eq!(bob.event().await["user_id"], user_id, "{profile}");
    }
}

#[tokio::test]
async fn what_is_not_admitted_is_refused_as_each_server_does_and_nobody_gets_it() {
    const IGNORED: Value = Value::Null;
    for (profile, public, foreign, encrypted) in [
        (Profile::Pusher7, json!(4301), json!(4301), json!(4301)),
        (Profile::Reverb, IGNORED, json!(4009), IGNORED),
        (Profile::Sockudo, json!(4301), json!(4301), IGNORED),
        (Profile::Soketi, IGNORED, IGNORED, IGNORED),
    ] {
        let server = start(profile).await;
        let mut ws = Ws::connect(&server).await;
        ws.subscribe(&server, "x").await;
        ws.subscribe(&server, "private-encrypted-x").await;
        for (channel, expected) in [("x", public), ("private-y", foreign), ("private-encrypted-x", encrypted)] {
            send(&mut ws, channel, &json!({})).await;
            if expected != IGNORED {
                assert_eq!(code(&ws.event().await), expected, "{profile}, {channel}");
            }
            ws.round_trip().await;
        }
    }
}

#[tokio::test]
async fn they_can_be_switched_off() {
    for profile in [Profile::Pusher7, Profile::Reverb, Profile::Sockudo, Profile::Soketi] {
        let config = ServerConfig { features: Features::NONE, ..ServerConfig::with_profile(profile) };
        let server = Server::start(config).await.unwrap();
        let mut ws = Ws::connect(&server).await;
        ws.subscribe(&server, "private-x").await;
        send(&mut ws, "private-x", &json!({})).await;
        assert_eq!(code(&ws.event().await), 4301, "{profile}");
    }
}

#[tokio::test]
async fn over_the_rate_limit_they_are_refused_with_4301_and_everything_else_goes_on() {
    for profile in [Profile::Pusher7, Profile::Reverb, Profile::Sockudo, Profile::Soketi] {
        let client_event_limit = Some(RateLimit { messages: 2, per: Duration::from_secs(3_600) });
        let config = ServerConfig { client_event_limit, ..ServerConfig::with_profile(profile) };
        let server = Server::start(config).await.unwrap();
        let mut ws = Ws::connect(&server).await;
        ws.subscribe(&server, "private-x").await;
        for _ in 0..3 {
            send(&mut ws, "private-x", &json!({})).await;
        }
        assert_eq!(code(&ws.event().await), 4301, "{profile}");
        ws.round_trip().await;
    }
}

#[tokio::test]
async fn pusher_and_soketi_limit_the_size_and_the_name() {
    for (profile, most) in [(Profile::Pusher7, 10_240), (Profile::Soketi, 102_400)] {
        let server = start(profile).await;
        let mut ws = Ws::connect(&server).await;
        ws.subscribe(&server, "private-x").await;
        send(&mut ws, "private-x", &json!("x".repeat(most))).await;
        ws.round_trip().await;
        send(&mut ws, "private-x", &json!("x".repeat(most + 1))).await;
        assert_eq!(code(&ws.event().await), 4301, "{profile}");
        let event = format!("client-{}", "x".repeat(194));
        ws.send(&json!({"event": event, "channel": "private-x", "data": {}}).to_string()).await;
        assert_eq!(code(&ws.event().await), 4301, "{profile}");
    }
}

#[tokio::test]
async fn reverb_takes_no_data_but_an_object_a_list_or_nothing() {
    let server = start(Profile::Reverb).await;
    let mut ws = Ws::connect(&server).await;
    ws.subscribe(&server, "private-x").await;
    for data in [json!("text"), json!(1)] {
        send(&mut ws, "private-x", &data).await;
        assert_eq!(code(&ws.event().await), 4200, "{data}");
    }
    send(&mut ws, "private-x", &json!([1])).await;
    ws.round_trip().await;
}
