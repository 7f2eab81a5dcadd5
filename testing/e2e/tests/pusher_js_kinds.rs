//! pusher-js against the sandbox of a Pusher server: every kind of channel, client events, users and a reconnect.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure ends the test")]

use std::time::Duration;

use channels_sandbox::{Features, Profile, RawData, RawPush, Server, ServerConfig, Sockets};
use e2e::PusherJs;
use serde_json::{Value, json};

/// Longer than pusher-js takes for anything here.
const PATIENCE: Duration = Duration::from_secs(60);
/// The profiles that serve presence, client events and cache channels: push1st does not.
const PROFILES: [Profile; 4] = [Profile::Pusher7, Profile::Reverb, Profile::Sockudo, Profile::Soketi];

#[tokio::test]
async fn pusher_js_sees_the_members_come_and_go() {
    for profile in PROFILES {
        let server = start(profile).await;
        let mut ada = connect(&server, "ada", &["presence-room"]);
        let alone = json!({"count": 1, "me": {"id": "ada", "info": {"name": "ada"}}, "ids": ["ada"]});
        assert_eq!(ada.next("subscribed").await["members"], alone, "{profile}");

        let mut bob = connect(&server, "bob", &["presence-room"]);
        let both = json!({"count": 2, "me": {"id": "bob", "info": {"name": "bob"}}, "ids": ["ada", "bob"]});
        assert_eq!(bob.next("subscribed").await["members"], both, "{profile}");
        let of_bob = json!({"id": "bob", "info": {"name": "bob"}});
        assert_eq!(ada.next("member_added").await["data"], of_bob, "{profile}");

        bob.command(&json!({"do": "unsubscribe", "channel": "presence-room"})).await;
        assert_eq!(ada.next("member_removed").await["data"], of_bob, "{profile}");
        ada.command(&json!({"do": "members", "channel": "presence-room"})).await;
        assert_eq!(ada.next("members").await["ids"], json!(["ada"]), "{profile}");
    }
}

#[tokio::test]
async fn pusher_js_decrypts_what_is_published_on_an_encrypted_channel() {
    for profile in Profile::ALL {
        let server = start(profile).await;
        let mut client = connect(&server, "ada", &["private-encrypted-x"]);
        client.next("subscribed").await;
        server.publish_encrypted("private-encrypted-x".to_owned(), "added".to_owned(), r#"{"id":17}"#).await;
        let event = client.next("event").await;
        assert_eq!((&event["event"], &event["data"]), (&json!("added"), &json!({"id": 17})), "{profile}");
    }
}

#[tokio::test]
async fn pusher_js_is_told_that_a_cache_channel_is_empty_and_later_its_last_event() {
    for profile in PROFILES {
        let server = start(profile).await;
        let channels = ["cache-x", "private-cache-x", "presence-cache-x"];
        let mut early = connect(&server, "ada", &channels);
        let mut missed = Vec::new();
        for _ in channels {
            missed.push(early.next("cache_miss").await["channel"].as_str().unwrap().to_owned());
        }
        missed.sort();
        assert_eq!(missed, ["cache-x", "presence-cache-x", "private-cache-x"], "{profile}");

        for (channel, number) in channels.into_iter().zip(["1", "2", "3"]) {
            publish(&server, channel, number).await;
        }
        let mut late = connect(&server, "bob", &channels);
        let mut cached = Vec::new();
        for _ in channels {
            let event = late.next("event").await;
            cached.push((event["channel"].as_str().unwrap().to_owned(), event["data"].clone()));
        }
        cached.sort_by(|one, other| one.0.cmp(&other.0));
        let expected = [("cache-x", 1), ("presence-cache-x", 3), ("private-cache-x", 2)];
        assert_eq!(cached, expected.map(|(channel, number)| (channel.to_owned(), json!(number))), "{profile}");
    }
}

#[tokio::test]
async fn client_events_go_from_one_pusher_js_to_another() {
    for profile in PROFILES {
        let server = start(profile).await;
        let mut ada = connect(&server, "ada", &["presence-room"]);
        let mut bob = connect(&server, "bob", &["presence-room"]);
        ada.next("subscribed").await;
        bob.next("subscribed").await;

        let typing = json!({"do": "trigger", "channel": "presence-room", "event": "client-typing", "data": {"at": 3}});
        ada.command(&typing).await;
        assert_eq!(ada.next("triggered").await["sent"], true);
        let bound = bob.next("bound").await;
        assert_eq!((&bound["event"], &bound["data"]), (&json!("client-typing"), &json!({"at": 3})), "{profile}");
        let sender = if profile == Profile::Sockudo { Value::Null } else { json!("ada") };
        assert_eq!(bound["user"], sender, "{profile}");
    }
}

#[tokio::test]
async fn pusher_js_signs_in_and_receives_the_events_of_its_user() {
    for profile in [Profile::Pusher7, Profile::Sockudo, Profile::Soketi] {
        let server = start(profile).await;
        let mut client = connect(&server, "ada", &[]);
        client.command(&json!({"do": "signin"})).await;
        let user = client.next("signed_in").await["user"].clone();
        assert_eq!(user["id"], "ada", "{profile}");
        server.wait_until(PATIENCE, |state| state.subscribers("#server-to-user-ada") == 1).await.unwrap();

        server.publish_to_user("ada", "greeting".to_owned(), RawData::Text(r#""hello""#.to_owned())).await;
        let event = client.next("user_event").await;
        assert_eq!((&event["event"], &event["data"]), (&json!("greeting"), &json!("hello")), "{profile}");
    }
}

#[tokio::test]
async fn pusher_js_watches_who_comes_and_who_leaves() {
    let server = start(Profile::Pusher7).await;
    let mut ada = PusherJs::start(&options(&server, "ada", &[], "bob"));
    ada.command(&json!({"do": "signin"})).await;
    let watched = async |ada: &mut PusherJs| {
        let record = ada.next("watchlist").await;
        (record["event"].as_str().unwrap().to_owned(), record["data"]["user_ids"].clone())
    };
    assert_eq!(watched(&mut ada).await, ("offline".to_owned(), json!(["bob"])));

    let mut bob = connect(&server, "bob", &[]);
    bob.command(&json!({"do": "signin"})).await;
    assert_eq!(watched(&mut ada).await, ("online".to_owned(), json!(["bob"])));
    drop(bob);
    assert_eq!(watched(&mut ada).await, ("offline".to_owned(), json!(["bob"])));
}

#[tokio::test]
async fn pusher_js_is_told_how_many_are_subscribed() {
    let features = Features { subscription_count: true, ..Features::default() };
    let server = Server::start(ServerConfig { features, ..ServerConfig::default() }).await.unwrap();
    let mut ada = connect(&server, "ada", &["private-x"]);
    assert_eq!(ada.next("subscription_count").await["data"], json!({"subscription_count": 1}));
    let _bob = connect(&server, "bob", &["private-x"]);
    assert_eq!(ada.next("subscription_count").await["data"], json!({"subscription_count": 2}));
}

#[tokio::test]
async fn after_a_reconnect_pusher_js_has_its_channels_its_members_and_its_user_again() {
    for profile in [Profile::Pusher7, Profile::Sockudo, Profile::Soketi] {
        let server = start(profile).await;
        let mut client = connect(&server, "ada", &["private-encrypted-x", "presence-room"]);
        for _ in 0..2 {
            client.next("subscribed").await;
        }
        client.command(&json!({"do": "signin"})).await;
        client.next("signed_in").await;
        server.wait_until(PATIENCE, |state| state.subscribers("#server-to-user-ada") == 1).await.unwrap();

        server.cut(&Sockets::All);
        let is_back = |state: &channels_sandbox::ServerState| {
            state.sockets_ever == 2
                && ["private-encrypted-x", "presence-room", "#server-to-user-ada"]
                    .iter()
                    .all(|channel| state.subscribers(channel) == 1)
        };
        server.wait_until(PATIENCE, is_back).await.unwrap();
        for _ in 0..2 {
            let subscribed = client.next("subscribed").await;
            if subscribed["channel"] == "presence-room" {
                assert_eq!(subscribed["members"]["ids"], json!(["ada"]), "{profile}");
            }
        }
        server.publish_encrypted("private-encrypted-x".to_owned(), "added".to_owned(), "17").await;
        assert_eq!(client.next("event").await["data"], 17, "{profile}");
        server.publish_to_user("ada", "greeting".to_owned(), RawData::Text("18".to_owned())).await;
        assert_eq!(client.next("user_event").await["data"], 18, "{profile}");
    }
}

async fn start(profile: Profile) -> Server {
    Server::start(ServerConfig::with_profile(profile)).await.unwrap()
}

fn connect(server: &Server, user: &str, channels: &[&str]) -> PusherJs {
    PusherJs::start(&options(server, user, channels, ""))
}

/// Everybody is authorized by the endpoint of the sandbox.
fn options(server: &Server, user: &str, channels: &[&str], watchlist: &str) -> Value {
    let mut headers = json!({"x-user-id": user, "x-user-info": json!({"name": user}).to_string()});
    if !watchlist.is_empty() {
        headers["x-watchlist"] = watchlist.into();
    }
    json!({
        "key": server.app().key,
        "host": server.local_addr().ip(),
        "port": server.local_addr().port(),
        "path": "/pusher",
        "authorization": {
            "endpoint": format!("{}/pusher/auth", server.base_url()),
            "user_endpoint": format!("{}/pusher/user-auth", server.base_url()),
            "headers": headers,
        },
        "channels": channels,
        "events": ["client-typing"],
    })
}

async fn publish(server: &Server, channel: &str, data: &str) {
    let data = RawData::Text(data.to_owned());
    server.publish(RawPush { channel: channel.to_owned(), event: "e".to_owned(), data, except: None }).await;
}
