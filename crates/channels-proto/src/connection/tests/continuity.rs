use super::*;
use crate::GapCause;
use ConnectionState::{Connected, Reconnecting};

// I27
#[test]
fn a_gap_opens_with_the_loss_and_closes_with_the_next_acknowledgement() {
    let mut world = World::subscribed(&["a", "b"]);
    world.pass(3.0);
    world.event("a", "last");
    let since = world.now.saturating_sub(Duration::from_secs(1));
    world.pass(7.0);
    world.close(1001);
    let cause = GapCause::ClosedByServer { code: Some(1001) };
    let reports = world.reports();
    assert_eq!(reports[0], state(Connected, Reconnecting));
    assert_eq!(reports[2..], ["a", "b"].map(|channel| Report::Interrupted { channel: name(channel), since, cause }));
    world.until_next_attempt();
    world.establish();
    world.take();
    world.acknowledge("a");
    let until = world.now;
    world.event("a", "next");
    assert_eq!(world.reports(), [subscribed("a", Continuity::Gap { since, until, cause })]);
    assert_eq!(world.events, ["a last", "a next"]);
}

// I27
#[test]
fn several_outages_before_the_acknowledgement_are_one_gap() {
    let mut world = World::subscribed(&["a"]);
    let since = world.now;
    world.close(None);
    for _ in 0..5 {
        world.until_next_attempt();
        world.establish();
        world.pass(2.0);
        world.close(1011);
    }
    let interrupted = world.reports().into_iter().filter(|r| matches!(r, Report::Interrupted { .. })).count();
    assert_eq!(interrupted, 1);
    world.until_next_attempt();
    world.establish();
    world.take();
    world.acknowledge("a");
    let cause = GapCause::ClosedByServer { code: None };
    assert_eq!(world.reports(), [subscribed("a", Continuity::Gap { since, until: world.now, cause })]);
}

// I27
#[test]
fn a_channel_that_was_never_subscribed_has_no_gap() {
    let mut world = World::connected();
    world.subscribe("a");
    world.event("a", "early");
    world.close(None);
    assert!(!world.reports().iter().any(|report| matches!(report, Report::Interrupted { .. })));
    world.until_next_attempt();
    world.establish();
    world.take();
    world.acknowledge("a");
    assert_eq!(world.reports(), [subscribed("a", Continuity::Fresh)]);
    assert_eq!(world.events, Vec::<String>::new(), "the early event belonged to the old socket");
}

// I15
#[test]
fn a_disconnect_of_the_caller_ends_the_story() {
    let mut world = World::subscribed(&["a"]);
    world.command(Connection::disconnect);
    world.command(Connection::connect);
    world.establish();
    world.take();
    world.acknowledge("a");
    assert_eq!(world.reports(), [subscribed("a", Continuity::Fresh)]);
}

// C06, A08: the gap is kept when the server, not the caller, ended it.
#[test]
fn a_refusal_for_good_keeps_the_gap_for_the_next_connect() {
    let mut world = World::subscribed(&["a"]);
    let since = world.now;
    world.close(4003);
    world.pass(100.0);
    world.command(Connection::connect);
    world.establish();
    world.take();
    world.acknowledge("a");
    let cause = GapCause::ClosedByServer { code: Some(4003) };
    assert_eq!(world.reports(), [subscribed("a", Continuity::Gap { since, until: world.now, cause })]);
}

// I26
#[test]
fn what_was_missed_is_remembered_while_a_channel_is_failed() {
    let mut world = World::subscribed(&["private-a"]);
    let since = world.now;
    world.close(None);
    world.until_next_attempt();
    world.take();
    world.establish();
    let id = world.authorizations()[0];
    let denied = crate::AuthorizationError::Denied { status: 401 };
    world.command(|connection, now| connection.handle_authorization(now, id, Err(denied)));
    world.take();
    world.subscribe("private-a");
    world.authorize_all();
    world.take();
    world.acknowledge("private-a");
    let cause = GapCause::ClosedByServer { code: None };
    assert_eq!(world.reports(), [subscribed("private-a", Continuity::Gap { since, until: world.now, cause })]);
}

// I27: what was under way when the last byte came is inside the gap.
#[test]
fn a_gap_begins_before_the_last_byte_by_the_time_a_message_may_have_been_under_way() {
    let gap_begins = |round_trip: f64, quiet: f64| {
        let mut world = World::connected();
        world.subscribe("a");
        world.pass(round_trip);
        world.acknowledge("a");
        world.pass(20.0);
        world.event("a", "last");
        let last = world.now;
        world.pass(quiet);
        world.take();
        world.close(None);
        let since = world.reports().into_iter().find_map(|report| match report {
            Report::Interrupted { since, .. } => Some(since),
            _ => None,
        });
        last.saturating_since(since.unwrap()).as_secs_f64()
    };
    assert!((gap_begins(0.1, 5.0) - 1.0).abs() < 1e-6);
    assert!((gap_begins(3.0, 5.0) - 6.0).abs() < 1e-6, "twice the round trip");
    assert!((gap_begins(9.0, 5.0) - 18.0).abs() < 1e-6);
}

// I27: nothing the server sent before a ping can follow its answer.
#[test]
fn a_gap_begins_no_earlier_than_the_last_request_that_was_answered() {
    let mut world = World::subscribed(&["a"]);
    world.pass(30.0);
    let asked = world.now;
    world.pass(0.2);
    world.text(PONG);
    world.pass(0.3);
    world.event("a", "e");
    world.take();
    world.close(None);
    let cause = GapCause::ClosedByServer { code: None };
    assert!(world.reports().contains(&Report::Interrupted { channel: name("a"), since: asked, cause }));
}
