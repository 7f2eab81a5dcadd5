use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use channels_client::{
    AuthorizationRequest, Authorizer, ClientOptions, Continuity, HttpAuthorizer, Item, RawDecoder, StaticToken,
    StreamClient, Tls,
    http::{HttpClient, HttpLimits, HttpUrl},
    proto::{Authorization, AuthorizationError, ConnectionState, OwnedEvent, Secret},
};
use http::HeaderMap;
use serde_json::json;
use tokio::runtime::Handle;

use crate::support::{
    Listener, Signer, Under, established, event_of, frame, options_for, private, public, soon, switching,
};

// N02: a time that is over at once, or a limit that nothing passes, would look like a server that does not answer.
#[tokio::test]
async fn no_client_is_made_with_an_option_that_cannot_work() {
    type Change = fn(&mut ClientOptions);
    let changes: [(&str, Change); 6] = [
        ("write_timeout", |options| options.write_timeout = Duration::ZERO),
        ("write_timeout", |options| options.write_timeout = Duration::MAX),
        ("queue.max_items", |options| options.queue.max_items = 0),
        ("queue.max_bytes", |options| options.queue.max_bytes = 0),
        ("pong_timeout", |options| options.protocol.pong_timeout = Duration::MAX),
        ("limits.max_channels", |options| options.protocol.limits.max_channels = 0),
    ];
    let listener = Listener::bind().await;
    for (name, change) in changes {
        let mut options = options_for(&listener);
        change(&mut options);
        let made = StreamClient::new(options, Arc::new(Signer), RawDecoder, &Handle::current());
        assert_eq!(made.unwrap_err().option, name);
    }
}

// K12, I8, I22: the state comes before what it enables.
#[tokio::test]
async fn a_client_connects_subscribes_and_delivers_in_order() {
    let listener = Listener::bind().await;
    let mut under = Under::new(options_for(&listener));
    under.client.subscribe(private("a")).unwrap();
    under.client.connect();
    let mut peer = listener.establish("1.1").await;
    assert_eq!(peer.subscribe().await, ("private-a".into(), Some("key:signed-1.1-private-a".into())));
    peer.acknowledge("private-a").await;
    peer.event("private-a", "first", json!({"n": 1})).await;
    peer.event("private-a", "second", json!({"n": 2})).await;

    let (from, to) = (ConnectionState::Disconnected, ConnectionState::Connecting);
    assert_eq!(under.next().await, Item::StateChanged { from, to });
    let (from, to) = (ConnectionState::Connecting, ConnectionState::Connected);
    assert_eq!(under.next().await, Item::StateChanged { from, to });
    let (channel, continuity) = (private("a"), Continuity::Fresh);
    assert_eq!(under.next().await, Item::Subscribed { channel, continuity, members: None });
    assert_eq!(event_of(&under.next().await), Some(("first".into(), r#"{"n":1}"#.into())));
    assert_eq!(event_of(&under.next().await), Some(("second".into(), r#"{"n":2}"#.into())));
    assert!(under.client.is_connected());
    assert_eq!(under.client.socket_id().unwrap().as_str(), "1.1");
}

fn failure(item: &Item<OwnedEvent>) -> Option<(String, Option<Duration>)> {
    let Item::ConnectionFailed { error, retry_in } = item else { return None };
    Some((error.to_string(), *retry_in))
}

async fn next_failure(under: &mut Under) -> (String, Option<Duration>) {
    loop {
        if let Some(failure) = failure(&under.next().await) {
            return failure;
        }
    }
}

// D03
#[tokio::test]
async fn connecting_fifty_times_makes_one_socket() {
    let listener = Listener::bind().await;
    let mut under = Under::new(options_for(&listener));
    for _ in 0..50 {
        under.client.connect();
    }
    let _peer = listener.establish("1.1").await;
    under.client.connect();
    under.until_state(ConnectionState::Connected).await;
    under.client.connect();
    assert!(!listener.is_dialed_within(Duration::from_millis(100)).await);
}

// W24, P11: push1st puts both into one segment.
#[tokio::test]
async fn a_first_message_in_the_segment_of_the_upgrade_is_not_lost() {
    let listener = Listener::bind().await;
    let mut under = Under::new(options_for(&listener));
    under.client.connect();
    let mut raw = listener.accept().await;
    let request = raw.read_head().await;
    let mut both = switching(&request).into_bytes();
    both.extend(frame(&established("7.7")));
    raw.write(both).await;
    under.until_state(ConnectionState::Connected).await;
    assert_eq!(under.client.socket_id().unwrap().as_str(), "7.7");
}

// N11, W10: one byte a segment, fragments, control frames between them.
#[tokio::test]
async fn the_cut_of_the_bytes_makes_no_difference() {
    let listener = Listener::bind().await;
    let mut under = Under::new(options_for(&listener));
    under.client.subscribe(public("a")).unwrap();
    under.client.connect();
    let mut raw = listener.accept().await;
    raw.stream.set_nodelay(true).unwrap();
    let request = raw.read_head().await;
    let mut bytes = switching(&request).into_bytes();
    bytes.extend(frame(&established("7.7")));
    bytes.extend(frame(r#"{"event":"pusher_internal:subscription_succeeded","channel":"a"}"#));
    let event = r#"{"channel":"a","event":"é","data":{}}"#;
    let (one, two) = event.as_bytes().split_at(event.find('é').unwrap() + 1);
    for (first_byte, part) in [(0x01, one), (0x89, b"ping".as_slice()), (0x80, two)] {
        bytes.extend([first_byte, part.len() as u8]);
        bytes.extend(part);
    }
    for byte in bytes {
        raw.write([byte]).await;
        tokio::task::yield_now().await;
    }
    let event = under.until(|item| matches!(item, Item::Event(_))).await;
    assert_eq!(event_of(&event), Some(("é".into(), "{}".into())));
}

// N06, N14, N07, P01: each failure says its cause, the address and what may help.
#[tokio::test]
async fn a_server_that_is_down_is_named_with_its_address() {
    let listener = Listener::bind().await;
    let mut under = Under::new(options_for(&listener));
    let address = listener.address().to_string();
    drop(listener);
    under.client.connect();
    let (message, retry) = next_failure(&mut under).await;
    assert!(message.contains(&address) && message.contains("refused"), "{message}");
    assert!(retry.unwrap() <= Duration::from_secs(1), "{retry:?}");
    assert_eq!(under.client.state(), ConnectionState::Reconnecting);
}

// N14
#[tokio::test]
async fn a_web_page_instead_of_an_upgrade_is_told_and_tried_again_slowly() {
    let listener = Listener::bind().await;
    let mut under = Under::new(options_for(&listener));
    under.client.connect();
    let mut raw = listener.accept().await;
    raw.read_head().await;
    raw.answer("200 OK", "Content-Type: text/html\r\n", "<html>").await;
    let (message, retry) = next_failure(&mut under).await;
    assert!(message.contains("a web page instead of a WebSocket"), "{message}");
    assert!(retry.unwrap() >= Duration::from_secs(30), "{retry:?}");
}

// N07, P01
#[tokio::test]
async fn a_server_that_accepts_and_is_silent_runs_into_the_deadline() {
    let listener = Listener::bind().await;
    let mut options = options_for(&listener);
    options.protocol.connect_timeout = Duration::from_millis(200);
    let mut under = Under::new(options);
    under.client.connect();
    let mut silent = listener.accept().await;
    silent.read_head().await;
    assert!(silent.is_hung_up().await);
    let (message, _) = next_failure(&mut under).await;
    assert!(message.contains("opening the socket"), "{message}");

    let mut upgraded = listener.accept().await.upgrade().await;
    assert_eq!(upgraded.closed().await, None);
    let (message, _) = next_failure(&mut under).await;
    assert!(message.contains("is this a Pusher server?"), "{message}");
}

// W05
#[tokio::test]
async fn a_redirected_upgrade_is_not_followed() {
    let listener = Listener::bind().await;
    let elsewhere = Listener::bind().await;
    let mut under = Under::new(options_for(&listener));
    under.client.connect();
    let mut raw = listener.accept().await;
    raw.read_head().await;
    raw.answer("307 x", &format!("Location: {}\r\n", elsewhere.http_url("/canary?canary")), "").await;
    let (message, _) = next_failure(&mut under).await;
    assert!(message.contains(&elsewhere.http_url("/canary")) && !message.contains("?canary"), "{message}");
    assert!(!elsewhere.is_dialed_within(Duration::from_millis(50)).await);
}

// S19: one authorization round trip and one subscribe round trip.
#[tokio::test]
async fn both_channels_are_authorized_at_once_over_connections_opened_ahead() {
    let listener = Listener::bind().await;
    let endpoint = Listener::bind().await;
    let url = HttpUrl::parse(&endpoint.http_url("/auth")).unwrap();
    let http = HttpClient::new(url.origin(), Tls::platform(), HttpLimits::default()).unwrap();
    let tokens = Arc::new(StaticToken::new(Secret::new("token")));
    let authorizer = HttpAuthorizer::new(http, url, HeaderMap::new(), tokens);
    let (client, mut delivery) =
        StreamClient::new(options_for(&listener), Arc::new(authorizer), RawDecoder, &Handle::current()).unwrap();
    client.subscribe(private("user.42")).unwrap();
    client.subscribe(private("token.abc")).unwrap();
    client.connect();
    // While the socket is not even upgraded:
    let (mut one, mut two) = (endpoint.accept().await, endpoint.accept().await);
    let mut peer = listener.establish("1.1").await;
    // Neither waits for the other:
    let bodies = [one.read_request().await.1, two.read_request().await.1];
    assert!(bodies.iter().all(|body| body.contains("socket_id=1.1")), "{bodies:?}");
    for raw in [&mut one, &mut two] {
        raw.answer("200 OK", "", r#"{"auth":"key:sig"}"#).await;
    }
    let channels = [peer.subscribe().await.0, peer.subscribe().await.0];
    for channel in &channels {
        peer.acknowledge(channel).await;
    }
    let mut subscribed = 0;
    while subscribed < 2 {
        let item = soon("an item", delivery.next()).await.unwrap();
        subscribed += usize::from(matches!(item, Item::Subscribed { .. }));
    }
    // And they are let go when they are not needed any more.
    assert!(one.is_hung_up().await && two.is_hung_up().await);
}

// S19: no more than eight at a time.
#[tokio::test]
async fn many_channels_are_authorized_a_few_at_a_time() {
    struct Slow {
        now: AtomicUsize,
        most: AtomicUsize,
    }
    struct Counting(Arc<Slow>);
    impl Authorizer for Counting {
        async fn authorize(&self, _: AuthorizationRequest) -> Result<Authorization, AuthorizationError> {
            let slow = &self.0;
            let now = slow.now.fetch_add(1, Ordering::SeqCst) + 1;
            slow.most.fetch_max(now, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(5)).await;
            slow.now.fetch_sub(1, Ordering::SeqCst);
            Ok(Authorization::new("key:sig"))
        }
    }
    let listener = Listener::bind().await;
    let slow = Arc::new(Slow { now: AtomicUsize::new(0), most: AtomicUsize::new(0) });
    let authorizer = Arc::new(Counting(Arc::clone(&slow)));
    let (client, _delivery) =
        StreamClient::new(options_for(&listener), authorizer, RawDecoder, &Handle::current()).unwrap();
    for number in 0..40 {
        client.subscribe(private(&number.to_string())).unwrap();
    }
    client.connect();
    let mut peer = listener.establish("1.1").await;
    peer.acknowledge_all(40).await;
    assert_eq!(slow.most.load(Ordering::SeqCst), 8);
}

// S25
#[tokio::test]
async fn an_authorizer_that_panics_harms_nobody_else() {
    struct Panicking;
    impl Authorizer for Panicking {
        async fn authorize(&self, request: AuthorizationRequest) -> Result<Authorization, AuthorizationError> {
            assert!(request.channel.as_str() != "private-bad", "on purpose");
            Ok(Authorization::new("key:sig"))
        }
        async fn prepare(&self, _: usize) {
            panic!("on purpose")
        }
        fn release(&self) {
            panic!("on purpose")
        }
    }
    let listener = Listener::bind().await;
    let (client, _delivery) =
        StreamClient::new(options_for(&listener), Arc::new(Panicking), RawDecoder, &Handle::current()).unwrap();
    client.subscribe(private("bad")).unwrap();
    client.subscribe(private("good")).unwrap();
    client.connect();
    let mut peer = listener.establish("1.1").await;
    assert_eq!(peer.subscribe().await.0, "private-good");
    peer.acknowledge("private-good").await;
    client.unsubscribe(&private("bad"));
    client.subscribe(private("more")).unwrap();
    assert_eq!(peer.subscribe().await.0, "private-more");
}

// R03: also those whose turn comes late, and those whose server does not answer those before.
#[tokio::test]
async fn all_clients_of_a_process_connect_however_many_they_are() {
    let listener = Listener::bind().await;
    let mut clients: Vec<Under> = (0..300).map(|_| Under::new(options_for(&listener))).collect();
    for under in &clients {
        under.client.subscribe(public("a")).unwrap();
        under.client.connect();
    }
    let mut mute = Vec::new();
    for _ in 0..100 {
        mute.push(listener.accept().await);
    }
    let mut peers = Vec::new();
    for number in 0..200 {
        let mut peer = listener.establish(&format!("1.{number}")).await;
        peer.acknowledge_all(1).await;
        peers.push(peer);
    }
    for raw in mute {
        let mut peer = raw.upgrade().await;
        peer.establish("2.1").await;
        peer.acknowledge_all(1).await;
        peers.push(peer);
    }
    for under in &mut clients {
        under.until(|item| matches!(item, Item::Subscribed { .. })).await;
    }
}
