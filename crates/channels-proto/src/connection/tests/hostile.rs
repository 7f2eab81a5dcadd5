use super::*;
use crate::{ConnectionError, ProtocolViolation};
use ConnectionState::{Connected, Reconnecting};

// M01, M03, M06, M07
#[test]
fn what_is_not_a_message_is_counted_and_the_socket_kept() {
    let mut world = World::subscribed(&["c"]);
    for text in ["", "x", "[]", "{}", "null", r#"{"event":1}"#, r#"{"event":"\ud800"}"#] {
        world.text(text);
    }
    assert_eq!((world.take().len(), world.connection.state()), (1, Connected));
    assert_eq!(world.connection.counters().malformed_frames, 7);
    world.event("c", "e");
    assert_eq!(world.events, ["c e"]);
}

// M01
#[test]
fn a_server_that_sends_nothing_but_garbage_is_given_up() {
    let mut world = World::connected();
    for _ in 0..100 {
        world.text("garbage");
    }
    assert_eq!(world.connection.state(), Connected);
    world.text("garbage");
    let reports = world.reports();
    let Some(Report::ConnectionFailed { error, .. }) = reports.last() else { panic!("{reports:?}") };
    assert!(matches!(error, ConnectionError::Violation(ProtocolViolation::TooManyMalformedFrames { .. })));
}

#[test]
fn garbage_is_counted_by_the_minute() {
    let mut world = World::connected();
    for _ in 0..10 {
        for _ in 0..100 {
            world.text("garbage");
        }
        for _ in 0..8 {
            world.pass(8.0);
            world.text(PONG);
        }
    }
    assert_eq!(world.connection.state(), Connected);
}

// M10
#[test]
fn internal_messages_published_on_a_channel_are_ignored() {
    let mut world = World::subscribed(&["c"]);
    for event in ["pusher:error", "pusher:ping", "pusher:pong", "pusher:connection_established"] {
        world.text(&format!(r#"{{"event":"{event}","channel":"c","data":{{"code":4001}}}}"#));
    }
    world.text(r#"{"event":"pusher_internal:subscription_succeeded"}"#);
    assert_eq!((world.take(), world.connection.state()), (vec![], Connected));
    assert_eq!(world.connection.counters().ignored_internal_events, 5);
}

// M08, S14
#[test]
fn events_of_unknown_channels_are_counted_and_leave_no_state() {
    let mut world = World::subscribed(&["c"]);
    for index in 0..10_000 {
        world.event(&format!("other-{index}"), "e");
    }
    world.text(r#"{"event":"e"}"#);
    world.text(r#"{"event":"e","channel":null}"#);
    assert_eq!((world.take(), world.events.len()), (vec![], 0));
    assert_eq!(world.connection.counters().unexpected_events, 10_002);
}

// S12, M08
#[test]
fn acknowledgements_that_nobody_asked_for_are_unsubscribed_once_and_not_without_end() {
    let mut world = World::connected();
    world.acknowledge("a");
    world.acknowledge("a");
    assert_eq!(world.sent(), [unsubscribe_text("a")]);
    for index in 0..1_000 {
        world.acknowledge(&format!("b{index}"));
    }
    assert_eq!(world.sent().len(), 63);
    world.acknowledge("not a name");
    assert_eq!(world.sent(), Vec::<String>::new());
}

// W14
#[test]
fn a_binary_message_counts_as_activity() {
    let mut world = World::connected();
    world.pass(30.0);
    assert_eq!(world.sent(), [PING]);
    let epoch = world.epoch();
    world.command(|connection, now| connection.handle_binary(now, epoch));
    world.take();
    world.pass(20.0);
    assert_eq!(world.take(), []);
    assert_eq!(world.connection.counters().binary_frames, 1);
}

// M17
#[test]
fn a_million_tiny_values_are_one_pass() {
    let mut world = World::subscribed(&["c"]);
    let text = format!(r#"{{"event":"e","channel":"c","data":[{}1]}}"#, "1,".repeat(500_000));
    world.text(&text);
    assert_eq!(world.events, ["c e"]);
}

// S23, Y03
#[test]
fn one_channel_too_many_fails_alone() {
    let mut options = options();
    options.limits.max_channels = 2;
    let mut world = World::with_options(options);
    world.subscribe("a");
    world.subscribe("b");
    let refused = world.connection.subscribe(world.now, name("c")).map(drop);
    assert_eq!(refused, Err(crate::SubscribeError::TooManyChannels { channel: name("c"), limit: 2 }));
    world.subscribe("a");
    world.command(Connection::connect);
    world.establish();
    assert_eq!(world.sent(), [subscribe_text("a"), subscribe_text("b")]);
    assert_ne!(world.connection.state(), Reconnecting);
}
