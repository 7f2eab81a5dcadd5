//! Faults ordered in advance.

use std::time::Duration;

use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Error;
use vms_sandbox::{Endpoint, Fault, FaultKind, Profile, RestAnswer, Sandbox, SubscribeAnswer, UpgradeAnswer};

use crate::support::{
    Answer, End, PATIENCE, Raw, Ws, authorize, call, first_session, start, try_http, upgrade_request,
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

/// W04, W05, N14
#[tokio::test]
async fn an_upgrade_can_be_answered_with_a_status_a_redirect_or_html() {
    let sandbox = start(Profile::Pusher7).await;
    let retry_after = Some("3".to_owned());
    for (answer, status, header) in [
        (UpgradeAnswer::Status { status: 503, retry_after }, 503, Some(("retry-after", "3"))),
        (UpgradeAnswer::Redirect { location: "/x".into() }, 302, Some(("location", "/x"))),
        (UpgradeAnswer::Html, 200, None),
    ] {
        sandbox.inject(Fault::once(FaultKind::Upgrade { answer }));
        let refused = Ws::try_open(&sandbox, "/app/sandbox-key?protocol=7").await;
        let Some(Error::Http(response)) = refused.err() else { panic!("{status}") };
        assert_eq!(response.status(), status);
        if let Some((name, value)) = header {
            assert_eq!(response.headers()[name], value);
        }
    }
    Ws::connect(&sandbox).await;
    assert_eq!(sandbox.state().upgrades_ever, 4);
}

/// N07, P01, W01: silence in its three forms, and a wrong accept key.
#[tokio::test]
async fn an_upgrade_can_be_met_with_silence_or_with_a_wrong_key() {
    let sandbox = start(Profile::Pusher7).await;
    sandbox.inject(Fault::once(FaultKind::Upgrade { answer: UpgradeAnswer::Silent }));
    let mut raw = Raw::connect(&sandbox).await;
    raw.write(upgrade_request("sandbox-key", "Upgrade").as_bytes()).await;
    assert!(timeout(Duration::from_millis(200), raw.fill()).await.is_err());

    sandbox.inject(Fault::once(FaultKind::Upgrade { answer: UpgradeAnswer::SwitchThenNothing }));
    let mut ws = Ws::open(&sandbox, "/app/sandbox-key?protocol=7").await;
    ws.send(r#"{"event":"pusher:ping"}"#).await;
    assert!(timeout(Duration::from_millis(200), ws.text()).await.is_err());

    sandbox.inject(Fault::once(FaultKind::Upgrade { answer: UpgradeAnswer::Drop }));
    assert!(Ws::try_open(&sandbox, "/app/sandbox-key?protocol=7").await.is_err());

    sandbox.inject(Fault::once(FaultKind::Upgrade { answer: UpgradeAnswer::SwitchThenDrop }));
    let mut ws = Ws::open(&sandbox, "/app/sandbox-key?protocol=7").await;
    assert_eq!(ws.end().await, End::Dropped);

    sandbox.inject(Fault::once(FaultKind::Upgrade { answer: UpgradeAnswer::WrongAccept }));
    assert!(matches!(Ws::try_open(&sandbox, "/app/sandbox-key").await.err(), Some(Error::Protocol(_))));
}

/// P02, P05, P07
#[tokio::test]
async fn the_greeting_can_be_replaced() {
    let sandbox = start(Profile::Push1st).await;
    let text = r#"{"event":"pusher:connection_established","data":"{}"}"#.to_owned();
    sandbox.inject(Fault::once(FaultKind::Upgrade { answer: UpgradeAnswer::Greeting { text: text.clone() } }));
    let mut ws = Ws::open(&sandbox, "/pusher/app/sandbox-key").await;
    assert_eq!(ws.text().await, text);
    ws.round_trip().await;
}

#[tokio::test]
async fn an_upgrade_can_be_late() {
    let sandbox = start(Profile::Pusher7).await;
    sandbox.inject(Fault::once(FaultKind::Upgrade { answer: UpgradeAnswer::Delay { millis: 100 } }));
    let started = tokio::time::Instant::now();
    Ws::connect(&sandbox).await;
    assert!(started.elapsed() >= Duration::from_millis(100));
}

/// S07, S08, S09, S10
#[tokio::test]
async fn a_subscription_can_be_ignored_refused_or_acknowledged_twice() {
    let sandbox = start(Profile::Reverb).await;
    let mut ws = Ws::connect(&sandbox).await;
    let order = |answer| {
        let channel = Some("private-x".to_owned());
        sandbox.inject(Fault::once(FaultKind::Subscribe { channel, answer }));
    };
    let auth = sandbox.sign(&ws.socket_id, "private-x");
    order(SubscribeAnswer::Ignore);
    ws.subscribe_unsigned("other").await;
    assert_eq!(ws.event().await["channel"], "other");
    ws.subscribe_with("private-x", &auth).await;
    ws.round_trip().await;
    assert_eq!(sandbox.state().subscribers("private-x"), 0);
    order(SubscribeAnswer::Refuse);
    ws.subscribe_with("private-x", &auth).await;
    assert!(ws.text().await.contains("4009"));
    order(SubscribeAnswer::AcknowledgeTwice);
    ws.subscribe(&sandbox, "private-x").await;
    assert!(ws.text().await.contains("subscription_succeeded"));
    ws.round_trip().await;
}

/// L12
#[tokio::test]
async fn pings_can_go_unanswered_while_the_socket_works() {
    let sandbox = start(Profile::Pusher7).await;
    let mut ws = Ws::connect(&sandbox).await;
    sandbox.inject(Fault::once(FaultKind::Ping));
    ws.send(r#"{"event":"pusher:ping"}"#).await;
    ws.subscribe(&sandbox, "x").await;
    ws.round_trip().await;
    sandbox.wait_until(PATIENCE, |state| state.subscribers("x") == 1).await.unwrap();
}
