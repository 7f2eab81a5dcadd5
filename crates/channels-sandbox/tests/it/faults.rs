//! Faults ordered in advance.

use std::time::Duration;

use channels_sandbox::{Fault, Profile, SocketFault, SubscribeAnswer, UpgradeAnswer};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Error;

use crate::{
    clients::{End, PATIENCE, Raw, Served, Ws, upgrade_request},
    support::start,
};

/// W04, W05, N14
#[tokio::test]
async fn an_upgrade_can_be_answered_with_a_status_a_redirect_or_html() {
    let server = start(Profile::Pusher7).await;
    let retry_after = Some("3".to_owned());
    for (answer, status, header) in [
        (UpgradeAnswer::Status { status: 503, retry_after }, 503, Some(("retry-after", "3"))),
        (UpgradeAnswer::Redirect { location: "/x".into() }, 302, Some(("location", "/x"))),
        (UpgradeAnswer::Html, 200, None),
    ] {
        server.inject(Fault::once(SocketFault::Upgrade { answer }));
        let refused = Ws::try_open(&server, "/app/sandbox-key?protocol=7").await;
        let Some(Error::Http(response)) = refused.err() else { panic!("{status}") };
        assert_eq!(response.status(), status);
        if let Some((name, value)) = header {
            assert_eq!(response.headers()[name], value);
        }
    }
    Ws::connect(&server).await;
    assert_eq!(server.state().upgrades_ever, 4);
}

/// N07, P01, W01: silence in its three forms, and a wrong accept key.
#[tokio::test]
async fn an_upgrade_can_be_met_with_silence_or_with_a_wrong_key() {
    let server = start(Profile::Pusher7).await;
    server.inject(Fault::once(SocketFault::Upgrade { answer: UpgradeAnswer::Silent }));
    let mut raw = Raw::connect(&server).await;
    raw.write(upgrade_request("sandbox-key", "Upgrade").as_bytes()).await;
    assert!(timeout(Duration::from_millis(200), raw.fill()).await.is_err());

    server.inject(Fault::once(SocketFault::Upgrade { answer: UpgradeAnswer::SwitchThenNothing }));
    let mut ws = Ws::open(&server, "/app/sandbox-key?protocol=7").await;
    ws.send(r#"{"event":"pusher:ping"}"#).await;
    assert!(timeout(Duration::from_millis(200), ws.text()).await.is_err());

    server.inject(Fault::once(SocketFault::Upgrade { answer: UpgradeAnswer::Drop }));
    assert!(Ws::try_open(&server, "/app/sandbox-key?protocol=7").await.is_err());

    server.inject(Fault::once(SocketFault::Upgrade { answer: UpgradeAnswer::SwitchThenDrop }));
    let mut ws = Ws::open(&server, "/app/sandbox-key?protocol=7").await;
    assert_eq!(ws.end().await, End::Dropped);

    server.inject(Fault::once(SocketFault::Upgrade { answer: UpgradeAnswer::WrongAccept }));
    assert!(matches!(Ws::try_open(&server, "/app/sandbox-key").await.err(), Some(Error::Protocol(_))));
}

/// P02, P05, P07
#[tokio::test]
async fn the_greeting_can_be_replaced() {
    let server = start(Profile::Push1st).await;
    let text = r#"{"event":"pusher:connection_established","data":"{}"}"#.to_owned();
    server.inject(Fault::once(SocketFault::Upgrade { answer: UpgradeAnswer::Greeting { text: text.clone() } }));
    let mut ws = Ws::open(&server, "/pusher/app/sandbox-key").await;
    assert_eq!(ws.text().await, text);
    ws.round_trip().await;
}

#[tokio::test]
async fn an_upgrade_can_be_late() {
    let server = start(Profile::Pusher7).await;
    server.inject(Fault::once(SocketFault::Upgrade { answer: UpgradeAnswer::Delay { millis: 100 } }));
    let started = tokio::time::Instant::now();
    Ws::connect(&server).await;
    assert!(started.elapsed() >= Duration::from_millis(100));
}

/// S07, S08, S09, S10
#[tokio::test]
async fn a_subscription_can_be_ignored_refused_or_acknowledged_twice() {
    let server = start(Profile::Reverb).await;
    let mut ws = Ws::connect(&server).await;
    let order = |answer| {
        let channel = Some("private-x".to_owned());
        server.inject(Fault::once(SocketFault::Subscribe { channel, answer }));
    };
    let auth = server.sign(&ws.socket_id, "private-x");
    order(SubscribeAnswer::Ignore);
    ws.subscribe_unsigned("other").await;
    assert_eq!(ws.event().await["channel"], "other");
    ws.subscribe_with("private-x", &auth).await;
    ws.round_trip().await;
    assert_eq!(server.state().subscribers("private-x"), 0);
    order(SubscribeAnswer::Refuse);
    ws.subscribe_with("private-x", &auth).await;
    assert!(ws.text().await.contains("4009"));
    order(SubscribeAnswer::AcknowledgeTwice);
    ws.subscribe(&server, "private-x").await;
    assert!(ws.text().await.contains("subscription_succeeded"));
    ws.round_trip().await;
}

/// L12
#[tokio::test]
async fn pings_can_go_unanswered_while_the_socket_works() {
    let server = start(Profile::Pusher7).await;
    let mut ws = Ws::connect(&server).await;
    server.inject(Fault::once(SocketFault::Ping));
    ws.send(r#"{"event":"pusher:ping"}"#).await;
    ws.subscribe(&server, "x").await;
    ws.round_trip().await;
    server.wait_until(PATIENCE, |state| state.subscribers("x") == 1).await.unwrap();
}
