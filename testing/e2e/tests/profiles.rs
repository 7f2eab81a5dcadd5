//! The client against each profile of the sandbox, over ws and over wss.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a failure ends the test, and most look for one kind of item"
)]

use e2e::{Consumer, TestCa, as_in_fixtures, corpus, log_in, session};
use vms_pusher::{PusherError, Tls, VmsSocketItem};
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
        let sandbox = start_secured(profile, &ca, "localhost").await;
        receives_the_corpus(&sandbox, Tls::with_extra_roots_pem(ca.pem().as_bytes()).unwrap()).await;
    }
}

// T03
#[tokio::test]
async fn a_server_whose_root_was_not_added_is_refused_and_tried_again_slowly() {
    let (ca, stranger) = (TestCa::new(), TestCa::new());
    let sandbox = start_secured(Profile::Pusher7, &ca, "localhost").await;

    let error = refusal(&sandbox, &ca, &stranger).await;

    assert!(error.message.contains("certificate"), "{error}");
}

// T02
#[tokio::test]
async fn a_server_with_the_certificate_of_another_host_is_refused_and_tried_again_slowly() {
    let ca = TestCa::new();
    let sandbox = start_secured(Profile::Pusher7, &ca, "localhost").await;
    let impostor = start_secured(Profile::Pusher7, &ca, "other.example").await;

    let mut config = log_in(&sandbox, Tls::with_extra_roots_pem(ca.pem().as_bytes()).unwrap()).await;
    config.socket_url = format!("wss://localhost:{}/pusher", impostor.local_addr().port());
    let error = slow_refusal(&mut Consumer::connect(config)).await;

    assert!(error.message.contains("certificate"), "{error}");
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

async fn start_secured(profile: Profile, ca: &TestCa, name: &str) -> Sandbox {
    let (certificate, key) = ca.sign(name);
    let tls = vms_sandbox::Tls::Pem { certificates: certificate.into_bytes(), key: key.into_bytes() };
    let host = Some("localhost".to_owned());
    let config = SandboxConfig { tls: Some(tls), host, ..SandboxConfig::with_profile(profile) };
    Sandbox::start(config).await.unwrap()
}

/// Logs in with the right root and connects with another one.
async fn refusal(sandbox: &Sandbox, right: &TestCa, wrong: &TestCa) -> PusherError {
    let mut config = log_in(sandbox, Tls::with_extra_roots_pem(right.pem().as_bytes()).unwrap()).await;
    config.options.tls = Tls::with_extra_roots_pem(wrong.pem().as_bytes()).unwrap();
    slow_refusal(&mut Consumer::connect(config)).await
}

/// The error of the first attempt, after which the client has to wait for 30 s at least.
async fn slow_refusal(consumer: &mut Consumer) -> PusherError {
    let mut refusal = None;
    let (error, wait) = consumer
        .until(|item| match item {
            VmsSocketItem::Error(error) => {
                refusal = Some(error.clone());
                None
            }
            VmsSocketItem::Info { message } => refusal.clone().zip(Some(message.clone())),
            _ => None,
        })
        .await;
    let seconds = wait.split_whitespace().rev().nth(1).and_then(|word| word.parse::<f32>().ok());
    assert!(seconds.is_some_and(|seconds| seconds >= 30.0), "{wait}");
    error
}
