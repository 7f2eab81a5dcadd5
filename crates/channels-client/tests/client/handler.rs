use std::{
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use channels_client::{
    Item,
    proto::{ConnectionState, OwnedEvent},
};
use serde_json::json;

use crate::support::{Listener, Log, Peer, Under, event_of, eventually, options_for, public};

use ConnectionState::{Connected, Connecting, Disconnected};

type Taken = Arc<Mutex<Vec<Item<OwnedEvent>>>>;

/// A client with one public channel subscribed, whose items have all been read.
async fn subscribed(listener: &Listener) -> (Under, Peer) {
    let mut under = Under::new(options_for(listener));
    under.client.subscribe(public("a")).unwrap();
    under.client.connect();
    let mut peer = listener.establish("1.1").await;
    peer.acknowledge_all(1).await;
    under.until(|item| matches!(item, Item::Subscribed { .. })).await;
    (under, peer)
}

/// Has what comes taken into a list, after `first` has seen it.
fn take_with(under: &Under, mut first: impl FnMut(&Item<OwnedEvent>) + Send + 'static) -> Taken {
    let taken = Taken::default();
    let list = Arc::clone(&taken);
    under.delivery.set_handler(Some(Box::new(move |item| {
        first(&item);
        list.lock().unwrap().push(item);
    })));
    taken
}

fn names(taken: &Taken) -> Vec<String> {
    taken.lock().unwrap().iter().filter_map(event_of).map(|(name, _)| name).collect()
}

fn states(taken: &Taken) -> Vec<(ConnectionState, ConnectionState)> {
    let state = |item: &Item<OwnedEvent>| match item {
        Item::StateChanged { from, to } => Some((*from, *to)),
        _ => None,
    };
    taken.lock().unwrap().iter().filter_map(state).collect()
}

/// A door that a handler waits at.
#[derive(Default)]
struct Door {
    open: Mutex<bool>,
    opened: Condvar,
    reached: AtomicBool,
}

impl Door {
    fn pass(&self) {
        self.reached.store(true, Ordering::SeqCst);
        let open = self.open.lock().unwrap();
        drop(self.opened.wait_while(open, |open| !*open).unwrap());
    }

    fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }
}

/// Opens its door at the end of the test also when the test fails: a runtime waits for its blocking threads.
struct Opened(Arc<Door>);

impl Drop for Opened {
    fn drop(&mut self) {
        self.0.open();
    }
}

// K12: one at a time, in order, states before the events they enable.
#[tokio::test]
async fn a_handler_gets_everything_in_order_and_one_at_a_time() {
    let listener = Listener::bind().await;
    let under = Under::new(options_for(&listener));
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (now, peak) = (Arc::clone(&running), Arc::clone(&most));
    let taken = take_with(&under, move |_| {
        peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        thread::yield_now();
        now.fetch_sub(1, Ordering::SeqCst);
    });
    under.client.subscribe(public("a")).unwrap();
    under.client.connect();
    let mut peer = listener.establish("1.1").await;
    peer.acknowledge_all(1).await;
    for number in 0..500 {
        peer.event("a", &number.to_string(), json!(0)).await;
        if number % 50 == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    eventually("all items", || taken.lock().unwrap().len() == 503).await;
    assert_eq!(states(&taken), [(Disconnected, Connecting), (Connecting, Connected)]);
    assert!(matches!(taken.lock().unwrap()[2], Item::Subscribed { .. }));
    assert_eq!(names(&taken), (0..500).map(|number: u32| number.to_string()).collect::<Vec<_>>());
    assert_eq!(most.load(Ordering::SeqCst), 1);
}

// K01
#[tokio::test]
async fn a_handler_that_panics_is_reported_once_and_goes_on_being_called() {
    let listener = Listener::bind().await;
    let (under, mut peer) = subscribed(&listener).await;
    let taken = take_with(&under, |item| assert!(!matches!(item, Item::Event(_)), "on purpose"));
    for _ in 0..3 {
        peer.event("a", "e", json!(0)).await;
    }
    eventually("three panics", || under.client.counters().handler_panics == 3).await;
    let panicked = || {
        let is_panicked = |item: &&Item<OwnedEvent>| matches!(item, Item::HandlerPanicked { .. });
        taken.lock().unwrap().iter().filter(is_panicked).cloned().collect::<Vec<_>>()
    };
    eventually("the report", || !panicked().is_empty()).await;
    assert_eq!(panicked(), [Item::HandlerPanicked { message: "on purpose".into() }]);
    assert!(under.client.is_connected());
}

// K02, K04, D02, I13: a handler that does not return.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn disconnect_waits_only_a_moment_for_a_stuck_handler_and_later_items_are_discarded() {
    let listener = Listener::bind().await;
    let (under, mut peer) = subscribed(&listener).await;
    let door = Arc::new(Door::default());
    let _opened = Opened(Arc::clone(&door));
    let at = Arc::clone(&door);
    let taken = take_with(&under, move |item| {
        if matches!(item, Item::Event(_)) {
            at.pass();
        }
    });
    for name in ["stuck", "discarded", "discarded"] {
        peer.event("a", name, json!(0)).await;
    }
    eventually("the handler", || door.reached.load(Ordering::SeqCst)).await;
    let started = Instant::now();
    under.client.disconnect();
    assert!(started.elapsed() >= Duration::from_millis(50), "it did not wait");
    assert_eq!(under.client.state(), Disconnected);
    assert!(names(&taken).is_empty());
    door.open();
    eventually("the report", || states(&taken).last() == Some(&(Connected, Disconnected))).await;
    assert_eq!(names(&taken), ["stuck"]);
}

// I13, D02: a call in progress that ends is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_begins_or_goes_on_after_disconnect_returned() {
    let listener = Listener::bind().await;
    for _ in 0..20 {
        let (under, mut peer) = subscribed(&listener).await;
        let disconnected = Arc::new(AtomicBool::new(false));
        let late = Arc::new(AtomicUsize::new(0));
        let (seen, count) = (Arc::clone(&disconnected), Arc::clone(&late));
        let taken = take_with(&under, move |item| {
            let (begun_late, begun) = (seen.load(Ordering::SeqCst), Instant::now());
            thread::sleep(Duration::from_micros(200));
            // A call that a slow machine stretched beyond the 50 ms was not waited for.
            let goes_on = seen.load(Ordering::SeqCst) && begun.elapsed() < Duration::from_millis(40);
            if matches!(item, Item::Event(_)) && (begun_late || goes_on) {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        for _ in 0..50 {
            peer.event("a", "e", json!(0)).await;
        }
        eventually("some events", || names(&taken).len() > 5).await;
        under.client.disconnect();
        disconnected.store(true, Ordering::SeqCst);
        eventually("the report", || states(&taken).last() == Some(&(Connected, Disconnected))).await;
        assert_eq!(late.load(Ordering::SeqCst), 0);
    }
}

// K03: everything may be called from a handler, and works.
#[tokio::test]
async fn a_handler_may_call_the_client_back() {
    let listener = Listener::bind().await;
    let (under, mut peer) = subscribed(&listener).await;
    let client = under.client.clone();
    let taken = take_with(&under, move |item| match item {
        Item::Event(_) => {
            assert!(client.is_connected() && client.socket_id().is_some());
            client.subscribe(public("b")).unwrap();
            client.unsubscribe(&public("b"));
            client.network_changed();
            client.disconnect();
            assert_eq!(client.state(), Disconnected);
        }
        // 3.1-24: connecting inside of the report of the disconnect.
        Item::StateChanged { to: Disconnected, .. } => client.connect(),
        _ => {}
    });
    for name in ["first", "discarded"] {
        peer.event("a", name, json!(0)).await;
    }
    let mut again = listener.establish("2.2").await;
    again.acknowledge_all(1).await;
    eventually("the new session", || matches!(taken.lock().unwrap().last(), Some(Item::Subscribed { .. }))).await;
    let expected =
        [(Disconnected, Connected), (Connected, Disconnected), (Disconnected, Connecting), (Connecting, Connected)];
    assert_eq!(states(&taken), expected);
    assert_eq!(under.client.counters().handler_panics, 0);
}

// K03: whoever disconnects waits up to 50 ms for a call in progress, but not for the one that it is in itself.
#[tokio::test]
async fn a_handler_that_disconnects_does_not_wait_for_itself() {
    let listener = Listener::bind().await;
    // A machine may stand still for as long as the wait would take.
    for _ in 0..10 {
        let (under, mut peer) = subscribed(&listener).await;
        let client = under.client.clone();
        let took = Arc::new(Mutex::new(None));
        let measured = Arc::clone(&took);
        let _taken = take_with(&under, move |item| {
            if matches!(item, Item::Event(_)) {
                let started = Instant::now();
                client.disconnect();
                *measured.lock().unwrap() = Some(started.elapsed());
            }
        });
        peer.event("a", "e", json!(0)).await;
        eventually("the disconnect", || took.lock().unwrap().is_some()).await;
        if took.lock().unwrap().is_some_and(|took| took < Duration::from_millis(50)) {
            return;
        }
    }
    panic!("it waited every time");
}

// K03, K05: the last handle dropped in a handler that holds it.
#[tokio::test]
async fn a_handler_may_drop_the_last_handle() {
    let listener = Listener::bind().await;
    let (under, mut peer) = subscribed(&listener).await;
    let Under { client, delivery } = under;
    let mut held = Some(client);
    delivery.set_handler(Some(Box::new(move |item| {
        if matches!(item, Item::Event(_)) {
            drop(held.take());
        }
    })));
    peer.event("a", "e", json!(0)).await;
    assert_eq!(peer.closed().await, Some(1000));
}

// K11, I10
#[tokio::test]
async fn a_late_handler_is_told_the_state_first() {
    let listener = Listener::bind().await;
    let (under, mut peer) = subscribed(&listener).await;
    peer.event("a", "e", json!(0)).await;
    let taken = take_with(&under, |_| {});
    eventually("the event", || names(&taken) == ["e"]).await;
    assert_eq!(states(&taken), [(Disconnected, Connected)]);
    assert!(matches!(taken.lock().unwrap()[0], Item::StateChanged { .. }));
    let another = take_with(&under, |_| {});
    eventually("the state", || states(&another) == [(Disconnected, Connected)]).await;
}

#[tokio::test]
async fn a_handler_can_be_replaced_and_removed_and_what_comes_is_kept_for_the_next_consumer() {
    let listener = Listener::bind().await;
    let (mut under, mut peer) = subscribed(&listener).await;
    let first = take_with(&under, |_| {});
    peer.event("a", "1", json!(0)).await;
    eventually("the first", || names(&first) == ["1"]).await;
    let second = take_with(&under, |_| {});
    peer.event("a", "2", json!(0)).await;
    eventually("the second", || names(&second) == ["2"]).await;
    under.delivery.set_handler(None);
    peer.event("a", "3", json!(0)).await;
    let event = under.until(|item| matches!(item, Item::Event(_))).await;
    assert_eq!(event_of(&event).unwrap().0, "3");
    assert_eq!((names(&first).len(), names(&second).len()), (1, 1));
}

// K05: what a handler holds is let go when it is replaced, also when that panics.
#[tokio::test]
async fn a_replaced_handler_is_dropped() {
    struct Loud(Arc<AtomicUsize>);
    impl Drop for Loud {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let listener = Listener::bind().await;
    let (under, mut peer) = subscribed(&listener).await;
    let dropped = Arc::new(AtomicUsize::new(0));
    let door = Arc::new(Door::default());
    let _opened = Opened(Arc::clone(&door));
    let (loud, at) = (Loud(Arc::clone(&dropped)), Arc::clone(&door));
    under.delivery.set_handler(Some(Box::new(move |item| {
        let _held = &loud;
        if matches!(item, Item::Event(_)) {
            at.pass();
        }
    })));
    peer.event("a", "e", json!(0)).await;
    eventually("the handler", || door.reached.load(Ordering::SeqCst)).await;
    under.delivery.set_handler(None);
    assert_eq!(dropped.load(Ordering::SeqCst), 0, "dropped while it runs");
    door.open();
    eventually("the drop", || dropped.load(Ordering::SeqCst) == 1).await;
}

// B02, L05: only its own queue grows.
#[tokio::test]
async fn a_blocked_handler_does_not_block_the_connection() {
    let listener = Listener::bind().await;
    let (under, mut peer) = subscribed(&listener).await;
    let door = Arc::new(Door::default());
    let _opened = Opened(Arc::clone(&door));
    let at = Arc::clone(&door);
    let taken = take_with(&under, move |item| {
        if matches!(item, Item::Event(_)) {
            at.pass();
        }
    });
    for number in 0..3_000 {
        peer.event("a", &number.to_string(), json!(0)).await;
    }
    peer.json(json!({"event": "pusher:ping"})).await;
    assert_eq!(peer.next().await.unwrap()["event"], "pusher:pong");
    door.open();
    eventually("the last event", || names(&taken).last().is_some_and(|name| name == "2999")).await;
    let lagged = |item: &Item<OwnedEvent>| if let Item::Lagged { dropped, .. } = item { *dropped } else { 0 };
    let dropped: u64 = taken.lock().unwrap().iter().map(lagged).sum();
    assert_eq!(names(&taken).len() as u64 + dropped, 3_000);
    assert!(dropped >= 3_000 - 1_024 - 1, "{dropped}");
}

// K04: the watchdog's line in the log.
#[tokio::test]
async fn a_handler_that_does_not_return_for_five_seconds_is_logged_once() {
    let log = Log::capture();
    let listener = Listener::bind().await;
    let (under, mut peer) = subscribed(&listener).await;
    let door = Arc::new(Door::default());
    let _opened = Opened(Arc::clone(&door));
    let at = Arc::clone(&door);
    let taken = take_with(&under, move |_| at.pass());
    peer.event("a", "e", json!(0)).await;
    eventually("the handler", || door.reached.load(Ordering::SeqCst)).await;
    let complaints = || log.text().matches("the handler has not returned for 5 s").count();
    tokio::time::pause();
    tokio::time::advance(Duration::from_millis(4_900)).await;
    assert_eq!(complaints(), 0);
    for _ in 0..10 {
        tokio::time::advance(Duration::from_millis(2_600)).await;
        tokio::task::yield_now().await;
    }
    tokio::time::resume();
    eventually("the complaint", || complaints() == 1).await;
    door.open();
    eventually("the event", || names(&taken) == ["e"]).await;
}
