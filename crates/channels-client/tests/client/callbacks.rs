//! Callbacks of the client of handles.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use channels_client::{Channel, ChannelItem, Client, Item, QueueLimits, proto::ConnectionState};
use serde_json::json;

use crate::support::{Listener, Peer, eventually, options_for, soon};

use ConnectionState::{Connected, Connecting, Disconnected};

type Told = Arc<Mutex<Vec<String>>>;

async fn subscribed(listener: &Listener) -> (Client, Channel, Peer) {
    let client = Client::with_options(options_for(listener)).connect().unwrap();
    let (channel, peer) = go_on(listener, &client).await;
    (client, channel, peer)
}

async fn go_on(listener: &Listener, client: &Client) -> (Channel, Peer) {
    let channel = client.subscribe("a").unwrap();
    let mut peer = listener.establish("1.1").await;
    peer.acknowledge_all(1).await;
    soon("the subscription", channel.wait_subscribed()).await.unwrap();
    (channel, peer)
}

/// A list, and a function that notes an event in it under this name.
fn note(told: &Told, name: &str) -> impl FnMut(&channels_client::ChannelEvent) + Send + 'static + use<> {
    let (told, name) = (Arc::clone(told), name.to_owned());
    move |event| told.lock().unwrap().push(format!("{name}:{}:{}", event.name(), event.data()))
}

async fn eventually_told(told: &Told, expected: &[&str]) {
    eventually("the calls", || told.lock().unwrap().len() >= expected.len()).await;
    assert_eq!(*told.lock().unwrap(), expected);
}

#[tokio::test]
async fn callbacks_are_called_in_the_order_of_binding_and_only_for_what_they_are_bound_to() {
    let listener = Listener::bind().await;
    let (_client, channel, mut peer) = subscribed(&listener).await;
    let told = Told::default();
    channel.bind("x", note(&told, "first"));
    channel.bind("y", note(&told, "other"));
    channel.bind("x", note(&told, "second"));
    let all = Arc::clone(&told);
    channel.bind_all(move |item| {
        if let ChannelItem::Event(event) = item {
            all.lock().unwrap().push(format!("all:{}:{}", event.name(), event.data()));
        }
    });
    peer.event("a", "x", json!(1)).await;
    peer.event("a", "y", json!(2)).await;
    peer.event("a", "z", json!(3)).await;
    eventually_told(&told, &["first:x:1", "second:x:1", "all:x:1", "other:y:2", "all:y:2", "all:z:3"]).await;
}

// A known defect of peers: names that are special in their language broke the bindings.
#[tokio::test]
async fn any_event_name_can_be_bound() {
    let listener = Listener::bind().await;
    let (_client, channel, mut peer) = subscribed(&listener).await;
    let told = Told::default();
    let long = "n".repeat(200);
    let names = ["__proto__", "constructor", "App\\Events\\Pushed", "\u{1f600}", " ", &long];
    for name in names {
        channel.bind(name, note(&told, "n"));
        peer.event("a", name, json!(0)).await;
    }
    eventually_told(&told, &names.map(|name| format!("n:{name}:0")).each_ref().map(String::as_str)).await;
}

#[tokio::test]
async fn what_is_unbound_is_not_called_any_more() {
    let listener = Listener::bind().await;
    let (client, channel, mut peer) = subscribed(&listener).await;
    let told = Told::default();
    let [first, _, _] = ["1", "2", "3"].map(|name| channel.bind("x", note(&told, name)));
    channel.bind("y", note(&told, "y"));
    let of_client = client.bind("x", |_| {});
    assert!(!channel.unbind(of_client), "it is bound to the client");
    assert!(channel.unbind(first) && !channel.unbind(first));
    peer.event("a", "x", json!(0)).await;
    eventually_told(&told, &["2:x:0", "3:x:0"]).await;
    channel.unbind_event("x");
    peer.event("a", "x", json!(1)).await;
    peer.event("a", "y", json!(1)).await;
    eventually_told(&told, &["2:x:0", "3:x:0", "y:y:1"]).await;
    channel.unbind_all();
    assert!(client.unbind(of_client));
    let (done, last) = (Arc::new(AtomicBool::new(false)), Arc::clone(&told));
    let is_done = Arc::clone(&done);
    channel.bind("last", move |_| is_done.store(true, Ordering::SeqCst));
    peer.event("a", "y", json!(2)).await;
    peer.event("a", "last", json!(2)).await;
    eventually("the last", || done.load(Ordering::SeqCst)).await;
    assert_eq!(last.lock().unwrap().len(), 3);
}

// K03, and a known defect of peers: a list that changes while it is gone through.
#[tokio::test]
async fn a_callback_that_is_bound_while_connected_is_told_of_the_disconnect() {
    let listener = Listener::bind().await;
    let (client, _channel, _peer) = subscribed(&listener).await;
    let states = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&states);
    client.on_state(move |from, to| told.lock().unwrap().push((from, to)));
    client.disconnect();
    eventually("the end", || !states.lock().unwrap().is_empty()).await;
    assert_eq!(*states.lock().unwrap(), [(Connected, Disconnected)]);
}

#[tokio::test]
async fn a_callback_may_bind_and_unbind_others_and_itself() {
    let listener = Listener::bind().await;
    let (client, channel, mut peer) = subscribed(&listener).await;
    let told = Told::default();
    let (itself, later) = (Arc::new(Mutex::new(None)), Arc::new(Mutex::new(None)));
    let (handle, list, me, other) = (channel.clone(), Arc::clone(&told), Arc::clone(&itself), Arc::clone(&later));
    *itself.lock().unwrap() = Some(channel.bind("x", move |event| {
        note(&list, "once")(event);
        assert!(handle.unbind(me.lock().unwrap().take().unwrap()));
        assert!(handle.unbind(other.lock().unwrap().take().unwrap()), "the one that would be next");
        handle.bind("x", note(&list, "new"));
        assert_eq!(client.channel("a").map(|channel| channel.is_subscribed()), Some(true));
    }));
    *later.lock().unwrap() = Some(channel.bind("x", note(&told, "never")));
    channel.bind("x", note(&told, "last"));
    peer.event("a", "x", json!(1)).await;
    peer.event("a", "x", json!(2)).await;
    eventually_told(&told, &["once:x:1", "last:x:1", "last:x:2", "new:x:2"]).await;
}

// K01, and a known defect of peers: an exception in one callback kept it from the others.
#[tokio::test]
async fn a_callback_that_panics_is_reported_once_and_the_others_are_called() {
    let listener = Listener::bind().await;
    let (client, channel, mut peer) = subscribed(&listener).await;
    let mut items = client.items();
    let told = Told::default();
    channel.bind("x", note(&told, "before"));
    channel.bind("x", |_| panic!("on purpose"));
    channel.bind("x", note(&told, "after"));
    peer.event("a", "x", json!(1)).await;
    peer.event("a", "x", json!(2)).await;
    eventually_told(&told, &["before:x:1", "after:x:1", "before:x:2", "after:x:2"]).await;
    assert_eq!(client.counters().handler_panics, 2);
    let mut panics = Vec::new();
    while let Some(item) = items.try_next() {
        if let Item::HandlerPanicked { message } = item {
            panics.push(message);
        }
    }
    assert_eq!(panics, ["on purpose"]);
    assert!(client.is_connected());
}

// K10, D02
#[tokio::test]
async fn callbacks_stay_bound_through_reconnects_and_sessions() {
    let listener = Listener::bind().await;
    let (client, channel, mut peer) = subscribed(&listener).await;
    let told = Told::default();
    channel.bind("x", note(&told, "c"));
    client.bind("x", note(&told, "g"));
    channel.detach();
    for (round, socket) in ["2.2", "3.3"].into_iter().enumerate() {
        if round == 0 {
            drop(peer);
        } else {
            client.disconnect();
            client.open();
        }
        peer = listener.establish(socket).await;
        peer.acknowledge_all(1).await;
        peer.event("a", "x", json!(round)).await;
        eventually("the calls", || told.lock().unwrap().len() == 2 * (round + 1)).await;
    }
    let mut told = told.lock().unwrap().clone();
    told.sort();
    assert_eq!(told, ["c:x:0", "c:x:1", "g:x:0", "g:x:1"]);
}

#[tokio::test]
async fn the_callbacks_of_the_client_are_told_of_every_channel_and_of_the_connection() {
    let listener = Listener::bind().await;
    let client = Client::with_options(options_for(&listener)).build().unwrap();
    let (told, states) = (Told::default(), Arc::new(Mutex::new(Vec::new())));
    client.bind("x", note(&told, "x"));
    let list = Arc::clone(&states);
    client.on_state(move |from, to| list.lock().unwrap().push((from, to)));
    let all = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&all);
    client.bind_all(move |item| list.lock().unwrap().push(item.clone()));
    client.open();
    let (_a, mut peer) = go_on(&listener, &client).await;
    let _b = client.subscribe("b").unwrap();
    peer.acknowledge_all(1).await;
    peer.event("a", "x", json!(1)).await;
    peer.event("b", "x", json!(2)).await;
    eventually_told(&told, &["x:x:1", "x:x:2"]).await;
    client.disconnect();
    eventually("the end", || states.lock().unwrap().len() == 3).await;
    let expected = [(Disconnected, Connecting), (Connecting, Connected), (Connected, Disconnected)];
    assert_eq!(*states.lock().unwrap(), expected);
    let last = Item::StateChanged { from: Connected, to: Disconnected };
    eventually("the end", || all.lock().unwrap().last() == Some(&last)).await;
    assert_eq!(all.lock().unwrap().len(), 7, "three states, two subscriptions, two events: {all:?}");
}

/// A callback that waits to be let go on; a runtime waits for its blocking threads, so it goes on when the test fails too.
fn stuck(channel: &Channel) -> (Arc<AtomicBool>, impl Drop) {
    struct LetGo(Arc<AtomicBool>);
    impl Drop for LetGo {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let (reached, open) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (at, is_open) = (Arc::clone(&reached), Arc::clone(&open));
    channel.bind("stuck", move |_| {
        at.store(true, Ordering::SeqCst);
        while !is_open.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(1));
        }
    });
    (reached, LetGo(open))
}

// B02, L05
#[tokio::test]
async fn a_callback_that_blocks_keeps_neither_streams_nor_other_channels_from_their_events() {
    let listener = Listener::bind().await;
    let limits = QueueLimits { max_items: 10, ..QueueLimits::default() };
    let client = Client::with_options(options_for(&listener)).queue(limits).connect().unwrap();
    let (a, mut peer) = go_on(&listener, &client).await;
    let b = client.subscribe("b").unwrap();
    peer.acknowledge_all(1).await;
    let mut stream = a.clone();
    let (reached, let_go) = stuck(&a);
    let (told, lagged) = (Told::default(), Arc::new(AtomicUsize::new(0)));
    b.bind("x", note(&told, "b"));
    let list = Arc::clone(&lagged);
    a.bind_all(move |item| {
        if let ChannelItem::Lagged { dropped } = item {
            list.fetch_add(usize::try_from(*dropped).unwrap(), Ordering::SeqCst);
        }
    });
    peer.event("a", "stuck", json!(0)).await;
    eventually("the callback", || reached.load(Ordering::SeqCst)).await;
    assert!(matches!(stream.try_next(), Some(ChannelItem::Subscribed { .. })));
    assert!(matches!(soon("the event", stream.next()).await, Some(ChannelItem::Event(_))));
    for number in 0..25 {
        peer.event("a", "x", json!(number)).await;
        assert!(matches!(soon("the event", stream.next()).await, Some(ChannelItem::Event(_))));
    }
    peer.event("b", "x", json!(1)).await;
    eventually_told(&told, &["b:x:1"]).await;
    drop(let_go);
    eventually("the notice of what was dropped", || lagged.load(Ordering::SeqCst) == 15).await;
}

// K02, K04, D02, I13
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disconnect_waits_only_a_moment_for_a_stuck_callback_and_later_events_are_discarded() {
    let listener = Listener::bind().await;
    let (client, channel, mut peer) = subscribed(&listener).await;
    let told = Told::default();
    let (reached, let_go) = stuck(&channel);
    channel.bind("stuck", note(&told, "never"));
    channel.bind("x", note(&told, "never"));
    peer.event("a", "stuck", json!(0)).await;
    peer.event("a", "x", json!(0)).await;
    eventually("the callback", || reached.load(Ordering::SeqCst)).await;
    let started = Instant::now();
    client.disconnect();
    assert!(started.elapsed() >= Duration::from_millis(50), "it did not wait");
    drop((let_go, peer));
    assert!(client.close(Duration::from_secs(10)).await);
    assert!(told.lock().unwrap().is_empty(), "{told:?}");
}

// I13, D02: a call in progress that ends is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_callback_is_called_after_disconnect_returned() {
    let listener = Listener::bind().await;
    for _ in 0..20 {
        let (client, channel, mut peer) = subscribed(&listener).await;
        let disconnected = Arc::new(AtomicBool::new(false));
        let (calls, late) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        for _ in 0..2 {
            let (is_over, calls, late) = (Arc::clone(&disconnected), Arc::clone(&calls), Arc::clone(&late));
            channel.bind("x", move |_| {
                calls.fetch_add(1, Ordering::SeqCst);
                let (begun_late, begun) = (is_over.load(Ordering::SeqCst), Instant::now());
                thread::sleep(Duration::from_micros(200));
                // A call that a slow machine stretched beyond the 50 ms was not waited for.
                let goes_on = is_over.load(Ordering::SeqCst) && begun.elapsed() < Duration::from_millis(40);
                if begun_late || goes_on {
                    late.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for _ in 0..50 {
            peer.event("a", "x", json!(0)).await;
        }
        eventually("some calls", || calls.load(Ordering::SeqCst) > 5).await;
        client.disconnect();
        disconnected.store(true, Ordering::SeqCst);
        drop(peer);
        assert!(client.close(Duration::from_secs(10)).await);
        assert_eq!(late.load(Ordering::SeqCst), 0);
    }
}

// K03, D01
#[tokio::test]
async fn a_callback_may_disconnect_and_open_the_client_and_drop_the_last_handle() {
    let listener = Listener::bind().await;
    let (client, channel, mut peer) = subscribed(&listener).await;
    let again = client.clone();
    channel.bind("x", move |_| {
        again.disconnect();
        assert_eq!(again.state(), Disconnected);
        again.open();
    });
    peer.event("a", "x", json!(0)).await;
    let mut peer = listener.establish("2.2").await;
    peer.acknowledge_all(1).await;
    soon("the subscription", channel.wait_subscribed()).await.unwrap();
    channel.unbind_all();
    let last = Mutex::new(Some((client, channel.clone())));
    channel.bind("y", move |_| drop(last.lock().unwrap().take()));
    drop(channel);
    peer.event("a", "y", json!(0)).await;
    assert_eq!(peer.closed().await, Some(1000));
}

// Y01: a channel that only callbacks are bound on keeps nothing for a stream that nobody reads.
#[tokio::test]
async fn a_handle_with_callbacks_keeps_nothing_for_its_stream_until_that_is_read() {
    let listener = Listener::bind().await;
    let (_client, mut channel, mut peer) = subscribed(&listener).await;
    let told = Told::default();
    channel.bind("x", note(&told, "c"));
    peer.event("a", "x", json!(1)).await;
    eventually_told(&told, &["c:x:1"]).await;
    assert_eq!(channel.try_next(), None);
    peer.event("a", "x", json!(2)).await;
    assert!(matches!(soon("the event", channel.next()).await, Some(ChannelItem::Event(event)) if event.data() == "2"));
}
