//! The client of handles.

use std::time::Duration;

use channels_client::{
    BuildError, Channel, ChannelItem, ChannelState, Client, Continuity, Item, QueueLimits, SubscribeError,
    TriggerError, WaitError,
    proto::{self, AppKeyError, ChannelKind, ChannelNameError, ConnectionError, ConnectionState, OptionError},
};
use futures_util::FutureExt;
use serde_json::json;

use crate::support::{Listener, Peer, Signer, eventually, options_for, soon};

/// A client of `listener` that is connected.
async fn connected(listener: &Listener) -> (Client, Peer) {
    let client = Client::with_options(options_for(listener)).authorizer(Signer).connect().unwrap();
    let peer = listener.establish("1.1").await;
    soon("the connection", client.wait_connected()).await.unwrap();
    (client, peer)
}

async fn subscribed(client: &Client, peer: &mut Peer, name: &str) -> Channel {
    let mut channel = client.subscribe(name).unwrap();
    peer.acknowledge_all(1).await;
    assert_eq!(next(&mut channel).await, FRESH);
    channel
}

async fn next(channel: &mut Channel) -> ChannelItem {
    soon("an item", channel.next()).await.expect("the stream goes on")
}

async fn next_event(channel: &mut Channel) -> (String, String) {
    match next(channel).await {
        ChannelItem::Event(event) => (event.name().to_owned(), event.data().to_owned()),
        other => panic!("{other:?}"),
    }
}

fn event(name: &str, data: &str) -> (String, String) {
    (name.to_owned(), data.to_owned())
}

const FRESH: ChannelItem = ChannelItem::Subscribed { continuity: Continuity::Fresh, members: None };

#[tokio::test]
async fn a_channel_yields_its_own_events_and_those_of_no_other() {
    let listener = Listener::bind().await;
    let (client, mut peer) = connected(&listener).await;
    let mut a = subscribed(&client, &mut peer, "a").await;
    let mut b = subscribed(&client, &mut peer, "b").await;
    peer.event("a", "one", json!({"id": 1})).await;
    peer.event("b", "two", json!(2)).await;
    peer.event("a", "three", json!("x")).await;
    assert_eq!(next_event(&mut a).await, event("one", r#"{"id":1}"#));
    assert_eq!(next_event(&mut a).await, event("three", "\"x\""));
    assert_eq!(next_event(&mut b).await, event("two", "2"));
    assert_eq!((a.try_next(), b.try_next()), (None, None));
    assert_eq!((a.name().as_str(), a.kind()), ("a", ChannelKind::Public));
}

#[tokio::test]
async fn the_data_of_an_event_is_parsed_where_it_is_json() {
    let listener = Listener::bind().await;
    let (client, mut peer) = connected(&listener).await;
    let mut channel = subscribed(&client, &mut peer, "a").await;
    peer.event("a", "e", json!({"id": 17})).await;
    peer.json(json!({"event": "e", "channel": "a", "data": {"id": 18}, "user_id": "u"})).await;
    peer.json(json!({"event": "e", "channel": "a", "data": "plain text"})).await;
    peer.json(json!({"event": "e", "channel": "a"})).await;
    let mut events = Vec::new();
    while events.len() < 4 {
        if let ChannelItem::Event(event) = next(&mut channel).await {
            events.push(event);
        }
    }
    let id = |at: usize| events[at].json::<serde_json::Value>().map(|data| data["id"].clone()).ok();
    assert_eq!([id(0), id(1), id(2), id(3)], [Some(json!(17)), Some(json!(18)), None, None]);
    assert_eq!((events[2].data(), events[3].data()), ("plain text", ""));
    assert_eq!((events[0].user_id(), events[1].user_id()), (None, Some("u")));
    assert!(events.iter().all(|event| event.defect().is_none() && event.channel().as_str() == "a"));
}

#[tokio::test]
async fn waiting_for_the_connection_and_the_subscription_ends_when_they_are_there() {
    let listener = Listener::bind().await;
    let client = Client::with_options(options_for(&listener)).authorizer(Signer).build().unwrap();
    let channel = client.subscribe("private-a").unwrap();
    let mut state = client.watch_state();
    assert_eq!((*state.borrow_and_update(), channel.state()), (ConnectionState::Disconnected, ChannelState::Pending));
    assert!(client.wait_connected().now_or_never().is_none());
    client.open();
    let mut peer = listener.establish("4.2").await;
    assert_eq!(soon("the id", client.wait_connected()).await.unwrap().as_str(), "4.2");
    soon("the state", state.wait_for(|state| *state == ConnectionState::Connected)).await.unwrap();
    assert!(channel.wait_subscribed().now_or_never().is_none());
    peer.acknowledge_all(1).await;
    soon("the subscription", channel.wait_subscribed()).await.unwrap();
    assert!(channel.is_subscribed() && client.is_connected());
    assert_eq!(client.socket_id().unwrap().as_str(), "4.2");
}

#[tokio::test]
async fn waiting_ends_with_the_reason_when_the_server_refuses_for_good() {
    let listener = Listener::bind().await;
    let client = Client::with_options(options_for(&listener)).connect().unwrap();
    let mut channel = client.subscribe("a").unwrap();
    let mut peer = listener.accept().await.upgrade().await;
    peer.json(json!({"event": "pusher:error", "data": {"code": 4001, "message": "no such app"}})).await;
    peer.close(4001, "no such app").await;
    let is_refusal = |error: &WaitError| {
        assert!(std::error::Error::source(error).is_some());
        matches!(error, WaitError::Refused(ConnectionError::Refused { code: 4001, .. }))
    };
    let error = soon("the end", client.wait_connected()).await.unwrap_err();
    assert!(is_refusal(&error), "{error}");
    let error = soon("the end", channel.wait_subscribed()).await.unwrap_err();
    assert!(is_refusal(&error), "{error}");
    assert_eq!(soon("the end of the stream", channel.next()).await, None);
    client.open();
    let mut peer = listener.establish("1.1").await;
    peer.acknowledge_all(1).await;
    assert_eq!(next(&mut channel).await, FRESH);
    soon("the connection", client.wait_connected()).await.unwrap();
}

#[tokio::test]
async fn a_failed_subscription_ends_the_wait_with_its_reason_and_touches_no_other_channel() {
    let listener = Listener::bind().await;
    let (client, mut peer) = connected(&listener).await;
    let mut good = subscribed(&client, &mut peer, "good").await;
    let mut bad = client.subscribe("bad").unwrap();
    peer.subscribe().await;
    let error = json!({"type": "AuthError", "error": "no", "status": 403});
    peer.json(json!({"event": "pusher:subscription_error", "channel": "bad", "data": error})).await;
    let error = soon("the failure", bad.wait_subscribed()).await.unwrap_err();
    assert!(matches!(&error, WaitError::Subscription(_)), "{error}");
    assert!(matches!(bad.state(), ChannelState::Failed(_)));
    assert!(matches!(next(&mut bad).await, ChannelItem::Failed { failures: 1, retry_in: Some(_), .. }));
    peer.event("good", "e", json!(1)).await;
    assert_eq!(next_event(&mut good).await, event("e", "1"));
}

// S18
#[tokio::test]
async fn a_bad_name_or_kind_is_an_error_of_that_call_alone() {
    let listener = Listener::bind().await;
    let client = Client::with_options(options_for(&listener)).connect().unwrap();
    let mut peer = listener.establish("1.1").await;
    let name_error = |name: &str| match client.subscribe(name).unwrap_err() {
        SubscribeError::Name(error) => error,
        other => panic!("{other}"),
    };
    assert_eq!(name_error(""), ChannelNameError::Empty);
    assert_eq!(name_error(&"a".repeat(165)), ChannelNameError::TooLong { length: 165 });
    assert!(matches!(name_error("a b"), ChannelNameError::Character { character: ' ', .. }));
    let error = client.subscribe("private-a").unwrap_err();
    assert!(matches!(&error, SubscribeError::NoAuthorizer { channel } if channel.as_str() == "private-a"), "{error}");
    let error = client.subscribe("#server-to-user-1").unwrap_err();
    assert!(matches!(error, SubscribeError::Refused(proto::SubscribeError::UnsupportedKind { .. })), "{error}");
    assert!(client.channels().is_empty());
    let mut good = subscribed(&client, &mut peer, "good").await;
    peer.event("good", "e", json!(1)).await;
    assert_eq!(next_event(&mut good).await, event("e", "1"));
}

#[tokio::test]
async fn one_channel_too_many_is_refused_and_leaving_one_makes_room() {
    let listener = Listener::bind().await;
    let client = Client::with_options(options_for(&listener))
        .options(|options| options.protocol.limits.max_channels = 1)
        .connect()
        .unwrap();
    let mut peer = listener.establish("1.1").await;
    let first = subscribed(&client, &mut peer, "a").await;
    let error = client.subscribe("b").unwrap_err();
    assert!(matches!(error, SubscribeError::Refused(proto::SubscribeError::TooManyChannels { limit: 1, .. })));
    drop(client.subscribe("a").unwrap());
    drop(first);
    assert_eq!(peer.next().await.unwrap()["event"], "pusher:unsubscribe");
    subscribed(&client, &mut peer, "b").await;
}

#[test]
fn a_client_that_cannot_work_is_not_made() {
    assert!(matches!(Client::connect("wss://localhost", "key"), Err(BuildError::NoRuntime)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert!(Client::builder("wss://localhost", "key").runtime(runtime.handle().clone()).build().is_ok());
    let _on_it = runtime.enter();
    assert!(matches!(Client::connect("https://localhost", "key"), Err(BuildError::Url(_))));
    assert!(matches!(
        Client::connect("wss://localhost", "a/b"),
        Err(BuildError::AppKey(AppKeyError::Character { .. }))
    ));
    let build = Client::builder("wss://localhost", "key").queue(QueueLimits { max_items: 0, max_bytes: 1 }).build();
    assert!(matches!(build, Err(BuildError::Option(OptionError { option: "queue.max_items", .. }))));
}

// S16, and a known defect of peers: one frame on the wire, whoever subscribes how often.
#[tokio::test]
async fn handles_of_a_channel_share_one_subscription_and_each_gets_every_event() {
    let listener = Listener::bind().await;
    let (client, mut peer) = connected(&listener).await;
    let mut first = subscribed(&client, &mut peer, "a").await;
    let mut second = first.clone();
    let mut third = client.subscribe("a").unwrap();
    let mut fourth = client.channel("a").unwrap();
    assert!(client.channel("b").is_none());
    for late in [&mut second, &mut third, &mut fourth] {
        assert_eq!(next(late).await, FRESH, "a late handle is told first that it is subscribed");
    }
    peer.event("a", "e", json!(1)).await;
    for channel in [&mut first, &mut second, &mut third, &mut fourth] {
        assert_eq!(next_event(channel).await, event("e", "1"));
    }
    drop((first, second, third));
    peer.event("a", "e", json!(2)).await;
    assert_eq!(next_event(&mut fourth).await, event("e", "2"));
    drop(fourth);
    let message = peer.next().await.unwrap();
    assert_eq!((&message["event"], &message["data"]["channel"]), (&json!("pusher:unsubscribe"), &json!("a")));
    assert!(client.channels().is_empty());
}

#[tokio::test]
async fn unsubscribing_ends_every_handle_of_the_channel_at_once() {
    let listener = Listener::bind().await;
    let (client, mut peer) = connected(&listener).await;
    let mut first = subscribed(&client, &mut peer, "a").await;
    let mut second = first.clone();
    let mut other = subscribed(&client, &mut peer, "b").await;
    peer.event("a", "e", json!(1)).await;
    peer.event("b", "e", json!(2)).await;
    assert_eq!(next_event(&mut other).await, event("e", "2"));
    first.unsubscribe();
    assert_eq!((first.try_next(), second.try_next()), (None, None));
    assert_eq!((first.next().now_or_never(), second.next().now_or_never()), (Some(None), Some(None)));
    assert_eq!(second.state(), ChannelState::Unsubscribed);
    assert_eq!(second.wait_subscribed().await, Err(WaitError::Unsubscribed));
    let mut again = client.subscribe("a").unwrap();
    assert_eq!(peer.next().await.unwrap()["event"], "pusher:unsubscribe");
    peer.acknowledge_all(1).await;
    assert_eq!(next(&mut again).await, FRESH);
    drop((first, second));
    peer.event("a", "e", json!(3)).await;
    assert_eq!(next_event(&mut again).await, event("e", "3"));
    client.unsubscribe_all();
    assert_eq!((again.next().await, other.next().await), (None, None));
    assert!(client.channels().is_empty());
}

// B01, L05
#[tokio::test]
async fn a_handle_that_is_not_read_lags_alone() {
    let listener = Listener::bind().await;
    let limits = QueueLimits { max_items: 10, ..QueueLimits::default() };
    let client = Client::with_options(options_for(&listener)).queue(limits).connect().unwrap();
    let mut peer = listener.establish("1.1").await;
    let mut slow = subscribed(&client, &mut peer, "a").await;
    let mut fast = slow.clone();
    let mut other = subscribed(&client, &mut peer, "b").await;
    assert_eq!(next(&mut fast).await, FRESH);
    for number in 0..100 {
        peer.event("a", "e", json!(number)).await;
        assert_eq!(next_event(&mut fast).await, event("e", &number.to_string()));
    }
    peer.event("b", "e", json!(0)).await;
    assert_eq!(next_event(&mut other).await, event("e", "0"));
    assert_eq!(next(&mut slow).await, ChannelItem::Lagged { dropped: 90 });
    for number in 90..100 {
        assert_eq!(next_event(&mut slow).await, event("e", &number.to_string()));
    }
    assert_eq!((slow.try_next(), fast.try_next(), other.try_next()), (None, None, None));
    assert_eq!(client.counters().dropped_events, 90);
}

#[tokio::test]
async fn events_of_a_name_are_a_stream_of_their_own_that_others_take_no_room_in() {
    let listener = Listener::bind().await;
    let limits = QueueLimits { max_items: 2, ..QueueLimits::default() };
    let client = Client::with_options(options_for(&listener)).queue(limits).connect().unwrap();
    let mut peer = listener.establish("1.1").await;
    let mut channel = subscribed(&client, &mut peer, "a").await;
    let (mut wanted, mut all) = (channel.events_named("wanted"), channel.events());
    peer.event("a", "wanted", json!(1)).await;
    for number in 0..10 {
        peer.event("a", "other", json!(number)).await;
    }
    peer.event("a", "wanted", json!(2)).await;
    while next(&mut channel).await != (ChannelItem::Lagged { dropped: 10 }) {}
    let mut read = async || soon("an event", wanted.next()).await.map(|event| event.data().to_owned());
    assert_eq!((read().await, read().await), (Some("1".to_owned()), Some("2".to_owned())));
    assert_eq!((wanted.dropped(), all.dropped()), (0, 10));
    assert_eq!(soon("an event", all.next()).await.unwrap().data(), "9");
    drop((channel, all));
    peer.event("a", "wanted", json!(3)).await;
    assert_eq!(soon("an event", wanted.next()).await.unwrap().data(), "3");
    drop(wanted);
    assert_eq!(peer.next().await.unwrap()["event"], "pusher:unsubscribe");
}

// R01, I09: what was missed is told on the handle that missed it.
#[tokio::test]
async fn a_handle_goes_on_after_a_reconnect_and_is_told_the_gap() {
    let listener = Listener::bind().await;
    let (client, mut peer) = connected(&listener).await;
    let mut channel = subscribed(&client, &mut peer, "a").await;
    drop(peer);
    assert!(matches!(next(&mut channel).await, ChannelItem::Interrupted { .. }));
    assert_eq!(channel.state(), ChannelState::Pending);
    let mut peer = listener.establish("2.2").await;
    peer.acknowledge_all(1).await;
    let gap = next(&mut channel).await;
    assert!(matches!(gap, ChannelItem::Subscribed { continuity: Continuity::Gap { .. }, .. }), "{gap:?}");
    peer.event("a", "e", json!(1)).await;
    assert_eq!(next_event(&mut channel).await, event("e", "1"));
    assert_eq!(soon("the id", client.wait_connected()).await.unwrap().as_str(), "2.2");
}

// D01, I13
#[tokio::test]
async fn nothing_is_delivered_to_any_handle_after_disconnect_and_all_go_on_in_the_next_session() {
    let listener = Listener::bind().await;
    let (client, mut peer) = connected(&listener).await;
    let mut items = client.items();
    let connected = Item::StateChanged { from: ConnectionState::Disconnected, to: ConnectionState::Connected };
    assert_eq!(soon("the state", items.next()).await, Some(connected));
    let mut a = subscribed(&client, &mut peer, "a").await;
    let mut b = a.clone();
    for number in 0..50 {
        peer.event("a", "e", json!(number)).await;
    }
    assert_eq!(next_event(&mut a).await, event("e", "0"));
    client.disconnect();
    assert_eq!((a.next().await, b.next().await, a.state()), (None, None, ChannelState::Pending));
    let end = Item::StateChanged { from: ConnectionState::Connected, to: ConnectionState::Disconnected };
    assert_eq!((items.next().await, items.next().await), (Some(end), None));
    assert_eq!(client.wait_connected().await, Err(WaitError::Disconnected));
    assert_eq!(a.wait_subscribed().await, Err(WaitError::Disconnected));
    assert_eq!(*client.watch_state().borrow(), ConnectionState::Disconnected);
    client.disconnect();
    assert_eq!(items.next().await, None);
    client.open();
    assert!(a.next().now_or_never().is_none(), "it waits again");
    let mut peer = listener.establish("2.2").await;
    peer.acknowledge_all(1).await;
    assert_eq!((next(&mut a).await, next(&mut b).await), (FRESH, FRESH));
    let state = soon("an item", items.next()).await;
    assert!(matches!(state, Some(Item::StateChanged { from: ConnectionState::Disconnected, .. })), "{state:?}");
}

// K10
#[tokio::test]
async fn the_connection_lives_as_long_as_a_handle_of_either_kind() {
    let listener = Listener::bind().await;
    let (client, mut peer) = connected(&listener).await;
    let mut items = client.items();
    let mut channel = subscribed(&client, &mut peer, "a").await;
    let mut state = client.watch_state();
    drop(client);
    peer.event("a", "e", json!(1)).await;
    assert_eq!(next_event(&mut channel).await, event("e", "1"));
    drop(channel);
    assert_eq!(peer.closed().await, Some(1000));
    while soon("the end of the stream", items.next()).await.is_some() {}
    soon("the state", state.wait_for(|state| *state == ConnectionState::Disconnected)).await.unwrap();
}

#[tokio::test]
async fn a_detached_channel_stays_subscribed_until_it_is_unsubscribed() {
    let listener = Listener::bind().await;
    let (client, mut peer) = connected(&listener).await;
    subscribed(&client, &mut peer, "a").await.detach();
    assert_eq!(client.channels().len(), 1);
    let mut again = client.subscribe("a").unwrap();
    assert_eq!(next(&mut again).await, FRESH);
    drop(again);
    peer.event("a", "e", json!(1)).await;
    client.unsubscribe("a");
    assert_eq!(peer.next().await.unwrap()["event"], "pusher:unsubscribe");
}

#[tokio::test]
async fn the_stream_of_everything_has_all_channels_in_one_order() {
    let listener = Listener::bind().await;
    let (client, mut peer) = connected(&listener).await;
    let _a = subscribed(&client, &mut peer, "a").await;
    let _b = subscribed(&client, &mut peer, "b").await;
    let mut items = client.items();
    for number in 0..20 {
        peer.event(["a", "b"][number % 2], "e", json!(number)).await;
    }
    let mut seen = Vec::new();
    while seen.len() < 20 {
        if let Some(Item::Event(event)) = soon("an item", items.next()).await {
            seen.push(event.data().parse::<usize>().unwrap());
        }
    }
    assert_eq!(seen, (0..20).collect::<Vec<_>>());
}

// D06
#[tokio::test]
async fn closing_shows_the_server_a_close_frame() {
    let listener = Listener::bind().await;
    let (client, mut peer) = connected(&listener).await;
    let mut channel = subscribed(&client, &mut peer, "a").await;
    let closing = client.close(Duration::from_secs(10));
    assert_eq!(client.state(), ConnectionState::Disconnected, "at once");
    assert_eq!(channel.next().await, None);
    let (is_closed, code) = tokio::join!(closing, async {
        let code = peer.closed().await;
        drop(peer);
        code
    });
    assert_eq!((is_closed, code), (true, Some(1000)));
}

#[tokio::test]
async fn events_that_one_channel_lost_before_its_acknowledgement_are_told_on_no_other() {
    let listener = Listener::bind().await;
    let mut options = options_for(&listener);
    options.protocol.limits.max_early_events = 2;
    let client = Client::with_options(options).connect().unwrap();
    let mut peer = listener.establish("1.1").await;
    let mut calm = subscribed(&client, &mut peer, "calm").await;
    let mut busy = client.subscribe("busy").unwrap();
    assert_eq!(peer.subscribe().await.0, "busy");
    for id in 0..3 {
        peer.event("busy", "e", json!(id)).await;
    }
    peer.acknowledge("busy").await;
    peer.event("calm", "e", json!(0)).await;
    assert_eq!(next_event(&mut calm).await, event("e", "0"));
    let mut lost = 0;
    loop {
        match next(&mut busy).await {
            ChannelItem::Lagged { dropped } => lost += dropped,
            ChannelItem::Event(event) if event.data() == "2" => break,
            _ => {}
        }
    }
    assert_eq!(lost, 1);
}

#[tokio::test]
async fn a_handle_may_be_dropped_while_the_state_is_looked_at() {
    let listener = Listener::bind().await;
    let (client, mut peer) = connected(&listener).await;
    let [one, other] = [subscribed(&client, &mut peer, "a").await, subscribed(&client, &mut peer, "b").await];
    let states = client.watch_state();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let known = states.borrow();
        drop(one);
        other.unsubscribe();
        tell.send(*known).unwrap();
    });
    assert_eq!(told.recv_timeout(Duration::from_secs(10)), Ok(ConnectionState::Connected));
}

#[test]
fn what_is_sent_after_the_runtime_of_the_client_has_ended_is_an_error() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (client, channel) = runtime.block_on(async {
        let (client, mut peer) = connected(&Listener::bind().await).await;
        let channel = client.subscribe("private-a").unwrap();
        peer.acknowledge_all(1).await;
        soon("the subscription", channel.wait_subscribed()).await.unwrap();
        (client, channel)
    });
    runtime.shutdown_timeout(Duration::from_secs(10));
    let another = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let sent = another.block_on(soon("an answer", client.send_event("e", None, "1")));
    assert_eq!(sent, Err(proto::SendError::NotConnected));
    assert_eq!(channel.trigger_json("client-e", "1"), Err(TriggerError::Ended));
}

#[test]
fn handles_end_with_the_runtime_of_their_client() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (client, mut channel, mut items) = runtime.block_on(async {
        let listener = Listener::bind().await;
        let (client, mut peer) = connected(&listener).await;
        let channel = subscribed(&client, &mut peer, "a").await;
        (client.clone(), channel, client.items())
    });
    runtime.shutdown_timeout(Duration::from_secs(10));
    let another = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    another.block_on(async {
        while soon("the end", channel.next()).await.is_some() {}
        while soon("the end", items.next()).await.is_some() {}
        assert_eq!(client.subscribe("b").unwrap_err(), SubscribeError::Ended);
        client.open();
        assert!(soon("the end", client.wait_connected()).await.is_err());
        eventually("the state", || client.state() == ConnectionState::Disconnected).await;
    });
}
