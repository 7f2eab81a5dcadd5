//! The habits of hosted Pusher Channels.

use std::time::Duration;

use channels_sandbox::{Ending, Profile, Server, ServerConfig, Sockets, Timing};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::{
    clients::{End, PATIENCE, Raw, Served, Ws, upgrade_request},
    support::{publish, start, start_hasty, start_pinging},
};

/// P03: a number, in a string of JSON.
#[tokio::test]
async fn the_greeting_carries_a_number_of_120_seconds() {
    let server = start(Profile::Pusher7).await;
    let ws = Ws::connect(&server).await;
    let id = &ws.socket_id;
    let data = format!(r#"{{"socket_id":"{id}","activity_timeout":120}}"#);
    let greeting = json!({"event": "pusher:connection_established", "data": data});
    assert_eq!(serde_json::from_str::<Value>(&ws.greeting).unwrap(), greeting);
}

/// P03
#[tokio::test]
async fn the_greeting_may_carry_any_activity_timeout_or_none() {
    for (on_wire, expected) in [(json!("x"), Some(json!("x"))), (json!(-1), Some(json!(-1))), (Value::Null, None)] {
        let timing = Timing { activity_timeout_on_wire: Some(on_wire), ..Timing::of(Profile::Pusher7) };
        let config = ServerConfig { timing: Some(timing), ..ServerConfig::default() };
        let server = Server::start(config).await.unwrap();
        let greeting: Value = serde_json::from_str(&Ws::connect(&server).await.greeting).unwrap();
        let data: Value = serde_json::from_str(greeting["data"].as_str().unwrap()).unwrap();
        assert_eq!(data.get("activity_timeout"), expected.as_ref());
    }
}

/// C06: 4001, 4007, 4008.
#[tokio::test]
async fn an_unknown_key_or_protocol_is_an_error_and_a_close_of_the_same_code() {
    let server = start(Profile::Pusher7).await;
    let key = server.key();
    for (path, code) in [
        ("/pusher/app/wrong?protocol=7".to_owned(), 4001),
        ("/app/wrong?protocol=7".to_owned(), 4001),
        (format!("/pusher/app/{key}?protocol=99"), 4007),
        (format!("/pusher/app/{key}"), 4008),
    ] {
        let mut ws = Ws::open(&server, &path).await;
        let error = ws.event().await;
        assert_eq!(error["event"], "pusher:error");
        assert_eq!(error["data"]["code"], code);
        assert!(matches!(ws.end().await, End::Closed(closed, _) if closed == code), "{path}");
    }
}

#[tokio::test]
async fn both_paths_lead_to_the_server_and_no_third() {
    let server = start(Profile::Pusher7).await;
    let mut ws = Ws::open(&server, &format!("/app/{}?protocol=7", server.key())).await;
    assert_eq!(ws.event().await["event"], "pusher:connection_established");
    let refused = Ws::try_open(&server, &format!("/other/app/{}?protocol=7", server.key())).await;
    assert!(matches!(refused.err(), Some(Error::Http(response)) if response.status() == 404));
}

#[tokio::test]
async fn an_upgrade_follows_the_rfc() {
    let server = start(Profile::Pusher7).await;
    for (from, to, status) in [
        ("Connection: Upgrade", "Connection: keep-alive, Upgrade", "101"),
        ("Connection: Upgrade", "Connection: keep-alive", "426"),
        ("Upgrade: websocket", "Upgrade: h2c", "426"),
        ("Version: 13", "Version: 8", "426"),
        ("dGhlIHNhbXBsZSBub25jZQ==", "short", "400"),
    ] {
        let mut raw = Raw::connect(&server).await;
        raw.write(upgrade_request(server.key(), "Upgrade").replace(from, to).as_bytes()).await;
        let head = raw.head().await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{to}: {head}");
    }
}

#[tokio::test]
async fn an_acknowledgement_has_data_and_a_second_subscribe_is_an_error() {
    let server = start(Profile::Pusher7).await;
    let mut ws = Ws::connect(&server).await;
    let ack: Value = serde_json::from_str(&ws.subscribe(&server, "private-x").await).unwrap();
    let expected = json!({"event": "pusher_internal:subscription_succeeded", "data": "{}", "channel": "private-x"});
    assert_eq!(ack, expected);
    ws.subscribe_with("private-x", &server.sign(&ws.socket_id, "private-x")).await;
    let error = ws.event().await;
    assert_eq!(error["event"], "pusher:error");
    assert_eq!(error["data"]["code"], Value::Null);
}

/// S08
#[tokio::test]
async fn a_refused_subscription_is_named_and_harms_nothing_else() {
    let server = start(Profile::Pusher7).await;
    let mut ws = Ws::connect(&server).await;
    let signature = server.sign(&ws.socket_id, "private-x");
    let other_key = signature.replacen("sandbox-key", "other-key", 1);
    let other_socket = server.sign("1.2", "private-x");
    for auth in ["", "sandbox-key:00", other_key.as_str(), other_socket.as_str()] {
        ws.subscribe_with("private-x", auth).await;
        let error = ws.event().await;
        assert_eq!(error["event"], "pusher:subscription_error", "{auth}");
        assert_eq!(error["channel"], "private-x");
        assert_eq!((&error["data"]["type"], &error["data"]["status"]), (&json!("AuthError"), &json!(401)));
    }
    ws.subscribe_unsigned("private-x").await;
    assert_eq!(ws.event().await["event"], "pusher:subscription_error");
    ws.subscribe(&server, "private-y").await;
    let state = server.state();
    assert_eq!((state.subscribers("private-x"), state.subscribers("private-y")), (0, 1));
}

#[tokio::test]
async fn what_is_not_there_is_refused_with_the_documented_errors() {
    let server = start(Profile::Pusher7).await;
    let mut ws = Ws::connect(&server).await;
    ws.send(r#"{"event":"client-x","channel":"private-x","data":{}}"#).await;
    assert_eq!(ws.event().await["data"]["code"], 4301);
    ws.send(r#"{"event":"pusher:signin","data":{"auth":"a","user_data":"{}"}}"#).await;
    assert_eq!(ws.event().await["data"]["code"], 4009);
    ws.send("no json").await;
    assert_eq!(ws.event().await["data"]["code"], Value::Null);
    ws.subscribe_unsigned("cache-x").await;
    assert_eq!(ws.event().await["event"], "pusher_internal:subscription_succeeded");
    assert_eq!(ws.event().await["event"], "pusher:cache_miss");
    ws.subscribe_unsigned("not a name").await;
    assert_eq!(ws.event().await["data"]["status"], 400);
    ws.send(r#"{"event":"pusher:unheard_of","data":{}}"#).await;
    ws.round_trip().await;
}

/// L01, C08: a client that answers nothing is pinged, then told 4201 and closed.
#[tokio::test]
async fn a_silent_client_is_pinged_and_then_pruned_with_4201() {
    let server = start_hasty(Profile::Pusher7, Duration::from_millis(80)).await;
    let mut ws = Ws::connect(&server).await;
    assert_eq!(ws.event().await, json!({"event": "pusher:ping", "data": "{}"}));
    let error = ws.event().await;
    assert_eq!((&error["event"], &error["data"]["code"]), (&json!("pusher:error"), &json!(4201)));
    assert_eq!(ws.end().await, End::Closed(4201, "Pong reply not received in time".into()));
}

/// L05, L08: here a pong that was asked for is welcome.
#[tokio::test]
async fn a_client_that_answers_the_ping_lives_on() {
    let server = start_pinging(Profile::Pusher7).await;
    let mut ws = Ws::connect(&server).await;
    for _ in 0..5 {
        assert_eq!(ws.event().await["event"], "pusher:ping");
        ws.send(r#"{"event":"pusher:pong","data":{}}"#).await;
    }
    assert_eq!(server.state().sockets.len(), 1);
}

#[tokio::test]
async fn websocket_pings_come_back_with_their_payload_and_fragments_are_put_together() {
    let server = start(Profile::Pusher7).await;
    let mut raw = Raw::greeted(&server).await;
    raw.send(0x89, b"here", true).await;
    assert_eq!(raw.frame().await.unwrap(), (10, b"here".to_vec()));
    raw.send(0x01, br#"{"event":"pusher:"#, true).await;
    raw.send(0x89, b"between", true).await;
    raw.send(0x80, br#"ping","data":{}}"#, true).await;
    assert_eq!(raw.frame().await.unwrap(), (10, b"between".to_vec()));
    assert_eq!(raw.text().await, r#"{"event":"pusher:pong","data":"{}"}"#);
    raw.send(0x81, b"{}", false).await;
    assert!(matches!(raw.end().await, End::Closed(1002, _)));
}

#[tokio::test]
async fn a_close_frame_is_answered() {
    let server = start(Profile::Pusher7).await;
    let mut ws = Ws::connect(&server).await;
    ws.close(1000).await;
    assert_eq!(ws.end().await, End::Closed(1000, "bye".into()));
    let state = server.wait_until(PATIENCE, |state| !state.ended.is_empty()).await.unwrap();
    let ending = Ending::ClosedByClient { code: Some(1000), reason: "bye".into() };
    assert_eq!(state.ended[0].ending, Some(ending));
}

/// C08, L11
#[tokio::test]
async fn stopping_sends_an_error_and_close_4200() {
    let server = start(Profile::Pusher7).await;
    let mut ws = Ws::connect(&server).await;
    let (end, ()) = tokio::join!(
        async {
            let error = ws.event().await;
            assert_eq!(error["data"]["code"], 4200);
            ws.end().await
        },
        server.stop()
    );
    assert!(matches!(end, End::Closed(4200, _)));
}

#[tokio::test]
async fn events_have_their_data_in_a_string_and_their_name_first() {
    let server = start(Profile::Pusher7).await;
    let mut ws = Ws::connect(&server).await;
    ws.subscribe(&server, "x").await;
    publish(&server, "x", r#"{"a":1}"#).await;
    assert_eq!(ws.text().await, r#"{"event":"x","data":"{\"a\":1}","channel":"x"}"#);
    ws.send(r#"{"event":"pusher:unsubscribe","data":{"channel":"x"}}"#).await;
    ws.round_trip().await;
    publish(&server, "x", "late").await;
    ws.round_trip().await;
}

/// W14: binary frames are read as text, as Sockudo does.
#[tokio::test]
async fn a_binary_frame_is_read_like_text() {
    let server = start(Profile::Pusher7).await;
    let mut ws = Ws::connect(&server).await;
    ws.send_message(Message::binary(br#"{"event":"pusher:ping"}"#.to_vec())).await;
    assert_eq!(ws.event().await["event"], "pusher:pong");
}

#[tokio::test]
async fn the_frames_of_a_client_are_remembered_with_the_socket() {
    let server = start(Profile::Pusher7).await;
    let mut ws = Ws::connect(&server).await;
    ws.subscribe(&server, "x").await;
    ws.subscribe(&server, "private-y").await;
    let info = server.state().sockets.remove(0);
    assert_eq!(info.id, ws.socket_id);
    assert_eq!(info.channels, ["x", "private-y"]);
    server.cut(&Sockets::All);
    ws.end().await;
    let received = server.received(info.number);
    assert_eq!(received.len(), 2);
    assert!(received.iter().all(|frame| frame.masked && frame.fin && frame.opcode == 1));
    assert!(received[1].text.contains("private-y"));
}
