//! Pusher's server libraries, which we did not write, publish to our sandbox, and our client reads what they publish.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a failure ends the test, and most look for one kind of item"
)]

use std::sync::Arc;
use std::time::Duration;

use channels_client::{Channel, ChannelEvent, ChannelItem, Client};
use channels_sandbox::{Profile, Server, ServerConfig};
use e2e::{App, LibraryAuthorizer, ServerLibrary};
use serde_json::{Value, json};
use tokio::time::timeout;

/// Longer than any event is on its way.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn both_libraries_publish_to_every_profile_and_our_client_reads_it() {
    for profile in Profile::ALL {
        let server = Server::start(ServerConfig::with_profile(profile)).await.unwrap();
        for library in libraries(&server) {
            let client = connect(&server, &library);
            let mut news = client.subscribe("private-news").unwrap();
            news.wait_subscribed().await.unwrap();

            let arguments = json!({"channels": ["private-news"], "event": "added", "data": {"id": 17, "city": "Żory"}});
            library.call("trigger", arguments).await.unwrap();

            let event = next_event(&mut news).await;
            assert_eq!(event.name(), "added");
            let data: Value = event.json().unwrap();
            assert_eq!(data, json!({"id": 17, "city": "Żory"}), "{profile}, {}", library.name());
        }
    }
}

#[tokio::test]
async fn a_batch_arrives_in_its_order_and_an_event_spares_the_socket_that_is_left_out() {
    let server = Server::start(ServerConfig::default()).await.unwrap();
    for library in libraries(&server) {
        let (own, other) = (connect(&server, &library), connect(&server, &library));
        let mut handles = [own.subscribe("news").unwrap(), other.subscribe("news").unwrap()];
        for news in &handles {
            news.wait_subscribed().await.unwrap();
        }
        let socket_id = own.socket_id().unwrap();
        let spared = json!({"channels": ["news"], "event": "1", "data": "", "socket_id": socket_id.as_str()});
        library.call("trigger", spared).await.unwrap();
        let event = |name: &str| json!({"channel": "news", "name": name, "data": {"name": name}});
        library.call("trigger_batch", json!({"batch": [event("2"), event("3")]})).await.unwrap();

        let mut names = [Vec::new(), Vec::new()];
        for (names, news) in names.iter_mut().zip(&mut handles) {
            while names.last().is_none_or(|name| name != "3") {
                names.push(next_event(news).await.name().to_owned());
            }
        }
        assert_eq!(names, [vec!["2", "3"], vec!["1", "2", "3"]], "{}", library.name());
    }
}

#[tokio::test]
async fn a_wrong_secret_and_too_large_an_event_are_the_errors_that_each_library_knows() {
    let server = Server::start(ServerConfig::default()).await.unwrap();
    let event = |data: &str| json!({"channels": ["news"], "event": "added", "data": data});

    let stranger = App { secret: "wrong".to_owned(), ..app(&server) };
    let [node, python] = ServerLibrary::both(&server.base_url(), &stranger);
    let error = node.call("trigger", event("")).await.unwrap_err();
    assert_eq!((error.name.as_str(), error.status), ("PusherRequestError", Some(401)));
    assert!(error.text.contains("auth_signature"), "{error:?}");
    let error = python.call("trigger", event("")).await.unwrap_err();
    assert_eq!(error.name, "PusherBadAuth");
    assert!(error.text.contains("auth_signature"), "{error:?}");

    let [node, python] = libraries(&server);
    let large = "x".repeat(10_241);
    assert_eq!(node.call("trigger", event(&large)).await.unwrap_err().status, Some(413));
    let error = python.call("trigger", event(&large)).await.unwrap_err();
    assert!(error.name == "PusherBadStatus" && error.text.starts_with("413"), "{error:?}");
    assert_eq!(python.call("users", json!({"channel": "news"})).await.unwrap_err().name, "PusherBadRequest");
    assert_eq!(node.call("users", json!({"channel": "news"})).await.unwrap_err().status, Some(400));
}

#[tokio::test]
async fn the_libraries_see_the_channels_that_our_client_is_subscribed_to() {
    let server = Server::start(ServerConfig::default()).await.unwrap();
    for library in libraries(&server) {
        let client = connect(&server, &library);
        for name in ["news", "private-x"] {
            client.subscribe(name).unwrap().detach();
        }
        server.wait_until(PATIENCE, |state| state.channels.len() == 2).await.unwrap();

        let all = library.call("channels", json!({"prefix": "private-", "info": "subscription_count"})).await.unwrap();
        assert_eq!(all, json!({"channels": {"private-x": {"subscription_count": 1}}}), "{}", library.name());
        let one = library.call("channel", json!({"channel": "news", "info": "subscription_count"})).await.unwrap();
        assert_eq!(one, json!({"occupied": true, "subscription_count": 1}));

        client.close(PATIENCE).await;
        server.wait_until(PATIENCE, |state| state.sockets.is_empty()).await.unwrap();
    }
}

async fn next_event(channel: &mut Channel) -> ChannelEvent {
    timeout(PATIENCE, async {
        loop {
            match channel.next().await.expect("the stream goes on") {
                ChannelItem::Event(event) => return event,
                ChannelItem::Subscribed { .. } => {}
                other => panic!("{other:?} comes instead of an event"),
            }
        }
    })
    .await
    .expect("an event in time")
}

fn app(server: &Server) -> App {
    let app = server.app().clone();
    App { id: app.id, key: app.key, secret: app.secret }
}

fn libraries(server: &Server) -> [Arc<ServerLibrary>; 2] {
    ServerLibrary::both(&server.base_url(), &app(server)).map(Arc::new)
}

/// A client whose backend uses the library.
fn connect(server: &Server, library: &Arc<ServerLibrary>) -> Client {
    let authorizer = LibraryAuthorizer { library: Arc::clone(library), user: "ada".to_owned() };
    Client::builder(server.socket_url().as_str(), &server.app().key).authorizer(authorizer).connect().unwrap()
}
