//! TLS that is not as it should be.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a failure ends the test, and most look for one kind of item"
)]

use std::time::Duration;

use e2e::{Consumer, TestCa, log_in, session};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use vms_pusher::{ConnectionState, PusherError, VmsContinuity, VmsSocketItem};
use vms_sandbox::{Outbound, Profile, SandboxState, Sockets};

// T03
#[tokio::test]
async fn a_server_whose_root_was_not_added_is_refused_and_tried_again_slowly() {
    let (ca, stranger) = (TestCa::new(), TestCa::new());
    let sandbox = ca.start_sandbox(Profile::Pusher7, "localhost").await;
    let mut config = log_in(&sandbox, ca.trusted()).await;
    config.options.tls = stranger.trusted();

    let error = slow_refusal(&mut Consumer::connect(config)).await;

    assert!(error.message.contains("certificate"), "{error}");
    assert_eq!(sandbox.state().upgrades_ever, 0);
}

// T02, H09: wherever the name leads, the certificate has to be for it.
#[tokio::test]
async fn a_socket_whose_certificate_is_for_another_host_is_refused_and_tried_again_slowly() {
    let ca = TestCa::new();
    let sandbox = ca.start_sandbox(Profile::Pusher7, "localhost").await;
    let impostor = ca.start_sandbox(Profile::Pusher7, "other.example").await;
    let mut config = log_in(&sandbox, ca.trusted()).await;
    config.socket_url = impostor.socket_url();

    let error = slow_refusal(&mut Consumer::connect(config)).await;

    assert!(error.message.contains("certificate"), "{error}");
    assert_eq!(impostor.state().upgrades_ever, 0);
}

// H09, H11
#[tokio::test]
async fn an_impostor_in_place_of_the_authorization_endpoint_never_sees_the_token() {
    let ca = TestCa::new();
    let sandbox = ca.start_sandbox(Profile::Pusher7, "localhost").await;
    let impostor = ca.start_sandbox(Profile::Pusher7, "other.example").await;
    let mut config = log_in(&sandbox, ca.trusted()).await;
    config.base_url = impostor.base_url();

    let mut consumer = Consumer::connect(config);
    consumer.until(|item| is_state(item, ConnectionState::Connected)).await;
    let error = consumer.api.rest().socket_url().await.unwrap_err();

    assert!(error.to_string().contains("certificate"), "{error}");
    assert_eq!(impostor.requests(), []);
    assert_eq!(sandbox.state().channels.len(), 0);
}

// T05, T11: a client that speaks neither old TLS nor HTTP/2 says so in its first message.
#[tokio::test]
async fn only_http_1_1_and_tls_1_2_or_newer_are_offered() {
    let ca = TestCa::new();
    let sandbox = ca.start_sandbox(Profile::Pusher7, "localhost").await;
    let mut config = log_in(&sandbox, ca.trusted()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    config.socket_url = format!("wss://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let _consumer = Consumer::connect(config);

    let (mut socket, _) = listener.accept().await.unwrap();
    let hello = first_record(&mut socket).await;

    assert!(contains(&hello, b"\x00\x10\x00\x0b\x00\x09\x08http/1.1"), "ALPN is http/1.1 alone");
    let supported_versions = b"\x00\x2b\x00\x05\x04\x03\x04\x03\x03";
    let other_order = b"\x00\x2b\x00\x05\x04\x03\x03\x03\x04";
    assert!(contains(&hello, supported_versions) || contains(&hello, other_order), "TLS 1.3 and 1.2 alone");
}

// T07: within the one deadline of an attempt.
#[tokio::test]
async fn a_server_that_stops_in_the_handshake_is_left_at_the_deadline() {
    let ca = TestCa::new();
    let sandbox = ca.start_sandbox(Profile::Pusher7, "localhost").await;
    let mut config = log_in(&sandbox, ca.trusted()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    config.socket_url = format!("wss://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let mut consumer = Consumer::connect(config);

    let (mut socket, _) = listener.accept().await.unwrap();
    first_record(&mut socket).await;
    let error = consumer.until(error).await;

    assert!(error.message.contains("10 s"), "{error}");
    assert_eq!(consumer.api.state(), ConnectionState::Reconnecting);
}

// T08: half a message, and then the end of the stream without TLS's own goodbye.
#[tokio::test]
async fn half_a_message_before_the_end_of_the_stream_is_not_delivered() {
    let ca = TestCa::new();
    let sandbox = ca.start_sandbox(Profile::Pusher7, "localhost").await;
    let config = log_in(&sandbox, ca.trusted()).await;
    let channel = session(&config).user_channel();
    let mut consumer = Consumer::connect(config);
    consumer.subscribed().await;

    let text = format!(r#"{{"event":"{USER_PUSH}","channel":"{channel}","data":{{"data":{{"type":"logout"}}}}}}"#);
    let header = [0x81, 126, 0, u8::try_from(text.len() + 1).unwrap()];
    sandbox.send(&Sockets::All, Outbound::Bytes([&header, text.as_bytes()].concat())).await;
    let is_written = |state: &SandboxState| state.sockets.iter().all(|socket| socket.frames_waiting == 0);
    sandbox.wait_until(Duration::from_secs(60), is_written).await.unwrap();
    sandbox.cut(&Sockets::All);

    let mut pushes = 0;
    consumer
        .until(|item| {
            pushes += usize::from(matches!(item, VmsSocketItem::AppSocket(_) | VmsSocketItem::IntercomSocket(_)));
            matches!(item, VmsSocketItem::Continuity(VmsContinuity::ResyncNeeded { .. })).then_some(())
        })
        .await;
    assert_eq!(pushes, 0);
}

const USER_PUSH: &str = r"App\\Events\\UserPush";

/// The first record that a TLS client sends: its hello.
async fn first_record(socket: &mut tokio::net::TcpStream) -> Vec<u8> {
    let mut header = [0; 5];
    socket.read_exact(&mut header).await.unwrap();
    let mut record = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
    socket.read_exact(&mut record).await.unwrap();
    record
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// The error of the first attempt, after which the client has to wait for 30 s at least.
async fn slow_refusal(consumer: &mut Consumer) -> PusherError {
    let mut refusal = None;
    let (error, wait) = consumer
        .until(|item| match item {
            VmsSocketItem::Error(error) => {
                refusal = Some(error.clone());
                None
            }
            VmsSocketItem::Info { message } => refusal.clone().zip(Some(message.clone())),
            _ => None,
        })
        .await;
    let seconds = wait.split_whitespace().rev().nth(1).and_then(|word| word.parse::<f32>().ok());
    assert!(seconds.is_some_and(|seconds| seconds >= 30.0), "{wait}");
    error
}

fn error(item: &VmsSocketItem) -> Option<PusherError> {
    match item {
        VmsSocketItem::Error(error) => Some(error.clone()),
        _ => None,
    }
}

fn is_state(item: &VmsSocketItem, state: ConnectionState) -> Option<()> {
    matches!(item, VmsSocketItem::ConnectionState { to, .. } if *to == state).then_some(())
}
