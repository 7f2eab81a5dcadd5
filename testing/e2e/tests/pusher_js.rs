//! pusher-js, a client that we did not write, against the sandbox, and against Sockudo to prove the publisher.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure ends the test")]

use std::time::Duration;

use e2e::{App, PusherJs, SockudoServer};
use serde_json::{Value, json};
use vms_sandbox::{EVENT_TYPES, EventType, Profile, Push, PushEvent, Sandbox, SandboxConfig, Session, Target};

#[tokio::test]
async fn pusher_js_subscribes_authorizes_and_receives_every_event_type_from_each_profile() {
    for profile in Profile::ALL {
        let sandbox = Sandbox::start(SandboxConfig::with_profile(profile)).await.unwrap();
        let session = sandbox.sessions().remove(0);
        let mut client = PusherJs::start(&options(&sandbox, &session, &channels(&session)));
        sandbox.wait_subscribed(&session, Duration::from_secs(60)).await.unwrap();
        let mut subscribed = [client.next("subscribed").await, client.next("subscribed").await];
        subscribed.sort_by_key(|record| record["channel"].to_string());
        assert_eq!(subscribed.map(|record| record["channel"].clone()), channels(&session), "{profile}");

        for kind in EVENT_TYPES {
            let push = push(kind, &session);
            let mut expected = sandbox.broadcasts(&push).unwrap().remove(0);
            sandbox.push(push).await.unwrap();

            let mut record = client.next("event").await;
            for data in [&mut record["data"], &mut expected.data] {
                without_id(data);
            }
            let received = json!([record["channel"], record["event"], record["data"]]);
            assert_eq!(received, json!([expected.channel, expected.event, expected.data]), "{profile}");
        }
    }
}

#[tokio::test]
async fn pusher_js_is_refused_the_channel_of_another_session() {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let session = sandbox.sessions().remove(0);
    let mut client = PusherJs::start(&options(&sandbox, &session, &["private-user.43".to_owned()]));

    assert_eq!(client.next("refused").await["status"], 403);
}

#[tokio::test]
async fn the_publisher_reaches_pusher_js_through_sockudo() {
    let app = App { id: "vms".to_owned(), key: "app-key".to_owned(), secret: "app-secret".to_owned() };
    let server = SockudoServer::start(app.clone()).await;
    let address = server.address();
    let mut client =
        PusherJs::start(&json!({"key": app.key, "host": address.ip(), "port": address.port(), "channels": ["news"]}));
    client.next("subscribed").await;

    server.publisher().publish("news", r"App\Events\UserPush", r#"{"id":17}"#).await.unwrap();

    let event = client.next("event").await;
    assert_eq!(event["event"], r"App\Events\UserPush");
    assert_eq!(event["data"], json!({"id": 17}));
}

fn options(sandbox: &Sandbox, session: &Session, channels: &[String]) -> Value {
    json!({
        "key": sandbox.app_key(),
        "host": sandbox.local_addr().ip(),
        "port": sandbox.local_addr().port(),
        "path": "/pusher",
        "authorization": {
            "endpoint": format!("{}/api/v1/broadcasting/auth", sandbox.base_url()),
            "headers": {"Authorization": format!("Bearer {}", session.access_token)},
        },
        "channels": channels,
    })
}

/// In alphabetical order.
fn channels(session: &Session) -> [String; 2] {
    [format!("private-token.{}", session.access_token_id), format!("private-user.{}", session.user_id)]
}

/// Token pushes to the session, everything else to the user, so that both channels are used.
fn push(kind: &EventType, session: &Session) -> Push {
    let target = match kind.event {
        PushEvent::Token => Target::Session(session.access_token_id.clone()),
        PushEvent::User | PushEvent::Notification => Target::User(session.user_id),
    };
    Push::new(kind.name).event(kind.event).to(target)
}

/// A notification has a new id each time it is made.
fn without_id(data: &mut Value) {
    if let Some(fields) = data.as_object_mut() {
        fields.remove("id");
    }
}
