//! Cache channels, encrypted channels, and counts of subscriptions.

use std::time::Duration;

use channels_sandbox::{Features, Profile, RawData, RawPush, Server, ServerConfig};
use serde_json::{Value, json};

use crate::{
    clients::Ws,
    support::{inner, join, publish, start},
};

#[tokio::test]
async fn a_cache_channel_gives_its_last_event_to_those_who_come_later() {
    for (profile, miss) in [
        (Profile::Pusher7, json!({"event": "pusher:cache_miss", "channel": "cache-x"})),
        (Profile::Reverb, json!({"event": "pusher:cache_miss", "channel": "cache-x"})),
        (Profile::Sockudo, json!({"event": "pusher:cache_miss", "channel": "cache-x", "data": "{}"})),
        (Profile::Soketi, json!({"event": "pusher:cache_miss", "channel": "cache-x"})),
    ] {
        let server = start(profile).await;
        let mut early = Ws::connect(&server).await;
        early.subscribe(&server, "cache-x").await;
        assert_eq!(early.event().await, miss, "{profile}");
        publish(&server, "cache-x", "1").await;
        publish(&server, "cache-x", "2").await;
        let mut late = Ws::connect(&server).await;
        late.subscribe(&server, "cache-x").await;
        let last = json!({"event": "x", "channel": "cache-x", "data": "2"});
        assert_eq!(late.event().await, last, "{profile}");
        late.round_trip().await;
        assert_eq!(early.event().await["data"], "1");
        assert_eq!(early.event().await["data"], "2");
    }
}

#[tokio::test]
async fn every_kind_has_its_cache_and_reverb_takes_the_first_prefix_without_a_dash() {
    let pusher = start(Profile::Pusher7).await;
    for channel in ["private-cache-x", "private-encrypted-cache-x"] {
        let mut ws = Ws::connect(&pusher).await;
        ws.subscribe(&pusher, channel).await;
        assert_eq!(ws.event().await["event"], "pusher:cache_miss");
    }
    let mut ws = Ws::connect(&pusher).await;
    join(&mut ws, &pusher, "presence-cache-x", r#"{"user_id":"ann"}"#).await;
    assert_eq!(ws.event().await["event"], "pusher_internal:subscription_succeeded");
    assert_eq!(ws.event().await["event"], "pusher:cache_miss");
    ws.subscribe(&pusher, "cachex").await;
    ws.round_trip().await;

    let reverb = start(Profile::Reverb).await;
    let mut ws = Ws::connect(&reverb).await;
    ws.subscribe(&reverb, "cachex").await;
    assert_eq!(ws.event().await["event"], "pusher:cache_miss");
    let push1st = start(Profile::Push1st).await;
    let mut ws = Ws::connect(&push1st).await;
    ws.subscribe(&push1st, "cache-x").await;
    ws.round_trip().await;
}

#[tokio::test]
async fn a_cached_event_does_not_outlive_its_time() {
    let config = ServerConfig { cache_ttl: Duration::ZERO, ..ServerConfig::default() };
    let server = Server::start(config).await.unwrap();
    publish(&server, "cache-x", "1").await;
    let mut ws = Ws::connect(&server).await;
    ws.subscribe(&server, "cache-x").await;
    assert_eq!(ws.event().await["event"], "pusher:cache_miss");
}

/// Pusher's documentation, "End-to-end encryption": the payload is an object with `nonce` and `ciphertext`.
#[tokio::test]
async fn an_encrypted_event_goes_through_as_it_was_published() {
    for profile in Profile::ALL {
        let server = start(profile).await;
        let mut ws = Ws::connect(&server).await;
        ws.subscribe(&server, "private-encrypted-x").await;
        server.publish_encrypted("private-encrypted-x".into(), "secret".into(), r#"{"a":1}"#).await;
        let data = inner(&ws.event().await);
        assert_eq!(data.to_string(), server.app().encrypt("private-encrypted-x", r#"{"a":1}"#), "{profile}");
        assert!(data["nonce"].is_string() && data["ciphertext"].is_string());
        let data = RawData::Bare("7".into());
        let push = RawPush { channel: "private-encrypted-x".into(), event: "plain".into(), data, except: None };
        server.publish(push).await;
        assert_eq!(ws.event().await["data"], 7, "{profile}");
    }
}

#[tokio::test]
async fn pusher_counts_subscriptions_if_it_is_told_to() {
    let features = Features { subscription_count: true, ..Features::default() };
    let server = Server::start(ServerConfig { features, ..ServerConfig::default() }).await.unwrap();
    let count = |event: &Value| {
        assert_eq!((&event["event"], &event["channel"]), (&json!("pusher_internal:subscription_count"), &json!("x")));
        inner(event)["subscription_count"].clone()
    };
    let mut first = Ws::connect(&server).await;
    first.subscribe(&server, "x").await;
    assert_eq!(count(&first.event().await), 1);
    let mut second = Ws::connect(&server).await;
    second.subscribe(&server, "x").await;
    assert_eq!(count(&second.event().await), 2);
    assert_eq!(count(&first.event().await), 2);
    drop(second);
    assert_eq!(count(&first.event().await), 1);
    server.tell_subscription_count("x", 17).await;
    assert_eq!(count(&first.event().await), 17);

    let mut ws = Ws::connect(&server).await;
    join(&mut ws, &server, "presence-x", r#"{"user_id":"ann"}"#).await;
    ws.event().await;
    ws.round_trip().await;
}
