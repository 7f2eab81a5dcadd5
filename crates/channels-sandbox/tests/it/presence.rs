//! Presence channels.

use channels_sandbox::{Fault, Member, Profile, RawData, Server, SocketFault, Sockets};
use serde_json::{Value, json};

use crate::{
    clients::{End, PATIENCE, Ws},
    support::{inner, join, sign_in, start},
};

const CHANNEL: &str = "presence-x";
const WITH_MEMBERS: [Profile; 4] = [Profile::Pusher7, Profile::Reverb, Profile::Sockudo, Profile::Soketi];

/// A member named like the id; returns what the acknowledgement says.
async fn joined(server: &Server, id: &str) -> (Ws, Value) {
    let mut ws = Ws::connect(server).await;
    join(&mut ws, server, CHANNEL, &json!({"user_id": id, "user_info": {"name": id}}).to_string()).await;
    let acknowledgement = ws.event().await;
    assert_eq!(acknowledgement["event"], "pusher_internal:subscription_succeeded");
    (ws, inner(&acknowledgement))
}

#[tokio::test]
async fn who_subscribes_learns_the_members_and_the_others_learn_of_it() {
    for profile in WITH_MEMBERS {
        let server = start(profile).await;
        let (mut ann, alone) = joined(&server, "ann").await;
        let expected = json!({"count": 1, "ids": ["ann"], "hash": {"ann": {"name": "ann"}}});
        assert_eq!(alone, json!({"presence": expected}), "{profile}");
        let (mut bob, both) = joined(&server, "bob").await;
        let expected =
            json!({"count": 2, "ids": ["ann", "bob"], "hash": {"ann": {"name": "ann"}, "bob": {"name": "bob"}}});
        assert_eq!(both, json!({"presence": expected}), "{profile}");

        let added = ann.event().await;
        assert_eq!((&added["event"], &added["channel"]), (&json!("pusher_internal:member_added"), &json!(CHANNEL)));
        assert_eq!(inner(&added), json!({"user_id": "bob", "user_info": {"name": "bob"}}), "{profile}");
        bob.round_trip().await;

        bob.send(r#"{"event":"pusher:unsubscribe","data":{"channel":"presence-x"}}"#).await;
        bob.round_trip().await;
        let removed = ann.event().await;
        assert_eq!(removed["event"], "pusher_internal:member_removed");
        assert_eq!(inner(&removed), json!({"user_id": "bob"}), "{profile}");
        assert_eq!(server.state().member_ids(CHANNEL), ["ann"]);
    }
}

#[tokio::test]
async fn a_user_with_two_connections_is_one_member_with_the_info_of_the_first() {
    for profile in WITH_MEMBERS {
        let server = start(profile).await;
        let (mut ann, _) = joined(&server, "ann").await;
        let (first, _) = joined(&server, "bob").await;
        let mut second = Ws::connect(&server).await;
        join(&mut second, &server, CHANNEL, r#"{"user_id":"bob","user_info":{"name":"another"}}"#).await;
        let presence = inner(&second.event().await)["presence"].take();
        assert_eq!((&presence["count"], &presence["hash"]["bob"]), (&json!(2), &json!({"name": "bob"})), "{profile}");
        let bob = Member { user_id: "bob".into(), user_info: Some(json!({"name": "bob"})), connections: 2 };
        assert_eq!(server.members(CHANNEL)[1], bob);

        assert_eq!(ann.event().await["event"], "pusher_internal:member_added");
        drop(first);
        server.wait_until(PATIENCE, |state| state.sockets.len() == 2).await.unwrap();
        ann.round_trip().await;
        drop(second);
        assert_eq!(inner(&ann.event().await), json!({"user_id": "bob"}), "{profile}");
    }
}

#[tokio::test]
async fn a_numeric_id_is_what_each_server_makes_of_it() {
    for (profile, id) in [(Profile::Pusher7, json!("7")), (Profile::Reverb, json!(7)), (Profile::Soketi, json!(7))] {
        let server = start(profile).await;
        let mut ws = Ws::connect(&server).await;
        join(&mut ws, &server, CHANNEL, r#"{"user_id":7}"#).await;
        let presence = inner(&ws.event().await)["presence"].take();
        assert_eq!(presence, json!({"count": 1, "ids": [id], "hash": {"7": null}}), "{profile}");
        assert_eq!(server.state().member_ids(CHANNEL), ["7"]);
    }
    let server = start(Profile::Sockudo).await;
    let mut ws = Ws::connect(&server).await;
    join(&mut ws, &server, CHANNEL, r#"{"user_id":7}"#).await;
    assert_eq!(ws.event().await["data"]["code"], 4300);
}

#[tokio::test]
async fn a_member_without_an_id_is_refused_or_empties_the_list_of_reverb() {
    for (profile, status) in [(Profile::Pusher7, 400), (Profile::Soketi, 4302)] {
        let server = start(profile).await;
        let mut ws = Ws::connect(&server).await;
        join(&mut ws, &server, CHANNEL, "{}").await;
        assert_eq!(ws.event().await["data"]["status"], status, "{profile}");
    }
    let server = start(Profile::Reverb).await;
    let (mut ann, _) = joined(&server, "ann").await;
    let mut ws = Ws::connect(&server).await;
    join(&mut ws, &server, CHANNEL, "{}").await;
    assert_eq!(inner(&ws.event().await), json!({"presence": {"count": 0, "ids": [], "hash": []}}));
    assert_eq!(inner(&ann.event().await), json!({}), "member_added has the whole channel data");
    drop(ws);
    server.wait_until(PATIENCE, |state| state.sockets.len() == 1).await.unwrap();
    ann.round_trip().await;
}

#[tokio::test]
async fn a_signature_covers_the_channel_data() {
    let server = start(Profile::Pusher7).await;
    let mut ws = Ws::connect(&server).await;
    let auth = server.app().authorize(&ws.socket_id, CHANNEL, Some(r#"{"user_id":"ann"}"#));
    let data = json!({"channel": CHANNEL, "auth": auth, "channel_data": r#"{"user_id":"bob"}"#});
    ws.send(&json!({"event": "pusher:subscribe", "data": data}).to_string()).await;
    assert_eq!(ws.event().await["data"]["status"], 401);
    assert_eq!(server.members(CHANNEL), []);
}

#[tokio::test]
async fn who_is_signed_in_to_pusher_needs_no_channel_data() {
    let server = start(Profile::Pusher7).await;
    let mut ws = Ws::connect(&server).await;
    sign_in(&mut ws, &server, r#"{"id":"ann","user_info":{"name":"Ann"}}"#).await;
    ws.event().await;
    let auth = server.app().authorize(&ws.socket_id, CHANNEL, None);
    ws.subscribe_with(CHANNEL, &auth).await;
    let presence = inner(&ws.event().await)["presence"].take();
    assert_eq!(presence["hash"], json!({"ann": {"name": "Ann"}}));
}

#[tokio::test]
async fn an_acknowledgement_can_have_any_data_and_members_can_come_and_go_that_never_were() {
    let server = start(Profile::Pusher7).await;
    let (mut ann, _) = joined(&server, "ann").await;
    let data = RawData::presence(&(0..10_001).map(Value::from).collect::<Vec<_>>());
    server.inject(Fault::once(SocketFault::Acknowledge { channel: Some("presence-*".into()), data }));
    let (_bob, many) = joined(&server, "bob").await;
    assert_eq!(many["presence"]["ids"].as_array().unwrap().len(), 10_001);
    ann.event().await;

    server.tell_member_added(CHANNEL, json!("ann"), None).await;
    assert_eq!(inner(&ann.event().await), json!({"user_id": "ann"}));
    server.tell_member_removed(CHANNEL, json!(17)).await;
    assert_eq!(inner(&ann.event().await), json!({"user_id": 17}));
    assert_eq!(server.state().member_ids(CHANNEL), ["ann", "bob"]);
}

/// More changes than the queue of a socket holds events.
#[tokio::test]
async fn everybody_who_comes_and_goes_is_told_in_order_even_to_one_who_does_not_read() {
    let server = start(Profile::Pusher7).await;
    let (mut ann, _) = joined(&server, "ann").await;
    let mut bob = Ws::connect(&server).await;
    assert_eq!(server.stall(&Sockets::Id(ann.socket_id.clone())), 1);
    for _ in 0..6 {
        for _ in 0..100 {
            join(&mut bob, &server, CHANNEL, r#"{"user_id":"bob"}"#).await;
            bob.send(r#"{"event":"pusher:unsubscribe","data":{"channel":"presence-x"}}"#).await;
        }
        for _ in 0..100 {
            bob.event().await;
        }
    }
    bob.round_trip().await;
    assert_eq!(server.resume(&Sockets::Id(ann.socket_id.clone())), 1);
    for _ in 0..600 {
        assert_eq!(ann.event().await["event"], "pusher_internal:member_added");
        assert_eq!(ann.event().await["event"], "pusher_internal:member_removed");
    }
    ann.round_trip().await;
}

/// push1st does not know its members, and dies of one with a text for an id.
#[tokio::test]
async fn push1st_knows_no_members() {
    let server = start(Profile::Push1st).await;
    let mut ws = Ws::connect(&server).await;
    join(&mut ws, &server, CHANNEL, r#"{"user_id":7}"#).await;
    assert_eq!(inner(&ws.event().await), json!({"presence": {"count": 0, "hash": {}, "ids": []}}));
    join(&mut ws, &server, CHANNEL, r#"{"user_id":"7"}"#).await;
    assert_eq!(ws.end().await, End::Dropped);
    assert_eq!(server.state().crashes, 1);
}
