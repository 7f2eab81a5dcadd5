//! When a session is over: the stream says so, and closing waits for it.

use std::{
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use channels_client::{
    Decoded, Decoder, Item, StreamClient,
    proto::{ConnectionState, Event, OwnedEvent},
};
use futures_util::FutureExt;
use serde_json::json;
use tokio::runtime::Handle;

use crate::support::{Listener, Peer, Signer, Under, event_of, eventually, options_for, public, soon};

use ConnectionState::{Connected, Connecting, Disconnected, Disconnecting};

/// A client whose connection the consumer knows of.
async fn connected(listener: &Listener) -> (Under, Peer) {
    let mut under = Under::new(options_for(listener));
    under.client.connect();
    let peer = listener.establish("1.1").await;
    under.until_state(Connected).await;
    (under, peer)
}

/// Everything that comes until the stream ends.
async fn rest(under: &mut Under) -> Vec<Item<OwnedEvent>> {
    let mut items = Vec::new();
    while let Some(item) = soon("the end", under.delivery.next()).await {
        items.push(item);
    }
    items
}

struct Leaving;

impl Decoder for Leaving {
    type Item = String;

    fn decode(&mut self, event: &Event<'_>) -> Decoded<String> {
        let is_last = event.name() == "logout";
        Decoded { item: event.name().to_owned(), keep: is_last, disconnect: is_last }
    }
}

// A07: whoever reads until the end is not left waiting for what cannot come.
#[tokio::test]
async fn the_stream_ends_after_an_event_that_asks_to_disconnect_and_goes_on_after_another_connect() {
    let listener = Listener::bind().await;
    let (client, mut delivery) =
        StreamClient::new(options_for(&listener), Arc::new(Signer), Leaving, &Handle::current()).unwrap();
    client.subscribe(public("a")).unwrap();
    assert!(delivery.next().now_or_never().is_none(), "nothing has begun, so nothing is over");
    for session in ["1.1", "2.2"] {
        client.connect();
        let mut peer = listener.establish(session).await;
        peer.acknowledge_all(1).await;
        peer.event("a", "logout", json!({})).await;
        let mut last = Vec::new();
        while let Some(item) = soon("the end", delivery.next()).await {
            last.push(item);
        }
        assert_eq!(last.first(), Some(&Item::StateChanged { from: Disconnected, to: Connecting }));
        assert_eq!(last.last(), Some(&Item::StateChanged { from: Disconnecting, to: Disconnected }));
        assert!(last.contains(&Item::Event("logout".to_owned())), "{last:?}");
        assert_eq!((delivery.next().await, delivery.next_batch(9).await), (None, vec![]), "it stays over");
    }
}

// C05
#[tokio::test]
async fn the_stream_ends_after_a_final_refusal_with_the_reason() {
    let listener = Listener::bind().await;
    let (mut under, mut peer) = connected(&listener).await;
    peer.close(4001, "no such app").await;
    let items = rest(&mut under).await;
    assert_eq!(items.first(), Some(&Item::StateChanged { from: Connected, to: Disconnected }));
    let is_reason = |item: &Item<_>| matches!(item, Item::ConnectionFailed { error, .. } if error.is_final());
    assert!(items.iter().any(is_reason), "{items:?}");
}

// R05: an outage is no end, however often it is looked.
#[tokio::test]
async fn the_stream_does_not_end_while_attempts_go_on() {
    let listener = Listener::bind().await;
    let (mut under, mut peer) = connected(&listener).await;
    peer.close(4200, "again").await;
    let again = under.until_state(Connected);
    let (_, _peer) = tokio::join!(again, listener.establish("2.2"));
    assert!(under.delivery.next().now_or_never().is_none());
}

// D04: the last word is to connect, so nothing is over.
#[tokio::test]
async fn connecting_again_before_the_end_was_seen_is_no_end() {
    let listener = Listener::bind().await;
    let (mut under, _peer) = connected(&listener).await;
    under.client.disconnect();
    under.client.connect();
    assert_eq!(under.next().await, Item::StateChanged { from: Connected, to: Disconnected });
    assert_eq!(under.next().await, Item::StateChanged { from: Disconnected, to: Connecting });
}

// D02, K10: it takes the server's part for the socket to be closed.
#[tokio::test]
async fn closing_waits_until_the_server_has_taken_the_close_frame_and_hung_up() {
    let listener = Listener::bind().await;
    let (mut under, mut peer) = connected(&listener).await;
    let closing = under.client.close(Duration::from_secs(30));
    assert_eq!(under.client.state(), Disconnected, "it takes effect when it is called");
    let mut closing = std::pin::pin!(closing);
    assert!(closing.as_mut().now_or_never().is_none());
    assert_eq!(peer.closed().await, Some(1000));
    assert!(closing.as_mut().now_or_never().is_none(), "the server has not hung up");
    drop(peer);
    assert!(soon("the close", closing).await);
    assert_eq!(rest(&mut under).await, [Item::StateChanged { from: Connected, to: Disconnected }]);
    under.client.connect();
    listener.establish("2.2").await;
    under.until_state(Connected).await;
}

// W19, push1st: a server that does not hang up is waited for two seconds, and for no longer than the caller wants.
#[tokio::test]
async fn closing_takes_no_longer_than_the_caller_is_patient() {
    let listener = Listener::bind().await;
    let (under, _peer) = connected(&listener).await;
    assert!(!soon("the close", under.client.close(Duration::from_millis(1))).await);
    assert!(soon("the close", under.client.close(Duration::from_secs(30))).await, "the socket is let go by itself");
}

#[tokio::test]
async fn closing_what_never_began_is_done_at_once() {
    let listener = Listener::bind().await;
    let Under { client, mut delivery } = Under::new(options_for(&listener));
    assert!(soon("the close", client.close(Duration::from_secs(30))).await);
    assert!(delivery.next().now_or_never().is_none());
    drop(client);
    assert_eq!(soon("the end", delivery.next()).await, None);
}

// K04, K12, I13: the handler is told that it is over, and nothing after that.
#[tokio::test]
async fn closing_waits_for_the_handler_and_lets_it_go() {
    let listener = Listener::bind().await;
    let (mut under, mut peer) = connected(&listener).await;
    let (enter, entered) = mpsc::sync_channel(1);
    let (leave, left) = mpsc::sync_channel::<()>(1);
    let told = Arc::<Mutex<Vec<Item<OwnedEvent>>>>::default();
    let list = Arc::clone(&told);
    under.client.subscribe(public("a")).unwrap();
    peer.acknowledge_all(1).await;
    under.until(|item| matches!(item, Item::Subscribed { .. })).await;
    under.delivery.set_handler(Some(Box::new(move |item| {
        if event_of(&item).is_some() {
            enter.send(()).unwrap();
            left.recv().unwrap();
        }
        list.lock().unwrap().push(item);
    })));
    peer.event("a", "one", json!({})).await;
    peer.event("a", "two", json!({})).await;
    tokio::task::spawn_blocking(move || entered.recv().unwrap()).await.unwrap();
    let mut closing = std::pin::pin!(under.client.close(Duration::from_secs(30)));
    assert_eq!(peer.closed().await, Some(1000));
    drop(peer);
    assert!(closing.as_mut().now_or_never().is_none(), "the handler is being called");
    leave.send(()).unwrap();
    assert!(soon("the close", closing).await);
    let names: Vec<_> = told.lock().unwrap().iter().filter_map(event_of).map(|(name, _)| name).collect();
    assert_eq!(names, ["one"]);
    let last = Item::StateChanged { from: Connected, to: Disconnected };
    assert_eq!(told.lock().unwrap().last(), Some(&last));
    under.client.connect();
    listener.establish("2.2").await;
    under.until_state(Connected).await;
    assert_eq!(told.lock().unwrap().last(), Some(&last), "it is called no more");
}

// K03, K04: a handler that waits for itself would wait for ever.
#[tokio::test]
async fn a_handler_may_close_the_client_that_calls_it() {
    let listener = Listener::bind().await;
    let (mut under, mut peer) = connected(&listener).await;
    under.client.subscribe(public("a")).unwrap();
    peer.acknowledge_all(1).await;
    under.until(|item| matches!(item, Item::Subscribed { .. })).await;
    let (client, runtime) = (under.client.clone(), Handle::current());
    let closed = Arc::<Mutex<Option<bool>>>::default();
    let kept = Arc::clone(&closed);
    under.delivery.set_handler(Some(Box::new(move |item| {
        if event_of(&item).is_some() {
            *kept.lock().unwrap() = Some(runtime.block_on(client.close(Duration::from_secs(30))));
        }
    })));
    peer.event("a", "one", json!({})).await;
    assert_eq!(peer.closed().await, Some(1000));
    drop(peer);
    eventually("the close", || closed.lock().unwrap().is_some()).await;
    assert_eq!(*closed.lock().unwrap(), Some(true));
}

// D12
#[test]
fn closing_a_client_whose_runtime_is_gone_is_no_panic() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let under = runtime.block_on(async { connected(&Listener::bind().await).await.0 });
    drop(runtime);
    let _ = under.client.close(Duration::from_secs(1)).now_or_never();
    assert_eq!(under.client.state(), Disconnected);
}
