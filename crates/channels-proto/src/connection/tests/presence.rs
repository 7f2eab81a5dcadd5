use super::*;
use crate::{Members, SubscriptionError};

const ADDED: &str = "pusher_internal:member_added";
const REMOVED: &str = "pusher_internal:member_removed";
const ACKNOWLEDGED: &str = "pusher_internal:subscription_succeeded";

fn own() -> Authorization {
    Authorization::new("key:abc").with_channel_data(r#"{"user_id":7,"user_info":{"name":"I"}}"#)
}

/// Subscribes `presence-a`, on which there are `a` and oneself.
fn present() -> World {
    let mut world = World::new();
    world.subscribe("presence-a");
    world.command(Connection::connect);
    world.establish();
    world.authorize_with(own());
    world.take();
    world.message(
        ACKNOWLEDGED,
        "presence-a",
        r#""{\"presence\":{\"count\":2,\"ids\":[\"a\",7],\"hash\":{\"a\":{\"n\":1},\"7\":null}}}""#,
    );
    world
}

fn members_of(world: &mut World) -> Members {
    let reports = world.reports();
    let members = reports.into_iter().find_map(|report| match report {
        Report::Subscribed { members, .. } => members,
        _ => None,
    });
    members.expect("a presence channel is subscribed")
}

fn ids(members: &Members) -> Vec<&str> {
    members.iter().map(crate::Member::id).collect()
}

/// Takes all outputs, and returns who came and who went.
fn changes(world: &mut World) -> Vec<String> {
    let change = |report| match report {
        Report::MemberAdded { channel, member } => Some(format!("{channel} +{} {:?}", member.id(), member.info())),
        Report::MemberRemoved { channel, member } => Some(format!("{channel} -{} {:?}", member.id(), member.info())),
        _ => None,
    };
    world.reports().into_iter().filter_map(change).collect()
}

// S20
#[test]
fn an_acknowledgement_of_a_presence_channel_says_who_is_there_and_who_one_is() {
    let mut world = present();
    let members = members_of(&mut world);
    assert_eq!((ids(&members), members.count()), (vec!["7", "a"], 2));
    assert_eq!(members.find("a").unwrap().info(), Some(r#"{"n":1}"#));
    assert_eq!(members.me().unwrap().id(), "7");
}

// S20
#[test]
fn members_come_and_go_in_order_with_the_events_and_twice_is_once() {
    let mut world = present();
    world.take();
    world.message(ADDED, "presence-a", r#""{\"user_id\":\"b\",\"user_info\":{\"n\":2}}""#);
    world.event("presence-a", "e");
    world.message(REMOVED, "presence-a", r#"{"user_id":"a"}"#);
    let describe = |output| match output {
        Output::Event(event) => event.name().to_owned(),
        Output::Report(Report::MemberAdded { member, .. }) => format!("+{}", member.id()),
        Output::Report(Report::MemberRemoved { member, .. }) => format!("-{} {}", member.id(), member.info().unwrap()),
        other => panic!("{other:?}"),
    };
    let order: Vec<_> = world.take().into_iter().map(describe).collect();
    assert_eq!(order, ["+b", "e", r#"-a {"n":1}"#]);

    // Oneself, from another device; somebody who is there; somebody who is not.
    world.message(ADDED, "presence-a", r#"{"user_id":7}"#);
    world.message(ADDED, "presence-a", r#"{"user_id":"b","user_info":{"n":2}}"#);
    world.message(REMOVED, "presence-a", r#"{"user_id":"c"}"#);
    assert_eq!(changes(&mut world), Vec::<String>::new());
    world.message(ADDED, "presence-a", r#"{"user_id":"b","user_info":3}"#);
    assert_eq!(changes(&mut world), [r#"presence-a +b Some("3")"#]);
}

// S20, M10
#[test]
fn what_is_no_member_or_of_no_subscribed_presence_channel_is_ignored() {
    let mut world = present();
    world.subscribe("public");
    world.acknowledge("public");
    world.take();
    let ignored = world.connection.counters().ignored_internal_events;
    for data in ["{}", "null", "7", r#"{"user_id":null}"#, r#""x""#, "[]"] {
        world.message(ADDED, "presence-a", data);
        world.message(REMOVED, "presence-a", data);
    }
    for channel in ["presence-b", "public", "presence-", ""] {
        world.message(ADDED, channel, r#"{"user_id":"b"}"#);
        world.message(REMOVED, channel, r#"{"user_id":"a"}"#);
    }
    assert_eq!(changes(&mut world), Vec::<String>::new());
    assert_eq!(world.connection.counters().ignored_internal_events, ignored + 20);
}

// S20
#[test]
fn the_list_is_replaced_at_every_acknowledgement_and_a_repeated_one_reports_what_changed() {
    let mut world = present();
    world.take();
    world.message(ACKNOWLEDGED, "presence-a", r#"{"presence":{"ids":["a","c"],"hash":{"a":{"n":9},"c":null}}}"#);
    assert_eq!(changes(&mut world), ["presence-a -7 None", r#"presence-a +a Some("{\"n\":9}")"#, "presence-a +c None"]);

    world.close(1006);
    world.until_next_attempt();
    world.establish();
    world.message(ADDED, "presence-a", r#"{"user_id":"early"}"#);
    world.authorize_with(own());
    world.message(ADDED, "presence-a", r#"{"user_id":"early"}"#);
    assert_eq!(changes(&mut world), Vec::<String>::new());
    world.message(ACKNOWLEDGED, "presence-a", r#"{"presence":{"ids":["d"]}}"#);
    let members = members_of(&mut world);
    assert_eq!(ids(&members), ["d"]);
    assert_eq!(members.me().unwrap().id(), "7", "the server does not list it");
}

// S20, Y03, Y09
#[test]
fn members_beyond_the_limit_are_counted_and_their_comings_and_goings_reported() {
    let mut limited = options();
    limited.limits.max_members = 2;
    let mut world = World::with_options(limited);
    world.subscribe("presence-a");
    world.command(Connection::connect);
    world.establish();
    world.authorize_with(own());
    world.message(ACKNOWLEDGED, "presence-a", r#"{"presence":{"hash":{"a":null,"b":null,"c":null}}}"#);
    let members = members_of(&mut world);
    assert_eq!((members.count(), members.omitted(), ids(&members)), (3, 1, vec!["a", "b"]));
    world.message(ADDED, "presence-a", r#"{"user_id":"d"}"#);
    world.message(REMOVED, "presence-a", r#"{"user_id":"c"}"#);
    world.message(REMOVED, "presence-a", r#"{"user_id":"d"}"#);
    world.message(REMOVED, "presence-a", r#"{"user_id":"e"}"#);
    assert_eq!(changes(&mut world), ["presence-a +d None", "presence-a -c None", "presence-a -d None"]);
}

#[test]
fn a_presence_channel_without_channel_data_is_not_subscribed() {
    for authorization in
        [signature(), signature().with_channel_data(r#"{"user_info":1}"#), signature().with_channel_data("x")]
    {
        let mut world = World::connected();
        world.subscribe("presence-a");
        world.authorize_with(authorization);
        let (error, retry_in) = world.failure();
        assert!(matches!(error, SubscriptionError::MalformedAuthorization { .. }) && is_soon(retry_in), "{error}");
        assert!(error.to_string().contains("channel_data"), "{error}");
    }
}

// L08
#[test]
fn a_presence_channel_is_not_subscribed_on_push1st_unless_it_is_trusted() {
    const PUSH1ST: &str = r#"{"data":"{\"activity_timeout\":\"40\",\"socket_id\":\"1795521896925195131.1442880739\"}","event":"pusher:connection_established"}"#;
    for trusted in [false, true] {
        let mut world = World::with_options(Options { trust_push1st: trusted, ..options() });
        world.subscribe("presence-a");
        world.subscribe("private-b");
        world.command(Connection::connect);
        world.text(PUSH1ST);
        assert_eq!(world.authorizations().len(), if trusted { 2 } else { 1 });
        let failures = world.failures();
        if !trusted {
            assert_eq!(failures, [("presence-a".to_owned(), SubscriptionError::UnsupportedByServer, None)]);
        }
    }
}
