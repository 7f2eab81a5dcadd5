//! The habits of push1st.

use std::time::Duration;

use channels_sandbox::{Ending, Profile, Server, ServerConfig};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Error;

use crate::{
    clients::{End, PATIENCE, Raw, Served, Ws, upgrade_request},
    support::{publish, start, start_hasty},
};

/// P03, W24: the greeting is in the same segment as the 101, its timeout is a string, `event` is last.
#[tokio::test]
async fn the_greeting_comes_with_the_101_and_its_timeout_is_a_string() {
    let server = start(Profile::Push1st).await;
    // A greeting of its own would be held back, and miss the first read.
    server.set_latency(Duration::from_millis(100));
    let mut raw = Raw::connect(&server).await;
    raw.write(upgrade_request(server.key(), "Upgrade").as_bytes()).await;
    assert!(raw.fill().await);
    let head = raw.head().await.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 101"));
    assert!(head.contains("upgrade: websocket") && head.contains("sec-websocket-version: 13"));
    assert!(!head.contains("date:") && !head.contains("websocket-protocol") && !head.contains("extensions"), "{head}");
    assert!(!raw.buffered().is_empty(), "the greeting comes in a segment of its own");
    let greeting = raw.text().await;
    assert!(greeting.starts_with(r#"{"data":"{\"activity_timeout\":\"40\",\"socket_id\":\""#), "{greeting}");
    assert!(greeting.ends_with(r#"\"}","event":"pusher:connection_established"}"#), "{greeting}");
}

#[tokio::test]
async fn socket_ids_are_too_long_for_a_double() {
    let server = start(Profile::Push1st).await;
    let ws = Ws::connect(&server).await;
    let (left, right) = ws.socket_id.split_once('.').unwrap();
    assert_eq!((left.len(), right.len()), (19, 10));
}

#[tokio::test]
async fn an_unknown_key_is_403_and_any_first_path_segment_will_do() {
    let server = start(Profile::Push1st).await;
    let refused = Ws::try_open(&server, "/pusher/app/wrong?protocol=7").await;
    assert!(matches!(refused.err(), Some(Error::Http(response)) if response.status() == 403));
    for path in ["/whatever/app/sandbox-key", "/app/sandbox-key?protocol=abc"] {
        let mut ws = Ws::open(&server, path).await;
        assert_eq!(ws.event().await["event"], "pusher:connection_established");
    }
}

/// W18
#[tokio::test]
async fn the_upgrade_must_come_in_one_piece_and_its_connection_header_start_with_upgrade() {
    let server = start(Profile::Push1st).await;
    let request = upgrade_request(server.key(), "keep-alive, Upgrade");
    let mut raw = Raw::connect(&server).await;
    raw.write(request.as_bytes()).await;
    assert!(raw.head().await.starts_with("HTTP/1.1 426"));

    // The server must have read the first piece before the second comes; the connection's own
    // acknowledgement of it cannot be seen from here, so the pause is repeated until it was long enough.
    let request = upgrade_request(server.key(), "Upgrade");
    let (first, second) = request.split_at(40);
    for pause in [20, 200, 2_000] {
        let mut raw = Raw::connect(&server).await;
        raw.tcp.set_nodelay(true).unwrap();
        raw.write(first.as_bytes()).await;
        tokio::time::sleep(Duration::from_millis(pause)).await;
        raw.write(second.as_bytes()).await;
        if raw.head().await.starts_with("HTTP/1.1 426") {
            return;
        }
    }
    panic!("a request in two pieces was accepted");
}

#[tokio::test]
async fn a_frame_that_comes_with_the_upgrade_request_is_lost() {
    let server = start(Profile::Push1st).await;
    let mut raw = Raw::connect(&server).await;
    let mut bytes = upgrade_request(server.key(), "Upgrade").into_bytes();
    bytes.extend([0x89, 0x84, 0, 0, 0, 0]);
    bytes.extend(b"lost");
    raw.write(&bytes).await;
    raw.head().await;
    raw.text().await;
    raw.send(0x81, br#"{"event":"pusher:ping"}"#, true).await;
    assert_eq!(raw.text().await, r#"{"event":"pusher:pong"}"#);
}

/// S11
#[tokio::test]
async fn acknowledgements_and_pongs_carry_no_data_and_subscribing_twice_succeeds_twice() {
    let server = start(Profile::Push1st).await;
    let mut ws = Ws::connect(&server).await;
    for _ in 0..2 {
        let ack = ws.subscribe(&server, "private-x").await;
        assert_eq!(ack, r#"{"channel":"private-x","event":"pusher_internal:subscription_succeeded"}"#);
    }
    ws.send(r#"{"event":"pusher:ping"}"#).await;
    assert_eq!(ws.text().await, r#"{"event":"pusher:pong"}"#);
}

/// M05: message ids beyond 2^53, extra keys, `event` last, data as it was published.
#[tokio::test]
async fn events_have_extra_keys_in_order_and_the_event_last() {
    let server = start(Profile::Push1st).await;
    let mut ws = Ws::connect(&server).await;
    ws.subscribe_unsigned("any name, even é").await;
    ws.text().await;
    publish(&server, "any name, even é", "text").await;
    let text = ws.text().await;
    let positions: Vec<_> = ["#msg-from", "#msg-id", "#msg-time", "\"channel\"", "\"data\"", "\"event\""]
        .iter()
        .map(|key| text.find(key).unwrap())
        .collect();
    assert!(positions.is_sorted(), "{text}");
    let event: Value = serde_json::from_str(&text).unwrap();
    assert!(event["#msg-id"].as_u64().unwrap() > 1 << 53);
    assert_eq!(event["data"], "text");
}

/// S07, L08: every one of these closes the whole socket with 1002.
#[tokio::test]
async fn mistakes_close_the_whole_socket_with_1002() {
    let server = start(Profile::Push1st).await;
    let unsigned = json!({"event": "pusher:subscribe", "data": {"channel": "private-x"}});
    let badly = json!({"event": "pusher:subscribe", "data": {"channel": "private-x", "auth": "sandbox-key:00"}});
    let as_text = json!({"event": "pusher:subscribe", "data": r#"{"channel":"x"}"#});
    let protected = json!({"event": "pusher:subscribe", "data": {"channel": "protected-x"}});
    let long = json!({"event": "pusher:subscribe", "data": {"channel": "x".repeat(256)}});
    for message in [
        unsigned.to_string().as_str(),
        &badly.to_string(),
        &as_text.to_string(),
        &protected.to_string(),
        &long.to_string(),
        r#"{"event":"pusher:pong","data":{}}"#,
        r#"{"event":"pusher:signin","data":{"auth":"a"}}"#,
        r#"{"event":"whatever"}"#,
        "{}",
        "no json",
    ] {
        let mut ws = Ws::connect(&server).await;
        ws.send(message).await;
        assert_eq!(ws.end().await, End::Closed(1002, String::new()), "{message}");
    }
    assert_eq!(server.state().crashes, 0);
}

#[tokio::test]
async fn the_key_before_the_signature_is_not_looked_at() {
    let server = start(Profile::Push1st).await;
    let mut ws = Ws::connect(&server).await;
    let auth = server.sign(&ws.socket_id, "private-x").replacen("sandbox-key:", "", 1);
    ws.subscribe_with("private-x", &auth).await;
    assert!(ws.text().await.contains("subscription_succeeded"));
}

#[tokio::test]
async fn frames_that_it_does_not_understand_close_with_1003_and_large_ones_with_1009() {
    let server = start(Profile::Push1st).await;
    let large = vec![b'x'; 65_400];
    for (first_byte, payload, code) in
        [(0x8a, &b""[..], 1003), (0x80, b"x", 1003), (0x01, b"{\"event\":", 1002), (0x81, &large, 1009)]
    {
        let mut raw = Raw::greeted(&server).await;
        raw.send(first_byte, payload, true).await;
        assert!(matches!(raw.end().await, End::Closed(closed, _) if closed == code), "{first_byte:x}");
    }
    let mut raw = Raw::greeted(&server).await;
    let mut ping = br#"{"event":"pusher:ping","data":""#.to_vec();
    ping.resize(65_399 - 2, b'x');
    ping.extend(b"\"}");
    raw.send(0x81, &ping, true).await;
    assert_eq!(raw.text().await, r#"{"event":"pusher:pong"}"#);
}

#[tokio::test]
async fn unmasked_and_binary_frames_pass_and_a_ping_is_answered_without_its_payload() {
    let server = start(Profile::Push1st).await;
    let mut raw = Raw::greeted(&server).await;
    raw.send(0x82, br#"{"event":"pusher:ping"}"#, false).await;
    assert_eq!(raw.text().await, r#"{"event":"pusher:pong"}"#);
    raw.send(0x89, b"payload", true).await;
    assert_eq!(raw.frame().await.unwrap(), (10, Vec::new()));
}

/// C01: the connection just ends.
#[tokio::test]
async fn a_close_frame_is_not_answered() {
    let server = start(Profile::Push1st).await;
    let mut raw = Raw::greeted(&server).await;
    raw.send(0x88, &1000_u16.to_be_bytes(), true).await;
    assert_eq!(raw.end().await, End::Dropped);
}

#[tokio::test]
async fn a_silent_client_is_closed_with_1001_and_is_never_pinged() {
    let server = start_hasty(Profile::Push1st, Duration::from_millis(60)).await;
    let mut raw = Raw::greeted(&server).await;
    let (opcode, payload) = raw.frame().await.unwrap();
    assert_eq!((opcode, payload), (8, 1001_u16.to_be_bytes().to_vec()));
    assert_eq!(raw.end().await, End::Dropped);
}

#[tokio::test]
async fn a_head_of_more_than_8_kib_is_refused() {
    let server = start(Profile::Push1st).await;
    let mut raw = Raw::connect(&server).await;
    let padding = format!("X-Padding: {}\r\n\r\n", "x".repeat(8_192));
    let request = upgrade_request(server.key(), "Upgrade");
    raw.write(request.replace("\r\n\r\n", &format!("\r\n{padding}")).as_bytes()).await;
    assert!(raw.head().await.starts_with("HTTP/1.1 431"));
}

/// L11: no close frame at all.
#[tokio::test]
async fn stopping_just_ends_the_connections() {
    let server = start(Profile::Push1st).await;
    let mut ws = Ws::connect(&server).await;
    server.stop().await;
    assert_eq!(ws.end().await, End::Dropped);
}

/// What must never be sent, because the server exits.
#[tokio::test]
async fn some_messages_bring_the_whole_server_down() {
    let server = start(Profile::Push1st).await;
    let presence = json!({"user_id": "7"}).to_string();
    for message in [
        r#"{"a":1}"#.to_owned(),
        r#"{"event":"client-x","channel":"private-x","data":"text"}"#.to_owned(),
        r#"{"event":"client-x","channel":"private-x","data":{"a":1}}"#.to_owned(),
        "presence".to_owned(),
    ] {
        let mut bystander = Ws::connect(&server).await;
        let mut culprit = Ws::connect(&server).await;
        if message == "presence" {
            let subscribe = presence_subscribe(&server, &culprit.socket_id, &presence);
            culprit.send(&subscribe).await;
        } else {
            culprit.send(&message).await;
        }
        assert_eq!(culprit.end().await, End::Dropped, "{message}");
        assert_eq!(bystander.end().await, End::Dropped, "{message}");
    }
    assert_eq!(server.state().crashes, 4);
    let mut ws = Ws::connect(&server).await;
    ws.send(r#"{"event":"client-x","channel":"private-x","data":{"channel":"private-x"}}"#).await;
    ws.round_trip().await;
}

fn presence_subscribe(server: &Server, socket_id: &str, channel_data: &str) -> String {
    // The signature of a presence channel covers the channel data after another colon.
    let auth = server.sign(socket_id, &format!("presence-x:{channel_data}"));
    let data = json!({"channel": "presence-x", "auth": auth, "channel_data": channel_data});
    json!({"event": "pusher:subscribe", "data": data}).to_string()
}

/// B02 seen from the server: 500 ms.
#[tokio::test]
async fn a_reader_that_is_too_slow_is_cut() {
    let config = ServerConfig { send_buffer: Some(4_096), ..ServerConfig::with_profile(Profile::Push1st) };
    let server = Server::start(config).await.unwrap();
    let mut raw = Raw::greeted(&server).await;
    raw.send(0x81, br#"{"event":"pusher:subscribe","data":{"channel":"x"}}"#, true).await;
    raw.text().await;
    let event = "x".repeat(60_000);
    // Whatever the client's system buffers, this is more.
    for _ in 0..1_000 {
        publish(&server, "x", &event).await;
        if server.state().sockets.is_empty() {
            break;
        }
    }
    let state = server.wait_until(PATIENCE, |state| state.sockets.is_empty()).await.unwrap();
    assert_eq!(state.ended[0].ending, Some(Ending::TooSlow));
}
