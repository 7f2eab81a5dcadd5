//! Faults ordered in advance.

use std::time::Duration;

use tokio::time::timeout;
use vms_sandbox::{Endpoint, Fault, FaultKind, Profile, RestAnswer, Sandbox, SubscribeAnswer, UpgradeAnswer};

use crate::{
    clients::{Answer, Ws, try_http},
    support::{authorize, call, first_session, start},
};

fn on_auth(answer: RestAnswer) -> FaultKind {
    FaultKind::Rest { endpoint: Endpoint::BroadcastingAuth, channel: None, answer }
}

async fn auth(sandbox: &Sandbox) -> Answer {
    let session = first_session(sandbox);
    authorize(sandbox, &session.access_token, "1.2", &session.user_channel()).await
}

/// S02: the next N, then well again.
#[tokio::test]
async fn the_next_authorizations_fail_as_ordered_and_then_work_again() {
    let sandbox = start(Profile::Pusher7).await;
    let answer = RestAnswer::Status { status: 503, retry_after: Some("7".into()) };
    sandbox.inject(Fault::times(on_auth(answer), 2));
    for _ in 0..2 {
        let answer = auth(&sandbox).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("7")));
    }
    assert_eq!(auth(&sandbox).await.status, 200);
    assert_eq!(sandbox.state().requests["POST /api/v1/broadcasting/auth"], 3);
}

/// S04, H01, H06
#[tokio::test]
async fn an_authorization_can_answer_html_a_huge_body_a_redirect_or_any_body() {
    let sandbox = start(Profile::Pusher7).await;
    sandbox.inject(Fault::once(on_auth(RestAnswer::Html { status: 200 })));
    let html = auth(&sandbox).await;
    assert_eq!(html.status, 200);
    assert!(html.header("content-type").unwrap().starts_with("text/html") && html.body.contains("<html>"));
    sandbox.inject(Fault::once(on_auth(RestAnswer::Huge { bytes: 100_000 })));
    assert!(auth(&sandbox).await.body.len() >= 100_000);
    let location = "http://elsewhere.example/".to_owned();
    sandbox.inject(Fault::once(on_auth(RestAnswer::Redirect { status: 307, location })));
    let redirect = auth(&sandbox).await;
    assert_eq!((redirect.status, redirect.header("location")), (307, Some("http://elsewhere.example/")));
    let (content_type, body) = ("application/json".to_owned(), r#"{"auth":5}"#.to_owned());
    sandbox.inject(Fault::once(on_auth(RestAnswer::Body { status: 200, content_type, body })));
    assert_eq!(auth(&sandbox).await.body, r#"{"auth":5}"#);
}

/// S03, N08
#[tokio::test]
async fn a_request_can_hang_be_late_or_end_without_an_answer() {
    let sandbox = start(Profile::Pusher7).await;
    let wsurl = |millis: u64| RestAnswer::Delay { millis };
    let on = |answer| FaultKind::Rest { endpoint: Endpoint::WsUrl, channel: None, answer };
    let token = first_session(&sandbox).access_token;
    sandbox.inject(Fault::once(on(wsurl(100))));
    let started = tokio::time::Instant::now();
    assert_eq!(call(&sandbox, "GET", "wsurl", &token, "").await.status, 200);
    assert!(started.elapsed() >= Duration::from_millis(100));
    sandbox.inject(Fault::once(on(RestAnswer::Drop)));
    assert!(try_http(sandbox.local_addr(), "GET", "/api/v1/wsurl", &[], "").await.is_none());
    sandbox.inject(Fault::once(on(RestAnswer::Hang)));
    let hanging = try_http(sandbox.local_addr(), "GET", "/api/v1/wsurl", &[], "");
    assert!(timeout(Duration::from_millis(200), hanging).await.is_err());
    assert_eq!(sandbox.requests().last().unwrap().status, 0);
}

/// I23: one channel fails, the other does not.
#[tokio::test]
async fn a_fault_can_be_for_one_channel() {
    let sandbox = start(Profile::Pusher7).await;
    let session = first_session(&sandbox);
    let answer = RestAnswer::Status { status: 500, retry_after: None };
    let channel = Some("private-token.*".to_owned());
    let kind = FaultKind::Rest { endpoint: Endpoint::BroadcastingAuth, channel, answer };
    sandbox.inject(Fault::always(kind));
    for _ in 0..3 {
        let token = authorize(&sandbox, &session.access_token, "1.2", &session.token_channel()).await;
        let user = authorize(&sandbox, &session.access_token, "1.2", &session.user_channel()).await;
        assert_eq!((token.status, user.status), (500, 200));
    }
    sandbox.clear_faults();
    let token = authorize(&sandbox, &session.access_token, "1.2", &session.token_channel()).await;
    assert_eq!(token.status, 200);
}

/// P02, L12, S08
#[tokio::test]
async fn faults_of_the_sockets_are_ordered_beside_those_of_the_api() {
    let sandbox = start(Profile::Reverb).await;
    let greeting = r#"{"event":"pusher:connection_established","data":"{}"}"#.to_owned();
    let greets = UpgradeAnswer::Greeting { text: greeting.clone() };
    sandbox.inject(Fault::once(on_auth(RestAnswer::Html { status: 200 })));
    sandbox.inject(Fault::once(FaultKind::Upgrade { answer: greets }));
    sandbox.inject(Fault::once(FaultKind::Ping));
    sandbox.inject(Fault::once(FaultKind::Subscribe { channel: None, answer: SubscribeAnswer::Refuse }));
    let mut ws = Ws::open(&sandbox, "/app/sandbox-key").await;
    assert_eq!(ws.text().await, greeting);
    ws.send(r#"{"event":"pusher:ping"}"#).await;
    ws.subscribe_unsigned("x").await;
    assert!(ws.text().await.contains("4009"));
    ws.round_trip().await;
    sandbox.inject(Fault::always(FaultKind::Ping));
    sandbox.clear_faults();
    ws.round_trip().await;
    assert_eq!(auth(&sandbox).await.status, 200);
}
