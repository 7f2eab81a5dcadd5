//! Our client and every kind of channel, beside pusher-js and served by Pusher's server libraries: at Sockudo, and at the
//! sandbox in each profile that has them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a failure ends the test, and most look for one kind of item"
)]

use std::time::Duration;

use channels_client::proto::Member;
use channels_client::{Channel, ChannelEvent, ChannelItem, UserItem, UserItems};
use e2e::Place;
use serde_json::{Value, json};
use tokio::time::timeout;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn our_client_and_pusher_js_see_each_other_come_and_go() {
    for place in Place::all().await {
        let [library, _] = place.libraries();
        let client = place.connect(&library, "ada");
        let mut room = client.subscribe("presence-room").unwrap();
        let members = until(&mut room, members).await;
        assert_eq!((members.count(), members.me().map(Member::id)), (1, Some("ada")), "{}", place.name);

        let mut bob = place.start_pusher_js("bob", &["presence-room"]);
        let seen = bob.next("subscribed").await["members"]["ids"].clone();
        assert_eq!(seen, json!(["ada", "bob"]), "{}", place.name);
        let added = until(&mut room, added).await;
        let info: Value = serde_json::from_str(added.info().unwrap()).unwrap();
        assert_eq!((added.id(), info), ("bob", json!({"name": "bob"})), "{}", place.name);
        assert_eq!(room.members().unwrap().count(), 2, "{}", place.name);

        bob.command(&json!({"do": "unsubscribe", "channel": "presence-room"})).await;
        assert_eq!(until(&mut room, removed).await.id(), "bob", "{}", place.name);

        bob.command(&json!({"do": "subscribe", "channel": "presence-room"})).await;
        bob.next("subscribed").await;
        until(&mut room, self::added).await;
        client.disconnect();
        assert_eq!(bob.next("member_removed").await["data"]["id"], "ada", "{}", place.name);
    }
}

#[tokio::test]
async fn our_client_reads_what_both_server_libraries_encrypt() {
    for place in Place::all().await {
        for library in place.libraries() {
            let client = place.connect(&library, "ada");
            let mut secret = client.subscribe("private-encrypted-x").unwrap();
            secret.wait_subscribed().await.unwrap();

            let data = json!({"id": 1, "city": "Żory"});
            let one = json!({"channels": ["private-encrypted-x"], "event": "added", "data": data});
            library.call("trigger", one).await.unwrap();
            let batched = |id: u32| json!({"channel": "private-encrypted-x", "name": "added", "data": {"id": id}});
            library.call("trigger_batch", json!({"batch": [batched(2), batched(3)]})).await.unwrap();

            let first: Value = until(&mut secret, event).await.json().unwrap();
            assert_eq!(first, data, "{}, {}", place.name, library.name());
            for id in [2, 3] {
                let next: Value = until(&mut secret, event).await.json().unwrap();
                assert_eq!(next, json!({"id": id}), "{}, {}", place.name, library.name());
            }
        }
    }
}

#[tokio::test]
async fn our_client_is_told_that_a_cache_channel_is_empty_and_later_its_last_event() {
    for place in Place::all().await {
        let [library, _] = place.libraries();
        // Reverb keeps nothing of an encrypted channel.
        let is_reverb = place.name.ends_with("reverb");
        let names = ["cache-x", "private-cache-x", "private-encrypted-cache-x"];
        for name in names.into_iter().take(if is_reverb { 2 } else { 3 }) {
            let early = place.connect(&library, "ada");
            let mut channel = early.subscribe(name).unwrap();
            until(&mut channel, |item| matches!(item, ChannelItem::CacheMiss).then_some(())).await;
            library.call("trigger", json!({"channels": [name], "event": "added", "data": {"id": 17}})).await.unwrap();
            until(&mut channel, event).await;

            let late = place.connect(&library, "bob");
            let mut channel = late.subscribe(name).unwrap();
            let cached: Value = until(&mut channel, event).await.json().unwrap();
            assert_eq!(cached, json!({"id": 17}), "{}, {name}", place.name);
        }
    }
}

// Python's library sends the sum of the empty body of a GET, which Sockudo refuses.
#[tokio::test]
async fn the_server_libraries_see_the_members_that_our_client_is_one_of() {
    for place in Place::all().await {
        for library in place.libraries() {
            let client = place.connect(&library, "ada");
            let room = client.subscribe("presence-room").unwrap();
            room.wait_subscribed().await.unwrap();
            if library.name().starts_with("Python") && place.name.to_lowercase().ends_with("sockudo") {
                let error = library.call("users", json!({"channel": "presence-room"})).await.unwrap_err();
                assert!(error.name == "PusherBadAuth" && error.text.contains("body_md5"), "{}: {error:?}", place.name);
                continue;
            }
            let users = library.call("users", json!({"channel": "presence-room"})).await.unwrap();
            assert_eq!(users, json!({"users": [{"id": "ada"}]}), "{}, {}", place.name, library.name());
            let info = json!({"channel": "presence-room", "info": "user_count"});
            let info = library.call("channel", info).await.unwrap();
            assert_eq!((&info["occupied"], &info["user_count"]), (&json!(true), &json!(1)), "{}", place.name);
        }
    }
}

// Sockudo says nothing of who sent a client event.
#[tokio::test]
async fn client_events_go_both_ways_between_our_client_and_pusher_js() {
    for place in Place::all().await {
        let [library, _] = place.libraries();
        let client = place.connect(&library, "ada");
        let mut room = client.subscribe("presence-room").unwrap();
        room.wait_subscribed().await.unwrap();
        let mut bob = place.start_pusher_js("bob", &["presence-room"]);
        bob.next("subscribed").await;
        let names_senders = !place.name.to_lowercase().ends_with("sockudo");

        room.trigger("client-typing", &json!({"at": 3})).unwrap();
        let bound = bob.next("bound").await;
        assert_eq!((&bound["event"], &bound["data"]), (&json!("client-typing"), &json!({"at": 3})), "{}", place.name);
        assert_eq!(bound["user"], if names_senders { json!("ada") } else { Value::Null }, "{}", place.name);

        let typing = json!({"do": "trigger", "channel": "presence-room", "event": "client-typing", "data": {"at": 4}});
        bob.command(&typing).await;
        let event = until(&mut room, event).await;
        assert_eq!(
            (event.name(), event.user_id()),
            ("client-typing", names_senders.then_some("bob")),
            "{}",
            place.name
        );
        assert_eq!(event.json::<Value>().unwrap(), json!({"at": 4}), "{}", place.name);
    }
}

// Reverb has no sign-in.
#[tokio::test]
async fn our_client_signs_in_reads_what_is_sent_to_its_user_and_is_ended_by_npms_library() {
    for place in Place::all().await.into_iter().filter(|place| !place.name.ends_with("reverb")) {
        let libraries = place.libraries();
        let client = place.connect(&libraries[0], "ada");
        let mut items = client.user_items();
        client.sign_in();
        assert_eq!(client.wait_signed_in().await.unwrap().id(), "ada", "{}", place.name);
        if place.name.ends_with("pusher7") {
            // Only there must the channel of the user be subscribed to.
            place.sandbox.wait_until(PATIENCE, |state| state.subscribers("#server-to-user-ada") == 1).await.unwrap();
        }
        for library in &libraries {
            let event = json!({"user": "ada", "event": "greeting", "data": {"from": library.name()}});
            library.call("send_to_user", event).await.unwrap();
            let greeting = user_event(&mut items).await;
            assert_eq!(greeting.name(), "greeting", "{}", place.name);
            assert_eq!(greeting.json::<Value>().unwrap(), json!({"from": library.name()}), "{}", place.name);
        }

        let ended = client.socket_id();
        let mut states = client.watch_state();
        libraries[0].call("terminate", json!({"user": "ada"})).await.unwrap();
        let is_other = states.wait_for(|_| client.socket_id() != ended);
        drop(timeout(PATIENCE, is_other).await.expect("the connection is ended"));
    }
}

async fn user_event(items: &mut UserItems) -> ChannelEvent {
    timeout(PATIENCE, async {
        loop {
            if let UserItem::Event(event) = items.next().await.expect("the stream goes on") {
                return event;
            }
        }
    })
    .await
    .expect("an event for the user in time")
}

/// Passes over everything up to the first item for which `wanted` has an answer.
async fn until<T>(channel: &mut Channel, wanted: impl Fn(&ChannelItem) -> Option<T>) -> T {
    let mut passed = Vec::new();
    let found = timeout(PATIENCE, async {
        loop {
            let item = channel.next().await.expect("the stream goes on");
            if let Some(answer) = wanted(&item) {
                return answer;
            }
            passed.push(item);
        }
    });
    match found.await {
        Ok(answer) => answer,
        Err(_) => panic!("it did not happen to {} in time; what did: {passed:#?}", channel.name()),
    }
}

fn event(item: &ChannelItem) -> Option<ChannelEvent> {
    match item {
        ChannelItem::Event(event) => Some(event.clone()),
        _ => None,
    }
}

fn members(item: &ChannelItem) -> Option<channels_client::proto::Members> {
    match item {
        ChannelItem::Subscribed { members, .. } => members.clone(),
        _ => None,
    }
}

fn added(item: &ChannelItem) -> Option<Member> {
    match item {
        ChannelItem::MemberAdded { member } => Some(member.clone()),
        _ => None,
    }
}

fn removed(item: &ChannelItem) -> Option<Member> {
    match item {
        ChannelItem::MemberRemoved { member } => Some(member.clone()),
        _ => None,
    }
}
