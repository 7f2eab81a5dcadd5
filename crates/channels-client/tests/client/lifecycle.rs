use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use channels_client::{
    AuthorizationRequest, Authorizer, Decoded, Decoder, Item, RawDecoder, StreamClient,
    proto::{Authorization, AuthorizationError, ConnectionState, Event},
};
use futures_util::FutureExt;
use serde_json::json;
use tokio::runtime::Handle;

use crate::support::{Listener, Signer, Under, event_of, eventually, options_for, private, public, soon};

use ConnectionState::{Connected, Connecting, Disconnected, Disconnecting, Reconnecting};

/// How long "no later attempt" is waited for; the first retry comes within a second.
const NO_ATTEMPT: Duration = Duration::from_millis(1_500);

/// Disconnects, and checks what is left: the one report, when the consumer knew of another state, and nothing after it.
async fn check_barrier(under: &mut Under, listener: &Listener) {
    let mut known = Disconnected;
    while let Some(item) = under.delivery.try_next() {
        if let Item::StateChanged { to, .. } = item {
            known = to;
        }
    }
    under.client.disconnect();
    assert_eq!((under.client.state(), under.client.socket_id()), (Disconnected, None));
    let report = (known != Disconnected).then_some(Item::StateChanged { from: known, to: Disconnected });
    assert_eq!(under.delivery.try_next(), report);
    assert!(!listener.is_dialed_within(NO_ATTEMPT).await, "an attempt after disconnect()");
    assert_eq!(under.delivery.try_next(), None);
    under.client.disconnect();
    assert_eq!(under.delivery.try_next(), None);
}

// D01, D10, I13
#[tokio::test]
async fn the_barrier_holds_before_any_connection() {
    let listener = Listener::bind().await;
    let mut under = Under::new(options_for(&listener));
    check_barrier(&mut under, &listener).await;
    under.client.connect();
    check_barrier(&mut under, &listener).await;
}

// D01
#[tokio::test]
async fn the_barrier_holds_while_the_upgrade_is_under_way() {
    let listener = Listener::bind().await;
    let mut under = Under::new(options_for(&listener));
    under.client.connect();
    let mut raw = listener.accept().await;
    raw.read_head().await;
    assert_eq!(under.client.state(), Connecting);
    check_barrier(&mut under, &listener).await;
    assert!(raw.is_hung_up().await);
}

// D01, P08
#[tokio::test]
async fn the_barrier_holds_while_the_server_has_not_established_the_connection() {
    let listener = Listener::bind().await;
    let mut under = Under::new(options_for(&listener));
    under.client.connect();
    let mut peer = listener.accept().await.upgrade().await;
    eventually("an open socket", || under.client.counters().protocol.attempts == 1).await;
    tokio::task::yield_now().await;
    check_barrier(&mut under, &listener).await;
    peer.closed().await;
}

// D01, S03, I14, A05
#[tokio::test]
async fn the_barrier_holds_while_an_authorization_is_under_way_and_ends_it() {
    struct Never(Arc<AtomicUsize>);
    struct Held(Arc<AtomicUsize>);
    impl Drop for Held {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    impl Authorizer for Never {
        async fn authorize(&self, _: AuthorizationRequest) -> Result<Authorization, AuthorizationError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            let _held = Held(Arc::clone(&self.0));
            std::future::pending().await
        }
    }
    let listener = Listener::bind().await;
    let running = Arc::new(AtomicUsize::new(0));
    let authorizer = Arc::new(Never(Arc::clone(&running)));
    let (client, delivery) =
        StreamClient::new(options_for(&listener), authorizer, RawDecoder, &Handle::current()).unwrap();
    let mut under = Under { client, delivery };
    under.client.subscribe(private("a")).unwrap();
    under.client.connect();
    let mut peer = listener.establish("1.1").await;
    eventually("an authorization", || running.load(Ordering::SeqCst) == 1).await;
    check_barrier(&mut under, &listener).await;
    assert_eq!(peer.closed().await, Some(1000));
    eventually("the end of the authorization", || running.load(Ordering::SeqCst) == 0).await;
}

// D01, D02, I13
#[tokio::test]
async fn the_barrier_holds_with_events_on_their_way() {
    let listener = Listener::bind().await;
    let mut under = Under::new(options_for(&listener));
    under.client.subscribe(public("a")).unwrap();
    under.client.connect();
    let mut peer = listener.establish("1.1").await;
    peer.acknowledge_all(1).await;
    under.until(|item| matches!(item, Item::Subscribed { .. })).await;
    for number in 0..100 {
        peer.event("a", "e", json!(number)).await;
    }
    under.until(|item| matches!(item, Item::Event(_))).await;
    under.client.disconnect();
    assert_eq!(under.delivery.try_next(), Some(Item::StateChanged { from: Connected, to: Disconnected }));
    assert_eq!(peer.closed().await, Some(1000));
    assert_eq!(under.delivery.try_next(), None);
}

// D01: pusher-swift#195, pusher-java#189
#[tokio::test]
async fn the_barrier_holds_during_a_back_off() {
    let listener = Listener::bind().await;
    let mut under = Under::new(options_for(&listener));
    under.client.connect();
    drop(listener.establish("1.1").await);
    eventually("the back-off", || under.client.state() == Reconnecting).await;
    check_barrier(&mut under, &listener).await;
}

// D04, I15: the late end of the old socket cannot hurt the new one.
#[tokio::test]
async fn connecting_straight_after_disconnecting_is_a_new_session() {
    let listener = Listener::bind().await;
    let mut under = Under::new(options_for(&listener));
    under.client.subscribe(public("a")).unwrap();
    under.client.connect();
    let mut old = listener.establish("1.1").await;
    old.acknowledge_all(1).await;
    under.until(|item| matches!(item, Item::Subscribed { .. })).await;
    under.client.disconnect();
    under.client.connect();
    let mut new = listener.establish("2.2").await;
    old.event("a", "late", json!(1)).await;
    old.close(4001, "late").await;
    new.acknowledge_all(1).await;
    new.event("a", "new", json!(2)).await;
    assert_eq!(under.next().await, Item::StateChanged { from: Connected, to: Disconnected });
    assert_eq!(under.next().await, Item::StateChanged { from: Disconnected, to: Connecting });
    assert_eq!(under.next().await, Item::StateChanged { from: Connecting, to: Connected });
    assert!(matches!(under.next().await, Item::Subscribed { .. }));
    assert_eq!(event_of(&under.next().await).unwrap().0, "new");
    assert_eq!(under.client.socket_id().unwrap().as_str(), "2.2");
}

// R11: the server never answers the close frame, so the old connection stays open for as long as the client waits for that.
#[tokio::test]
async fn a_new_connection_does_not_wait_for_the_old_one_to_be_closed() {
    let listener = Listener::bind().await;
    let mut under = Under::new(options_for(&listener));
    // On a machine that stands still for two seconds that wait is over when the new connection is looked at.
    for _ in 0..5 {
        under.client.connect();
        let old = listener.establish("1.1").await;
        under.until_state(Connected).await;
        under.client.disconnect();
        under.client.connect();
        let _new = listener.accept().await;
        if is_open(old.socket.into_inner()) {
            return;
        }
        under.client.disconnect();
    }
    panic!("there was never a new connection before the old one was closed");
}

/// Whether the other side has not closed the connection yet, whatever it has sent.
fn is_open(stream: tokio::net::TcpStream) -> bool {
    let mut stream = stream.into_std().unwrap();
    loop {
        match std::io::Read::read(&mut stream, &mut [0; 1024]) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) => return error.kind() == std::io::ErrorKind::WouldBlock,
        }
    }
}

// D05, I10
#[tokio::test]
async fn a_thousand_toggles_end_with_the_last_intent_and_leave_one_socket() {
    let listener = Listener::bind().await;
    let mut under = Under::new(options_for(&listener));
    let mut random = 1_u32;
    for _ in 0..1_000 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if random >> 31 == 0 {
            under.client.connect();
        } else {
            under.client.disconnect();
        }
        if random.is_multiple_of(7) {
            tokio::task::yield_now().await;
        }
    }
    under.client.disconnect();
    under.client.connect();
    let mut known = Disconnected;
    let mut peers = Vec::new();
    loop {
        tokio::select! {
            raw = listener.accept() => peers.push(tokio::spawn(async move {
                if raw.stream.peek(&mut [0]).await.is_ok_and(|there| there > 0) {
                    let mut peer = raw.upgrade().await;
                    peer.try_text(crate::support::established("9.9")).await;
                    peer.closed().await;
                }
            })),
            item = under.next() => if let Item::StateChanged { from, to } = item {
                assert_eq!(from, known);
                known = to;
                if to == Connected { break }
            },
        }
    }
    assert!(under.client.is_connected());
    eventually("the end of all sockets but one", || peers.iter().filter(|peer| !peer.is_finished()).count() == 1).await;
}

// D06: a server that reads nothing and answers nothing.
#[tokio::test]
async fn disconnecting_from_a_dead_network_does_not_wait_for_it() {
    let listener = Listener::bind().await;
    let mut under = Under::new(options_for(&listener));
    under.client.connect();
    let peer = listener.establish("1.1").await;
    under.until_state(Connected).await;
    // On this thread alone runs the whole client: if this waited for the network it would never return.
    under.client.disconnect();
    assert_eq!(under.client.state(), Disconnected);
    let mut raw = crate::support::Raw { stream: peer.socket.into_inner() };
    // The close frame, unanswered, and then the end.
    let mut rest = Vec::new();
    soon("the end", tokio::io::AsyncReadExt::read_to_end(&mut raw.stream, &mut rest)).await.unwrap();
    assert_eq!(rest.first(), Some(&0x88));
}

// D07, K10, I37
#[tokio::test]
async fn dropping_the_last_handle_closes_the_socket_and_ends_the_stream() {
    let listener = Listener::bind().await;
    let Under { client, mut delivery } = Under::new(options_for(&listener));
    client.connect();
    let mut peer = listener.establish("1.1").await;
    eventually("a connection", || client.is_connected()).await;
    let clone = client.clone();
    drop(client);
    assert!(clone.is_connected());
    drop(clone);
    assert_eq!(peer.closed().await, Some(1000));
    let mut states = Vec::new();
    while let Some(item) = soon("the end", delivery.next()).await {
        if let Item::StateChanged { to, .. } = item {
            states.push(to);
        }
    }
    assert_eq!(states, [Connecting, Connected, Disconnecting, Disconnected]);
    assert_eq!(delivery.next().await, None);
    assert!(delivery.next_batch(10).await.is_empty());
}

// D07
#[tokio::test]
async fn dropping_the_client_while_it_connects_lets_go_of_the_attempt() {
    let listener = Listener::bind().await;
    let Under { client, delivery } = Under::new(options_for(&listener));
    client.connect();
    let mut raw = listener.accept().await;
    raw.read_head().await;
    drop(delivery);
    drop(client);
    assert!(raw.is_hung_up().await);
}

// D12: also every method after it.
#[test]
fn a_runtime_that_is_gone_first_is_no_panic() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (listener, under) = runtime.block_on(async {
        let listener = Listener::bind().await;
        let under = Under::new(options_for(&listener));
        under.client.subscribe(public("a")).unwrap();
        under.client.connect();
        let _peer = listener.establish("1.1").await;
        eventually("a connection", || under.client.is_connected()).await;
        (listener, under)
    });
    drop(listener);
    under.delivery.set_handler(Some(Box::new(|_| {})));
    drop(runtime);
    assert_eq!((under.client.state(), under.client.socket_id()), (Disconnected, None));
    under.client.connect();
    under.client.subscribe(public("b")).unwrap();
    under.client.unsubscribe(&public("a"));
    under.client.network_changed();
    under.delivery.set_handler(Some(Box::new(|_| {})));
    under.delivery.set_handler(None);
    under.client.disconnect();
    while under.delivery.try_next().is_some() {}
    let Under { client, delivery } = under;
    drop(client);
    drop(delivery);
}

// D12
#[test]
fn a_client_made_for_a_runtime_that_is_gone_is_no_panic() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let handle = runtime.handle().clone();
    let listener = runtime.block_on(Listener::bind());
    let options = options_for(&listener);
    drop(listener);
    drop(runtime);
    let (client, mut delivery) = StreamClient::new(options, Arc::new(Signer), RawDecoder, &handle).unwrap();
    client.connect();
    assert_eq!(delivery.next().now_or_never(), Some(None));
}

// A client is made from any thread, with or without a runtime around it.
#[test]
fn a_client_can_be_made_outside_of_its_runtime() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(Listener::bind());
    let (client, _delivery) =
        StreamClient::new(options_for(&listener), Arc::new(Signer), RawDecoder, runtime.handle()).unwrap();
    client.connect();
    runtime.block_on(async {
        let _peer = listener.establish("1.1").await;
        eventually("a connection", || client.is_connected()).await;
    });
}

// D08
#[tokio::test]
async fn two_clients_do_not_know_of_each_other() {
    let listener = Listener::bind().await;
    let (mut one, mut two) = (Under::new(options_for(&listener)), Under::new(options_for(&listener)));
    one.client.connect();
    let mut first = listener.establish("1.1").await;
    two.client.connect();
    let _second = listener.establish("2.2").await;
    one.until_state(Connected).await;
    two.until_state(Connected).await;
    one.client.disconnect();
    assert_eq!(first.closed().await, Some(1000));
    assert_eq!(two.client.socket_id().unwrap().as_str(), "2.2");
}

// I25
#[tokio::test]
async fn no_event_of_a_channel_is_delivered_after_unsubscribe_returned() {
    let listener = Listener::bind().await;
    let decoded = Arc::new(AtomicUsize::new(0));
    let decoder = Counting(Arc::clone(&decoded));
    let (client, mut delivery) =
        StreamClient::new(options_for(&listener), Arc::new(Signer), decoder, &Handle::current()).unwrap();
    client.subscribe(public("a")).unwrap();
    client.subscribe(public("b")).unwrap();
    client.connect();
    let mut peer = listener.establish("1.1").await;
    peer.acknowledge_all(2).await;
    for name in ["a1", "b1", "a2"] {
        peer.event(&name[..1], name, json!(0)).await;
    }
    // Queued in the same turn in which they were decoded.
    eventually("three events", || decoded.load(Ordering::SeqCst) == 3).await;
    client.unsubscribe(&public("a"));
    // On their way when the server does not know yet:
    for name in ["a3", "b2"] {
        peer.event(&name[..1], name, json!(0)).await;
    }
    let mut names = Vec::new();
    while names.last().is_none_or(|name| name != "b2") {
        if let Item::Event(name) = soon("an item", delivery.next()).await.unwrap() {
            names.push(name);
        }
    }
    assert_eq!(names, ["b1", "b2"]);
    let message = peer.next().await.unwrap();
    assert_eq!((&message["event"], &message["data"]["channel"]), (&json!("pusher:unsubscribe"), &json!("a")));
}

struct Counting(Arc<AtomicUsize>);

impl Decoder for Counting {
    type Item = String;

    fn decode(&mut self, event: &Event<'_>) -> Decoded<String> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let keep = event.name() == "logout";
        Decoded { item: event.name().to_owned(), keep, disconnect: keep }
    }
}

// A07: logout is delivered, then the client goes and stays away until connect().
#[tokio::test]
async fn an_event_can_ask_to_disconnect_after_it() {
    let listener = Listener::bind().await;
    let decoder = Counting(Arc::default());
    let (client, mut delivery) =
        StreamClient::new(options_for(&listener), Arc::new(Signer), decoder, &Handle::current()).unwrap();
    client.subscribe(public("a")).unwrap();
    client.connect();
    let mut peer = listener.establish("1.1").await;
    peer.acknowledge_all(1).await;
    peer.event("a", "logout", json!({})).await;
    peer.event("a", "later", json!({})).await;
    let mut items = Vec::new();
    while items.last() != Some(&Item::StateChanged { from: Disconnecting, to: Disconnected }) {
        items.push(soon("an item", delivery.next()).await.unwrap());
    }
    let end = [
        Item::Event("logout".to_owned()),
        Item::StateChanged { from: Connected, to: Disconnecting },
        Item::StateChanged { from: Disconnecting, to: Disconnected },
    ];
    assert!(items.ends_with(&end), "{items:?}");
    assert_eq!(peer.closed().await, Some(1000));
    client.network_changed();
    client.resumed();
    assert!(!listener.is_dialed_within(NO_ATTEMPT).await);
    assert_eq!(delivery.try_next(), None);
    client.connect();
    listener.accept().await;
}

// A07, S13: also when it came before its channel was acknowledged.
#[tokio::test]
async fn an_early_event_can_ask_to_disconnect_after_it() {
    let listener = Listener::bind().await;
    let decoder = Counting(Arc::default());
    let (client, mut delivery) =
        StreamClient::new(options_for(&listener), Arc::new(Signer), decoder, &Handle::current()).unwrap();
    client.subscribe(public("a")).unwrap();
    client.connect();
    let mut peer = listener.establish("1.1").await;
    peer.subscribe().await;
    peer.event("a", "logout", json!({})).await;
    peer.acknowledge("a").await;
    assert_eq!(peer.closed().await, Some(1000));
    let mut items = Vec::new();
    while items.last() != Some(&Item::StateChanged { from: Disconnecting, to: Disconnected }) {
        items.push(soon("an item", delivery.next()).await.unwrap());
    }
    assert_eq!(items[3], Item::Event("logout".to_owned()), "{items:?}");
}

// R05
#[tokio::test]
async fn connect_during_a_back_off_means_now() {
    let listener = Listener::bind().await;
    let mut under = Under::new(options_for(&listener));
    under.client.connect();
    let mut raw = listener.accept().await;
    raw.read_head().await;
    raw.answer("404 Not Found", "", "").await;
    // At least half a minute, if nobody hurried it.
    under.until_state(Reconnecting).await;
    under.client.connect();
    let _peer = listener.establish("1.1").await;
    under.until_state(Connected).await;
}

// I14: what is opened ahead for the authorization does not outlive the session.
#[tokio::test]
async fn preparing_ends_with_the_session() {
    struct Preparing(Arc<AtomicUsize>);
    struct Held(Arc<AtomicUsize>);
    impl Drop for Held {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    impl Authorizer for Preparing {
        async fn authorize(&self, _: AuthorizationRequest) -> Result<Authorization, AuthorizationError> {
            std::future::pending().await
        }
        async fn prepare(&self, channels: usize) {
            assert_eq!(channels, 2);
            self.0.fetch_add(1, Ordering::SeqCst);
            let _held = Held(Arc::clone(&self.0));
            std::future::pending::<()>().await;
        }
    }
    let listener = Listener::bind().await;
    let running = Arc::new(AtomicUsize::new(0));
    let authorizer = Arc::new(Preparing(Arc::clone(&running)));
    let (client, _delivery) =
        StreamClient::new(options_for(&listener), authorizer, RawDecoder, &Handle::current()).unwrap();
    client.subscribe(private("a")).unwrap();
    client.subscribe(private("b")).unwrap();
    client.subscribe(public("c")).unwrap();
    client.connect();
    eventually("preparing", || running.load(Ordering::SeqCst) == 1).await;
    client.disconnect();
    eventually("the end of it", || running.load(Ordering::SeqCst) == 0).await;
}

// I14: whether the task hears of the two calls at once or one by one.
#[tokio::test]
async fn nothing_is_sent_for_a_channel_that_is_left_after_disconnect() {
    let listener = Listener::bind().await;
    let mut under = Under::new(options_for(&listener));
    under.client.subscribe(public("a")).unwrap();
    under.client.connect();
    let mut peer = listener.establish("1.1").await;
    peer.acknowledge_all(1).await;
    under.until(|item| matches!(item, Item::Subscribed { .. })).await;
    under.client.disconnect();
    under.client.unsubscribe(&public("a"));
    assert_eq!(peer.next().await, None);
}

/// Waits at its first event until the test lets it go on, and later for what the flood must not hold up.
struct Flooded {
    seen: usize,
    reached: mpsc::Sender<()>,
    go_on: mpsc::Receiver<()>,
    authorized: mpsc::Receiver<()>,
    subscribed: mpsc::Receiver<()>,
}

impl Decoder for Flooded {
    type Item = bool;

    fn decode(&mut self, _: &Event<'_>) -> Decoded<bool> {
        self.seen += 1;
        let came = |what: &mpsc::Receiver<()>| what.recv_timeout(Duration::from_secs(20)).is_ok();
        Decoded::new(match self.seen {
            1 => self.reached.send(()).is_ok() && came(&self.go_on),
            300 => came(&self.authorized),
            600 => came(&self.subscribed),
            _ => true,
        })
    }
}

struct Announcing(mpsc::Sender<()>);

impl Authorizer for Announcing {
    async fn authorize(&self, request: AuthorizationRequest) -> Result<Authorization, AuthorizationError> {
        let signed = Signer.authorize(request).await;
        let _ = self.0.send(());
        signed
    }
}

// L05, A02: an authorization is taken although there is always more to read.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_flood_of_events_does_not_hold_up_a_subscription() {
    let listener = Listener::bind().await;
    let ((reached, at_first), (let_go, go_on)) = (mpsc::channel(), mpsc::channel());
    let ((announce, authorized), (tell, subscribed)) = (mpsc::channel(), mpsc::channel());
    let decoder = Flooded { seen: 0, reached, go_on, authorized, subscribed };
    let (client, mut delivery) =
        StreamClient::new(options_for(&listener), Arc::new(Announcing(announce)), decoder, &Handle::current()).unwrap();
    client.subscribe(public("a")).unwrap();
    client.connect();
    let mut peer = listener.establish("1.1").await;
    peer.acknowledge_all(1).await;
    for _ in 0..1_000 {
        peer.event("a", "e", json!(0)).await;
    }
    let first = tokio::task::spawn_blocking(move || at_first.recv_timeout(Duration::from_secs(20)));
    first.await.unwrap().expect("the first event");
    client.subscribe(private("b")).unwrap();
    let_go.send(()).unwrap();
    let subscribe = tokio::spawn(async move {
        peer.subscribe().await;
        tell.send(()).unwrap();
        peer
    });
    let mut events = 0;
    while events < 1_000 {
        if let Item::Event(in_time) = soon("an event", delivery.next()).await.unwrap() {
            events += 1;
            assert!(in_time, "event {events} came before what it was to follow");
        }
    }
    subscribe.await.unwrap();
}
