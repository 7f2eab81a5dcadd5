//! What a consumer may and may not do to the stream, and the stream to the outside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a failure ends the test, and most look for one kind of item"
)]

use std::time::Duration;

use e2e::{Consumer, History, Seen, log_in, session};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use vms_pusher::{Tls, VmsAppSocketData, VmsContinuity, VmsSocketItem};
use vms_sandbox::{Push, Sandbox, SandboxConfig, Target};

/// More than the queue of a consumer takes.
const FLOOD: u64 = 5_000;

// M16, B01, B03, I26
#[tokio::test]
async fn a_flood_that_nobody_reads_is_delivered_or_counted_to_the_last_event() {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let config = log_in(&sandbox, Tls::platform()).await;
    let user = Target::User(session(&config).user_id);
    let mut consumer = Consumer::connect(config);
    consumer.subscribed().await;

    let mut history = History::new();
    for number in 1..=FLOOD {
        let push = Push::new("camera.store_favorite").to(user.clone()).data(json!({"camera_id": number}));
        assert_eq!(history.publish(number, sandbox.push(push)).await.unwrap().sockets, 1);
    }
    let is_full = async {
        while consumer.api.counters().dropped_events == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), is_full).await.expect("the queue overflows");

    let mut seen = Vec::new();
    while seen.last() != Some(&Seen::Event(FLOOD)) {
        match consumer.next().await {
            VmsSocketItem::AppSocket(VmsAppSocketData::AddFavoriteCamera(push)) => {
                seen.push(Seen::Event(push.camera_id.try_into().unwrap()));
            }
            VmsSocketItem::Continuity(VmsContinuity::Lagged { dropped }) => seen.push(Seen::Lagged(dropped)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(history.flaws(&seen), []);
    let count = |item: &Seen| match item {
        Seen::Event(_) => 1,
        Seen::Lagged(dropped) => *dropped,
        Seen::Gap { .. } => 0,
    };
    assert_eq!(seen.iter().map(count).sum::<u64>(), FLOOD);
    assert!(seen.iter().any(|item| matches!(item, Seen::Lagged(_))), "the queue took it all");
}

// M15: the address in an event is the consumer's to open. Whoever opens one, at whatever time, is the first to call here.
#[tokio::test]
async fn an_address_in_an_event_is_never_opened() {
    let bait = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = bait.local_addr().unwrap();
    let url = format!("http://{address}/bait");
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let config = log_in(&sandbox, Tls::platform()).await;
    let user = Target::User(config.user_id);
    let mut consumer = Consumer::connect(config);
    consumer.subscribed().await;

    let file = json!({"id": 1, "url": url});
    for (kind, body) in [
        ("archive_generated", json!({"url": url, "download": {"url": url}})),
        ("mark_created", json!({"id": 1, "preview_url": url, "crop": url, "analytic_file": file})),
        ("mark_created", json!({"id": 2, "analytic_file": {"id": 1, "url": format!("//{address}/bait")}})),
        ("groups_created", json!({"id": 1, "previews": [{"camera_id": 1, "preview": url}]})),
        ("intercom_cancel", json!({"data": {"id": 1, "video_url": url}})),
    ] {
        sandbox.push(Push::new(kind).to(user.clone()).data(body)).await.unwrap();
        let told = consumer.until(|item| match item {
            VmsSocketItem::AppSocket(_) | VmsSocketItem::IntercomSocket(_) => Some(format!("{item:?}")),
            _ => None,
        });
        let told = told.await;
        assert!(told.contains(&address.to_string()), "{kind}: {told}");
    }

    consumer.api.rest().sync_groups(17, &[]).await.unwrap();
    let ours = TcpStream::connect(address).await.unwrap();
    let (_, first) = bait.accept().await.unwrap();
    assert_eq!(first, ours.local_addr().unwrap(), "an address was opened");
}
