//! What is sent through the handles, who is on a channel, and the user.

use channels_client::{
    AuthenticationRequest, AuthorizationRequest, Authorizer, Channel, ChannelItem, ChannelState, Client, Item,
    TriggerError, UserItem, WaitError,
    proto::{self, Authorization, AuthorizationError, ClientEventError, SendError, SignInError, UserAuthentication},
};
use serde_json::{Value, json};

use crate::support::{Listener, Peer, eventually, options_for, soon};

/// Signs whatever it is asked for, as `ann`.
struct Ann;

impl Authorizer for Ann {
    async fn authorize(&self, request: AuthorizationRequest) -> Result<Authorization, AuthorizationError> {
        let mut authorization = Authorization::new(format!("key:signed-{}", request.socket_id));
        authorization.channel_data = Some(json!({"user_id": "ann"}).to_string());
        Ok(authorization)
    }

    async fn authenticate(&self, request: AuthenticationRequest) -> Result<UserAuthentication, AuthorizationError> {
        Ok(UserAuthentication::new(format!("key:user-{}", request.socket_id), json!({"id": "ann"}).to_string()))
    }
}

async fn connected(listener: &Listener) -> (Client, Peer) {
    let client = Client::with_options(options_for(listener)).authorizer(Ann).connect().unwrap();
    let peer = listener.establish("1.1").await;
    soon("the connection", client.wait_connected()).await.unwrap();
    (client, peer)
}

async fn subscribed(client: &Client, peer: &mut Peer, name: &str) -> Channel {
    let channel = client.subscribe(name).unwrap();
    peer.acknowledge_all(1).await;
    soon("the subscription", channel.wait_subscribed()).await.unwrap();
    channel
}

async fn until<R>(channel: &mut Channel, what: impl Fn(ChannelItem) -> Option<R>) -> R {
    soon("the item", async {
        loop {
            if let Some(found) = what(channel.next().await.expect("the stream goes on")) {
                return found;
            }
        }
    })
    .await
}

fn refused(result: Result<(), TriggerError>) -> proto::TriggerError {
    match result.unwrap_err() {
        TriggerError::Refused(error) => error,
        other => panic!("{other}"),
    }
}

async fn failure(channel: &mut Channel) -> (Option<Box<str>>, ClientEventError) {
    until(channel, |item| match item {
        ChannelItem::ClientEventFailed { event, error } => Some((event, error)),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn a_client_event_that_may_not_be_sent_is_an_error_of_that_call_alone() {
    let listener = Listener::bind().await;
    let (client, mut peer) = connected(&listener).await;
    let public = subscribed(&client, &mut peer, "public").await;
    let channel = subscribed(&client, &mut peer, "private-a").await;
    assert!(matches!(refused(public.trigger("client-x", &1)), proto::TriggerError::Kind { .. }));
    assert!(matches!(refused(channel.trigger("x", &1)), proto::TriggerError::Name { .. }));
    assert!(matches!(refused(channel.trigger("client-", &1)), proto::TriggerError::Name { .. }));
    let large = "x".repeat(10_000);
    let error = refused(channel.trigger("client-x", &large));
    assert!(matches!(error, proto::TriggerError::TooLarge { bytes: 10_002, limit: 10_000 }), "{error}");
    assert!(matches!(refused(channel.trigger_json("client-x", "{")), proto::TriggerError::NotJson(_)));
    let unwritable = std::collections::BTreeMap::from([((1, 2), 3)]);
    assert!(matches!(channel.trigger("client-x", &unwritable), Err(TriggerError::Data { .. })));
    channel.trigger("client-x", &json!({"id": 17})).unwrap();
    let sent = peer.next().await.unwrap();
    assert_eq!(sent, json!({"event": "client-x", "channel": "private-a", "data": {"id": 17}}));
    let other = channel.clone();
    channel.unsubscribe();
    assert!(matches!(refused(other.trigger("client-x", &1)), proto::TriggerError::NotSubscribed { .. }));
}

#[tokio::test]
async fn client_events_wait_for_the_acknowledgement_and_those_that_are_too_fast_fail_on_their_handle() {
    let listener = Listener::bind().await;
    let (client, mut peer) = connected(&listener).await;
    let mut other = subscribed(&client, &mut peer, "private-b").await;
    let mut channel = client.subscribe("private-a").unwrap();
    channel.trigger("client-x", &0).unwrap();
    channel.trigger("client-x", &1).unwrap();
    let (name, _) = peer.subscribe().await;
    peer.acknowledge(&name).await;
    let mut next = async || peer.next().await.unwrap()["data"].clone();
    assert_eq!((next().await, next().await), (json!(0), json!(1)));
    for number in 2..12 {
        channel.trigger("client-x", &number).unwrap();
    }
    let (event, error) = failure(&mut channel).await;
    let is_too_fast = matches!(error, ClientEventError::NotSent(proto::TriggerError::TooFast { limit: 10, .. }));
    assert!(is_too_fast && event.as_deref() == Some("client-x"), "{error}");
    assert!(matches!(other.try_next(), Some(ChannelItem::Subscribed { .. })));
    assert_eq!((other.try_next(), other.state()), (None, ChannelState::Subscribed));
}

#[tokio::test]
async fn a_client_event_that_the_server_refuses_or_that_waits_in_vain_is_told() {
    let listener = Listener::bind().await;
    let (client, mut peer) = connected(&listener).await;
    let mut channel = subscribed(&client, &mut peer, "private-a").await;
    channel.trigger("client-x", &1).unwrap();
    peer.next().await.unwrap();
    let error = json!({"code": 4301, "message": "not enabled"});
    peer.json(json!({"event": "pusher:error", "channel": "private-a", "data": error})).await;
    let (_, error) = failure(&mut channel).await;
    assert!(matches!(&error, ClientEventError::RejectedByServer { code: 4301, message } if message == "not enabled"));
    let mut items = client.items();
    let pending = client.subscribe("private-b").unwrap();
    pending.trigger("client-y", &1).unwrap();
    peer.subscribe().await;
    pending.unsubscribe();
    let failed = soon("the failure", async {
        loop {
            if let Some(Item::ClientEventFailed { channel, event, error }) = items.next().await {
                return (channel.to_string(), event, error);
            }
        }
    });
    let expected = ("private-b".to_owned(), Some("client-y".into()), ClientEventError::Unsubscribed);
    assert_eq!(failed.await, expected);
}

// A known defect of peers: the list was empty inside the callback of the acknowledgement.
#[tokio::test]
async fn the_members_are_there_when_the_subscription_is_told_and_stay_current() {
    let listener = Listener::bind().await;
    let (client, mut peer) = connected(&listener).await;
    let mut room = client.subscribe("presence-room").unwrap();
    let (handle, seen) = (room.clone(), std::sync::Arc::new(std::sync::Mutex::new(None)));
    let count = std::sync::Arc::clone(&seen);
    room.bind_all(move |item| {
        if matches!(item, ChannelItem::Subscribed { .. }) {
            *count.lock().unwrap() = handle.members().map(|members| members.count());
        }
    });
    assert_eq!(room.members(), None);
    peer.subscribe().await;
    let presence = json!({"presence": {"count": 2, "ids": ["ann", "bob"], "hash": {"ann": {"n": 1}, "bob": null}}});
    let message = "pusher_internal:subscription_succeeded";
    peer.json(json!({"event": message, "channel": "presence-room", "data": presence.to_string()})).await;
    eventually("the callback", || *seen.lock().unwrap() == Some(2)).await;
    let members = room.members().unwrap();
    assert_eq!(members.me().map(|me| me.id()), Some("ann"));
    assert_eq!(members.find("ann").and_then(|ann| ann.info()), Some(r#"{"n":1}"#));
    let mut change = async |event: &str, data: Value| {
        peer.json(json!({"event": event, "channel": "presence-room", "data": data.to_string()})).await;
    };
    change("pusher_internal:member_added", json!({"user_id": "cid"})).await;
    change("pusher_internal:member_removed", json!({"user_id": "bob"})).await;
    let left = until(&mut room, |item| match item {
        ChannelItem::MemberRemoved { member } => Some(member),
        _ => None,
    });
    assert_eq!(left.await.id(), "bob");
    let members = room.members().unwrap();
    assert_eq!(members.iter().map(proto::Member::id).collect::<Vec<_>>(), ["ann", "cid"]);
    client.disconnect();
    assert_eq!(room.members(), None);
}

#[tokio::test]
async fn a_raw_message_is_sent_as_it_is_or_the_caller_is_told_why_not() {
    let listener = Listener::bind().await;
    let (client, mut peer) = connected(&listener).await;
    assert_eq!(soon("the answer", client.send_event("hello", None, "[1]")).await, Ok(()));
    assert_eq!(peer.next().await.unwrap(), json!({"event": "hello", "data": [1]}));
    let error = soon("the answer", client.send_event("hello", None, "[")).await;
    assert!(matches!(error, Err(SendError::NotJson(_))), "{error:?}");
    client.disconnect();
    assert_eq!(soon("the answer", client.send_event("hello", None, "1")).await, Err(SendError::NotConnected));
}

#[tokio::test]
async fn the_user_is_signed_in_again_on_every_socket_and_gets_what_is_for_that_user() {
    let listener = Listener::bind().await;
    let (client, mut peer) = connected(&listener).await;
    let mut items = client.user_items();
    client.sign_in();
    for socket_id in ["1.1", "2.2"] {
        if socket_id != "1.1" {
            drop(peer);
            peer = listener.establish(socket_id).await;
        }
        let sign_in = peer.next().await.unwrap();
        assert_eq!(
            (&sign_in["event"], &sign_in["data"]["auth"]),
            (&json!("pusher:signin"), &json!(format!("key:user-{socket_id}")))
        );
        assert_eq!(client.user(), None);
        let data = json!({"user_data": json!({"id": "ann"}).to_string()}).to_string();
        peer.json(json!({"event": "pusher:signin_success", "data": data})).await;
        assert_eq!(soon("the user", client.wait_signed_in()).await.unwrap().id(), "ann");
        let (channel, _) = peer.subscribe().await;
        assert_eq!(channel, "#server-to-user-ann");
        peer.acknowledge(&channel).await;
        peer.event(&channel, "greeting", json!("hello")).await;
        let greeting = soon("the event", async {
            loop {
                if let Some(UserItem::Event(event)) = items.next().await {
                    return event;
                }
            }
        });
        assert_eq!(greeting.await.data(), "\"hello\"");
        let events = json!({"events": [{"name": "online", "user_ids": ["bob"]}]}).to_string();
        peer.json(json!({"event": "pusher_internal:watchlist_events", "data": events})).await;
        let online = soon("the watchlist", items.next()).await;
        assert_eq!(online, Some(UserItem::Watchlist { online: true, user_ids: vec!["bob".into()] }));
    }
    client.sign_out();
    assert_eq!(client.user(), None);
}

#[tokio::test]
async fn a_refused_sign_in_ends_the_wait_with_its_reason_and_no_channel() {
    let listener = Listener::bind().await;
    let (client, mut peer) = connected(&listener).await;
    let channel = subscribed(&client, &mut peer, "a").await;
    client.sign_in();
    peer.next().await.unwrap();
    let error = json!({"code": 4009, "message": "no users here"});
    peer.json(json!({"event": "pusher:error", "data": error})).await;
    let error = soon("the refusal", client.wait_signed_in()).await.unwrap_err();
    assert!(matches!(&error, WaitError::SignIn(SignInError::RejectedByServer { code: Some(4009), .. })), "{error}");
    assert!(channel.is_subscribed() && client.is_connected());
}
