use channels_client::{Continuity, Item, proto::ConnectionState};
use serde_json::json;

use crate::support::{Listener, Under, event_of, options_for, private};

// K12, I8, I22: the state comes before what it enables.
#[tokio::test]
async fn a_client_connects_subscribes_and_delivers_in_order() {
    let listener = Listener::bind().await;
    let mut under = Under::new(options_for(&listener));
    under.client.subscribe(private("a")).unwrap();
    under.client.connect();
    let mut peer = listener.establish("1.1").await;
    assert_eq!(peer.subscribe().await, ("private-a".into(), Some("key:signed-1.1-private-a".into())));
    peer.acknowledge("private-a").await;
    peer.event("private-a", "first", json!({"n": 1})).await;
    peer.event("private-a", "second", json!({"n": 2})).await;

    let (from, to) = (ConnectionState::Disconnected, ConnectionState::Connecting);
    assert_eq!(under.next().await, Item::StateChanged { from, to });
    let (from, to) = (ConnectionState::Connecting, ConnectionState::Connected);
    assert_eq!(under.next().await, Item::StateChanged { from, to });
    let (channel, continuity) = (private("a"), Continuity::Fresh);
    assert_eq!(under.next().await, Item::Subscribed { channel, continuity });
    assert_eq!(event_of(&under.next().await), Some(("first".into(), r#"{"n":1}"#.into())));
    assert_eq!(event_of(&under.next().await), Some(("second".into(), r#"{"n":2}"#.into())));
    assert!(under.client.is_connected());
    assert_eq!(under.client.socket_id().unwrap().as_str(), "1.1");
}
