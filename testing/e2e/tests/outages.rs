//! Servers that fall silent, stop, are drained or are left, as whole processes and in bulk.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a failure ends the test, and most look for one kind of item"
)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use e2e::{App, Consumer, SockudoServer, log_in, session};
use vms_pusher::{ConnectionState, Tls, VmsAppSocketData, VmsContinuity, VmsPusherConfig, VmsSocketItem};
use vms_sandbox::{Profile, Push, Sandbox, SandboxConfig, Sockets, Target};

// I29, L09, N13, X08: what the client sends still arrives, but nothing comes back.
#[tokio::test]
async fn a_server_that_says_nothing_any_more_is_left_on_each_profile() {
    for profile in Profile::ALL {
        let sandbox = Sandbox::start(SandboxConfig::with_profile(profile)).await.unwrap();
        let mut consumer = Consumer::connect(impatient(log_in(&sandbox, Tls::platform()).await));
        consumer.subscribed().await;

        sandbox.stall(&Sockets::All);

        consumer.until(|item| is_state(item, ConnectionState::Reconnecting)).await;
        assert_eq!(consumer.api.socket_id(), None);
        let again = consumer.subscribed().await;
        assert!(again.iter().all(|continuity| matches!(continuity, VmsContinuity::ResyncNeeded { .. })), "{again:?}");
    }
}

// L10: the whole process stands still, its kernel still accepts connections, and then it goes on.
#[cfg(unix)]
#[tokio::test]
async fn a_server_that_stands_still_and_goes_on_costs_one_gap_a_channel() {
    let app = App { id: "vms".to_owned(), key: "app-key".to_owned(), secret: "app-secret".to_owned() };
    let server = SockudoServer::start(app.clone()).await;
    let ws_url = Some(server.socket_url());
    let config = SandboxConfig { app_key: app.key, app_secret: app.secret, ws_url, ..SandboxConfig::default() };
    let sandbox = Sandbox::start(config).await.unwrap();
    let config = impatient(log_in(&sandbox, Tls::platform()).await);
    let user_id = config.user_id;
    let mut consumer = Consumer::connect(config);
    consumer.subscribed().await;
    let before = consumer.api.socket_id();

    server.pause();
    consumer.until(|item| is_state(item, ConnectionState::Reconnecting)).await;
    server.resume();

    let again = consumer.subscribed().await;
    assert!(again.iter().all(|continuity| matches!(continuity, VmsContinuity::ResyncNeeded { .. })), "{again:?}");
    assert_ne!(consumer.api.socket_id(), before);
    let push = Push::new("camera_groups_synced").to(Target::User(user_id));
    for broadcast in sandbox.broadcasts(&push).unwrap() {
        let data = broadcast.data.to_string();
        server.publisher().publish(&broadcast.channel, &broadcast.event, &data).await.unwrap();
    }
    assert_eq!(consumer.next().await, VmsSocketItem::AppSocket(VmsAppSocketData::CameraGroupsSynced));
}

// L11, C08: each is told to come back at once, and does.
#[tokio::test]
async fn a_drained_server_gets_all_its_clients_back() {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let mut consumers = Vec::new();
    for _ in 0..20 {
        let mut consumer = Consumer::connect(log_in(&sandbox, Tls::platform()).await);
        consumer.subscribed().await;
        consumers.push(consumer);
    }

    assert_eq!(sandbox.close(&Sockets::All, 4200, "draining").await, 20);

    for consumer in &mut consumers {
        consumer.until(|item| is_state(item, ConnectionState::Reconnecting)).await;
        consumer.subscribed().await;
    }
    let state = sandbox.state();
    assert_eq!((state.sockets.len(), state.sockets_ever), (20, 40));
}

// M20: what the server sends again after a reconnect is delivered again.
#[tokio::test]
async fn an_event_that_the_server_repeats_after_a_reconnect_is_delivered_again() {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let config = log_in(&sandbox, Tls::platform()).await;
    let push = Push::new("camera_groups_synced").to(Target::User(session(&config).user_id));
    let mut consumer = Consumer::connect(config);

    for _ in 0..2 {
        consumer.subscribed().await;
        sandbox.push(push.clone()).await.unwrap();
        consumer.until(is_synced).await;
        sandbox.cut(&Sockets::All);
    }
}

// D09, K07, I7, I8: asked from other threads all the while, the id is none or one that the server has given.
#[tokio::test]
async fn the_socket_id_asked_from_any_thread_is_none_or_one_of_the_servers() {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let mut consumer = Consumer::connect(log_in(&sandbox, Tls::platform()).await);
    let is_over = Arc::new(AtomicBool::new(false));
    let askers: Vec<_> = (0..4)
        .map(|_| {
            let (api, is_over) = (consumer.api.clone(), Arc::clone(&is_over));
            thread::spawn(move || {
                let mut ids = BTreeSet::new();
                while !is_over.load(Ordering::Relaxed) {
                    ids.extend(api.socket_id());
                    api.connect();
                }
                ids
            })
        })
        .collect();

    for _ in 0..5 {
        consumer.subscribed().await;
        sandbox.cut(&Sockets::All);
        consumer.api.network_changed();
    }
    consumer.subscribed().await;
    is_over.store(true, Ordering::Relaxed);

    let ids: BTreeSet<String> = askers.into_iter().flat_map(|asker| asker.join().unwrap()).collect();
    let state = sandbox.state();
    let given: BTreeSet<String> = state.ended.into_iter().chain(state.sockets).map(|socket| socket.id).collect();
    assert!(ids.is_subset(&given), "{ids:?} are not all of {given:?}");
    assert!(!ids.is_empty());
}

// Y08: clients and reconnects cost no threads.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn neither_clients_nor_reconnects_cost_threads() {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let mut first = Consumer::connect(log_in(&sandbox, Tls::platform()).await);
    first.subscribed().await;
    let before = threads();

    let mut consumers = Vec::new();
    for _ in 0..50 {
        consumers.push(Consumer::connect(log_in(&sandbox, Tls::platform()).await));
    }
    for _ in 0..3 {
        for consumer in &mut consumers {
            consumer.subscribed().await;
        }
        sandbox.close(&Sockets::All, 4200, "again").await;
    }

    // Other tests of this process have threads too, a few each.
    assert!(threads() < before + 40, "{before} threads have become {}", threads());
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

/// A configuration that notices silence within two seconds.
fn impatient(mut config: VmsPusherConfig) -> VmsPusherConfig {
    config.options.activity_timeout = Duration::from_secs(1);
    config.options.pong_timeout = Duration::from_secs(1);
    config
}

fn is_state(item: &VmsSocketItem, state: ConnectionState) -> Option<()> {
    matches!(item, VmsSocketItem::ConnectionState { to, .. } if *to == state).then_some(())
}

fn is_synced(item: &VmsSocketItem) -> Option<()> {
    matches!(item, VmsSocketItem::AppSocket(VmsAppSocketData::CameraGroupsSynced)).then_some(())
}
