//! The habits of Soketi.

use std::time::Duration;

use channels_sandbox::{Profile, RateLimit, Server, ServerConfig, Timing};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    clients::{End, PATIENCE, Raw, Ws},
    support::{publish, start},
};

/// P03
#[tokio::test]
async fn the_greeting_carries_a_number_of_30_seconds() {
    let server = start(Profile::Soketi).await;
    let ws = Ws::connect(&server).await;
    assert!(ws.greeting.contains(r#"\"activity_timeout\":30"#), "{}", ws.greeting);
}

/// C06
#[tokio::test]
async fn an_unknown_key_is_an_error_with_an_object_and_a_close_of_the_same_code() {
    let server = start(Profile::Soketi).await;
    let mut ws = Ws::open(&server, "/app/wrong?protocol=7").await;
    let error = ws.event().await;
    assert_eq!((&error["event"], &error["data"]["code"]), (&json!("pusher:error"), &json!(4001)));
    assert_eq!(ws.end().await, End::Closed(4001, String::new()));
}

/// S11
#[tokio::test]
async fn acknowledgements_carry_no_data_and_subscribing_twice_succeeds_twice() {
    let server = start(Profile::Soketi).await;
    let mut ws = Ws::connect(&server).await;
    for _ in 0..2 {
        let ack: Value = serde_json::from_str(&ws.subscribe(&server, "private-x").await).unwrap();
        assert_eq!(ack, json!({"event": "pusher_internal:subscription_succeeded", "channel": "private-x"}));
    }
    ws.send(r#"{"event":"pusher:ping","data":{}}"#).await;
    assert_eq!(ws.text().await, r#"{"event":"pusher:pong","data":{}}"#);
}

/// S08
#[tokio::test]
async fn a_refused_subscription_is_named_and_harms_nothing_else() {
    let server = start(Profile::Soketi).await;
    let mut ws = Ws::connect(&server).await;
    for auth in ["", "sandbox-key:00"] {
        ws.subscribe_with("private-x", auth).await;
        let error = ws.event().await;
        assert_eq!(error["event"], "pusher:subscription_error", "{auth}");
        assert_eq!(error["channel"], "private-x");
        assert_eq!((&error["data"]["type"], &error["data"]["status"]), (&json!("AuthError"), &json!(401)));
    }
    ws.subscribe(&server, "private-y").await;
    let state = server.state();
    assert_eq!((state.subscribers("private-x"), state.subscribers("private-y")), (0, 1));
}

#[tokio::test]
async fn what_it_does_not_know_is_ignored() {
    let server = start(Profile::Soketi).await;
    let mut ws = Ws::connect(&server).await;
    for message in ["no json", "{}", r#"{"event":"pusher:pong","data":{}}"#, r#"{"event":"pusher:unheard_of"}"#] {
        ws.send(message).await;
    }
    ws.send(r#"{"event":"client-x","channel":"private-x","data":{}}"#).await;
    ws.round_trip().await;
    ws.subscribe(&server, "cache-x").await;
    assert_eq!(ws.event().await, json!({"event": "pusher:cache_miss", "channel": "cache-x"}));
}

/// L03: answers to its pings do not keep a client to whom it sends nothing.
#[tokio::test]
async fn a_client_that_is_sent_nothing_is_closed_with_4201_and_no_error() {
    let millis = Duration::from_millis;
    let timing = Timing { ping_after: millis(50), idle_close: millis(400), ..Timing::of(Profile::Soketi) };
    let config = ServerConfig { timing: Some(timing), ..ServerConfig::with_profile(Profile::Soketi) };
    let server = Server::start(config).await.unwrap();
    let mut ws = Ws::connect(&server).await;
    let close = loop {
        match ws.message().await {
            Message::Ping(_) => {}
            Message::Close(frame) => break frame.unwrap(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((u16::from(close.code), close.reason.as_str()), (4201, ""));
}

/// L06: the pong is what it sent.
#[tokio::test]
async fn a_client_that_pings_lives_on() {
    // A machine may be too slow for the first.
    for idle_close in [Duration::from_millis(300), Duration::from_secs(4)] {
        if outlives(idle_close).await {
            return;
        }
    }
    panic!("a client that pings was closed");
}

/// Whether a client that pings all the time lives for longer than the server waits for something to send.
async fn outlives(idle_close: Duration) -> bool {
    let timing = Timing { ping_after: PATIENCE, idle_close, ..Timing::of(Profile::Soketi) };
    let config = ServerConfig { timing: Some(timing), ..ServerConfig::with_profile(Profile::Soketi) };
    let server = Server::start(config).await.unwrap();
    let start = tokio::time::Instant::now();
    let mut ws = Ws::connect(&server).await;
    while start.elapsed() < idle_close.mul_f64(1.5) {
        ws.send(r#"{"event":"pusher:ping"}"#).await;
        if ws.try_event().await.is_none() {
            return false;
        }
    }
    true
}

/// W17
#[tokio::test]
async fn a_silent_client_is_pinged_with_a_control_frame() {
    let timing = Timing { ping_after: Duration::from_millis(50), ..Timing::of(Profile::Soketi) };
    let config = ServerConfig { timing: Some(timing), ..ServerConfig::with_profile(Profile::Soketi) };
    let server = Server::start(config).await.unwrap();
    let mut raw = Raw::greeted(&server).await;
    for _ in 0..2 {
        assert_eq!(raw.frame().await.unwrap(), (9, Vec::new()));
        raw.send(0x8a, b"", true).await;
    }
    raw.send(0x89, b"hello", true).await;
    assert_eq!(raw.frame().await.unwrap(), (10, b"hello".to_vec()));
}

#[tokio::test]
async fn events_have_their_data_in_a_string() {
    let server = start(Profile::Soketi).await;
    let mut ws = Ws::connect(&server).await;
    ws.subscribe(&server, "x").await;
    publish(&server, "x", r#"{"a":1}"#).await;
    assert_eq!(ws.text().await, r#"{"event":"x","data":"{\"a\":1}","channel":"x"}"#);
}

/// S22
#[tokio::test]
async fn messages_over_the_rate_limit_are_refused_with_4301() {
    let message_limit = Some(RateLimit { messages: 1, per: Duration::from_secs(3600) });
    let config = ServerConfig { message_limit, ..ServerConfig::with_profile(Profile::Soketi) };
    let server = Server::start(config).await.unwrap();
    let mut ws = Ws::connect(&server).await;
    ws.round_trip().await;
    ws.send(r#"{"event":"pusher:ping"}"#).await;
    assert_eq!(ws.event().await["data"]["code"], 4301);
}

/// C08, L11
#[tokio::test]
async fn a_close_frame_is_answered_and_stopping_sends_an_error_and_close_4200() {
    let server = start(Profile::Soketi).await;
    let mut ws = Ws::connect(&server).await;
    ws.close(1000).await;
    assert_eq!(ws.end().await, End::Closed(1000, "bye".into()));
    let mut ws = Ws::connect(&server).await;
    let (end, ()) = tokio::join!(
        async {
            assert_eq!(ws.event().await["data"]["code"], 4200);
            ws.end().await
        },
        server.stop()
    );
    assert_eq!(end, End::Closed(4200, String::new()));
}
