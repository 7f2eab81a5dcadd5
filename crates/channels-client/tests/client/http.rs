use std::time::Duration;

use bytes::Bytes;
use channels_client::{
    Tls,
    http::{HttpClient, HttpError, HttpLimits, HttpUrl},
};
use futures_util::FutureExt;
use http::{Request, StatusCode};

use crate::support::{Listener, Raw, header, soon};

fn client_of(listener: &Listener) -> HttpClient {
    client_with(listener, HttpLimits::default())
}

fn client_with(listener: &Listener, limits: HttpLimits) -> HttpClient {
    let url = HttpUrl::parse(&listener.http_url("")).unwrap();
    HttpClient::new(url.origin(), Tls::platform(), limits).unwrap()
}

fn post(path: &str, body: &'static str) -> Request<Bytes> {
    Request::post(path).body(Bytes::from_static(body.as_bytes())).unwrap()
}

/// Answers `count` requests on one connection, and returns them.
async fn serve(raw: &mut Raw, count: usize) -> Vec<(String, String)> {
    let mut requests = Vec::new();
    for number in 0..count {
        requests.push(raw.read_request().await);
        raw.answer("200 OK", "", &format!("answer {number}")).await;
    }
    requests
}

#[tokio::test]
async fn requests_share_one_kept_connection() {
    let listener = Listener::bind().await;
    let client = client_of(&listener);
    let server = async { serve(&mut listener.accept().await, 3).await };
    let requests = async {
        for number in 0..3 {
            let answer = client.send_idempotent(post("/path?x=1", "body")).await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
            assert_eq!(answer.body(), &Bytes::from(format!("answer {number}")));
        }
    };
    let (seen, ()) = tokio::join!(server, requests);
    let (head, body) = &seen[0];
    assert!(head.starts_with("POST /path?x=1 HTTP/1.1\r\n"), "{head}");
    assert_eq!(header(head, "host"), Some(listener.address().to_string()));
    assert_eq!(body, "body");
}

#[tokio::test]
async fn connections_opened_ahead_are_used_and_let_go() {
    let listener = Listener::bind().await;
    let client = client_of(&listener);
    let open = async { (listener.accept().await, listener.accept().await) };
    let ((mut one, mut two), ()) = tokio::join!(open, client.prepare(2));
    let server = async { tokio::join!(serve(&mut one, 1), serve(&mut two, 1)) };
    let (seen, first, second) =
        tokio::join!(server, client.send_idempotent(post("/1", "")), client.send_idempotent(post("/2", "")));
    assert!(first.is_ok() && second.is_ok());
    assert_eq!((seen.0.len(), seen.1.len()), (1, 1));
    client.release();
    assert!(one.is_hung_up().await && two.is_hung_up().await);
}

// The connection that is being opened ahead is the one that the request gets.
#[tokio::test]
async fn a_request_waits_for_a_connection_that_is_being_opened() {
    let listener = Listener::bind().await;
    let client = client_of(&listener);
    let server = async { serve(&mut listener.accept().await, 1).await };
    let ((), answer, _) = tokio::join!(client.prepare(1), client.send_idempotent(post("/", "")), server);
    assert!(answer.is_ok());
    assert!(!listener.is_dialed_within(Duration::from_millis(50)).await);
}

#[tokio::test]
async fn a_request_opens_its_own_connection_when_opening_ahead_is_given_up() {
    let listener = Listener::bind().await;
    let client = client_of(&listener);
    let mut ahead = Box::pin(client.prepare(1));
    // Polled once, it has announced a connection; dropped, it never brings one.
    assert!((&mut ahead).now_or_never().is_none());
    let mut request = Box::pin(client.send_idempotent(post("/", "")));
    assert!((&mut request).now_or_never().is_none());
    drop(ahead);
    let server = async {
        let mut raw = listener.accept().await;
        // The abandoned one may have come first, and has hung up then.
        if raw.stream.peek(&mut [0]).await.unwrap() == 0 {
            raw = listener.accept().await;
        }
        serve(&mut raw, 1).await
    };
    let (answer, _) = tokio::join!(request, server);
    assert!(answer.is_ok());
}

#[tokio::test]
async fn a_kept_connection_that_died_unanswered_costs_one_retry_and_no_more() {
    let listener = Listener::bind().await;
    let client = client_of(&listener);
    let server = async {
        let mut first = listener.accept().await;
        serve(&mut first, 1).await;
        first.read_request().await;
        drop(first);
        serve(&mut listener.accept().await, 1).await
    };
    let requests = async {
        client.send_idempotent(post("/1", "")).await.unwrap();
        client.send_idempotent(post("/2", "")).await.unwrap();
    };
    let (seen, ()) = tokio::join!(server, requests);
    assert!(seen[0].0.starts_with("POST /2 "), "{seen:?}");
}

// Whether the server has carried a request out cannot be seen from outside.
#[tokio::test]
async fn what_must_not_be_done_twice_is_sent_once_and_over_a_connection_of_its_own() {
    let listener = Listener::bind().await;
    let client = client_of(&listener);
    let server = async {
        let mut kept = listener.accept().await;
        serve(&mut kept, 1).await;
        listener.accept().await.read_request().await;
        kept
    };
    let requests = async {
        client.send_idempotent(post("/1", "")).await.unwrap();
        client.send(post("/2", "")).await
    };
    let (mut kept, answer) = tokio::join!(server, requests);
    assert!(matches!(answer, Err(HttpError::Failed { .. })), "{answer:?}");
    client.release();
    assert!(kept.is_hung_up().await, "the kept connection saw a request");
    assert!(!listener.is_dialed_within(Duration::from_millis(50)).await);
}

#[tokio::test]
async fn the_connection_of_what_is_sent_once_serves_later_requests() {
    let listener = Listener::bind().await;
    let client = client_of(&listener);
    let server = async { serve(&mut listener.accept().await, 2).await };
    let requests = async {
        client.send(post("/1", "")).await.unwrap();
        client.send_idempotent(post("/2", "")).await.unwrap();
    };
    let (seen, ()) = tokio::join!(server, requests);
    assert_eq!(seen.len(), 2);
}

#[tokio::test]
async fn a_new_connection_that_dies_unanswered_is_an_error() {
    let listener = Listener::bind().await;
    let client = client_of(&listener);
    let server = async {
        listener.accept().await.read_request().await;
    };
    let (answer, ()) = tokio::join!(client.send_idempotent(post("/", "")), server);
    assert!(matches!(answer, Err(HttpError::Failed { .. })), "{answer:?}");
    assert!(!listener.is_dialed_within(Duration::from_millis(50)).await);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_not_asked_for_again() {
    for half in ["HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "HTTP/1.1 200 OK\r\nContent-Le"] {
        let listener = Listener::bind().await;
        let client = client_of(&listener);
        let server = async {
            let mut raw = listener.accept().await;
            serve(&mut raw, 1).await;
            raw.read_request().await;
            raw.write(half).await;
        };
        let requests = async {
            client.send_idempotent(post("/1", "")).await.unwrap();
            client.send_idempotent(post("/2", "")).await
        };
        let ((), answer) = tokio::join!(server, requests);
        assert!(matches!(answer, Err(HttpError::Failed { .. })), "{answer:?}");
        assert!(!listener.is_dialed_within(Duration::from_millis(50)).await);
    }
}

// H01
#[tokio::test]
async fn no_redirect_is_followed_and_its_target_is_named_without_its_query() {
    let listener = Listener::bind().await;
    let elsewhere = Listener::bind().await;
    for status in [301, 302, 303, 307, 308] {
        let client = client_of(&listener);
        let server = async {
            let location = format!("Location: {}\r\n", elsewhere.http_url("/login?token=canary"));
            let mut raw = listener.accept().await;
            raw.read_request().await;
            raw.answer(&format!("{status} Moved"), &location, "").await;
        };
        let (answer, ()) = tokio::join!(client.send_idempotent(post("/api/auth?token=canary", "")), server);
        let error = answer.unwrap_err();
        let HttpError::Redirected { to, url, .. } = &error else { panic!("{error}") };
        assert_eq!(*url, listener.http_url("/api/auth"));
        assert_eq!(*to, elsewhere.http_url("/login"));
        assert!(!error.to_string().contains("canary"), "{error}");
    }
    assert!(!elsewhere.is_dialed_within(Duration::from_millis(50)).await);
}

// H06
#[tokio::test]
async fn a_body_without_end_and_an_answer_without_end_are_cut_off() {
    let listener = Listener::bind().await;
    let client = client_of(&listener);
    let server = async {
        let mut raw = listener.accept().await;
        raw.read_request().await;
        raw.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
        let chunk = format!("400\r\n{}\r\n", "a".repeat(1024));
        for _ in 0..65 {
            raw.write(&chunk).await;
        }
        raw
    };
    let (answer, _raw) = tokio::join!(client.send_idempotent(post("/", "")), server);
    assert!(matches!(answer, Err(HttpError::TooLarge { limit: 65_536, .. })), "{answer:?}");

    let limits = HttpLimits { deadline: Duration::from_millis(100), ..HttpLimits::default() };
    let client = client_with(&listener, limits);
    let silent = async { listener.accept().await };
    let (answer, _raw) = tokio::join!(soon("the deadline", client.send_idempotent(post("/", ""))), silent);
    assert!(matches!(answer, Err(HttpError::TimedOut { .. })), "{answer:?}");
}

// H07, H08
#[tokio::test]
async fn no_cookie_is_kept_and_no_compression_is_asked_for() {
    let listener = Listener::bind().await;
    let client = client_of(&listener);
    let server = async {
        let mut raw = listener.accept().await;
        let mut heads = Vec::new();
        for _ in 0..2 {
            heads.push(raw.read_request().await.0.to_ascii_lowercase());
            raw.answer("200 OK", "Set-Cookie: a=b\r\n", "").await;
        }
        heads
    };
    let requests = async {
        client.send_idempotent(post("/", "")).await.unwrap();
        client.send_idempotent(post("/", "")).await.unwrap();
    };
    let (heads, ()) = tokio::join!(server, requests);
    for head in heads {
        assert!(!head.contains("cookie") && !head.contains("accept-encoding"), "{head}");
    }
}

// H02
#[tokio::test]
async fn a_request_for_another_server_is_not_sent() {
    let listener = Listener::bind().await;
    let client = client_of(&listener);
    let port = listener.address().port();
    let foreign = [
        "http://127.0.0.1/".to_owned(),
        format!("https://127.0.0.1:{port}/"),
        format!("http://127.0.0.2:{port}/"),
        format!("http://127.0.0.1:{port}@evil.example/"),
        format!("http://user@127.0.0.1:{port}/"),
    ];
    for url in foreign {
        let answer = client.send_idempotent(post(&url, "")).await;
        assert!(matches!(answer, Err(HttpError::ForeignOrigin { .. })), "{url}: {answer:?}");
    }
    let server = async { serve(&mut listener.accept().await, 1).await };
    let url = listener.http_url("/own");
    let (answer, seen) = tokio::join!(client.send_idempotent(post(&url, "")), server);
    assert!(answer.is_ok());
    assert!(seen[0].0.starts_with("POST /own HTTP/1.1"), "{seen:?}");
}

// N06
#[tokio::test]
async fn a_refused_connection_names_the_address() {
    let listener = Listener::bind().await;
    let client = client_of(&listener);
    let address = listener.address().to_string();
    drop(listener);
    let error = client.send_idempotent(post("/", "")).await.unwrap_err();
    let HttpError::Connect(_) = &error else { panic!("{error:?}") };
    assert!(error.to_string().contains(&address) && error.to_string().contains("refused"), "{error}");
}

// A connection opened ahead that the server closed while it waited is like a kept one.
#[tokio::test]
async fn a_connection_opened_ahead_that_died_costs_one_retry() {
    let listener = Listener::bind().await;
    let client = client_of(&listener);
    let (mut ahead, ()) = tokio::join!(listener.accept(), client.prepare(1));
    let server = async {
        ahead.read_request().await;
        drop(ahead);
        serve(&mut listener.accept().await, 1).await
    };
    let (answer, seen) = tokio::join!(client.send_idempotent(post("/", "")), server);
    assert!(answer.is_ok());
    assert_eq!(seen.len(), 1);
}
