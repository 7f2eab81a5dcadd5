//! An endpoint of any Pusher server library, and what may be asked of it.

use channels_client::{
    AuthenticationRequest, AuthorizationRequest, Authorizer, EndpointExtras, EndpointRequest, HttpAuthorizer,
    HttpAuthorizerBuilder, HttpAuthorizerError, StaticToken,
    proto::{AuthorizationError, ChannelName, Secret, SocketId},
};

use crate::support::{Listener, header};

fn request() -> AuthorizationRequest {
    AuthorizationRequest::new(ChannelName::parse("private-a").unwrap(), SocketId::parse("1.2").unwrap())
}

fn sign_in() -> AuthenticationRequest {
    AuthenticationRequest::new(SocketId::parse("1.2").unwrap())
}

fn builder(listener: &Listener) -> HttpAuthorizerBuilder {
    HttpAuthorizer::builder(&listener.http_url("/auth"))
}

/// Runs `asked` against a server that answers once; returns its outcome and the request.
async fn against<R>(
    listener: &Listener,
    (status, body): (&str, &str),
    asked: impl Future<Output = R>,
) -> (R, (String, String)) {
    let server = async {
        let mut raw = listener.accept().await;
        let request = raw.read_request().await;
        raw.answer(status, "", body).await;
        request
    };
    tokio::join!(asked, server)
}

const GOOD: (&str, &str) = ("200 OK", r#"{"auth":"key:abc"}"#);

#[tokio::test]
async fn an_endpoint_without_a_token_is_asked_without_one() {
    let listener = Listener::bind().await;
    let authorizer = HttpAuthorizer::at(&listener.http_url("/pusher/auth")).unwrap();
    let body = r#"{"auth":"key:abc","channel_data":"{\"user_id\":\"7\"}","shared_secret":"c2VjcmV0"}"#;
    let (granted, (head, form)) = against(&listener, ("201 Created", body), authorizer.authorize(request())).await;
    let granted = granted.unwrap();
    assert_eq!((granted.auth.expose(), granted.channel_data.as_deref()), ("key:abc", Some(r#"{"user_id":"7"}"#)));
    assert_eq!(granted.shared_secret.unwrap().expose(), "c2VjcmV0");
    assert!(head.starts_with("POST /pusher/auth HTTP/1.1\r\n"), "{head}");
    assert_eq!(form, "socket_id=1.2&channel_name=private-a");
    assert_eq!(header(&head, "authorization"), None);
    assert_eq!(header(&head, "content-type").as_deref(), Some("application/x-www-form-urlencoded"));
}

#[tokio::test]
async fn headers_and_parameters_of_the_caller_are_sent_with_every_request_and_those_of_one_request_with_that() {
    let listener = Listener::bind().await;
    let authorizer = builder(&listener)
        .token(StaticToken::new(Secret::new("t0ken")))
        .header("X-Tenant", "7")
        .header("X-Mode", "all")
        .param("device", "a b&c")
        .per_request(|request: EndpointRequest| async move {
            let channel = request.channel.unwrap();
            let extras = EndpointExtras::new().with_header("x-mode", "one")?.with_header("X-Socket", "é")?;
            Ok(extras.with_param("of", format!("{channel}/{}", request.socket_id)))
        })
        .build()
        .unwrap();
    let (granted, (head, form)) = against(&listener, GOOD, authorizer.authorize(request())).await;
    assert!(granted.is_ok(), "{granted:?}");
    assert_eq!(form, "socket_id=1.2&channel_name=private-a&device=a+b%26c&of=private-a%2F1.2");
    let sent = ["x-tenant", "x-mode", "x-socket", "authorization"].map(|name| header(&head, name).unwrap());
    assert_eq!(sent, ["7", "one", "é", "Bearer t0ken"]);
    assert_eq!(head.to_lowercase().matches("x-mode:").count(), 1, "{head}");
}

#[tokio::test]
async fn an_endpoint_may_be_asked_with_get() {
    let listener = Listener::bind().await;
    let authorizer = builder(&listener).get().param("a", "ü").build().unwrap();
    let (granted, (head, form)) = against(&listener, GOOD, authorizer.authorize(request())).await;
    assert!(granted.is_ok(), "{granted:?}");
    let expected = "GET /auth?socket_id=1.2&channel_name=private-a&a=%C3%BC HTTP/1.1\r\n";
    assert!(head.starts_with(expected), "{head}");
    assert_eq!((form.as_str(), header(&head, "content-type")), ("", None));
}

#[tokio::test]
async fn what_fails_before_the_request_is_its_error_and_nothing_is_sent() {
    let listener = Listener::bind().await;
    let failing = |error: AuthorizationError| {
        let authorizer = builder(&listener).per_request(move |_| std::future::ready(Err(error.clone())));
        async move { authorizer.build().unwrap().authorize(request()).await.unwrap_err() }
    };
    for error in [AuthorizationError::denied(401), AuthorizationError::declined("not logged in")] {
        assert_eq!(failing(error.clone()).await, error);
    }
    let bad_header = |_| async { EndpointExtras::new().with_header("x-a", "canary\r\nX: y") };
    let error = builder(&listener).per_request(bad_header).build().unwrap().authorize(request()).await.unwrap_err();
    assert!(error.to_string().contains("`x-a`") && !error.to_string().contains("canary"), "{error}");
    assert!(!listener.is_dialed_within(std::time::Duration::from_millis(50)).await);
}

#[tokio::test]
async fn a_user_signs_in_by_an_endpoint_of_its_own() {
    let listener = Listener::bind().await;
    let authorizer = builder(&listener).user_endpoint(&listener.http_url("/user")).param("a", "b").build().unwrap();
    let good = ("200 OK", r#"{"auth":"key:abc","user_data":"{\"id\":\"7\"}"}"#);
    let (user, (head, form)) = against(&listener, good, authorizer.authenticate(sign_in())).await;
    let user = user.unwrap();
    assert_eq!((user.auth.expose(), user.user_data.as_str()), ("key:abc", r#"{"id":"7"}"#));
    assert!(head.starts_with("POST /user HTTP/1.1\r\n"), "{head}");
    assert_eq!(form, "socket_id=1.2&a=b");

    for (body, says) in [(GOOD.1, "no `user_data`"), (r#"{"auth":"a:b","user_data":{}}"#, "not a string")] {
        let listener = Listener::bind().await;
        let authorizer = builder(&listener).user_endpoint(&listener.http_url("/user")).build().unwrap();
        let (user, _) = against(&listener, ("200 OK", body), authorizer.authenticate(sign_in())).await;
        let error = user.unwrap_err();
        assert!(matches!(error, AuthorizationError::Malformed { .. }), "{error:?}");
        assert!(error.to_string().contains(says), "{error}");
    }
    let error = builder(&listener).build().unwrap().authenticate(sign_in()).await.unwrap_err();
    assert!(matches!(error, AuthorizationError::Declined { .. }), "{error:?}");
    assert!(error.to_string().contains("user_endpoint"), "{error}");
}

// A01
#[tokio::test]
async fn a_refused_token_of_a_user_who_signs_in_is_refreshed() {
    let listener = Listener::bind().await;
    let provider = |rejected: Option<Secret>| async move {
        Ok(Secret::new(if rejected.is_none() { "token-0" } else { "token-1" }))
    };
    let endpoint = listener.http_url("/user");
    let authorizer = builder(&listener).user_endpoint(&endpoint).token(provider).build().unwrap();
    let server = async {
        let mut raw = listener.accept().await;
        let mut tokens = Vec::new();
        for (status, body) in [("401 x", ""), ("200 OK", r#"{"auth":"key:abc","user_data":"{}"}"#)] {
            let (head, _) = raw.read_request().await;
            tokens.push(header(&head, "authorization").unwrap());
            raw.answer(status, "", body).await;
        }
        tokens
    };
    let (user, tokens) = tokio::join!(authorizer.authenticate(sign_in()), server);
    assert!(user.is_ok(), "{user:?}");
    assert_eq!(tokens, ["Bearer token-0", "Bearer token-1"]);
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_used_is_refused_when_it_is_given() {
    let built = |builder: HttpAuthorizerBuilder| builder.build().map(|_| ()).unwrap_err();
    for url in ["", "/auth", "wss://a/auth", "http://u:p@a/auth", "http://a/auth?x=1"] {
        let error = built(HttpAuthorizer::builder(url));
        assert!(matches!(error, HttpAuthorizerError::Url(_)), "{error:?}");
        let error = built(HttpAuthorizer::builder("http://a/auth").user_endpoint(url));
        assert!(matches!(error, HttpAuthorizerError::Url(_)), "{error:?}");
    }
    for (name, value) in [("a b", "c"), ("", "c"), ("x-a", "canary\n")] {
        let error = built(HttpAuthorizer::builder("http://a/auth").header(name, value));
        assert_eq!(error, HttpAuthorizerError::Header { name: name.to_owned() });
        assert!(!error.to_string().contains("canary"), "{error}");
    }
    let elsewhere = HttpAuthorizer::builder("https://a/auth").user_endpoint("https://b/user");
    assert!(elsewhere.build().is_ok(), "each has a client of its own");
}

// Q01, Q02: pusher-websocket-swift gives the whole body to the app
#[tokio::test]
async fn an_error_says_what_the_endpoint_said_and_no_secret() {
    const LONG: &str = "58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4";
    let said =
        format!("no\r\n member of «room 7»,\u{202e} t0ken, h34der, p4ram, pr0vided, {LONG} {}", "x y ".repeat(200));
    for (status, is_denied) in [("403 x", true), ("500 x", false)] {
        let listener = Listener::bind().await;
        let authorizer = builder(&listener)
            .header("x-a", "h34der")
            .param("b", "p4ram")
            .per_request(|_| async { EndpointExtras::new().with_header("x-c", "pr0vided") });
        let authorizer = authorizer.token(StaticToken::new(Secret::new("t0ken"))).build().unwrap();
        let (refused, _) = against(&listener, (status, &said), authorizer.authorize(request())).await;
        let error = refused.unwrap_err();
        assert_eq!(matches!(error, AuthorizationError::Denied { .. }), is_denied, "{error:?}");
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("no member of «room 7», ***, ***, ***, ***, *** x y"), "{shown}");
        assert!(error.to_string().chars().count() < 350, "{error}");
        for secret in ["t0ken", "h34der", "p4ram", "pr0vided", LONG] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

// Q01: of a header with a scheme or with several values, an endpoint may quote a part.
#[tokio::test]
async fn no_part_of_a_header_is_quoted_in_an_error() {
    for (name, value) in [("Authorization", "Bearer c4nary"), ("Cookie", "a=1; session=c4nary; b=2")] {
        let listener = Listener::bind().await;
        let authorizer = builder(&listener).header(name, value).build().unwrap();
        let body = r#"{"message":"c4nary has expired"}"#;
        let (refused, _) = against(&listener, ("403 x", body), authorizer.authorize(request())).await;
        let error = refused.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("c4nary"), "{name}: {error:?}");
    }
}

// Q01: a body may hold a signature whatever is wrong with it
#[tokio::test]
async fn nothing_of_a_successful_answer_is_quoted() {
    for body in ["<html>canary", r#"{"auth":{"canary":1}}"#, r#"{"auth":"key:canary""#, r#"["canary"]"#] {
        let listener = Listener::bind().await;
        let authorizer = builder(&listener).build().unwrap();
        let (refused, _) = against(&listener, ("200 OK", body), authorizer.authorize(request())).await;
        let error = refused.unwrap_err();
        assert!(matches!(error, AuthorizationError::Malformed { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        assert_eq!(error.status(), Some(200));
    }
}
