use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use channels_client::{
    AuthorizationRequest, Authorizer, HttpAuthorizer, SharedTokens, StaticToken, Tls, TokenError, TokenProvider,
    http::{HttpClient, HttpLimits, HttpUrl},
    proto::{AuthorizationError, ChannelName, Secret, SocketId},
};
use futures_util::future::join_all;
use http::{HeaderMap, HeaderValue};

use crate::support::{Listener, Raw, header};

fn authorizer_of(listener: &Listener, tokens: impl Into<SharedTokens>) -> HttpAuthorizer {
    let url = HttpUrl::parse(&listener.http_url("/api/v1/broadcasting/auth")).unwrap();
    let http = HttpClient::new(url.origin(), Tls::platform(), HttpLimits::default()).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("x-client", HeaderValue::from_static("test"));
    HttpAuthorizer::new(http, url, headers, tokens)
}

fn with_token(listener: &Listener, token: &str) -> HttpAuthorizer {
    authorizer_of(listener, Arc::new(StaticToken::new(Secret::new(token))))
}

fn request(channel: &str, socket_id: &str) -> AuthorizationRequest {
    AuthorizationRequest::new(ChannelName::parse(channel).unwrap(), SocketId::parse(socket_id).unwrap())
}

/// Answers one request and returns it.
async fn answer(raw: &mut Raw, status: &str, headers: &str, body: &str) -> (String, String) {
    let request = raw.read_request().await;
    raw.answer(status, headers, body).await;
    request
}

/// A provider whose tokens are numbered; a refresh takes until the test says so, when it wants to.
#[derive(Default)]
struct Numbered {
    current: Mutex<usize>,
    refreshes: AtomicUsize,
    gate: Option<tokio::sync::Semaphore>,
    stuck: bool,
    fails: AtomicUsize,
}

struct Shared(Arc<Numbered>);

impl TokenProvider for Shared {
    async fn token(&self) -> Result<Secret, TokenError> {
        let token = Secret::new(format!("token-{}", self.0.current.lock().unwrap()));
        Ok(token)
    }

    async fn refresh(&self, rejected: &Secret) -> Result<Secret, TokenError> {
        let provider = &self.0;
        provider.refreshes.fetch_add(1, Ordering::SeqCst);
        if let Some(gate) = &provider.gate {
            gate.acquire().await.unwrap().forget();
        }
        if provider.fails.load(Ordering::SeqCst) > 0 {
            provider.fails.fetch_sub(1, Ordering::SeqCst);
            return Err(TokenError::Unavailable { message: "try later".into() });
        }
        if provider.stuck {
            return Ok(rejected.clone());
        }
        let mut current = provider.current.lock().unwrap();
        *current += 1;
        Ok(Secret::new(format!("token-{current}")))
    }
}

#[tokio::test]
async fn the_form_is_posted_with_the_bearer_token() {
    let listener = Listener::bind().await;
    let authorizer = with_token(&listener, "t0ken");
    let server = async {
        answer(&mut listener.accept().await, "200 OK", "", r#"{"auth":"key:abc","channel_data":"{}","more":1}"#).await
    };
    let (granted, (head, body)) = tokio::join!(authorizer.authorize(request("private-user.42", "12.34")), server);
    let granted = granted.unwrap();
    assert_eq!((granted.auth.expose(), granted.channel_data.as_deref()), ("key:abc", Some("{}")));
    assert!(head.starts_with("POST /api/v1/broadcasting/auth HTTP/1.1\r\n"), "{head}");
    assert_eq!(body, "socket_id=12.34&channel_name=private-user.42");
    let expected = [
        ("authorization", "Bearer t0ken"),
        ("accept", "application/json"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("x-client", "test"),
    ];
    for (name, value) in expected {
        assert_eq!(header(&head, name).as_deref(), Some(value), "{head}");
    }
}

// S01, S02, S04
#[tokio::test]
async fn every_answer_has_its_own_error() {
    let too_large = format!("\"{}\"", "a".repeat(70_000));
    let malformed = |answer: &AuthorizationError| matches!(answer, AuthorizationError::Malformed { .. });
    let unavailable = |answer: &AuthorizationError| matches!(answer, AuthorizationError::Unavailable { .. });
    let denied = |answer: &AuthorizationError| matches!(answer, AuthorizationError::Denied { .. });
    type Check<'a> = &'a dyn Fn(&AuthorizationError) -> bool;
    let cases: [(&str, &str, Check<'_>); 14] = [
        ("200 OK", "<html>", &malformed),
        ("200 OK", "", &malformed),
        ("200 OK", "[]", &malformed),
        ("200 OK", r#"{"auth":null}"#, &malformed),
        ("200 OK", r#"{"auth":17}"#, &malformed),
        ("200 OK", &too_large, &malformed),
        ("204 No Content", "", &malformed),
        ("302 Found", "", &malformed),
        ("403 Forbidden", "", &denied),
        ("404 Not Found", "", &denied),
        ("422 x", "", &denied),
        ("408 x", "", &unavailable),
        ("500 x", "", &unavailable),
        ("503 x", "", &unavailable),
    ];
    for (status, body, fits) in cases {
        let listener = Listener::bind().await;
        let authorizer = with_token(&listener, "token");
        let server = async { answer(&mut listener.accept().await, status, "", body).await };
        let (refused, _) = tokio::join!(authorizer.authorize(request("private-a", "1.1")), server);
        let error = refused.unwrap_err();
        assert!(fits(&error), "{status} {body:.40}: {error:?}");
        assert!(!error.to_string().is_empty());
    }
}

// W04, S02
#[tokio::test]
async fn the_endpoint_says_when_to_ask_again() {
    let listener = Listener::bind().await;
    let authorizer = with_token(&listener, "token");
    let server = async { answer(&mut listener.accept().await, "429 x", "Retry-After: 3\r\n", "").await };
    let (refused, _) = tokio::join!(authorizer.authorize(request("private-a", "1.1")), server);
    assert_eq!(refused.unwrap_err().retry_after(), Some(Duration::from_secs(3)));
}

/// Runs `work` beside a server that refuses every token but `good`.
async fn against<R>(listener: &Listener, good: &'static str, work: impl Future<Output = R>) -> (R, Vec<String>) {
    against_one_of(listener, &Arc::new(Mutex::new(good)), work).await
}

/// Runs `work` beside a server that refuses every token but the one that is `good` at that time.
async fn against_one_of<R>(
    listener: &Listener,
    good: &Arc<Mutex<&'static str>>,
    work: impl Future<Output = R>,
) -> (R, Vec<String>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let mut connections = tokio::task::JoinSet::new();
    tokio::pin!(work);
    loop {
        tokio::select! {
            result = &mut work => return (result, asked.lock().unwrap().clone()),
            mut raw = listener.accept() => {
                let (asked, good) = (Arc::clone(&asked), Arc::clone(good));
                connections.spawn(async move {
                    loop {
                        let (head, _) = raw.read_request().await;
                        let token = header(&head, "authorization").unwrap();
                        let granted = token == format!("Bearer {}", good.lock().unwrap());
                        asked.lock().unwrap().push(token);
                        let (status, body) = if granted { ("200 OK", r#"{"auth":"key:abc"}"#) } else { ("401 x", "") };
                        raw.answer(status, "", body).await;
                    }
                });
            }
        }
    }
}

// A01, I19: eight channels, one refresh, and all of them are authorized with the new token.
#[tokio::test]
async fn a_refused_token_is_refreshed_once_for_all_channels() {
    let listener = Listener::bind().await;
    let tokens = Arc::new(Numbered { gate: Some(tokio::sync::Semaphore::new(0)), ..Numbered::default() });
    let authorizer = authorizer_of(&listener, Arc::new(Shared(Arc::clone(&tokens))));
    let all = (0..8).map(|number| authorizer.authorize(request(&format!("private-{number}"), "1.1")));
    let all = async {
        let open_gate = async {
            // Every channel has been refused before the new token is there.
            crate::support::eventually("a refresh", || tokens.refreshes.load(Ordering::SeqCst) > 0).await;
            tokens.gate.as_ref().unwrap().add_permits(8);
        };
        tokio::join!(join_all(all), open_gate).0
    };
    let (answers, asked) = against(&listener, "token-1", all).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(tokens.refreshes.load(Ordering::SeqCst), 1);
    assert_eq!(asked.iter().filter(|token| *token == "Bearer token-1").count(), 8);
}

// A01, S01
#[tokio::test]
async fn the_statuses_about_the_token_ask_for_another_and_no_others_do() {
    let cases = [(401, true), (403, true), (419, true), (400, false), (404, false), (422, false), (500, false)];
    for (status, asks) in cases {
        let listener = Listener::bind().await;
        let tokens = Arc::new(Numbered::default());
        let authorizer = authorizer_of(&listener, Arc::new(Shared(Arc::clone(&tokens))));
        let server = async {
            let mut raw = listener.accept().await;
            answer(&mut raw, &format!("{status} x"), "", "").await;
            if asks {
                let (head, _) = answer(&mut raw, "200 OK", "", r#"{"auth":"key:abc"}"#).await;
                assert_eq!(header(&head, "authorization").as_deref(), Some("Bearer token-1"), "{status}");
            }
        };
        let (granted, ()) = tokio::join!(authorizer.authorize(request("private-a", "1.1")), server);
        assert_eq!((granted.is_ok(), tokens.refreshes.load(Ordering::SeqCst)), (asks, usize::from(asks)), "{status}");
    }
}

// A03
#[tokio::test]
async fn the_same_bad_token_again_ends_it() {
    let listener = Listener::bind().await;
    let tokens = Arc::new(Numbered { stuck: true, ..Numbered::default() });
    let authorizer = authorizer_of(&listener, Arc::new(Shared(Arc::clone(&tokens))));
    let twice = async {
        let first = authorizer.authorize(request("private-a", "1.1")).await;
        (first, authorizer.authorize(request("private-b", "1.1")).await)
    };
    let ((first, second), asked) = against(&listener, "another", twice).await;
    assert_eq!(first, Err(AuthorizationError::denied(401)));
    assert_eq!(second, Err(AuthorizationError::denied(401)));
    assert_eq!((asked.len(), tokens.refreshes.load(Ordering::SeqCst)), (2, 1));
}

// A01: a socket lives for days, a token for an hour.
#[tokio::test]
async fn a_token_that_ends_later_on_the_same_socket_is_replaced_again() {
    let listener = Listener::bind().await;
    let tokens = Arc::new(Numbered::default());
    let authorizer = authorizer_of(&listener, Arc::new(Shared(Arc::clone(&tokens))));
    let good = Arc::new(Mutex::new("token-1"));
    let work = async {
        let first = authorizer.authorize(request("private-a", "1.1")).await;
        *good.lock().unwrap() = "token-2";
        (first, authorizer.authorize(request("private-b", "1.1")).await)
    };
    let ((first, second), asked) = against_one_of(&listener, &good, work).await;
    assert!(first.is_ok() && second.is_ok(), "{first:?} {second:?}");
    assert_eq!(asked, ["token-0", "token-1", "token-1", "token-2"].map(|token| format!("Bearer {token}")));
    assert_eq!(tokens.refreshes.load(Ordering::SeqCst), 2);
}

// I19: a fresh token that is refused is not replaced on that socket, on the next socket it is.
#[tokio::test]
async fn a_new_token_that_is_refused_too_ends_it_for_this_socket() {
    let listener = Listener::bind().await;
    let tokens = Arc::new(Numbered::default());
    let authorizer = authorizer_of(&listener, Arc::new(Shared(Arc::clone(&tokens))));
    let work = async {
        let denied = authorizer.authorize(request("private-a", "1.1")).await;
        let again = authorizer.authorize(request("private-a", "1.1")).await;
        (denied, again, authorizer.authorize(request("private-a", "2.2")).await)
    };
    let ((denied, again, other_socket), _) = against(&listener, "token-2", work).await;
    assert_eq!(denied, Err(AuthorizationError::denied(401)));
    assert_eq!(again, Err(AuthorizationError::denied(401)));
    assert!(other_socket.is_ok(), "{other_socket:?}");
    assert_eq!(tokens.refreshes.load(Ordering::SeqCst), 2);
}

// A02
#[tokio::test]
async fn a_refresh_that_failed_is_tried_again() {
    let listener = Listener::bind().await;
    let tokens = Arc::new(Numbered { fails: AtomicUsize::new(1), ..Numbered::default() });
    let authorizer = authorizer_of(&listener, Arc::new(Shared(Arc::clone(&tokens))));
    let work = async {
        let unavailable = authorizer.authorize(request("private-a", "1.1")).await;
        (unavailable, authorizer.authorize(request("private-a", "1.1")).await)
    };
    let ((unavailable, granted), _) = against(&listener, "token-1", work).await;
    assert!(matches!(unavailable, Err(AuthorizationError::Unavailable { .. })), "{unavailable:?}");
    assert!(granted.is_ok(), "{granted:?}");
}

// S03, A02: the deadline of one authorization does not start the provider's work anew.
#[tokio::test]
async fn a_refresh_outlives_the_request_that_asked_for_it() {
    let listener = Listener::bind().await;
    let tokens = Arc::new(Numbered { gate: Some(tokio::sync::Semaphore::new(0)), ..Numbered::default() });
    let authorizer = authorizer_of(&listener, Arc::new(Shared(Arc::clone(&tokens))));
    let work = async {
        let refreshing = || tokens.refreshes.load(Ordering::SeqCst) == 1;
        let mut dropped = Box::pin(authorizer.authorize(request("private-a", "1.1")));
        tokio::select! {
            answer = &mut dropped => panic!("{answer:?}"),
            () = crate::support::eventually("a refresh", refreshing) => {}
        }
        drop(dropped);
        tokens.gate.as_ref().unwrap().add_permits(1);
        authorizer.authorize(request("private-a", "1.1")).await
    };
    let (granted, _) = against(&listener, "token-1", work).await;
    assert!(granted.is_ok(), "{granted:?}");
    assert_eq!(tokens.refreshes.load(Ordering::SeqCst), 1);
}

// S03, A02: it ends by itself, and what it brought is used though the provider itself has forgotten it.
#[tokio::test]
async fn a_refresh_that_nobody_waits_for_ends_and_its_token_is_used() {
    struct Forgetful(Arc<Numbered>);
    impl TokenProvider for Forgetful {
        async fn token(&self) -> Result<Secret, TokenError> {
            Ok(Secret::new("token-0"))
        }
        async fn refresh(&self, rejected: &Secret) -> Result<Secret, TokenError> {
            Shared(Arc::clone(&self.0)).refresh(rejected).await
        }
    }
    let listener = Listener::bind().await;
    let tokens = Arc::new(Numbered { gate: Some(tokio::sync::Semaphore::new(0)), ..Numbered::default() });
    let authorizer = authorizer_of(&listener, Arc::new(Forgetful(Arc::clone(&tokens))));
    let work = async {
        let refreshing = || tokens.refreshes.load(Ordering::SeqCst) == 1;
        let mut dropped = Box::pin(authorizer.authorize(request("private-a", "1.1")));
        tokio::select! {
            answer = &mut dropped => panic!("{answer:?}"),
            () = crate::support::eventually("a refresh", refreshing) => {}
        }
        drop(dropped);
        tokens.gate.as_ref().unwrap().add_permits(1);
        crate::support::eventually("the end of the refresh", || *tokens.current.lock().unwrap() == 1).await;
        authorizer.authorize(request("private-a", "2.2")).await
    };
    let (granted, asked) = against(&listener, "token-1", work).await;
    assert!(granted.is_ok(), "{granted:?}");
    assert_eq!(asked.last().unwrap(), "Bearer token-1");
    assert_eq!(tokens.refreshes.load(Ordering::SeqCst), 1);
}

// C06: the server closed with 4009, so the token is renewed before it is used.
#[tokio::test]
async fn a_fresh_token_is_got_first_when_the_machine_asks_for_it() {
    let listener = Listener::bind().await;
    let tokens = Arc::new(Numbered::default());
    let authorizer = authorizer_of(&listener, Arc::new(Shared(Arc::clone(&tokens))));
    let asked = request("private-a", "1.1").with_refresh_token(true);
    let (granted, asked) = against(&listener, "token-1", authorizer.authorize(asked)).await;
    assert!(granted.is_ok());
    assert_eq!(asked, ["Bearer token-1"]);
}

// S25, A02
#[tokio::test]
async fn a_provider_that_panics_is_unavailable() {
    struct Panicking;
    impl TokenProvider for Panicking {
        async fn token(&self) -> Result<Secret, TokenError> {
            panic!("on purpose")
        }
        async fn refresh(&self, _: &Secret) -> Result<Secret, TokenError> {
            panic!("on purpose")
        }
    }
    let listener = Listener::bind().await;
    let answer = authorizer_of(&listener, Arc::new(Panicking)).authorize(request("private-a", "1.1")).await;
    assert!(matches!(answer, Err(AuthorizationError::Unavailable { .. })), "{answer:?}");
}

// A02
#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_is_given_up_after_half_a_minute() {
    struct Hanging;
    impl TokenProvider for Hanging {
        async fn token(&self) -> Result<Secret, TokenError> {
            std::future::pending().await
        }
        async fn refresh(&self, _: &Secret) -> Result<Secret, TokenError> {
            std::future::pending().await
        }
    }
    let url = HttpUrl::parse("http://127.0.0.1:1/").unwrap();
    let http = HttpClient::new(url.origin(), Tls::platform(), HttpLimits::default()).unwrap();
    let authorizer = HttpAuthorizer::new(http, url, HeaderMap::new(), Arc::new(Hanging));
    let started = tokio::time::Instant::now();
    let answer = authorizer.authorize(request("private-a", "1.1")).await;
    assert!(matches!(answer, Err(AuthorizationError::Unavailable { .. })), "{answer:?}");
    assert_eq!(started.elapsed().as_secs(), 30);
}

// H05
#[tokio::test]
async fn a_token_that_would_break_the_header_is_never_sent() {
    let listener = Listener::bind().await;
    let answer = with_token(&listener, "canary\r\nX: y").authorize(request("private-a", "1.1")).await;
    let error = answer.unwrap_err();
    assert!(matches!(error, AuthorizationError::Malformed { .. }), "{error:?}");
    assert!(!error.to_string().contains("canary"), "{error}");
    assert!(!listener.is_dialed_within(Duration::from_millis(50)).await);
}
