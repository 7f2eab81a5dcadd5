//! The client against each profile of the sandbox, over ws and over wss.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a failure ends the test, and most look for one kind of item"
)]

use e2e::{Consumer, TestCa, as_in_fixtures, corpus, log_in, session};
use vms_pusher::{Tls, VmsSocketItem};
use vms_sandbox::{Profile, Sandbox, SandboxConfig};

// I24, M02, M14, P03, P04, S11
#[tokio::test]
async fn the_whole_corpus_comes_typed_and_in_order_from_each_profile_over_ws() {
    for profile in Profile::ALL {
        let sandbox = Sandbox::start(SandboxConfig::with_profile(profile)).await.unwrap();
        receives_the_corpus(&sandbox, Tls::platform()).await;
    }
}

// T03: a root of one's own is trusted when it was added.
#[tokio::test]
async fn the_whole_corpus_comes_typed_and_in_order_from_each_profile_over_wss() {
    let ca = TestCa::new();
    for profile in Profile::ALL {
        let sandbox = ca.start_sandbox(profile, "localhost").await;
        receives_the_corpus(&sandbox, ca.trusted()).await;
    }
}

async fn receives_the_corpus(sandbox: &Sandbox, tls: Tls) {
    let config = log_in(sandbox, tls).await;
    let cases = corpus(&session(&config));
    let mut consumer = Consumer::connect(config);
    consumer.subscribed().await;

    for case in &cases {
        assert_eq!(sandbox.push_raw(case.raw_push()).await.sockets, 1, "{}", case.name);
    }

    for case in &cases {
        let item = consumer.until(push).await;
        let item = as_in_fixtures(&serde_json::to_value(item).unwrap(), &sandbox.base_url());
        assert_eq!(item, case.item, "{} from {}", case.name, sandbox.profile());
    }
    assert_eq!(consumer.api.counters().dropped_events, 0);
}

fn push(item: &VmsSocketItem) -> Option<VmsSocketItem> {
    matches!(item, VmsSocketItem::AppSocket(_) | VmsSocketItem::IntercomSocket(_)).then(|| item.clone())
}
