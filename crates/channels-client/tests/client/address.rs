use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use channels_client::{
    Item, RawDecoder, SocketAddress, SocketAddressError, SocketAddressProvider, SocketUrl, StreamClient,
    proto::{
        AppKey, Authorization, AuthorizationError, ConnectFailureKind, ConnectionError, ConnectionState, OwnedEvent,
    },
};
use futures_core::future::BoxFuture;
use serde_json::json;
use tokio::{runtime::Handle, sync::Semaphore};

use crate::support::{Listener, Under, eventually, header, options_for, private};

/// Knows one address, or why not; counts how often it is asked, and answers when it may.
#[derive(Debug)]
struct Known {
    answer: Mutex<Result<SocketAddress, SocketAddressError>>,
    asked: AtomicUsize,
    gate: Semaphore,
}

#[derive(Clone, Debug)]
struct Provider(Arc<Known>);

impl SocketAddressProvider for Provider {
    fn find(&self) -> BoxFuture<'static, Result<SocketAddress, SocketAddressError>> {
        let known = Arc::clone(&self.0);
        known.asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            known.gate.acquire().await.unwrap().forget();
            known.answer.lock().unwrap().clone()
        })
    }
}

impl Provider {
    fn of(answer: Result<SocketAddress, SocketAddressError>) -> Self {
        Self(Arc::new(Known { answer: Mutex::new(answer), asked: AtomicUsize::new(0), gate: Semaphore::new(1_000) }))
    }

    fn asked(&self) -> usize {
        self.0.asked.load(Ordering::SeqCst)
    }
}

fn address(listener: &Listener, app_key: &str) -> SocketAddress {
    let url = SocketUrl::parse(&listener.socket_url()).unwrap();
    SocketAddress { url, app_key: AppKey::parse(app_key).unwrap() }
}

fn client(listener: &Listener, provider: &Provider) -> Under {
    let mut options = options_for(listener);
    options.address_provider = Some(Arc::new(provider.clone()));
    Under::new(options)
}

fn is_failure(item: &Item<OwnedEvent>) -> bool {
    matches!(item, Item::ConnectionFailed { .. })
}

async fn refuse(listener: &Listener, status: &str) {
    let mut raw = listener.accept().await;
    raw.read_head().await;
    raw.answer(status, "", "").await;
}

/// Refuses three attempts in a row, and shortens the back-offs between them.
async fn fail_three_times(listener: &Listener, under: &mut Under) {
    for attempt in 1..=3 {
        refuse(listener, "503 x").await;
        under.until(is_failure).await;
        if attempt < 3 {
            under.client.connect();
        }
    }
}

// N14, W03: the slow class is about the old address.
#[tokio::test]
async fn after_a_refusal_the_address_is_asked_for_and_the_next_attempt_goes_there_at_once() {
    let (old, new) = (Listener::bind().await, Listener::bind().await);
    let provider = Provider::of(Ok(address(&new, "another-key")));
    let mut under = client(&old, &provider);
    under.client.connect();
    refuse(&old, "404 Not Found").await;
    let started = tokio::time::Instant::now();
    let peer = new.establish("1.1").await;
    assert!(started.elapsed() < Duration::from_secs(29), "it waited for the end of the slow class");
    assert!(peer.request.contains("/app/another-key?"), "{}", peer.request);
    assert_eq!(header(&peer.request, "host"), Some(new.address().to_string()));
    under.until_state(ConnectionState::Connected).await;
    assert_eq!(provider.asked(), 1);
    assert!(!old.is_dialed_within(Duration::from_millis(50)).await);
}

// S06: the signatures of the new app are the right ones then.
#[tokio::test]
async fn the_app_key_follows_the_address() {
    struct NewApp;
    impl channels_client::Authorizer for NewApp {
        async fn authorize(
            &self,
            _: channels_client::AuthorizationRequest,
        ) -> Result<Authorization, AuthorizationError> {
            Ok(Authorization::new("another-key:signed"))
        }
    }
    let (old, new) = (Listener::bind().await, Listener::bind().await);
    let mut options = options_for(&old);
    options.address_provider = Some(Arc::new(Provider::of(Ok(address(&new, "another-key")))));
    let (client, delivery) = StreamClient::new(options, Arc::new(NewApp), RawDecoder, &Handle::current()).unwrap();
    let mut under = Under { client, delivery };
    under.client.subscribe(private("a")).unwrap();
    under.client.connect();
    refuse(&old, "403 Forbidden").await;
    new.establish("1.1").await.acknowledge_all(1).await;
    under.until(|item| matches!(item, Item::Subscribed { .. })).await;
}

#[tokio::test]
async fn three_attempts_in_a_row_that_come_to_nothing_ask_for_the_address_and_a_lost_connection_does_not() {
    let (old, new) = (Listener::bind().await, Listener::bind().await);
    let provider = Provider::of(Ok(address(&new, "key")));
    let mut under = client(&old, &provider);
    under.client.connect();
    for socket_id in ["1.1", "2.2", "3.3", "4.4"] {
        drop(old.establish(socket_id).await);
        under.until(is_failure).await;
        under.client.connect();
    }
    for _ in 0..2 {
        refuse(&old, "503 x").await;
        under.until(is_failure).await;
        under.client.connect();
    }
    assert_eq!(provider.asked(), 0);
    refuse(&old, "503 x").await;
    new.establish("5.5").await;
    assert_eq!(provider.asked(), 1);
}

// A slow provider costs no attempt and no deadline.
#[tokio::test]
async fn attempts_go_on_at_the_known_address_while_another_is_looked_for() {
    let (old, new) = (Listener::bind().await, Listener::bind().await);
    let provider = Provider::of(Ok(address(&new, "key")));
    provider.0.gate.forget_permits(1_000);
    let mut under = client(&old, &provider);
    under.client.connect();
    for _ in 0..5 {
        refuse(&old, "503 x").await;
        under.until(is_failure).await;
        under.client.connect();
    }
    assert_eq!(provider.asked(), 1, "one question at a time");
    let mut peer = old.establish("1.1").await;
    under.until_state(ConnectionState::Connected).await;
    // What was found is old news by now: the known address has worked since.
    provider.0.gate.add_permits(1);
    eventually("the answer", || provider.0.gate.available_permits() == 0).await;
    // The client takes what its jobs have done before what it receives.
    peer.json(json!({"event": "pusher:ping"})).await;
    assert_eq!(peer.next().await.unwrap()["event"], "pusher:pong");
    peer.close(4200, "").await;
    drop(peer);
    old.establish("2.2").await;
    assert!(!new.is_dialed_within(Duration::from_millis(50)).await);
}

// It is told, and the known address is not given up for it.
#[tokio::test]
async fn an_address_that_cannot_be_found_is_a_failed_attempt_and_the_known_one_is_tried_next() {
    let old = Listener::bind().await;
    let error = SocketAddressError { message: "the VMS is being updated".into(), retry_after: None };
    let provider = Provider::of(Err(error));
    let mut under = client(&old, &provider);
    under.client.connect();
    fail_three_times(&old, &mut under).await;
    let failed = under.until(is_failure).await;
    let Item::ConnectionFailed { error: ConnectionError::Connect { kind, message }, retry_in: Some(_) } = failed else {
        panic!("{failed:?}")
    };
    assert_eq!(kind, ConnectFailureKind::Address);
    assert!(message.ends_with("could not be found: the VMS is being updated"), "{message}");
    under.client.connect();
    let _peer = old.establish("1.1").await;
    under.until_state(ConnectionState::Connected).await;
    assert_eq!(provider.asked(), 1);
}

// S25: foreign code may panic.
#[tokio::test]
async fn a_provider_of_the_address_that_panics_harms_nobody() {
    #[derive(Debug)]
    struct Panicking;
    impl SocketAddressProvider for Panicking {
        fn find(&self) -> BoxFuture<'static, Result<SocketAddress, SocketAddressError>> {
            panic!("on purpose")
        }
    }
    let old = Listener::bind().await;
    let mut options = options_for(&old);
    options.address_provider = Some(Arc::new(Panicking));
    let mut under = Under::new(options);
    under.client.connect();
    fail_three_times(&old, &mut under).await;
    let failed = under.until(is_failure).await;
    assert!(matches!(&failed, Item::ConnectionFailed { error, .. } if error.to_string().contains("panicked")));
    under.client.connect();
    let _peer = old.establish("1.1").await;
    under.until_state(ConnectionState::Connected).await;
}
