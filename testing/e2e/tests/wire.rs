//! What goes over the wire, seen from a bare socket.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a failure ends the test, and most look for one kind of item"
)]

use e2e::{Consumer, log_in, session};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use vms_pusher::{Tls, VmsContinuity, VmsSocketItem};
use vms_sandbox::{Outbound, Sandbox, SandboxConfig, Sockets};

// W22, W18: what push1st and proxies are known to take; nothing is compressed, so nothing can be a bomb.
#[tokio::test]
async fn the_upgrade_asks_for_a_websocket_and_for_nothing_else() {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut config = log_in(&sandbox, Tls::platform()).await;
    config.socket_url = format!("ws://127.0.0.1:{port}/pusher/");
    let _consumer = Consumer::connect(config);

    let (mut socket, _) = listener.accept().await.unwrap();
    let mut request = vec![0; 8192];
    let length = socket.read(&mut request).await.unwrap();
    let request = String::from_utf8(request[..length].to_vec()).unwrap();

    let (line, headers) = request.split_once("\r\n").unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let path = format!("/pusher/app/sandbox-key?client=vms-pusher&version={version}&protocol=7");
    assert_eq!(line, format!("GET {path} HTTP/1.1"));
    let headers = headers.to_lowercase();
    let mut names: Vec<&str> = headers.lines().filter_map(|line| Some(line.split_once(':')?.0)).collect();
    names.sort_unstable();
    let expected = ["connection", "host", "sec-websocket-key", "sec-websocket-version", "upgrade", "user-agent"];
    assert_eq!(names, expected);
    assert!(headers.contains("connection: upgrade\r\n") && headers.ends_with("\r\n\r\n"), "{headers}");
}

// W21
#[tokio::test]
async fn what_a_server_sends_behind_its_close_frame_is_discarded() {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let config = log_in(&sandbox, Tls::platform()).await;
    let text = format!(
        r#"{{"event":"App\\Events\\UserPush","channel":"{}","data":{{"data":{{"type":"permissions_updated"}}}}}}"#,
        session(&config).user_channel()
    );
    let event = [&[0x81, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let close = [0x88, 2, 0x03, 0xe8];
    let mut consumer = Consumer::connect(config);
    consumer.subscribed().await;

    sandbox.send(&Sockets::All, Outbound::Bytes([&event, &close[..], &event].concat())).await;

    let mut pushes = 0;
    consumer
        .until(|item| {
            pushes += usize::from(matches!(item, VmsSocketItem::AppSocket(_)));
            matches!(item, VmsSocketItem::Continuity(VmsContinuity::ResyncNeeded { .. })).then_some(())
        })
        .await;
    assert_eq!(pushes, 1);
}
