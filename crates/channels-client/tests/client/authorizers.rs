//! Authorizers of the caller's own, on the whole client, in virtual time.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use channels_client::{
    AuthorizationRequest, Authorizer, ChannelItem, ChannelState, Client, ClientOptions, Item, MemoryConnector,
    MemoryListener, RawDecoder, SocketUrl, StreamClient, SubscribeError,
    proto::{AppKey, Authorization, AuthorizationError, OwnedEvent, SubscriptionError},
};
use serde_json::json;
use tokio::{io::DuplexStream, runtime::Handle};

use crate::support::{Peer, Raw, Under, event_of, private, public, soon};

/// A server in memory, and the options of its client.
fn world() -> (ClientOptions, MemoryListener) {
    let (connector, listener) = MemoryConnector::new(7);
    let mut options = ClientOptions::new(SocketUrl::parse("ws://example.com").unwrap(), AppKey::parse("key").unwrap());
    options.connector = Arc::new(connector);
    (options, listener)
}

async fn establish(listener: &mut MemoryListener, socket_id: &str) -> Peer<DuplexStream> {
    let mut peer = Raw { stream: listener.accept().await.unwrap().1 }.upgrade().await;
    peer.establish(socket_id).await;
    peer
}

/// A client on `private-bad` and `good`, connected.
fn client_of(options: ClientOptions, authorizer: impl Authorizer) -> Under {
    let (client, delivery) = StreamClient::new(options, Arc::new(authorizer), RawDecoder, &Handle::current()).unwrap();
    client.subscribe(private("bad")).unwrap();
    client.subscribe(public("good")).unwrap();
    client.connect();
    Under { client, delivery }
}

/// The next failure, and when the next attempt is.
async fn failure(under: &mut Under) -> (SubscriptionError, Option<Duration>) {
    let failed = under.until(|item| matches!(item, Item::SubscriptionFailed { .. })).await;
    let Item::SubscriptionFailed { channel, error, retry_in, .. } = failed else { unreachable!() };
    assert_eq!(channel, private("bad"));
    (error, retry_in)
}

/// The other channel goes on.
async fn good_goes_on(under: &mut Under, peer: &mut Peer<DuplexStream>) {
    peer.event("good", "e", json!(1)).await;
    let event: Item<OwnedEvent> = under.until(|item| matches!(item, Item::Event(_))).await;
    assert_eq!(event_of(&event).unwrap().0, "e");
}

// S06
#[tokio::test(start_paused = true)]
async fn a_signature_by_another_key_fails_its_channel_alone_and_is_not_sent() {
    let (options, mut listener) = world();
    let mut under = client_of(options, |_: AuthorizationRequest| async { Ok(Authorization::new("other:canary")) });
    let mut peer = establish(&mut listener, "1.1").await;
    peer.acknowledge_all(1).await;
    let (error, retry_in) = failure(&mut under).await;
    assert_eq!(error, SubscriptionError::WrongAppKey);
    assert!(retry_in >= Some(Duration::from_secs(15)), "{retry_in:?}");
    good_goes_on(&mut under, &mut peer).await;
}

// S24
#[tokio::test(start_paused = true)]
async fn a_signature_for_another_socket_or_channel_is_refused_by_the_server_on_its_channel_alone() {
    let (options, mut listener) = world();
    let mut under = client_of(options, |_: AuthorizationRequest| async { Ok(Authorization::new("key:of-another")) });
    let mut peer = establish(&mut listener, "1.1").await;
    for _ in 0..2 {
        let (channel, auth) = peer.subscribe().await;
        if channel == "good" {
            peer.acknowledge(&channel).await;
        } else {
            assert_eq!(auth.as_deref(), Some("key:of-another"));
            let data = json!({"type": "AuthError", "error": "bad signature of-another", "status": 401});
            peer.json(json!({"event": "pusher:subscription_error", "channel": channel, "data": data})).await;
        }
    }
    let (error, _) = failure(&mut under).await;
    assert_eq!((&error, error.status()), (&rejected("bad signature ***"), Some(401)));
    good_goes_on(&mut under, &mut peer).await;
}

fn rejected(message: &str) -> SubscriptionError {
    SubscriptionError::RejectedByServer { code: Some(401), message: message.to_owned() }
}

// S03: and an authorization that is late is another one's time
#[tokio::test(start_paused = true)]
async fn an_authorizer_that_never_answers_times_out_and_is_asked_again() {
    let (options, mut listener) = world();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let mut under = client_of(options, move |_: AuthorizationRequest| {
        counter.fetch_add(1, Ordering::SeqCst);
        std::future::pending()
    });
    let mut peer = establish(&mut listener, "1.1").await;
    peer.acknowledge_all(1).await;
    for times in 1..=2 {
        assert_eq!(failure(&mut under).await.0, SubscriptionError::AuthorizationTimedOut);
        assert_eq!(asked.load(Ordering::SeqCst), times);
    }
    good_goes_on(&mut under, &mut peer).await;
}

// S05, S14: defect 15 of other clients sends the late signature on the new socket
#[tokio::test(start_paused = true)]
async fn an_answer_that_is_late_for_its_socket_is_never_sent_and_the_next_socket_asks_anew() {
    let (options, mut listener) = world();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let mut under = client_of(options, move |request: AuthorizationRequest| {
        log.lock().unwrap().push(request.socket_id.to_string());
        async move {
            if request.socket_id.as_str() == "1.1" {
                tokio::time::sleep(Duration::from_secs(9)).await;
            }
            Ok(Authorization::new(format!("key:for-{}", request.socket_id)))
        }
    });
    let mut peer = establish(&mut listener, "1.1").await;
    peer.acknowledge_all(1).await;
    under.until(|item| matches!(item, Item::Subscribed { .. })).await;
    drop(peer);
    let mut peer = establish(&mut listener, "2.2").await;
    let mut signatures = Vec::new();
    for _ in 0..2 {
        let (channel, auth) = peer.subscribe().await;
        signatures.extend(auth);
        peer.acknowledge(&channel).await;
    }
    tokio::time::sleep(Duration::from_secs(20)).await;
    good_goes_on(&mut under, &mut peer).await;
    assert_eq!(signatures, ["key:for-2.2"]);
    assert_eq!(*asked.lock().unwrap(), ["1.1", "2.2"]);
}

// S25
#[tokio::test(start_paused = true)]
async fn an_authorizer_that_panics_is_unavailable_and_is_asked_again() {
    let (options, mut listener) = world();
    let panics = AtomicUsize::new(1);
    let mut under = client_of(options, move |_: AuthorizationRequest| {
        assert!(panics.fetch_sub(1, Ordering::SeqCst) != 1, "on purpose");
        std::future::ready(Ok(Authorization::new("key:sig")))
    });
    let mut peer = establish(&mut listener, "1.1").await;
    peer.acknowledge_all(1).await;
    let (error, retry_in) = failure(&mut under).await;
    assert!(matches!(error, SubscriptionError::AuthorizationUnavailable { .. }), "{error:?}");
    assert!(error.to_string().contains("panicked") && retry_in.is_some(), "{error}");
    assert_eq!(peer.subscribe().await, ("private-bad".to_owned(), Some("key:sig".to_owned())));
    good_goes_on(&mut under, &mut peer).await;
}

#[tokio::test(start_paused = true)]
async fn an_authorizer_that_declines_is_not_asked_again_until_the_caller_subscribes_again() {
    let (options, mut listener) = world();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let mut under = client_of(options, move |_: AuthorizationRequest| {
        counter.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Err(AuthorizationError::declined("only admins may listen")))
    });
    let mut peer = establish(&mut listener, "1.1").await;
    peer.acknowledge_all(1).await;
    let declined = SubscriptionError::from(AuthorizationError::declined("only admins may listen"));
    assert_eq!(failure(&mut under).await, (declined.clone(), None));
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    under.client.subscribe(private("bad")).unwrap();
    assert_eq!(failure(&mut under).await, (declined, None));
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_was_given_up_is_pending_once_it_is_subscribed_again() {
    let (options, mut listener) = world();
    let asked = Arc::new(AtomicUsize::new(0));
    let authorizer = move |_: AuthorizationRequest| {
        let is_first = asked.fetch_add(1, Ordering::SeqCst) == 0;
        std::future::ready(if is_first {
            Err(AuthorizationError::declined("log in first"))
        } else {
            Ok(Authorization::new("key:sig"))
        })
    };
    let client = Client::with_options(options).authorizer(authorizer).connect().unwrap();
    let first = client.subscribe("private-a").unwrap();
    let mut peer = establish(&mut listener, "1.1").await;
    soon("the refusal", first.wait_subscribed()).await.unwrap_err();
    let again = client.subscribe("private-a").unwrap();
    assert_eq!((again.state(), first.state()), (ChannelState::Pending, ChannelState::Pending));
    let (waited, ()) = tokio::join!(soon("the subscription", again.wait_subscribed()), peer.acknowledge_all(1));
    waited.unwrap();
}

// Auth values that are given: README of pusher-websocket-swift, "Self-provided auth values"
#[tokio::test(start_paused = true)]
async fn a_channel_may_have_an_authorizer_of_its_own_which_is_asked_on_every_socket() {
    let (options, mut listener) = world();
    let client = Client::with_options(options).connect().unwrap();
    let of_socket =
        |request: AuthorizationRequest| async move { Ok(Authorization::new(format!("key:own-{}", request.socket_id))) };
    let mut channel = client.subscribe_with("private-a", of_socket).unwrap();
    let second = client.subscribe("private-a").unwrap();
    for socket_id in ["1.1", "2.2"] {
        let mut peer = establish(&mut listener, socket_id).await;
        assert_eq!(peer.subscribe().await, ("private-a".to_owned(), Some(format!("key:own-{socket_id}"))));
        peer.acknowledge("private-a").await;
        while !matches!(soon("an item", channel.next()).await, Some(ChannelItem::Subscribed { .. })) {}
    }
    let error = client.subscribe("private-b").unwrap_err();
    assert!(matches!(error, SubscribeError::NoAuthorizer { .. }), "{error:?}");
    drop((channel, second));
    let error = client.subscribe("private-a").unwrap_err();
    assert!(matches!(error, SubscribeError::NoAuthorizer { .. }), "it went with the last handle: {error:?}");
}

#[tokio::test(start_paused = true)]
async fn an_authorizer_of_a_channel_that_fails_is_told_on_its_handle_alone() {
    let (options, mut listener) = world();
    let of_all = |_: AuthorizationRequest| async { Ok(Authorization::new("key:all")) };
    let client = Client::with_options(options).authorizer(of_all).connect().unwrap();
    let denied = |_: AuthorizationRequest| async { Err(AuthorizationError::denied(401).saying("log in again")) };
    let mut bad = client.subscribe_with("private-bad", denied).unwrap();
    let mut good = client.subscribe("private-good").unwrap();
    let mut peer = establish(&mut listener, "1.1").await;
    assert_eq!(peer.subscribe().await, ("private-good".to_owned(), Some("key:all".to_owned())));
    peer.acknowledge("private-good").await;
    let ChannelItem::Failed { error, retry_in, .. } = soon("an item", bad.next()).await.unwrap() else { panic!() };
    assert_eq!((error.status(), retry_in), (Some(401), None));
    assert!(error.to_string().ends_with("the endpoint says: log in again"), "{error}");
    assert_eq!(bad.state(), ChannelState::Failed(error));
    assert!(matches!(soon("an item", good.next()).await, Some(ChannelItem::Subscribed { .. })));
    assert_eq!(good.try_next(), None);
}
