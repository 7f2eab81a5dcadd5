use std::time::Duration;

use channels_client::{
    ClientOptions, Continuity, Item,
    proto::{ConnectionError, ConnectionState, GapCause},
};
use futures_util::{SinkExt, StreamExt, future::join_all};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Listener, Peer, Raw, Under, event_of, frame, options_for, public, soon};

/// A client with one public channel subscribed.
async fn subscribed(listener: &Listener) -> (Under, Peer) {
    subscribed_with(listener, options_for(listener)).await
}

async fn subscribed_with(listener: &Listener, options: ClientOptions) -> (Under, Peer) {
    let mut under = Under::new(options);
    under.client.subscribe(public("a")).unwrap();
    under.client.connect();
    let mut peer = listener.establish("1.1").await;
    peer.acknowledge_all(1).await;
    under.until(|item| matches!(item, Item::Subscribed { .. })).await;
    (under, peer)
}

async fn failure(under: &mut Under) -> ConnectionError {
    loop {
        if let Item::ConnectionFailed { error, .. } = under.next().await {
            return error;
        }
    }
}

/// Sends `bytes` to a subscribed client; returns the code of the close frame it answers with, and what it reports.
async fn provoke(bytes: &[u8]) -> (Option<u16>, ConnectionError) {
    let listener = Listener::bind().await;
    let (mut under, peer) = subscribed(&listener).await;
    let mut raw = Raw { stream: peer.socket.into_inner() };
    raw.write(bytes).await;
    let error = failure(&mut under).await;
    let mut answer = Vec::new();
    soon("the end", raw.stream.read_to_end(&mut answer)).await.ok();
    // 0x88, a length with the mask bit, the mask, the masked code.
    let code = match answer.as_slice() {
        [0x88, _, m0, m1, _, _, c0, c1, ..] => Some(u16::from_be_bytes([c0 ^ m0, c1 ^ m1])),
        _ => None,
    };
    (code, error)
}

// W08, W09, W12, W13, W15, W20
#[tokio::test]
async fn a_server_that_breaks_the_websocket_protocol_is_told_so_and_left() {
    let huge = [0x81, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    let cases: [(&str, &[u8], u16); 7] = [
        ("a masked frame", &[0x81, 0x82, 1, 2, 3, 4, b'{', b'}'], 1002),
        ("a reserved bit", &[0xc1, 0x02, b'{', b'}'], 1002),
        ("a reserved opcode", &[0x83, 0x02, b'{', b'}'], 1002),
        ("a fragmented ping", &[0x09, 0x00], 1002),
        ("a continuation of nothing", &[0x80, 0x00], 1002),
        ("bytes that are no UTF-8", &[0x81, 0x02, 0xc3, 0x28], 1007),
        ("a length of 2^63 - 1", &huge, 1009),
    ];
    let answers = join_all(cases.map(|(_, bytes, _)| provoke(bytes))).await;
    for ((what, _, code), (answered, error)) in cases.into_iter().zip(answers) {
        assert_eq!(answered, Some(code), "{what}: {error}");
        let is_ours = matches!(error, ConnectionError::MessageTooLong { limit: 1_048_576 });
        assert!(
            if code == 1009 { is_ours } else { matches!(error, ConnectionError::Lost { .. }) },
            "{what}: {error:?}"
        );
    }
}

// W11, Y01, M01: also in fragments, which add up.
#[tokio::test]
async fn a_message_of_two_mebibytes_is_refused() {
    let mut whole = vec![0x81, 127];
    whole.extend((2_u64 << 20).to_be_bytes());
    let half = |first: u8| {
        let mut half = vec![first, 127];
        half.extend((700_u64 << 10).to_be_bytes());
        half.extend(vec![b' '; 700 << 10]);
        half
    };
    let fragments = [half(0x01), half(0x80)].concat();
    for bytes in [whole, fragments] {
        let (answered, error) = provoke(&bytes).await;
        assert_eq!(answered, Some(1009), "{error}");
        assert_eq!(error, ConnectionError::MessageTooLong { limit: 1 << 20 });
    }
}

// W14, W17, M01: counted or tolerated, and the socket stays.
#[tokio::test]
async fn what_is_no_message_is_counted_and_harms_nothing() {
    let listener = Listener::bind().await;
    let (mut under, mut peer) = subscribed(&listener).await;
    peer.socket.send(Message::Binary(vec![1, 2, 3].into())).await.unwrap();
    peer.socket.send(Message::Pong(b"unasked".as_slice().into())).await.unwrap();
    peer.socket.send(Message::Ping(b"ping".as_slice().into())).await.unwrap();
    for text in ["", "no json", "[]", "{}", r#"{"event":7}"#, &"[".repeat(100_000)] {
        peer.text(text).await;
    }
    peer.event("a", "after", json!(1)).await;
    let told = under.next().await;
    assert!(matches!(told, Item::Unreadable { lost: 1, .. }), "{told:?}");
    assert_eq!(event_of(&under.next().await).unwrap().0, "after");
    let counters = under.client.counters().protocol;
    assert_eq!((counters.binary_frames, counters.malformed_frames), (1, 6));
    let pong = soon("a pong", peer.socket.next()).await.unwrap().unwrap();
    assert_eq!(pong, Message::Pong(b"ping".as_slice().into()));
}

// L05: answered at once, whatever the consumer is doing (which is nothing here).
#[tokio::test]
async fn the_servers_ping_is_answered_with_nobody_reading() {
    let listener = Listener::bind().await;
    let (_under, mut peer) = subscribed(&listener).await;
    peer.json(json!({"event": "pusher:ping"})).await;
    assert_eq!(peer.next().await.unwrap()["event"], "pusher:pong");
}

// W16: nobody reads the pongs, and more of them than the system has room for are not kept in memory. The client lives, and
// the pong of the last ping comes as soon as there is room, long before the client has to say anything else.
#[tokio::test]
async fn a_flood_of_pings_is_survived_and_leaves_no_queue_of_pongs() {
    const PINGS: u32 = 100_000;
    const PAYLOAD: usize = 125;
    let listener = Listener::bind().await;
    let mut options = options_for(&listener);
    options.protocol.activity_timeout = Duration::from_secs(3_600);
    let (mut under, peer) = subscribed_with(&listener, options).await;
    let (unread, mut flood) = peer.socket.into_inner().into_split();
    let mut pings = Vec::new();
    for number in 0..PINGS {
        pings.extend([0x89, PAYLOAD as u8]);
        pings.extend(number.to_be_bytes());
        pings.extend([0; PAYLOAD - 4]);
    }
    pings.extend(frame(r#"{"event":"after","channel":"a"}"#));
    let write = async { flood.write_all(&pings).await.unwrap() };
    let ((), event) = tokio::join!(write, under.until(|item| matches!(item, Item::Event(_))));
    assert_eq!(event_of(&event).unwrap().0, "after");

    let mut unread = tokio::io::BufReader::new(unread);
    let mut pongs = 0;
    let mut last = None;
    while last != Some(PINGS - 1) {
        // 0x8a, a length with the mask bit, the mask, the masked payload.
        let mut pong = [0; 6 + PAYLOAD];
        soon("a pong", unread.read_exact(&mut pong)).await.unwrap();
        assert_eq!(pong[..2], [0x8a, 0x80 | PAYLOAD as u8]);
        last = Some(u32::from_be_bytes(std::array::from_fn(|index| pong[6 + index] ^ pong[2 + index])));
        pongs += 1;
    }
    assert!(pongs < PINGS, "every pong was kept");
}

// W19, W25, I27
#[tokio::test]
async fn a_close_frame_is_echoed_and_its_reason_kept() {
    let listener = Listener::bind().await;
    let (mut under, mut peer) = subscribed(&listener).await;
    peer.close(4200, "going down").await;
    assert_eq!(peer.closed().await, Some(4200));
    let error = failure(&mut under).await;
    assert_eq!(error, ConnectionError::Closed { code: Some(4200), reason: "going down".into() });
    let Item::Interrupted { cause, since, .. } = under.next().await else { panic!("no interruption") };
    assert_eq!(cause, GapCause::ClosedByServer { code: Some(4200) });
    let mut again = listener.establish("2.2").await;
    again.acknowledge_all(1).await;
    let Item::Subscribed { continuity, .. } = under.until(|item| matches!(item, Item::Subscribed { .. })).await else {
        unreachable!()
    };
    let Continuity::Gap { since: gap_since, until, .. } = continuity else { panic!("{continuity:?}") };
    assert_eq!(gap_since, since);
    assert!(since < until);
    let age = std::time::SystemTime::now().duration_since(until).unwrap();
    assert!(age < Duration::from_secs(60), "a gap in wall time: {age:?}");
}

// N08, N09: whatever ends the stream, there is one failure and one retry.
#[tokio::test]
async fn a_stream_that_breaks_is_left_and_tried_again() {
    for reset in [false, true] {
        let listener = Listener::bind().await;
        let (mut under, peer) = subscribed(&listener).await;
        let stream = peer.socket.into_inner();
        if reset {
            stream.set_zero_linger().unwrap();
        }
        drop(stream);
        under.until_state(ConnectionState::Reconnecting).await;
        assert!(matches!(under.next().await, Item::ConnectionFailed { retry_in: Some(_), .. }));
        assert!(matches!(under.next().await, Item::Interrupted { .. }));
        let _peer = listener.establish("2.2").await;
        under.until_state(ConnectionState::Connected).await;
    }
}

// L01, L02, W23: half a message, and then nothing any more.
#[tokio::test]
async fn silence_is_noticed_also_in_the_middle_of_a_message() {
    let listener = Listener::bind().await;
    let mut options = options_for(&listener);
    options.protocol.activity_timeout = Duration::from_millis(200);
    options.protocol.pong_timeout = Duration::from_millis(200);
    let mut under = Under::new(options);
    under.client.connect();
    let peer = listener.establish("1.1").await;
    let mut raw = Raw { stream: peer.socket.into_inner() };
    raw.write(&frame(r#"{"event":"after","channel":"a"}"#)[..10]).await;
    under.until_state(ConnectionState::Reconnecting).await;
    assert!(matches!(failure(&mut under).await, ConnectionError::Silent { .. }));
    // A ping was sent, and then the socket was dropped at once.
    let mut rest = Vec::new();
    soon("the end", raw.stream.read_to_end(&mut rest)).await.ok();
    assert_eq!(rest.first(), Some(&0x81));
}

// L12, I30 the other way round: bytes that come in are activity, a part of a message too.
#[tokio::test]
async fn a_slow_message_keeps_the_connection_alive() {
    let listener = Listener::bind().await;
    let mut options = options_for(&listener);
    options.protocol.activity_timeout = Duration::from_millis(400);
    // A machine may stand still for as long between two bytes; without them the socket would be dropped after 2.4 s.
    options.protocol.pong_timeout = Duration::from_secs(2);
    let mut under = Under::new(options);
    under.client.subscribe(public("a")).unwrap();
    under.client.connect();
    let mut peer = listener.establish("1.1").await;
    peer.acknowledge_all(1).await;
    under.until(|item| matches!(item, Item::Subscribed { .. })).await;
    let mut raw = Raw { stream: peer.socket.into_inner() };
    let text = format!(r#"{{"event":"slow","channel":"a","data":"{}"}}"#, "x".repeat(60));
    // Nearly four seconds in all.
    for byte in frame(&text) {
        raw.write([byte]).await;
        tokio::time::sleep(Duration::from_millis(35)).await;
    }
    assert_eq!(event_of(&under.next().await).unwrap().0, "slow");
    assert_eq!(under.client.counters().protocol.attempts, 1);
}
