//! pusher-js, a client that we did not write, against the servers of these tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure ends the test")]

use e2e::{App, PusherJs, SockudoServer};
use serde_json::json;

#[tokio::test]
async fn the_publisher_reaches_pusher_js_through_sockudo() {
    let server = SockudoServer::start(app()).await;
    let mut client = PusherJs::start(&json!({
        "key": app().key, "host": server.address().ip(), "port": server.address().port(), "channels": ["news"],
    }));
    client.next("subscribed").await;

    server.publisher().publish("news", r"App\Events\UserPush", r#"{"id":17}"#).await.unwrap();

    let event = client.next("event").await;
    assert_eq!(event["event"], r"App\Events\UserPush");
    assert_eq!(event["data"], json!({"id": 17}));
}

fn app() -> App {
    App { id: "vms".to_owned(), key: "app-key".to_owned(), secret: "app-secret".to_owned() }
}
