use std::{sync::Arc, time::Duration};

use channels_client::{
    AuthorizationRequest, ChannelItem, Client, ClientOptions, Continuity, Item, MemoryConnector, MemoryListener,
    SocketUrl,
    proto::{AppKey, Authorization, ConnectionState, OwnedEvent},
};
use serde_json::json;
use tokio::{io::DuplexStream, time::Instant};

use crate::support::{Peer, Raw, Under, event_of, private, soon};

async fn accept(listener: &mut MemoryListener) -> Peer<DuplexStream> {
    let (endpoint, stream) = listener.accept().await.unwrap();
    assert_eq!(endpoint.to_string(), "example.com:443");
    Raw { stream }.upgrade().await
}

/// Runs a session that is lost and comes back after an outage of an hour; returns all that there was to see, and when.
async fn session(seed: u64) -> Vec<(Duration, Item<OwnedEvent>)> {
    let started = Instant::now();
    let (connector, mut listener) = MemoryConnector::new(seed);
    let url = SocketUrl::parse("wss://example.com").unwrap();
    let mut options = ClientOptions::new(url, AppKey::parse("key").unwrap());
    options.connector = Arc::new(connector);
    let mut under = Under::new(options);
    under.client.subscribe(private("a")).unwrap();
    under.client.connect();
    let serve = async {
        let mut first = accept(&mut listener).await;
        first.establish("1.1").await;
        first.acknowledge_all(1).await;
        first.event("private-a", "e", json!("before")).await;
        drop(first);
        while started.elapsed() < Duration::from_secs(3600) {
            drop(listener.accept().await.unwrap());
        }
        let mut last = accept(&mut listener).await;
        last.establish("1.2").await;
        last.acknowledge_all(1).await;
        last.event("private-a", "e", json!("after")).await;
        last
    };
    let take = async {
        let mut seen = Vec::new();
        loop {
            let item = under.next().await;
            let is_over = event_of(&item).is_some_and(|(_, data)| data == "\"after\"");
            seen.push((started.elapsed(), item));
            if is_over {
                return seen;
            }
        }
    };
    tokio::join!(serve, take).1
}

// An hour passes in a moment, and the same seed gives the same hour.
#[tokio::test(start_paused = true)]
async fn a_whole_client_runs_without_a_port_and_the_same_seed_gives_the_same_run() {
    let seen = session(7).await;
    let connected =
        |(_, item): &&(Duration, Item<_>)| matches!(item, Item::StateChanged { to: ConnectionState::Connected, .. });
    assert_eq!(seen.iter().filter(connected).count(), 2);
    let gap = seen.iter().find_map(|(_, item)| match item {
        Item::Subscribed { continuity: Continuity::Gap { since, until, .. }, .. } => until.duration_since(*since).ok(),
        _ => None,
    });
    assert!(gap.unwrap() >= Duration::from_secs(3590), "{gap:?}");
    let times = |seen: &[(Duration, Item<OwnedEvent>)]| seen.iter().map(|(at, _)| *at).collect::<Vec<_>>();
    assert_eq!(times(&seen), times(&session(7).await));
    assert_ne!(times(&seen), times(&session(8).await));
}

// Y02, Y03: whoever looks at the members alone never reads the handle.
#[tokio::test(start_paused = true)]
async fn the_lists_of_members_that_an_unread_handle_keeps_are_bounded() {
    let (connector, mut listener) = MemoryConnector::new(7);
    let mut options = ClientOptions::new(SocketUrl::parse("ws://example.com").unwrap(), AppKey::parse("key").unwrap());
    options.connector = Arc::new(connector);
    options.queue.max_bytes = 64 * 1024;
    let sign = |_: AuthorizationRequest| async {
        Ok(Authorization::new("key:sig").with_channel_data(r#"{"user_id":"me"}"#.to_owned()))
    };
    let client = Client::with_options(options).authorizer(sign).connect().unwrap();
    let mut room = client.subscribe("presence-room").unwrap();
    // More than 10 kB.
    let ids: Vec<_> = (0..100).map(|number| format!("{number:0>100}")).collect();
    let hash: serde_json::Map<_, _> = ids.iter().map(|id| (id.clone(), json!(null))).collect();
    let list = json!({"presence": {"count": 100, "ids": ids, "hash": hash}}).to_string();
    for socket in 1..=50 {
        let mut peer = Raw { stream: listener.accept().await.unwrap().1 }.upgrade().await;
        peer.establish(&format!("{socket}.1")).await;
        peer.subscribe().await;
        let event = "pusher_internal:subscription_succeeded";
        peer.json(json!({"event": event, "channel": "presence-room", "data": list})).await;
        soon("the subscription", room.wait_subscribed()).await.unwrap();
    }
    let (mut lists, mut last) = (0, None);
    while let Some(item) = room.try_next() {
        if let ChannelItem::Subscribed { members, .. } = item {
            (lists, last) = (lists + 1, members);
        }
    }
    assert!(lists <= 8, "{lists}");
    assert_eq!(last.map(|members| members.count()), Some(100));
}
