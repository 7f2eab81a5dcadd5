//! What callers may do at any time, from any number of threads.

use std::{sync::Arc, thread, time::Duration};

use channels_client::{
    AuthorizationRequest, Authorizer, Client, Item, RawDecoder, StreamClient,
    proto::{Authorization, AuthorizationError, ConnectionState, Time},
};
use serde_json::json;
use tokio::{runtime::Handle, task::JoinSet};

use crate::support::{Listener, Under, event_of, eventually, options_for, private, public, soon};

/// Accepts and establishes for ever, and acknowledges every subscribe; a peer ends with its connection.
async fn serve(listener: &Listener) -> ! {
    let mut peers = JoinSet::new();
    loop {
        let raw = listener.accept().await;
        peers.spawn(async move {
            if !raw.stream.peek(&mut [0]).await.is_ok_and(|there| there > 0) {
                return;
            }
            let mut peer = raw.upgrade().await;
            peer.try_text(crate::support::established("9.9")).await;
            while let Some(message) = peer.next().await {
                if message["event"] == "pusher:subscribe" {
                    let channel = &message["data"]["channel"];
                    let event = "pusher_internal:subscription_succeeded";
                    peer.try_text(json!({"event": event, "channel": channel}).to_string()).await;
                }
            }
        });
    }
}

// K07, D05, I20: what eight threads want at once comes to what each of them wanted last
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_of_many_threads_end_with_the_last_wish_of_each() {
    let listener = Listener::bind().await;
    let mut under = Under::new(options_for(&listener));
    let callers: Vec<_> = (0..8)
        .map(|number| {
            let client = under.client.clone();
            thread::spawn(move || {
                let (own, shared) = (public(&format!("own-{number}")), public("shared"));
                for round in 0..200 {
                    client.subscribe(own.clone()).unwrap();
                    client.subscribe(shared.clone()).unwrap();
                    client.connect();
                    client.unsubscribe(&own);
                    client.unsubscribe(&shared);
                    if round % 50 == 0 {
                        client.disconnect();
                    }
                    let _ = (client.state(), client.socket_id(), client.counters());
                }
                client.subscribe(own).unwrap();
                client.connect();
            })
        })
        .collect();
    let joined = tokio::task::spawn_blocking(|| callers.into_iter().for_each(|caller| caller.join().unwrap()));
    let watch = async {
        joined.await.unwrap();
        eventually("a connection", || under.client.is_connected()).await;
        let mut wanted = Vec::from_iter((0..8).map(|number| public(&format!("own-{number}"))));
        while !wanted.is_empty() {
            if let Item::Subscribed { channel, .. } = under.next().await {
                wanted.retain(|name| *name != channel);
            }
        }
        assert_eq!(under.client.counters().handler_panics, 0);
    };
    tokio::select! {
        () = watch => {}
        _ = serve(&listener) => {}
    }
}

// D07, K10, I37, Y04: a hundred logins and logouts leave neither a task nor a socket
#[tokio::test]
async fn a_hundred_clients_one_after_the_other_leave_nothing_behind() {
    let listener = Listener::bind().await;
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    for login in 0..100 {
        let under = Under::new(options_for(&listener));
        under.client.subscribe(public("a")).unwrap();
        under.client.connect();
        let mut peer = listener.establish("1.1").await;
        peer.acknowledge_all(1).await;
        if login % 2 == 0 {
            under.client.disconnect();
        }
        drop(under);
        peer.closed().await;
    }
    eventually("the end of every task", || tasks() == before).await;
}

// D10, D12, K10: of a client that was closed everything can be asked, and it can be used again
#[tokio::test]
async fn every_method_may_be_called_after_a_close() {
    let listener = Listener::bind().await;
    let mut under = Under::new(options_for(&listener));
    under.client.connect();
    let mut peer = listener.establish("1.1").await;
    under.until_state(ConnectionState::Connected).await;
    let (closed, _) = tokio::join!(soon("the close", under.client.close(Duration::from_secs(30))), peer.closed());
    assert!(closed);
    drop(peer);
    let client = &under.client;
    for _ in 0..2 {
        client.subscribe(public("a")).unwrap();
        client.replace(&public("a"), public("b"), Time::ZERO).unwrap();
        client.unsubscribe(&public("b"));
        client.network_changed();
        client.resumed();
        client.disconnect();
        assert_eq!((client.state(), client.socket_id()), (ConnectionState::Disconnected, None));
        assert!(!client.is_connected() && !format!("{client:?} {:?}", client.counters()).is_empty());
        under.delivery.set_handler(Some(Box::new(|_| {})));
        under.delivery.set_handler(None);
        assert!(soon("the close", client.close(Duration::from_secs(30))).await);
    }
    client.subscribe(public("c")).unwrap();
    client.connect();
    listener.establish("2.2").await.acknowledge_all(1).await;
}

// S03, L05, I42: an authorizer that does not answer holds up neither an event nor a pong, nor the end of the session
#[tokio::test]
async fn an_authorizer_that_takes_its_time_holds_up_nothing_else() {
    struct Never;
    impl Authorizer for Never {
        async fn authorize(&self, _: AuthorizationRequest) -> Result<Authorization, AuthorizationError> {
            std::future::pending().await
        }
    }
    let listener = Listener::bind().await;
    let (client, delivery) =
        StreamClient::new(options_for(&listener), Arc::new(Never), RawDecoder, &Handle::current()).unwrap();
    let mut under = Under { client, delivery };
    under.client.subscribe(private("a")).unwrap();
    under.client.subscribe(public("b")).unwrap();
    under.client.connect();
    let mut peer = listener.establish("1.1").await;
    peer.acknowledge_all(1).await;
    peer.event("b", "on", json!(1)).await;
    assert_eq!(event_of(&under.until(|item| matches!(item, Item::Event(_))).await).unwrap().0, "on");
    peer.json(json!({"event": "pusher:ping"})).await;
    assert_eq!(peer.next().await.unwrap()["event"], "pusher:pong");
    under.client.disconnect();
    assert_eq!(peer.closed().await, Some(1000));
}

// S05, I17: a value that was signed before is of no use on another socket, so whoever has one is asked again
#[tokio::test]
async fn a_closure_is_an_authorizer_and_is_asked_anew_for_each_socket() {
    let listener = Listener::bind().await;
    let sign = |request: AuthorizationRequest| async move {
        Ok(Authorization::new(format!("key:{}-{}", request.socket_id, request.channel)))
    };
    let client = Client::with_options(options_for(&listener)).authorizer(sign).connect().unwrap();
    let _channel = client.subscribe("private-a").unwrap();
    for socket_id in ["1.1", "2.2"] {
        let mut peer = listener.establish(socket_id).await;
        assert_eq!(peer.subscribe().await, ("private-a".to_owned(), Some(format!("key:{socket_id}-private-a"))));
        peer.close(4200, "again").await;
    }
}
