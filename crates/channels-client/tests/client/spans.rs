use std::sync::Arc;

use channels_client::{
    AuthorizationRequest, Authorizer, ClientOptions, Item, MemoryConnector, SocketUrl, StreamClient,
    proto::{AppKey, Authorization, AuthorizationError, ConnectionState},
};
use tokio::runtime::Handle;

use crate::support::{Log, Raw, Under, private};

/// Signs, and says so.
struct Telling;

impl Authorizer for Telling {
    async fn authorize(&self, request: AuthorizationRequest) -> Result<Authorization, AuthorizationError> {
        tracing::info!("asked");
        Ok(Authorization::new(format!("key:canary-{}", request.socket_id)))
    }
}

// Q08: and no line has a channel's name, a payload or a signature.
#[tokio::test(start_paused = true)]
async fn what_is_logged_says_which_client_it_is_about_and_nothing_that_is_nobodys_business() {
    let log = Log::capture();
    let mut running = Vec::new();
    for name in ["first", "second"] {
        let (connector, mut listener) = MemoryConnector::new(7);
        let mut options =
            ClientOptions::new(SocketUrl::parse("ws://example.com").unwrap(), AppKey::parse("key").unwrap());
        options.connector = Arc::new(connector);
        options.name = Some(name.to_owned());
        let (client, delivery) =
            StreamClient::new(options, Arc::new(Telling), channels_client::RawDecoder, &Handle::current()).unwrap();
        let mut under = Under { client, delivery };
        under.client.subscribe(private("canary")).unwrap();
        under.client.connect();
        let mut peer = Raw { stream: listener.accept().await.unwrap().1 }.upgrade().await;
        peer.establish("1.1").await;
        peer.acknowledge_all(1).await;
        peer.event("private-canary", "canary", serde_json::json!("canary")).await;
        under.until(|item| matches!(item, Item::Event(_))).await;
        drop(peer);
        under.until(|item| matches!(item, Item::StateChanged { to: ConnectionState::Reconnecting, .. })).await;
        running.push((under, listener));
    }
    let text = log.text();
    for name in ["first", "second"] {
        let of_client: Vec<_> = text.lines().filter(|line| line.contains(&format!("name=\"{name}\""))).collect();
        for what in ["opening a socket", "asked", "the state changed", "the connection failed"] {
            assert!(of_client.iter().any(|line| line.contains(what)), "{what}: {text}");
        }
        let ids =
            |line: &&str| line.split(" in channels_client id=").nth(1).unwrap().split(' ').next().unwrap().to_owned();
        let mut ids: Vec<_> = of_client.iter().map(ids).collect();
        ids.dedup();
        assert_eq!(ids.len(), 1, "{text}");
    }
    let outside = |line: &&str| line.contains("channels_client") && !line.contains(" in channels_client id=");
    assert_eq!(text.lines().filter(outside).collect::<Vec<_>>(), Vec::<&str>::new());
    assert!(!text.contains("canary"), "{text}");
}
