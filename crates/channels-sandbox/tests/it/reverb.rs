//! The habits of Laravel Reverb.

use std::time::Duration;

use channels_sandbox::{Profile, RateLimit, Server, ServerConfig};
use serde_json::{Value, json};

use crate::{
    clients::{End, Raw, Ws},
    support::{publish, start, start_hasty, start_pinging},
};

/// The data of a `pusher:error`, which must be a string of JSON.
fn error_data(event: &Value) -> Value {
    assert_eq!(event["event"], "pusher:error");
    serde_json::from_str(event["data"].as_str().expect("the data is a string")).unwrap()
}

#[tokio::test]
async fn the_greeting_carries_a_number_of_30_seconds() {
    let server = start(Profile::Reverb).await;
    let ws = Ws::connect(&server).await;
    assert!(ws.greeting.contains(r#"\"activity_timeout\":30"#), "{}", ws.greeting);
}

#[tokio::test]
async fn an_unknown_key_is_an_error_4001_and_a_drop_without_a_close_frame() {
    let server = start(Profile::Reverb).await;
    let mut ws = Ws::open(&server, "/app/wrong?protocol=7").await;
    assert_eq!(error_data(&ws.event().await)["code"], 4001);
    assert_eq!(ws.end().await, End::Dropped);
}

/// S09: the channel whose acknowledgement stays away is the one.
#[tokio::test]
async fn a_refused_subscription_is_4009_without_its_channel_and_the_socket_stays() {
    let server = start(Profile::Reverb).await;
    let mut ws = Ws::connect(&server).await;
    ws.subscribe_with("private-x", "sandbox-key:00").await;
    let error = ws.event().await;
    assert_eq!(error_data(&error)["code"], 4009);
    assert_eq!(error.get("channel"), None);
    let ack: Value = serde_json::from_str(&ws.subscribe(&server, "private-y").await).unwrap();
    assert_eq!(ack["data"], "{}");
    assert_eq!(server.state().subscribers("private-x"), 0);
}

#[tokio::test]
async fn anything_unheard_of_is_4200_invalid_message_format() {
    let server = start(Profile::Reverb).await;
    let mut ws = Ws::connect(&server).await;
    for message in ["no json", r#"{"event":"pusher:signin","data":{}}"#, r#"{"a":1}"#] {
        ws.send(message).await;
        let expected = json!({"code": 4200, "message": "Invalid message format"});
        assert_eq!(error_data(&ws.event().await), expected, "{message}");
    }
    ws.send(r#"{"event":"without-prefix","channel":"x","data":{}}"#).await;
    ws.send(r#"{"event":"client-x","channel":"x","data":{}}"#).await;
    assert_eq!(error_data(&ws.event().await)["code"], 4009);
}

/// L05: pinged, pruned, dropped.
#[tokio::test]
async fn a_silent_client_is_pinged_and_then_dropped_after_4201() {
    let server = start_hasty(Profile::Reverb, Duration::from_millis(50)).await;
    let mut ws = Ws::connect(&server).await;
    assert_eq!(ws.text().await, r#"{"event":"pusher:ping"}"#);
    assert_eq!(error_data(&ws.event().await)["code"], 4201);
    assert_eq!(ws.end().await, End::Dropped);
}

/// W17: a client that has shown that it knows control frames is pinged with one.
#[tokio::test]
async fn a_client_that_uses_control_frames_is_pinged_with_one() {
    let server = start_pinging(Profile::Reverb).await;
    let mut raw = Raw::greeted(&server).await;
    raw.send(0x89, b"hello", true).await;
    assert_eq!(raw.frame().await.unwrap(), (10, b"hello".to_vec()));
    assert_eq!(raw.frame().await.unwrap(), (9, Vec::new()));
    raw.send(0x8a, b"", true).await;
    assert_eq!(raw.frame().await.unwrap(), (9, Vec::new()));
}

/// S22
#[tokio::test]
async fn messages_over_the_rate_limit_are_refused_with_4301() {
    let message_limit = Some(RateLimit { messages: 2, per: Duration::from_secs(3600) });
    let config = ServerConfig { message_limit, ..ServerConfig::with_profile(Profile::Reverb) };
    let server = Server::start(config).await.unwrap();
    let mut ws = Ws::connect(&server).await;
    ws.round_trip().await;
    ws.round_trip().await;
    ws.send(r#"{"event":"pusher:ping"}"#).await;
    assert_eq!(error_data(&ws.event().await)["code"], 4301);
    assert_eq!(server.state().sockets.len(), 1);
}

#[tokio::test]
async fn a_message_over_10_000_bytes_closes_with_1009() {
    let server = start(Profile::Reverb).await;
    let mut raw = Raw::greeted(&server).await;
    raw.send(0x81, &vec![b'x'; 10_001], true).await;
    assert!(matches!(raw.end().await, End::Closed(1009, _)));
}

#[tokio::test]
async fn a_close_frame_is_answered_but_stopping_just_drops() {
    let server = start(Profile::Reverb).await;
    let mut ws = Ws::connect(&server).await;
    ws.close(1000).await;
    assert_eq!(ws.end().await, End::Closed(1000, "bye".into()));
    let mut ws = Ws::connect(&server).await;
    server.stop().await;
    assert_eq!(ws.end().await, End::Dropped);
}

/// M06: every string of a frame, and in the data whatever the publisher has escaped once more.
#[tokio::test]
async fn strings_are_escaped_as_php_escapes_them() {
    let server = start(Profile::Reverb).await;
    let mut ws = Ws::connect(&server).await;
    ws.subscribe_unsigned("новости").await;
    let ack = ws.text().await;
    assert!(ack.contains(r#""channel":"\u043d\u043e\u0432\u043e\u0441\u0442\u0438""#), "{ack}");
    publish(&server, "новости", r#"{"url":"https:\/\/é","name":"\u0412"}"#).await;
    let event = ws.text().await;
    assert!(event.contains(r#""data":"{\"url\":\"https:\\\/\\\/\u00e9\",\"name\":\"\\u0412\"}""#), "{event}");
    let event: Value = serde_json::from_str(&event).unwrap();
    assert_eq!(event["data"], r#"{"url":"https:\/\/é","name":"\u0412"}"#);
}
