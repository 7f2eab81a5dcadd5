use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use vms_pusher::{Secret, Tls, VmsApi, VmsClientInfo, VmsCredentials, VmsPusherApi};

use crate::support::*;

// K05, K06: the delegate is held weakly, also one that holds the API
#[tokio::test]
async fn a_delegate_and_an_api_that_hold_each_other_are_both_freed() {
    let (sandbox, session) = sandbox().await;
    let api = api(&sandbox, &session);
    let inner = api.clone();
    let delegate = Recorder::reacting(move |_| assert!(!format!("{inner:?}").is_empty()));
    let freed = Arc::downgrade(&delegate);
    api.set_delegate(&delegate);
    api.connect();
    delegate.wait_subscribed(1).await;
    drop((api, delegate));
    let state = sandbox.wait_until(PATIENCE, |state| state.sockets.is_empty()).await.unwrap();
    assert_eq!(state.sockets_ever, 1);
    // A call under way may hold it for a moment longer.
    off_the_runtime(move || {
        while freed.strong_count() > 0 {
            thread::yield_now();
        }
    })
    .await;
}

// K05, I26: once the delegate is gone, the stream is back, and nothing is lost on the way
#[tokio::test]
async fn the_stream_takes_over_from_a_delegate_that_is_gone() {
    let (sandbox, session) = sandbox().await;
    let (api, delegate) = (api(&sandbox, &session), Recorder::new());
    api.set_delegate(&delegate);
    api.connect();
    delegate.wait_subscribed(1).await;
    drop(delegate);
    for number in 1..=3 {
        push_number(&sandbox, &session, number).await;
    }
    let mut events = api.events();
    let mut numbers = Vec::new();
    while numbers.len() < 3 {
        let item = tokio::time::timeout(PATIENCE, events.next()).await.expect("the stream stays silent");
        numbers.extend(item.iter().filter_map(number_of));
    }
    assert_eq!(numbers, [1, 2, 3]);
    assert_eq!(api.counters().dropped_events, 0);
}

// K10, D07: closed when the last handle is dropped; the stream ends, and the REST companion does not keep it alive
#[tokio::test]
async fn dropping_the_last_handle_closes_the_socket_and_ends_the_stream() {
    let (sandbox, session) = sandbox().await;
    let api = api(&sandbox, &session);
    let (mut events, rest) = (api.events(), api.rest());
    api.connect();
    sandbox.wait_subscribed(&session, PATIENCE).await.unwrap();
    drop(api);
    sandbox.wait_until(PATIENCE, |state| state.sockets.is_empty()).await.unwrap();
    tokio::time::timeout(PATIENCE, async { while events.next().await.is_some() {} }).await.expect("no end");
    rest.socket_url().await.unwrap();
    let asked = sandbox.requests();
    assert_eq!(asked.last().unwrap().header("x-socket-id"), None);
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// An executor that knows nothing of tokio.
fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park_timeout(PATIENCE),
        }
    }
}

/// An app without a runtime: log in, discover, connect, and read the stream, on a thread of its own.
#[test]
fn everything_works_without_a_runtime_around() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (sandbox, session) = runtime.block_on(sandbox());
    let login = VmsCredentials::new("demo", Secret::new("demo"));
    let rest = VmsApi::new(&sandbox.base_url(), Tls::platform(), &VmsClientInfo::default()).unwrap();
    let login = block_on(rest.login(&login)).unwrap();
    let found = block_on(rest.with_token(&login.access_token).unwrap().socket_url()).unwrap();
    let mut config = config(&sandbox, &session);
    (config.socket_url, config.app_key) = (found.ws_url, found.app_key);
    let api = VmsPusherApi::new(config).unwrap();
    let mut events = api.events();
    api.connect();
    runtime.block_on(sandbox.wait_subscribed(&session, PATIENCE)).unwrap();
    runtime.block_on(push_number(&sandbox, &session, 7));
    let number = block_on(async {
        loop {
            if let Some(number) = number_of(&events.next().await.unwrap()) {
                break number;
            }
        }
    });
    assert_eq!(number, 7);
}
