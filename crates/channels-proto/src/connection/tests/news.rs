//! What the server says beside events: numbers, that nothing is cached, and what is not known.

use super::*;
use crate::Message;

#[test]
fn the_number_of_subscriptions_is_reported_for_subscribed_channels() {
    let mut world = World::subscribed(&["a"]);
    let count = |count| Report::SubscriptionCount { channel: name("a"), count };
    world.message("pusher_internal:subscription_count", "a", r#""{\"subscription_count\":3}""#);
    world.message("pusher_internal:subscription_count", "a", r#"{"subscription_count":"4"}"#);
    assert_eq!(world.reports(), [count(3), count(4)]);
    let ignored = world.connection.counters().ignored_internal_events;
    world.message("pusher_internal:subscription_count", "a", r#"{"subscription_count":-1}"#);
    world.message("pusher_internal:subscription_count", "b", r#"{"subscription_count":1}"#);
    assert_eq!(world.reports(), []);
    assert_eq!(world.connection.counters().ignored_internal_events, ignored + 2);
}

#[test]
fn a_cache_channel_yields_its_last_event_or_that_there_is_none() {
    let mut world = World::subscribed(&["cache-a", "private-cache-b"]);
    world.text(r#"{"event":"pusher:cache_miss","channel":"cache-a","data":"{}"}"#);
    world.text(r#"{"event":"pusher:cache_miss","channel":"other"}"#);
    assert_eq!(world.reports(), [Report::CacheMiss { channel: name("cache-a") }]);
    world.close(1006);
    world.until_next_attempt();
    world.establish();
    world.authorize_all();
    world.take();
    world.acknowledge("private-cache-b");
    world.event("private-cache-b", "last");
    let outputs = world.take();
    assert!(
        matches!(
            &outputs[..],
            [Output::Report(Report::Subscribed { continuity: Continuity::Gap { .. }, .. }), Output::Event(_)]
        ),
        "{outputs:?}"
    );
}

#[test]
fn what_is_not_known_reaches_whoever_asks_for_it_and_nobody_else() {
    let messages = [
        r#"{"event":"hello","data":{"a":1},"more":[1, 2]}"#,
        r#"{"event":"pusher:news","channel":"b","data":"x"}"#,
        r#"{"event":"pusher_internal:news"}"#,
        r#"{"event":"e","channel":"not-subscribed"}"#,
    ];
    let with = |asked| {
        let mut world = World::with_options(Options { report_unknown: asked, ..options() });
        world.subscribe("a");
        world.command(Connection::connect);
        world.establish();
        world.text(r##"{"event":"early","channel":"a","#msg-id":1}"##);
        world.acknowledge("a");
        let early = world.take_event().unwrap();
        world.take();
        messages.iter().for_each(|message| world.text(message));
        let reports = world.reports();
        world.text(
            r##"{"#msg-id":1795521896925195175,"event":"e","channel":"a","data":"{}","user_id":"1","tags":{"t":1}}"##,
        );
        let event = world.take_event().unwrap();
        let members = |event: &Event<'_>| event.other_members().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>();
        assert_eq!(event.to_owned_event().as_event(), event);
        (reports, members(&early), members(&event))
    };
    assert_eq!(with(false), (vec![], vec![], vec![]));
    let message = |event: &str, channel: Option<&str>, data: &str, members: Vec<(Box<str>, Box<str>)>| {
        let (event, channel, data) = (event.into(), channel.map(Into::into), data.into());
        Report::Message(Message { event, channel, data, other_members: members })
    };
    let expected = vec![
        message("hello", None, r#"{"a":1}"#, vec![("more".into(), "[1, 2]".into())]),
        message("pusher:news", Some("b"), r#""x""#, vec![]),
        message("pusher_internal:news", None, "", vec![]),
    ];
    let members = vec!["#msg-id=1795521896925195175".to_owned(), r#"tags={"t":1}"#.to_owned()];
    assert_eq!(with(true), (expected, vec!["#msg-id=1".to_owned()], members));
}
