use std::{
    future::{pending, ready},
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicUsize, Ordering},
};

use channels_proto::{AppKey, AuthorizationError, ChannelName, Options, Secret, SocketId};
use futures_core::future::BoxFuture;
use http::HeaderMap;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::Instant,
};

use super::*;
use crate::{
    AuthorizationRequest, Authorizer, HttpAuthorizer, Resolver, StaticToken, SystemClock, dial::ConnectError,
    http::HttpUrl,
};

/// A resolver that hangs so often, and then knows no such name.
struct Stuck(AtomicUsize);

impl Resolver for Stuck {
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
    let connector = SystemConnector::new().with_resolver(Arc::new(Stuck(AtomicUsize::new(times))));
    HttpClient::over(Arc::new(connector), url().origin(), HttpLimits::default()).unwrap()
}

// N02, H06
#[test]
fn a_limit_that_no_answer_can_keep_to_is_refused_by_its_name() {
    let client = |limits| HttpClient::new(url().origin(), Tls::platform(), limits).map(|_| ());
    let refused = |limits| client(limits).unwrap_err().option;
    for deadline in [Duration::ZERO, Duration::from_nanos(1), Duration::from_secs(86_401), Duration::MAX] {
        assert_eq!(refused(HttpLimits { deadline, ..HttpLimits::default() }), "deadline", "{deadline:?}");
    }
    assert_eq!(refused(HttpLimits { max_body_bytes: 0, ..HttpLimits::default() }), "max_body_bytes");
    for (max_body_bytes, deadline) in [(1, Duration::from_millis(1)), (usize::MAX, Duration::from_secs(86_400))] {
        assert_eq!(client(HttpLimits { max_body_bytes, deadline }), Ok(()));
    }
}

// S03: the client gives an authorization up by itself, later each time; nothing else does so before.
#[tokio::test(start_paused = true)]
async fn an_authorizer_waits_for_as_long_as_any_client_does_by_default() {
    let tokens = Arc::new(StaticToken::new(Secret::new("token")));
    let authorizer = HttpAuthorizer::new(client_stuck(usize::MAX), url(), HeaderMap::new(), tokens);
    let request = AuthorizationRequest::new(ChannelName::parse("private-a").unwrap(), SocketId::parse("1.1").unwrap());
    let started = Instant::now();
    assert_eq!(authorizer.authorize(request).await, Err(AuthorizationError::TimedOut));
    let options = Options::new(AppKey::parse("key").unwrap());
    assert_eq!(started.elapsed().as_secs(), options.max_answer_timeout.as_secs());
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

// Z01: whoever redirects may be the login page of a network, with a clock of its own.
#[tokio::test]
async fn a_redirect_does_not_tell_the_servers_time() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = HttpUrl::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let server_time = ServerTime::new(Arc::new(SystemClock::new()));
    let client = HttpClient::new(url.origin(), Tls::platform(), HttpLimits::default()).unwrap();
    let client = client.telling(server_time.clone());
    for (status, tells) in [("302 Found", false), ("307 x", false), ("500 x", true)] {
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let date = "Date: Tue, 05 Mar 2024 10:11:12 GMT\r\nContent-Length: 0\r\n";
            stream.write_all(format!("HTTP/1.1 {status}\r\n{date}\r\n").as_bytes()).await.unwrap();
        };
        let (answer, ()) = tokio::join!(client.send(Request::new(Bytes::new())), server);
        assert_eq!(server_time.bounds(server_time.now()).is_some(), tells, "{status}: {answer:?}");
    }
}
