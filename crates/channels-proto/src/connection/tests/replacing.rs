//! One channel in the place of another.

use super::*;
use crate::{AuthorizationError, GapCause};

const REPLACED: GapCause = GapCause::Replaced;

/// `private-old` and `private-both` are subscribed, the former for ten seconds without a further sign of the server.
fn subscribed_for_ten_seconds() -> World {
    let mut world = World::subscribed(&["private-old", "private-both"]);
    world.pass(10.0);
    world.take();
    world
}

// I26, I27: the gap opens with what the server last answered on the old channel, and closes with the new one's acknowledgement
#[test]
fn the_gap_of_a_replaced_channel_is_that_of_its_successor() {
    let mut world = subscribed_for_ten_seconds();
    let (certain, called) = (at(1_000.0), world.now);
    world.replace("private-old", "private-new", called);
    let interrupted = Report::Interrupted { channel: name("private-new"), since: certain, cause: REPLACED };
    assert_eq!(world.connection.state(), ConnectionState::Connected);
    let ids = world.authorizations();
    let outputs = world.take();
    assert!(outputs.contains(&Output::Report(interrupted)), "{outputs:?}");
    assert!(outputs.iter().any(
        |output| matches!(output, Output::SendText { text, .. } if text.expose() == unsubscribe_text("private-old"))
    ));
    world.event("private-old", "late");
    world.authorize(ids[0]);
    assert_eq!(world.sent(), [subscribe_text("private-new")]);
    world.pass(2.0);
    world.acknowledge("private-new");
    world.event("private-new", "first");
    let gap = Continuity::Gap { since: certain, until: world.now, cause: REPLACED };
    assert_eq!(world.reports(), [subscribed("private-new", gap)], "the other channel has no gap");
    world.event("private-both", "on");
    assert_eq!(world.events, ["private-new first", "private-both on"], "nothing of the old channel comes any more");
}

// I26: its own events may have been sent before the last answer on the old one
#[test]
fn the_gap_begins_no_later_than_the_new_channel_itself() {
    let mut world = subscribed_for_ten_seconds();
    let begun = at(990.0);
    world.replace("private-old", "private-new", begun);
    world.authorize_all();
    world.take();
    world.acknowledge("private-new");
    assert_eq!(
        world.reports(),
        [subscribed("private-new", Continuity::Gap { since: begun, until: world.now, cause: REPLACED })]
    );
}

// I27: one gap, however often it is replaced before anything is acknowledged, and whatever happened before
#[test]
fn a_gap_that_is_open_is_handed_on() {
    let mut world = subscribed_for_ten_seconds();
    let certain = at(1_000.0);
    world.replace("private-old", "private-new", world.now);
    world.pass(1.0);
    world.replace("private-new", "private-newer", world.now);
    world.close(1001);
    world.replace("private-newer", "private-newest", world.now);
    let opened =
        |report: &Report| matches!(report, Report::Interrupted { channel, .. } if *channel != name("private-both"));
    assert_eq!(world.reports().iter().filter(|report| opened(report)).count(), 1);
    world.until_next_attempt();
    world.establish();
    world.authorize_all();
    world.take();
    world.acknowledge("private-newest");
    let gap = Continuity::Gap { since: certain, until: world.now, cause: REPLACED };
    assert_eq!(world.reports(), [subscribed("private-newest", gap)]);
}

// A08: a login whose token is not valid any more makes way for another one
#[test]
fn what_replaces_a_channel_that_was_given_up_is_tried_at_once() {
    let mut world = World::new();
    world.subscribe("private-old");
    world.subscribe("private-both");
    world.command(Connection::connect);
    world.establish();
    for id in world.authorizations() {
        let denied = Err(AuthorizationError::denied(401));
        world.command(|connection, now| connection.handle_authorization(now, id, denied));
    }
    world.take();
    world.replace("private-old", "private-new", world.now);
    world.replace("private-both", "private-both", world.now);
    world.authorize_all();
    world.take();
    world.acknowledge("private-new");
    world.acknowledge("private-both");
    let fresh = |channel| subscribed(channel, Continuity::Fresh);
    assert_eq!(world.reports(), [fresh("private-new"), fresh("private-both")], "nothing was ever subscribed before");
}

// I16, S17: an answer that is owed to the old one does not count for the new one
#[test]
fn a_channel_may_be_replaced_in_every_step_and_back_again() {
    for acknowledged in [false, true] {
        let mut world = World::connected();
        world.subscribe("private-old");
        world.authorize_all();
        if acknowledged {
            world.acknowledge("private-old");
        }
        world.take();
        world.replace("private-old", "private-new", world.now);
        world.replace("private-new", "private-old", world.now);
        world.authorize_all();
        if !acknowledged {
            world.acknowledge("private-old");
        }
        world.acknowledge("private-old");
        world.event("private-old", "on");
        assert_eq!(world.events, ["private-old on"], "{acknowledged}");
        let wanted = |text: &String| text.contains("pusher:subscribe") && text.contains("private-new");
        assert!(!world.sent().iter().any(wanted), "nobody wants it any more");
    }
}

// I15
#[test]
fn a_channel_that_is_replaced_between_two_sessions_begins_afresh() {
    let mut world = subscribed_for_ten_seconds();
    world.command(Connection::disconnect);
    world.replace("private-old", "private-new", world.now);
    world.command(Connection::connect);
    world.establish();
    world.authorize_all();
    let _ = world.take();
    world.acknowledge("private-new");
    assert_eq!(world.reports(), [subscribed("private-new", Continuity::Fresh)]);
}

// A08: what the server or the provider answers may be about the token before
#[test]
fn a_channel_that_replaces_itself_is_authorized_anew_and_the_answer_under_way_does_not_count() {
    let mut world = World::connected();
    world.subscribe("private-both");
    world.replace("private-both", "private-both", world.now);
    let [before, anew] = world.authorizations()[..] else { panic!("{:?}", world.outputs) };
    assert!(world.take().contains(&Output::CancelAuthorization { id: before }));
    let denied = Err(AuthorizationError::denied(401));
    world.command(|connection, now| connection.handle_authorization(now, before, denied));
    world.authorize(anew);
    world.acknowledge("private-both");
    assert_eq!(world.reports(), [subscribed("private-both", Continuity::Fresh)]);
}
