//! The main job against a server that we did not write: Sockudo, killed without warning and started again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a failure ends the test, and most look for one kind of item"
)]

use std::cell::Cell;
use std::time::SystemTime;

use e2e::{
    App, Consumer, Sightings, SockudoServer, as_in_fixtures, corpus, log_in, number, numbered, publish_numbered,
    session, wall_clock,
};
use serde_json::json;
use tokio::sync::watch;
use vms_pusher::{ConnectionState, PusherError, Tls, USER_PUSH, VmsChannel, VmsContinuity, VmsSocketItem};
use vms_sandbox::{Endpoint, Fault, FaultKind, RestAnswer, Sandbox, SandboxConfig};

/// How often the server is killed during the stream of numbered events.
const KILLS: usize = 20;

// I24, P03, P04
#[tokio::test]
async fn the_whole_corpus_comes_typed_and_in_order_through_sockudo() {
    let server = SockudoServer::start(app()).await;
    let sandbox = start_sandbox(&server).await;
    let config = log_in(&sandbox, Tls::platform()).await;
    let cases = corpus(&session(&config));
    let mut consumer = Consumer::connect(config);
    consumer.subscribed().await;

    let mut publisher = server.publisher();
    for case in &cases {
        publisher.publish(&case.channel, &case.event, &case.payload).await.unwrap();
    }

    for case in &cases {
        let item = consumer.until(push).await;
        let item = as_in_fixtures(&serde_json::to_value(item).unwrap(), &sandbox.base_url());
        assert_eq!(item, case.item, "{}", case.name);
    }
}

// N08, R01, I27: a real server dies in the middle of a connection and comes back.
#[tokio::test]
async fn a_server_that_is_killed_and_restarted_leaves_a_gap_and_a_working_subscription() {
    let mut server = SockudoServer::start(app()).await;
    let sandbox = start_sandbox(&server).await;
    let config = log_in(&sandbox, Tls::platform()).await;
    let channel = session(&config).user_channel();
    let mut consumer = Consumer::connect(config);
    let first = consumer.subscribed().await;
    assert!(first.iter().all(|continuity| matches!(continuity, VmsContinuity::Fresh { .. })), "{first:?}");

    let killed = wall_clock();
    server.kill();
    consumer.until(|item| is_state(item, ConnectionState::Reconnecting)).await;
    assert_eq!(consumer.api.socket_id(), None);
    server.restart().await;

    for continuity in consumer.subscribed().await {
        let VmsContinuity::ResyncNeeded { since, until, .. } = continuity else { panic!("{continuity:?} is no gap") };
        let [since_system, until_system] = [since, until].map(|time| SystemTime::try_from(time).unwrap());
        assert!(since_system <= killed && killed <= until_system, "{since} to {until}");
    }
    assert!(consumer.api.is_connected());
    server.publisher().publish(&channel, USER_PUSH, &numbered(VmsChannel::User, 17)).await.unwrap();
    assert_eq!(consumer.until(number).await, (VmsChannel::User, 17));
}

// I24, I26, I27
#[tokio::test]
async fn killed_twenty_times_every_event_is_delivered_or_inside_a_gap_in_order_and_once() {
    let mut server = SockudoServer::start(app()).await;
    let sandbox = start_sandbox(&server).await;
    let config = log_in(&sandbox, Tls::platform()).await;
    let session = session(&config);
    let mut consumer = Consumer::connect(config);
    consumer.subscribed().await;

    let failures = watch::Sender::new(0_u64);
    let is_over = Cell::new(false);
    let mut publisher = server.publisher();
    let mut sightings = Sightings::default();
    let publish = publish_numbered(&session, &is_over, async |channel, data| {
        let outcome = publisher.publish(channel, USER_PUSH, data).await;
        failures.send_modify(|failures| *failures += u64::from(outcome.is_err()));
    });
    let disturb = async {
        for _ in 0..KILLS {
            sightings.take_events(&mut consumer, 100).await;
            server.kill();
            let enough = *failures.borrow() + 20;
            failures.subscribe().wait_for(|failures| *failures >= enough).await.unwrap();
            server.restart().await;
            sightings.take_loss(&mut consumer).await;
            // Ends the back-off, which would grow from kill to kill.
            consumer.api.network_changed();
            sightings.take_gap(&mut consumer).await;
        }
        sightings.take_events(&mut consumer, 100).await;
        is_over.set(true);
    };
    let (histories, ()) = tokio::join!(publish, disturb);
    sightings.take_rest(&mut consumer, &histories).await;

    assert_eq!(sightings.flaws(&histories), [[], []]);
    assert_eq!(sightings.gaps(), [KILLS, KILLS]);
    for (history, delivered) in histories.iter().zip(sightings.events()) {
        assert!(delivered < history.published(), "no event was missed: the kills proved nothing");
    }
}

// Sockudo answers a wrong key with 101 and then drops the connection without a word.
#[tokio::test]
async fn a_wrong_app_key_is_named_and_tried_again_without_ever_being_connected() {
    let server = SockudoServer::start(app()).await;
    let sandbox = start_sandbox(&server).await;
    let mut config = log_in(&sandbox, Tls::platform()).await;
    config.app_key = "another-key".to_owned();
    let mut consumer = Consumer::connect(config);

    for _ in 0..3 {
        let error = consumer.until(error).await;
        assert!(error.message.contains("app key"), "{error}");
        assert!(!consumer.api.is_connected());
    }
}

// S09, I23: Sockudo refuses a signature with an error that names no channel.
#[tokio::test]
async fn a_channel_with_a_bad_signature_fails_alone_and_the_other_goes_on() {
    let server = SockudoServer::start(app()).await;
    let sandbox = start_sandbox(&server).await;
    let config = log_in(&sandbox, Tls::platform()).await;
    let session = session(&config);
    let answer = RestAnswer::Body {
        status: 200,
        content_type: "application/json".to_owned(),
        body: json!({"auth": format!("{}:{}", app().key, "0".repeat(64))}).to_string(),
    };
    let channel = Some(session.user_channel());
    sandbox.inject(Fault::always(FaultKind::Rest { endpoint: Endpoint::BroadcastingAuth, channel, answer }));
    let mut consumer = Consumer::connect(config);

    let refused = consumer.until(|item| match item {
        VmsSocketItem::Continuity(VmsContinuity::Unavailable { channel, .. }) => Some(*channel),
        _ => None,
    });
    assert_eq!(refused.await, VmsChannel::User);
    let data = numbered(VmsChannel::Token, 17);
    server.publisher().publish(&session.token_channel(), USER_PUSH, &data).await.unwrap();
    assert_eq!(consumer.until(number).await, (VmsChannel::Token, 17));
}

fn push(item: &VmsSocketItem) -> Option<VmsSocketItem> {
    matches!(item, VmsSocketItem::AppSocket(_) | VmsSocketItem::IntercomSocket(_)).then(|| item.clone())
}

fn error(item: &VmsSocketItem) -> Option<PusherError> {
    match item {
        VmsSocketItem::Error(error) => Some(error.clone()),
        _ => None,
    }
}

fn is_state(item: &VmsSocketItem, state: ConnectionState) -> Option<()> {
    matches!(item, VmsSocketItem::ConnectionState { to, .. } if *to == state).then_some(())
}

fn app() -> App {
    App { id: "vms".to_owned(), key: "app-key".to_owned(), secret: "app-secret".to_owned() }
}

/// A sandbox that authorizes for Sockudo and names its address.
async fn start_sandbox(server: &SockudoServer) -> Sandbox {
    let App { key, secret, .. } = app();
    let config = SandboxConfig {
        app_key: key,
        app_secret: secret,
        ws_url: Some(server.socket_url()),
        ..SandboxConfig::default()
    };
    Sandbox::start(config).await.unwrap()
}
