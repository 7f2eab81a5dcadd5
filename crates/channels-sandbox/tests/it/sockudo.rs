//! The habits of Sockudo.

use std::time::Duration;

use channels_sandbox::{Profile, RateLimit, Server, ServerConfig};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::{
    clients::{End, Raw, Served as _, Ws, upgrade_request},
    support::{publish, start, start_hasty, start_pinging},
};

/// P03: a number, and the keys of the data the other way round.
#[tokio::test]
async fn the_greeting_carries_a_number_of_120_seconds_before_the_socket_id() {
    let server = start(Profile::Sockudo).await;
    let ws = Ws::connect(&server).await;
    let data = format!(r#"{{"activity_timeout":120,"socket_id":"{}"}}"#, ws.socket_id);
    let greeting = json!({"event": "pusher:connection_established", "data": data});
    assert_eq!(serde_json::from_str::<Value>(&ws.greeting).unwrap(), greeting);
}

/// W22: the 101 promises nothing.
#[tokio::test]
async fn an_unknown_key_is_a_101_and_then_nothing_but_the_end() {
    let server = start(Profile::Sockudo).await;
    let mut raw = Raw::connect(&server).await;
    raw.write(upgrade_request("wrong", "Upgrade").as_bytes()).await;
    assert!(raw.head().await.starts_with("HTTP/1.1 101"));
    assert_eq!(raw.frame().await, None);
}

#[tokio::test]
async fn any_number_is_a_protocol_and_nothing_else_is() {
    let server = start(Profile::Sockudo).await;
    for query in ["?protocol=99", ""] {
        let mut ws = Ws::open(&server, &format!("/app/{}{query}", server.key())).await;
        assert_eq!(ws.event().await["event"], "pusher:connection_established");
    }
    let refused = Ws::try_open(&server, &format!("/app/{}?protocol=x", server.key())).await;
    assert!(matches!(refused.err(), Some(Error::Http(response)) if response.status() == 400));
}

/// S09: neither a channel nor a `pusher:subscription_error`.
#[tokio::test]
async fn a_refused_subscription_is_4009_without_its_channel_and_the_socket_stays() {
    let server = start(Profile::Sockudo).await;
    let mut ws = Ws::connect(&server).await;
    let other_key = server.sign(&ws.socket_id, "private-x").replacen("sandbox-key", "other-key", 1);
    for auth in ["", "sandbox-key:00", other_key.as_str()] {
        ws.subscribe_with("private-x", auth).await;
        let error = ws.event().await;
        assert_eq!((&error["event"], &error["data"]["code"]), (&json!("pusher:error"), &json!(4009)), "{auth}");
        assert_eq!(error.get("channel"), None);
    }
    for _ in 0..2 {
        let ack: Value = serde_json::from_str(&ws.subscribe(&server, "private-y").await).unwrap();
        assert_eq!(ack["data"], "{}");
    }
    let state = server.state();
    assert_eq!((state.subscribers("private-x"), state.subscribers("private-y")), (0, 1));
}

#[tokio::test]
async fn mistakes_are_errors_with_an_object_and_the_socket_stays() {
    let server = start(Profile::Sockudo).await;
    let mut ws = Ws::connect(&server).await;
    for (message, code) in [
        ("no json", 4000),
        ("{}", 4000),
        (r#"{"event":"pusher:subscribe","data":{}}"#, 4000),
        (r#"{"event":"pusher:subscribe","data":{"channel":"not a name"}}"#, 4300),
        (r#"{"event":"pusher:signin","data":{"auth":"a","user_data":"{}"}}"#, 4009),
        (r#"{"event":"client-x","channel":"private-x","data":{}}"#, 4301),
    ] {
        ws.send(message).await;
        assert_eq!(ws.event().await["data"]["code"], code, "{message}");
    }
    ws.send(r#"{"event":"pusher:unheard_of","data":{}}"#).await;
    ws.subscribe(&server, "cache-x").await;
    assert_eq!(ws.event().await, json!({"event": "pusher:cache_miss", "data": "{}", "channel": "cache-x"}));
    ws.subscribe_unsigned("presence-x").await;
    assert_eq!(ws.end().await, End::Dropped, "its task panics");
}

/// L03, L05
#[tokio::test]
async fn only_a_pong_or_a_websocket_ping_keeps_a_client_that_was_pinged() {
    let server = start_hasty(Profile::Sockudo, Duration::from_millis(200)).await;
    let mut ws = Ws::connect(&server).await;
    assert_eq!(ws.text().await, r#"{"event":"pusher:ping"}"#);
    ws.send(r#"{"event":"pusher:unsubscribe","data":{"channel":"x"}}"#).await;
    ws.send(r#"{"event":"pusher:ping"}"#).await;
    ws.send_message(Message::Pong(Vec::new().into())).await;
    let mut event = ws.event().await;
    if event["event"] == "pusher:pong" {
        event = ws.event().await;
    }
    assert_eq!((&event["event"], &event["data"]["code"]), (&json!("pusher:error"), &json!(4201)));
    assert_eq!(ws.end().await, End::Closed(4201, "Pong reply not received in time".into()));

    let server = start_pinging(Profile::Sockudo).await;
    let mut ws = Ws::connect(&server).await;
    for answer in [Message::text(r#"{"event":"pusher:pong","data":{}}"#), Message::Ping(Vec::new().into())] {
        assert_eq!(ws.text().await, r#"{"event":"pusher:ping"}"#);
        ws.send_message(answer).await;
    }
    assert_eq!(ws.text().await, r#"{"event":"pusher:ping"}"#, "the one before was answered");
}

#[tokio::test]
async fn events_have_their_data_as_it_was_published() {
    let server = start(Profile::Sockudo).await;
    let mut ws = Ws::connect(&server).await;
    ws.subscribe(&server, "x").await;
    publish(&server, "x", r#"{"a":1}"#).await;
    assert_eq!(ws.text().await, r#"{"event":"x","data":"{\"a\":1}","channel":"x"}"#);
}

/// S22
#[tokio::test]
async fn messages_over_the_rate_limit_are_refused_with_4301() {
    let message_limit = Some(RateLimit { messages: 1, per: Duration::from_secs(3600) });
    let config = ServerConfig { message_limit, ..ServerConfig::with_profile(Profile::Sockudo) };
    let server = Server::start(config).await.unwrap();
    let mut ws = Ws::connect(&server).await;
    ws.round_trip().await;
    ws.send(r#"{"event":"pusher:ping"}"#).await;
    assert_eq!(ws.event().await["data"]["code"], 4301);
}

/// C08, L11
#[tokio::test]
async fn a_close_frame_is_answered_and_stopping_sends_an_error_and_close_4200() {
    let server = start(Profile::Sockudo).await;
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
    assert_eq!(end, End::Closed(4200, "Server shutting down".into()));
}
