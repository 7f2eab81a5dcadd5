//! The control API over HTTP, with the crate's own types on the other side.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use vms_sandbox::{
    Affected, CloseRequest, ControlFailure, CutRequest, Delivered, EVENT_TYPES, Endpoint, Fault, FaultKind,
    LatencyRequest, Listening, ListeningRequest, LogoutRequest, Outbound, Profile, Push, RawData, RawPush, RestAnswer,
    Sandbox, SandboxConfig, SandboxState, SendRequest, Sockets, SocketsRequest, Target, TokenStatus,
    TokenStatusRequest, TypeInfo,
};

use crate::{
    clients::{Answer, End, Ws, http, try_http_without_host},
    support::{call, first_session, join, start},
};

async fn post(sandbox: &Sandbox, path: &str, body: &impl Serialize) -> Answer {
    let body = serde_json::to_string(body).unwrap();
    http(sandbox.local_addr(), "POST", &format!("/sandbox/{path}"), &[], &body).await
}

fn read<T: DeserializeOwned>(answer: &Answer) -> T {
    assert_eq!(answer.status, 200, "{answer:?}");
    serde_json::from_str(&answer.body).unwrap()
}

#[tokio::test]
async fn events_are_pushed_with_a_default_body_or_ones_own() {
    let sandbox = start(Profile::Pusher7).await;
    let session = first_session(&sandbox);
    let mut ws = Ws::connect(&sandbox).await;
    join(&mut ws, &sandbox, &session).await;
    let least = http(sandbox.local_addr(), "POST", "/sandbox/push", &[], r#"{"type":"groups_created"}"#).await;
    assert_eq!(read::<Delivered>(&least).sockets, 1);
    assert!(ws.text().await.contains("Warehouse"));
    let own = Push::new("groups_created").to(Target::Session(session.access_token_id)).data(json!({"id": 6}));
    assert_eq!(read::<Delivered>(&post(&sandbox, "push", &own).await).sockets, 1);
    let data = ws.event().await["data"].as_str().unwrap().to_owned();
    assert_eq!(serde_json::from_str::<Value>(&data).unwrap()["data"]["data"], json!({"id": 6}));
    let data = RawData::Bare("[1]".into());
    let raw = RawPush { channel: "private-user.42".into(), event: "e".into(), data, except: None };
    assert_eq!(read::<Delivered>(&post(&sandbox, "raw", &raw).await).sockets, 1);
    assert_eq!(ws.event().await["data"], json!([1]));
}

#[tokio::test]
async fn the_calling_socket_is_left_out() {
    let sandbox = start(Profile::Pusher7).await;
    let mut ws = Ws::connect(&sandbox).await;
    join(&mut ws, &sandbox, &first_session(&sandbox)).await;
    let headers = [("X-Socket-ID", ws.socket_id.as_str())];
    let answer = http(sandbox.local_addr(), "POST", "/sandbox/push", &headers, r#"{"type":"logout"}"#).await;
    assert_eq!(read::<Delivered>(&answer).sockets, 0);
}

#[tokio::test]
async fn sockets_are_sent_to_closed_stalled_resumed_and_cut() {
    let sandbox = start(Profile::Pusher7).await;
    let mut ws = Ws::connect(&sandbox).await;
    let what = Outbound::Text("hello".into());
    let send = SendRequest { sockets: Sockets::Id(ws.socket_id.clone()), what };
    assert_eq!(read::<Affected>(&post(&sandbox, "send", &send).await).sockets, 1);
    assert_eq!(ws.text().await, "hello");
    let sockets = SocketsRequest { sockets: Sockets::Latest };
    assert_eq!(read::<Affected>(&post(&sandbox, "stall", &sockets).await).sockets, 1);
    assert!(sandbox.state().sockets[0].stalled);
    assert_eq!(read::<Affected>(&post(&sandbox, "resume", &sockets).await).sockets, 1);
    let close = CloseRequest { sockets: Sockets::All, code: 4100, reason: "full".into() };
    assert_eq!(read::<Affected>(&post(&sandbox, "close", &close).await).sockets, 1);
    assert_eq!(ws.end().await, End::Closed(4100, "full".into()));
    let mut ws = Ws::connect(&sandbox).await;
    let cut = http(sandbox.local_addr(), "POST", "/sandbox/cut", &[], "").await;
    assert_eq!(read::<Affected>(&cut).sockets, 1);
    assert_eq!(ws.end().await, End::Dropped);
    let reset = CutRequest { sockets: Sockets::User(42), reset: true };
    assert_eq!(read::<Affected>(&post(&sandbox, "cut", &reset).await).sockets, 0);
}

#[tokio::test]
async fn sessions_are_logged_out() {
    let sandbox = start(Profile::Pusher7).await;
    let session = first_session(&sandbox);
    let mut ws = Ws::connect(&sandbox).await;
    join(&mut ws, &sandbox, &session).await;
    let request = LogoutRequest { session: None, subject: Some("Over".into()) };
    assert_eq!(read::<Affected>(&post(&sandbox, "logout", &request).await).sockets, 1);
    assert!(ws.text().await.contains("Over"));
    assert_eq!(call(&sandbox, "GET", "wsurl", &session.access_token, "").await.status, 401);
    let nobody = LogoutRequest { session: Some("nobody".into()), subject: None };
    assert_eq!(read::<Affected>(&post(&sandbox, "logout", &nobody).await).sockets, 0);
}

/// A01
#[tokio::test]
async fn tokens_expire_and_are_valid_again() {
    let sandbox = start(Profile::Pusher7).await;
    let session = first_session(&sandbox);
    let other = sandbox.open_session(42).unwrap();
    let set = async |session: Option<&str>, status| {
        let request = TokenStatusRequest { session: session.map(str::to_owned), status };
        read::<Affected>(&post(&sandbox, "token_status", &request).await).sockets
    };
    let status = async |token: &str| call(&sandbox, "GET", "wsurl", token, "").await.status;
    assert_eq!(set(Some(&session.access_token_id), TokenStatus::Expired).await, 1);
    assert_eq!((status(&session.access_token).await, status(&other.access_token).await), (419, 200));
    assert_eq!(set(None, TokenStatus::Revoked).await, 2);
    assert_eq!((status(&session.access_token).await, status(&other.access_token).await), (401, 401));
    assert_eq!(set(None, TokenStatus::Valid).await, 2);
    assert_eq!(status(&session.access_token).await, 200);
    assert_eq!(set(Some("nobody"), TokenStatus::Expired).await, 0);
}

#[tokio::test]
async fn every_request_of_the_documentation_is_understood_and_every_route_is_in_it() {
    let documentation = include_str!("../../../../docs/sandbox.md");
    for (method, route) in ROUTES.iter().filter(|(_, route)| *route != "nothing") {
        assert!(documentation.contains(&format!("| `{method} /sandbox/{route}` |")), "{method} {route}");
    }
    let sandbox = start(Profile::Pusher7).await;
    let mut ws = Ws::connect(&sandbox).await;
    join(&mut ws, &sandbox, &first_session(&sandbox)).await;
    let examples: Vec<_> = documentation.lines().filter_map(|line| line.strip_prefix("curl -d '")).collect();
    assert!(examples.len() > 20, "{examples:?}");
    for example in examples {
        let (body, path) = example.split_once("' $SANDBOX").unwrap();
        let answer = http(sandbox.local_addr(), "POST", path, &[], body).await;
        assert_eq!(answer.status, 200, "{example}: {answer:?}");
        // What keeps others from being answered is taken back.
        sandbox.set_listening(Listening::Serve).await.unwrap();
    }
}

#[tokio::test]
async fn faults_latency_and_listening_are_set() {
    let sandbox = start(Profile::Pusher7).await;
    let token = first_session(&sandbox).access_token;
    let answer = RestAnswer::Status { status: 503, retry_after: None };
    let fault = Fault::always(FaultKind::Rest { endpoint: Endpoint::Any, channel: None, answer });
    assert_eq!(post(&sandbox, "fault", &fault).await.status, 200);
    assert_eq!(call(&sandbox, "GET", "wsurl", &token, "").await.status, 503);
    assert_eq!(http(sandbox.local_addr(), "DELETE", "/sandbox/faults", &[], "").await.status, 200);
    assert_eq!(call(&sandbox, "GET", "wsurl", &token, "").await.status, 200);
    assert_eq!(post(&sandbox, "latency", &LatencyRequest { millis: 1 }).await.status, 200);
    let refuse = ListeningRequest { listening: Listening::Refuse };
    assert_eq!(post(&sandbox, "listening", &refuse).await.status, 200);
    assert!(tokio::net::TcpStream::connect(sandbox.local_addr()).await.is_err());
}

#[tokio::test]
async fn the_state_and_the_types_are_told() {
    let sandbox = start(Profile::Reverb).await;
    let ws = Ws::connect(&sandbox).await;
    let state = http(sandbox.local_addr(), "GET", "/sandbox/state", &[], "").await;
    let state: SandboxState = read(&state);
    assert_eq!(state, sandbox.state());
    assert_eq!((state.profile, state.sockets[0].id.as_str()), (Profile::Reverb, ws.socket_id.as_str()));
    let types = http(sandbox.local_addr(), "GET", "/sandbox/types", &[], "").await;
    let types: Vec<TypeInfo> = read(&types);
    assert!(types.iter().map(|info| info.type_.as_str()).eq(EVENT_TYPES.iter().map(|row| row.name)), "{types:?}");
}

#[tokio::test]
async fn what_cannot_be_done_is_explained() {
    let sandbox = start(Profile::Pusher7).await;
    let push = Push::new("x").to(Target::User(7));
    let answer = post(&sandbox, "push", &push).await;
    assert_eq!(answer.status, 422);
    let failure: ControlFailure = serde_json::from_str(&answer.body).unwrap();
    assert!(failure.error.contains("no user 7"), "{failure:?}");
    for (path, body) in [("push", "{"), ("push", "{}"), ("close", "{}"), ("cut", r#"{"sockets":"some"}"#)] {
        let answer = http(sandbox.local_addr(), "POST", &format!("/sandbox/{path}"), &[], body).await;
        assert_eq!(answer.status, 400, "{path} {body}");
        assert!(answer.json()["error"].is_string());
    }
    assert_eq!(post(&sandbox, "nothing", &json!({})).await.status, 404);
}

/// Every route, and one that is not there.
const ROUTES: [(&str, &str); 16] = [
    ("POST", "push"),
    ("POST", "raw"),
    ("POST", "send"),
    ("POST", "cut"),
    ("POST", "stall"),
    ("POST", "resume"),
    ("POST", "close"),
    ("POST", "logout"),
    ("POST", "token_status"),
    ("POST", "latency"),
    ("POST", "listening"),
    ("POST", "fault"),
    ("DELETE", "faults"),
    ("GET", "state"),
    ("GET", "types"),
    ("GET", "nothing"),
];

/// What each route answers to a request with these headers and no others.
async fn statuses(sandbox: &Sandbox, headers: &[(&str, &str)]) -> Vec<u16> {
    let mut statuses = Vec::new();
    for (method, route) in ROUTES {
        let path = format!("/sandbox/{route}");
        let answer = try_http_without_host(sandbox.local_addr(), method, &path, headers, "").await;
        statuses.push(answer.expect("an answer").status);
    }
    statuses
}

#[tokio::test]
async fn a_request_of_a_web_page_is_refused_on_every_route() {
    let sandbox = start(Profile::Pusher7).await;
    let _ws = Ws::connect(&sandbox).await;
    let own = sandbox.local_addr().to_string();
    for origin in ["https://page.example", "null", sandbox.base_url().as_str()] {
        let statuses = statuses(&sandbox, &[("Host", &own), ("Origin", origin)]).await;
        assert_eq!(statuses, [403; ROUTES.len()], "{origin}");
    }
    assert_eq!(sandbox.state().sockets.len(), 1);
}

#[tokio::test]
async fn a_name_that_was_made_to_lead_here_is_refused_on_every_route() {
    let sandbox = start(Profile::Pusher7).await;
    let _ws = Ws::connect(&sandbox).await;
    let port = sandbox.local_addr().port();
    let foreign = [
        format!("page.example:{port}"),
        "page.example".to_owned(),
        format!("localhost.page.example:{port}"),
        format!("127.0.0.1.page.example:{port}"),
        format!("localhost@page.example:{port}"),
        format!("page.example@localhost:{port}"),
        format!("192.0.2.7:{port}"),
        format!("localhost:{}", port ^ 1),
        "localhost".to_owned(),
        String::new(),
    ];
    for host in &foreign {
        assert_eq!(statuses(&sandbox, &[("Host", host)]).await, [403; ROUTES.len()], "{host}");
    }
    assert_eq!(statuses(&sandbox, &[]).await, [403; ROUTES.len()], "no Host");
    let own = sandbox.local_addr().to_string();
    let two = statuses(&sandbox, &[("Host", &own), ("Host", &foreign[0])]).await;
    assert!(two.iter().all(|status| [400, 403].contains(status)), "{two:?}");
    assert_eq!(sandbox.state().sockets.len(), 1);
}

#[tokio::test]
async fn the_sandbox_is_asked_for_by_loopback_and_by_the_name_it_gives_out() {
    let config = SandboxConfig { host: Some("vms.test".to_owned()), ..SandboxConfig::default() };
    let sandbox = Sandbox::start(config).await.unwrap();
    let port = sandbox.local_addr().port();
    for host in ["127.0.0.1", "127.8.9.10", "[::1]", "localhost", "LocalHost", "vms.test"] {
        let headers = [("Host", format!("{host}:{port}"))];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        for (method, route) in [("GET", "state"), ("POST", "cut")] {
            let path = format!("/sandbox/{route}");
            let answer = try_http_without_host(sandbox.local_addr(), method, &path, &headers, "").await.unwrap();
            assert_eq!(answer.status, 200, "{method} {route} of {host}");
        }
    }
}

#[tokio::test]
async fn the_api_can_be_switched_off() {
    let without = Sandbox::start(SandboxConfig { control: false, ..SandboxConfig::default() }).await.unwrap();
    let answer = http(without.local_addr(), "GET", "/sandbox/state", &[], "").await;
    assert_eq!(answer.status, 404);
}
