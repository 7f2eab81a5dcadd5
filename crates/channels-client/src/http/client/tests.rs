use std::{
    future::{pending, ready},
    io,
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
};

use futures_core::future::BoxFuture;
use tokio::time::Instant;

use super::*;
use crate::{
    dial::{ConnectError, Resolve},
    http::HttpUrl,
};

/// A resolver that hangs so often, and then knows no such name.
struct Stuck(AtomicUsize);

impl Resolve for Stuck {
    fn resolve(&self, _: &str, _: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        if self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Box::pin(pending());
        }
        Box::pin(ready(Err(io::Error::other("no such host"))))
    }
}

fn url() -> HttpUrl {
    HttpUrl::parse("http://server.test/auth").unwrap()
}

fn client_stuck(times: usize) -> HttpClient {
    let dialer = Dialer::with_resolver(Tls::platform(), Arc::new(Stuck(AtomicUsize::new(times))));
    HttpClient::with_dialer(url().origin(), dialer, HttpLimits::default())
}

// S03, N02: two seconds later the request opens its own.
#[tokio::test(start_paused = true)]
async fn a_connection_that_is_stuck_while_it_is_opened_ahead_holds_up_no_request() {
    let client = client_stuck(1);
    let started = Instant::now();
    let answer = tokio::select! {
        biased;
        () = client.prepare(1) => panic!("it is stuck"),
        answer = client.send_idempotent(Request::new(Bytes::new())) => answer,
    };
    assert!(matches!(answer, Err(HttpError::Connect(ConnectError::Resolve { .. }))), "{answer:?}");
    assert_eq!(started.elapsed().as_secs(), LONGEST_WAIT_FOR_AHEAD.as_secs());
}
