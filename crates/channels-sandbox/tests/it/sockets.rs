//! Telling sockets what to do, and seeing what became of them.

use std::time::Duration;

use channels_sandbox::{Ending, Outbound, Profile, RawFrame, Sockets};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    clients::{End, PATIENCE, Raw, Ws},
    support::{publish, start},
};

/// N09: the connection ends without a close frame.
#[tokio::test]
async fn a_cut_socket_ends_without_a_close_frame_and_the_others_stay() {
    let server = start(Profile::Pusher7).await;
    let mut first = Ws::connect(&server).await;
    let mut second = Ws::connect(&server).await;
    assert_eq!(server.cut(&Sockets::Id(first.socket_id.clone())), 1);
    assert_eq!(first.end().await, End::Dropped);
    second.round_trip().await;
    let state = server.wait_until(PATIENCE, |state| state.sockets.len() == 1).await.unwrap();
    assert_eq!(state.ended[0].ending, Some(Ending::Cut));
    assert_eq!((state.sockets_ever, state.upgrades_ever), (2, 2));
}

/// N08
#[tokio::test]
async fn a_reset_socket_ends_with_a_reset() {
    let server = start(Profile::Pusher7).await;
    let mut raw = Raw::greeted(&server).await;
    assert_eq!(server.reset(&Sockets::All), 1);
    let mut byte = [0];
    let error = tokio::io::AsyncReadExt::read(&mut raw.tcp, &mut byte).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

/// L02: the connection stays, nothing comes and nothing is read.
#[tokio::test]
async fn a_stalled_socket_is_silent_until_it_is_resumed() {
    let server = start(Profile::Pusher7).await;
    let mut ws = Ws::connect(&server).await;
    ws.subscribe(&server, "x").await;
    assert_eq!(server.stall(&Sockets::Latest), 1);
    let number = server.state().sockets[0].number;
    ws.send(r#"{"event":"pusher:ping"}"#).await;
    publish(&server, "x", "one").await;
    let heard = tokio::time::timeout(Duration::from_millis(200), ws.text()).await;
    assert!(heard.is_err(), "{heard:?}");
    assert_eq!(server.received(number).len(), 1, "only the subscribe was read");
    assert!(server.state().sockets[0].stalled);
    assert_eq!(server.resume(&Sockets::All), 1);
    let mut heard = [ws.text().await, ws.text().await];
    heard.sort();
    assert!(heard[0].contains("pong") && heard[1].contains("one"), "{heard:?}");
}

#[tokio::test]
async fn pushing_to_a_stalled_socket_never_waits() {
    let server = start(Profile::Pusher7).await;
    let mut ws = Ws::connect(&server).await;
    ws.subscribe(&server, "x").await;
    server.stall(&Sockets::All);
    let flood = async {
        for _ in 0..5_000 {
            publish(&server, "x", "one").await;
        }
    };
    tokio::time::timeout(PATIENCE, flood).await.unwrap();
}

/// C01 to C09
#[tokio::test]
async fn sockets_can_be_closed_with_any_code() {
    let server = start(Profile::Pusher7).await;
    for code in [1000, 1001, 1012, 4001, 4100, 4200, 4999] {
        let mut ws = Ws::connect(&server).await;
        assert_eq!(server.send(&Sockets::All, &Outbound::Close { code, reason: "because".into() }).await, 1);
        assert_eq!(ws.end().await, End::Closed(code, "because".into()));
        let state = server.wait_until(PATIENCE, |state| state.sockets.is_empty()).await.unwrap();
        let ending = Ending::ClosedByServer { code, reason: "because".into() };
        assert_eq!(state.ended.last().unwrap().ending, Some(ending));
    }
}

#[tokio::test]
async fn websocket_pings_and_pongs_can_be_sent() {
    let server = start(Profile::Pusher7).await;
    let mut ws = Ws::connect(&server).await;
    server.send(&Sockets::All, &Outbound::Ping(Vec::new())).await;
    assert_eq!(ws.message().await, Message::Ping(vec![].into()));
    server.send(&Sockets::All, &Outbound::Pong(b"unasked".to_vec())).await;
    assert_eq!(ws.message().await, Message::Pong(b"unasked".to_vec().into()));
}

/// M01, W08 to W14: whatever a hostile server might send.
#[tokio::test]
async fn anything_can_be_sent_to_a_socket() {
    let server = start(Profile::Pusher7).await;
    let mut raw = Raw::greeted(&server).await;
    server.send(&Sockets::All, &Outbound::Text("no json".into())).await;
    assert_eq!(raw.text().await, "no json");
    server.send(&Sockets::All, &Outbound::Binary(vec![0xff])).await;
    assert_eq!(raw.frame().await.unwrap(), (2, vec![0xff]));
    let text = "x".repeat(2 << 20);
    server.send(&Sockets::All, &Outbound::Text(text.clone())).await;
    assert!(raw.text().await == text);
    let odd =
        RawFrame { fin: false, rsv: 5, opcode: 3, masked: true, claimed_length: Some(1 << 40), payload: b"p".to_vec() };
    server.send(&Sockets::All, &Outbound::Frame(odd)).await;
    server.send(&Sockets::All, &Outbound::Bytes(b"end".to_vec())).await;
    while raw.buffered().len() < 18 {
        assert!(raw.fill().await);
    }
    assert_eq!(raw.buffered()[..2], [0x53, 0xff]);
    assert_eq!(raw.buffered()[2..10], (1_u64 << 40).to_be_bytes());
    assert_eq!(&raw.buffered()[15..], b"end");
}

#[tokio::test]
async fn commands_select_sockets_by_id_and_by_channel() {
    let server = start(Profile::Pusher7).await;
    let mut member = Ws::connect(&server).await;
    member.subscribe(&server, "private-x").await;
    let _stranger = Ws::connect(&server).await;
    assert_eq!(server.stall(&Sockets::Channel("private-y".into())), 0);
    assert_eq!(server.stall(&Sockets::Id("1.2".into())), 0);
    assert_eq!(server.resume(&Sockets::Id(member.socket_id.clone())), 1);
    assert_eq!(server.cut(&Sockets::Channel("private-x".into())), 1);
    assert_eq!(member.end().await, End::Dropped);
    server.wait_until(PATIENCE, |state| state.sockets.len() == 1).await.unwrap();
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_its_channels() {
    let server = start(Profile::Pusher7).await;
    let mut ws = Ws::connect(&server).await;
    ws.subscribe(&server, "private-x").await;
    ws.subscribe(&server, "y").await;
    drop(ws);
    let state = server.wait_until(PATIENCE, |state| state.sockets.is_empty()).await.unwrap();
    assert!(state.channels.is_empty());
    assert_eq!(state.ended[0].ending, Some(Ending::Lost));
    assert_eq!(state.ended[0].channels.len(), 2);
}

#[tokio::test]
async fn latency_holds_back_what_is_sent() {
    let server = start(Profile::Pusher7).await;
    let mut ws = Ws::connect(&server).await;
    let latency = Duration::from_millis(150);
    server.set_latency(latency);
    let start = tokio::time::Instant::now();
    ws.round_trip().await;
    assert!(start.elapsed() >= latency);
}

#[tokio::test]
async fn waiting_for_what_does_not_come_tells_how_things_stand() {
    let server = start(Profile::Pusher7).await;
    let waited = server.wait_until(Duration::from_millis(20), |state| state.sockets_ever == 1).await;
    let error = waited.unwrap_err();
    assert_eq!(error.state.sockets_ever, 0);
}
