use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use vms_pusher::{
    ApiErrorKind, GroupSync, Secret, Tls, TokenError, TokenProvider, VmsApi, VmsAppSocketData, VmsClientInfo,
    VmsCredentials, VmsPusherApi, VmsSocketItem,
};
use vms_sandbox::{Endpoint, Fault, FaultKind, RestAnswer, Sandbox, SandboxConfig};

use crate::support::*;

fn rest(sandbox: &Sandbox) -> VmsApi {
    VmsApi::new(&sandbox.base_url(), Tls::platform(), &VmsClientInfo::default()).unwrap()
}

fn answer(endpoint: Endpoint, answer: RestAnswer) -> Fault {
    Fault::once(FaultKind::Rest { endpoint, channel: None, answer })
}

#[tokio::test]
async fn a_user_logs_in_and_finds_the_socket() {
    let (sandbox, session) = sandbox().await;
    let rest = rest(&sandbox);
    let login = rest.login(&VmsCredentials::new("demo", Secret::new("demo"))).await.unwrap();
    assert_eq!(login.user.id, session.user_id);
    assert!(login.user.access_token_id.is_some() && !format!("{login:?}").contains(login.access_token.expose()));
    let found = rest.with_token(&login.access_token).unwrap().socket_url().await.unwrap();
    assert_eq!((found.ws_url, found.app_key), (sandbox.socket_url(), sandbox.app_key().to_owned()));
    let asked = sandbox.requests();
    for request in &asked {
        for header in ["accept", "content-type", "user-agent", "x-client", "x-version", "hl", "x-uuid"] {
            assert!(request.header(header).is_some(), "{} lacks {header}", request.path);
        }
        assert_eq!(request.header("x-socket-id"), None, "there is no socket");
    }
}

#[tokio::test]
async fn a_wrong_password_is_incorrect_data_and_is_not_shown() {
    let (sandbox, _) = sandbox().await;
    let error = rest(&sandbox).login(&VmsCredentials::new("demo", Secret::new("canary"))).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ApiErrorKind::IncorrectData, false));
    assert!(!format!("{error:?} {error}").contains("canary"));
    let error = rest(&sandbox).socket_url().await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ApiErrorKind::Unauthorized, None));
}

// The live socket's id goes along, and only while there is one; the server then leaves this client out
#[tokio::test]
async fn a_change_of_groups_carries_the_socket_id_and_its_end_is_pushed() {
    let (sandbox, session) = sandbox().await;
    let (api, delegate) = (api(&sandbox, &session), Recorder::new());
    api.set_delegate(&delegate);
    api.connect();
    delegate.wait_subscribed(1).await;
    let id = api.socket_id();
    assert_eq!(api.rest().sync_groups(17, &[7, 8]).await.unwrap(), GroupSync::Async);
    let synced = VmsSocketItem::AppSocket(VmsAppSocketData::CameraGroupsSynced);
    let items = delegate.wait(move |items| items.contains(&synced)).await;
    assert!(!items.contains(&VmsSocketItem::AppSocket(VmsAppSocketData::GroupsUpdate)), "its own change came back");
    let sent = sandbox.requests().into_iter().find(|request| request.path.ends_with("cameras/17/sync-groups")).unwrap();
    assert_eq!(sent.header("x-socket-id"), id.as_deref());
    api.disconnect();
    api.rest().sync_groups(17, &[]).await.unwrap();
    assert_eq!(sandbox.requests().last().unwrap().header("x-socket-id"), None);
}

#[tokio::test]
async fn a_change_of_groups_may_be_done_at_once() {
    let config = SandboxConfig { group_sync: vms_sandbox::GroupSync::Sync, ..SandboxConfig::default() };
    let sandbox = Sandbox::start(config).await.unwrap();
    let session = sandbox.sessions().into_iter().next().unwrap();
    assert_eq!(api(&sandbox, &session).rest().sync_groups(17, &[7]).await.unwrap(), GroupSync::Sync);
}

// A typed error for every status, over the wire
#[tokio::test]
async fn a_status_is_a_typed_error() {
    let (sandbox, session) = sandbox().await;
    let rest = api(&sandbox, &session).rest();
    let kinds = [
        (401, ApiErrorKind::Unauthorized),
        (403, ApiErrorKind::Forbidden),
        (404, ApiErrorKind::NotFound),
        (409, ApiErrorKind::ForceUpdate),
        (419, ApiErrorKind::SessionExpired),
        (422, ApiErrorKind::IncorrectData),
        (429, ApiErrorKind::RateLimited),
        (500, ApiErrorKind::ServerError),
        (503, ApiErrorKind::Maintenance),
    ];
    for (status, kind) in kinds {
        let retry_after = Some("3".to_owned());
        sandbox.inject(answer(Endpoint::WsUrl, RestAnswer::Status { status, retry_after }));
        let error = rest.socket_url().await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (kind, Some(status)), "{error}");
        assert_eq!(error.retry_after().map(|wait| wait.as_secs()), Some(3), "{error}");
    }
}

// H01, H06: no redirect, no web page, nothing huge, and an error that says what to look at
#[tokio::test]
async fn an_answer_that_is_not_of_the_api_is_an_error() {
    let (sandbox, session) = sandbox().await;
    let rest = api(&sandbox, &session).rest();
    let body =
        |body: &str| RestAnswer::Body { status: 200, content_type: "application/json".into(), body: body.into() };
    let answers = [
        RestAnswer::Redirect { status: 302, location: "https://evil.example/".into() },
        RestAnswer::Html { status: 200 },
        RestAnswer::Huge { bytes: 3_000_000 },
        body("[]"),
        body(r#"{"ws_url": 7}"#),
    ];
    for fault in answers {
        sandbox.inject(answer(Endpoint::WsUrl, fault.clone()));
        let error = rest.socket_url().await.unwrap_err();
        assert_eq!(error.kind(), ApiErrorKind::UnusableAnswer, "{fault:?}: {error}");
    }
    sandbox.inject(answer(Endpoint::SyncGroups, body(r#"{"type": "later"}"#)));
    assert_eq!(rest.sync_groups(17, &[]).await.unwrap_err().kind(), ApiErrorKind::UnusableAnswer);
    sandbox.inject(answer(Endpoint::Token, body(r#"{"access_token": "", "user": {"id": 1}}"#)));
    let error = rest.login(&VmsCredentials::new("demo", Secret::new("demo"))).await.unwrap_err();
    assert_eq!(error.kind(), ApiErrorKind::UnusableAnswer, "{error}");
}

// H05, M13: what a server says wrongly is the server's mistake, and never the caller's
#[tokio::test]
async fn an_answer_that_no_client_can_be_made_from_is_the_servers_mistake() {
    let (sandbox, session) = sandbox().await;
    let body =
        |body: &str| RestAnswer::Body { status: 200, content_type: "application/json".into(), body: body.into() };
    let logins = [
        r#"{"access_token": "canary\r\nX-Evil: 1", "user": {"id": 1}}"#,
        r#"{"access_token": "canary token", "user": {"id": 1}}"#,
        r#"{"access_token": "canary", "user": {"id": -1}}"#,
        r#"{"access_token": "canary", "user": {"id": 1, "access_token_id": ""}}"#,
        r#"{"access_token": "canary", "user": {"id": 1, "access_token_id": "a\nb"}}"#,
    ];
    for login in logins {
        sandbox.inject(answer(Endpoint::Token, body(login)));
        let error = rest(&sandbox).login(&VmsCredentials::new("demo", Secret::new("demo"))).await.unwrap_err();
        assert_eq!(error.kind(), ApiErrorKind::UnusableValue, "{login}: {error}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    }
    // What is not an answer of this API may be the page of a gateway, and pass.
    sandbox.inject(answer(Endpoint::Token, body(r#"{"access_token": "canary"}"#)));
    let error = rest(&sandbox).login(&VmsCredentials::new("demo", Secret::new("demo"))).await.unwrap_err();
    assert_eq!(error.kind(), ApiErrorKind::UnusableAnswer, "{error}");
    assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    let token = session.access_token.clone();
    let sockets = [
        r#"{"ws_url": "https://example.com", "app_key": "key"}"#.to_owned(),
        r#"{"ws_url": "wss://a$b/", "app_key": "key"}"#.to_owned(),
        r#"{"ws_url": "wss://example.com", "app_key": "a/b\nerror: forged"}"#.to_owned(),
        format!(r#"{{"ws_url": "wss://example.com:x/{token}", "app_key": "key"}}"#),
        format!(r#"{{"ws_url": "wss://example.com", "app_key": "a/{token}"}}"#),
    ];
    for socket in sockets {
        sandbox.inject(answer(Endpoint::WsUrl, body(&socket)));
        let error = api(&sandbox, &session).rest().socket_url().await.unwrap_err();
        assert_eq!(error.kind(), ApiErrorKind::UnusableValue, "{socket}: {error}");
        let shown = error.to_string();
        assert!(!shown.contains(&token) && !shown.contains('\n'), "{shown}");
    }
}

// Q01: neither a message nor a redirect of the server shows the token or the password that it was given
#[tokio::test]
async fn a_secret_that_the_server_says_back_is_not_shown() {
    let (sandbox, session) = sandbox().await;
    let token = session.access_token.clone();
    let said = |status, secret: &str| RestAnswer::Body {
        status,
        content_type: "application/json".into(),
        body: format!(r#"{{"message": "{secret} is not welcome"}}"#),
    };
    let redirect = RestAnswer::Redirect { status: 302, location: format!("https://login.example/{token}") };
    for told in [said(401, &token), said(500, &token), said(422, &token), redirect] {
        sandbox.inject(answer(Endpoint::WsUrl, told));
        let error = api(&sandbox, &session).rest().socket_url().await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("***") && !shown.contains(&token), "{shown}");
    }
    sandbox.inject(answer(Endpoint::Token, said(422, "c4n4ry-password")));
    let credentials = VmsCredentials::new("demo", Secret::new("c4n4ry-password"));
    let error = rest(&sandbox).login(&credentials).await.unwrap_err();
    assert_eq!(error.for_person(), Some("*** is not welcome"));
    assert!(!format!("{error} {error:?}").contains("c4n4ry"), "{error:?}");
}

#[tokio::test]
async fn a_server_that_is_down_is_unreachable() {
    let (sandbox, session) = sandbox().await;
    let rest = api(&sandbox, &session).rest();
    sandbox.kill().await;
    let error = rest.socket_url().await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ApiErrorKind::Unreachable, true));
    assert!(error.to_string().contains("127.0.0.1"), "{error}");
}

struct Faulty {
    panics: bool,
}

impl TokenProvider for Faulty {
    async fn token(&self) -> Result<Secret, TokenError> {
        assert!(!self.panics, "the provider's own mistake");
        std::future::pending().await
    }

    async fn refresh(&self, _: &Secret) -> Result<Secret, TokenError> {
        self.token().await
    }
}

// A02: the provider is foreign code; what goes wrong in it is an error of the call
#[tokio::test]
async fn a_token_provider_that_panics_or_hangs_is_an_error() {
    let (sandbox, session) = sandbox().await;
    for (panics, said) in [(true, "panicked"), (false, "did not answer within 30 s")] {
        let mut config = config(&sandbox, &session);
        config.options.token_provider = Some(Arc::new(Faulty { panics }));
        let rest = VmsPusherApi::new(config).unwrap().rest();
        tokio::time::pause();
        let answer = tokio::time::timeout(PATIENCE * 10, rest.socket_url()).await.expect("the call hangs");
        tokio::time::resume();
        let error = answer.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ApiErrorKind::Unreachable, true));
        assert!(error.to_string().contains(said), "{error}");
    }
}

/// Answers `wsurl`, takes every other request, and hangs up on it unanswered; returns what came on each connection.
async fn take_and_hang_up(listener: TcpListener, seen: Arc<Mutex<Vec<Vec<String>>>>) {
    let mut connections = JoinSet::new();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let number = {
            let mut seen = seen.lock().unwrap();
            seen.push(Vec::new());
            seen.len() - 1
        };
        let seen = Arc::clone(&seen);
        connections.spawn(async move {
            while let Some(line) = read_request(&mut stream).await {
                let is_found = line.contains("wsurl");
                seen.lock().unwrap()[number].push(line);
                if !is_found {
                    return;
                }
                let body = r#"{"ws_url": "ws://127.0.0.1:1", "app_key": "key"}"#;
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
    }
}

/// Reads one request with its body and returns its first line; none at the end.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    stream.read_exact(&mut vec![0; length.map_or(0, |length| length.parse().unwrap())]).await.ok()?;
    head.lines().next().map(str::to_owned)
}

// A login may lock an account, a change may be made twice: whether it was carried out cannot be seen from outside
#[tokio::test]
async fn a_call_that_changes_something_is_sent_once_even_when_the_connection_dies() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut server = JoinSet::new();
    server.spawn(take_and_hang_up(listener, Arc::clone(&seen)));
    let rest = VmsApi::new(&base_url, Tls::platform(), &VmsClientInfo::default()).unwrap();
    let rest = rest.with_token(&Secret::new("token")).unwrap();
    rest.socket_url().await.unwrap();
    let login = rest.login(&VmsCredentials::new("demo", Secret::new("demo"))).await.unwrap_err();
    let change = rest.sync_groups(17, &[7]).await.unwrap_err();
    rest.socket_url().await.unwrap();
    assert_eq!((login.kind(), change.kind()), (ApiErrorKind::Unreachable, ApiErrorKind::Unreachable));
    server.shutdown().await;
    let wsurl = "get /api/v1/wsurl http/1.1";
    let expected =
        [vec![wsurl, wsurl], vec!["post /api/v1/token http/1.1"], vec!["post /api/v1/cameras/17/sync-groups http/1.1"]];
    assert_eq!(*seen.lock().unwrap(), expected);
}
