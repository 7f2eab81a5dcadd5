use super::*;
use crate::{GapCause, connection::lifecycle::Phase};
use ConnectionState::{Connected, Reconnecting};

// I27
#[test]
fn a_gap_opens_with_the_loss_and_closes_with_the_next_acknowledgement() {
    let mut world = World::subscribed(&["a", "b"]);
    let since = world.now;
    world.pass(3.0);
    world.event("a", "last");
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
    let denied = crate::AuthorizationError::denied(401);
    world.command(|connection, now| connection.handle_authorization(now, id, Err(denied)));
    world.take();
    world.subscribe("private-a");
    world.authorize_all();
    world.take();
    world.acknowledge("private-a");
    let cause = GapCause::ClosedByServer { code: None };
    assert_eq!(world.reports(), [subscribed("private-a", Continuity::Gap { since, until: world.now, cause })]);
}

/// Where the gap begins that opens when the socket breaks now.
fn gap_begins(world: &mut World) -> Time {
    world.take();
    world.close(None);
    let since = world.reports().into_iter().find_map(|report| match report {
        Report::Interrupted { since, .. } => Some(since),
        _ => None,
    });
    since.unwrap()
}

// I27: an old message that comes after a stall says nothing about those that were sent behind it.
#[test]
fn a_message_that_comes_late_does_not_move_the_beginning_of_a_gap() {
    let mut world = World::subscribed(&["a"]);
    world.pass(30.0);
    let asked = world.now;
    world.pass(0.1);
    world.text(PONG);
    world.pass(20.0);
    world.event("a", "sent-before-the-stall");
    world.pass(0.1);
    assert_eq!(gap_begins(&mut world), asked);
}

// I27
#[test]
fn a_gap_begins_at_the_last_request_that_was_answered() {
    let mut world = World::connected();
    let mut begins = world.now;
    for (round, answer) in [PONG, "acknowledgement", PONG, "acknowledgement"].into_iter().enumerate() {
        let channel = format!("c{round}");
        if answer == PONG {
            while !world.sent().contains(&PING.to_owned()) {
                world.pass(1.0);
            }
            begins = world.now;
            world.pass(3.0);
            world.text(PONG);
        } else {
            world.subscribe(&channel);
            begins = world.now;
            world.pass(3.0);
            world.acknowledge(&channel);
        }
        world.pass(2.0);
    }
    assert_eq!(gap_begins(&mut world), begins);
}

// I27: the pong of the first ping is credited to the first, however many hints came in between.
#[test]
fn a_pong_is_credited_to_its_own_ping() {
    let mut world = World::subscribed(&["a"]);
    world.pass(10.0);
    let first = world.now;
    world.command(Connection::network_changed);
    world.pass(0.05);
    world.event("a", "e");
    world.pass(0.35);
    world.command(Connection::network_changed);
    world.pass(0.1);
    world.text(PONG);
    world.pass(0.1);
    assert_eq!(gap_begins(&mut world), first);
}

// I27: a pong that no ping waits for proves nothing.
#[test]
fn a_pong_that_nobody_asked_for_does_not_move_the_beginning_of_a_gap() {
    let mut world = World::subscribed(&["a"]);
    let subscribed = world.now;
    for _ in 0..20 {
        world.pass(1.0);
        world.text(PONG);
        activity(&mut world);
    }
    assert_eq!(gap_begins(&mut world), subscribed);
}

// I27, Z02: whatever its length, a pause leaves the beginning where the last answered request was.
#[test]
fn a_pause_of_any_length_leaves_the_beginning_of_a_gap_before_itself() {
    for pause in [0.2, 1.0, 5.0, 12.0, 29.0, 31.0, 39.0, 100.0, 8.0 * 3600.0] {
        let mut world = World::subscribed(&["a"]);
        world.pass(30.0);
        let asked = world.now;
        world.pass(0.1);
        world.text(PONG);
        world.pass(3.0);
        world.now = world.now + Duration::from_secs_f64(pause);
        world.event("a", "sent-before-the-pause");
        assert_eq!(gap_begins(&mut world), asked, "{pause} s");
    }
}

// I27, Z02: the answer is read after the pause, and proves no more than it would have before.
#[test]
fn an_answer_read_after_a_pause_proves_only_up_to_its_request() {
    let mut world = World::subscribed(&["a"]);
    world.pass(30.0);
    let asked = world.now;
    assert_eq!(world.sent(), [PING]);
    world.now = world.now + Duration::from_secs(3600);
    world.text(PONG);
    world.command(Connection::handle_timeout);
    assert_eq!(world.sent(), [PING], "whether the server is still there has to be asked");
    assert_eq!(gap_begins(&mut world), asked);
}

// I27: how wide a gap may be for nothing.
#[test]
fn in_a_healthy_network_a_gap_begins_no_earlier_than_an_interval_and_a_round_trip_before_the_loss() {
    for quiet in [false, true] {
        let mut world = World::subscribed(&["a"]);
        for tick in 0..6_000 {
            world.pass(0.1);
            if world.sent().contains(&PING.to_owned()) {
                world.pass(0.05);
                world.text(PONG);
            }
            if !quiet && tick % 3 == 0 {
                world.event("a", "e");
            }
            let Phase::Up(live) = &world.connection.phase else { panic!("the socket was given up") };
            let width = world.now.saturating_since(live.liveness.certain_until());
            assert!(width <= Duration::from_millis(30_250), "{width:?}");
        }
    }
}

// I26, S09, S17: the answer to a repetition may come after the server has ended the subscription and before it reads that
// it is to forget the channel.
#[test]
fn an_answer_owed_when_a_subscription_ends_is_not_the_answer_to_the_next_subscribe() {
    let mut world = World::connected();
    world.subscribe("a");
    world.pass(10.0);
    world.acknowledge("a");
    let since = at(1_000.0);
    let cause = GapCause::EndedByServer { code: Some(429) };
    world.take();
    world.text(r#"{"event":"pusher:subscription_error","channel":"a","data":{"status":429}}"#);
    world.pass(1.0);
    assert_eq!(world.sent(), [unsubscribe_text("a"), subscribe_text("a")]);
    world.acknowledge("a");
    assert_eq!(world.take(), [], "the server has yet to unsubscribe");
    world.pass(1.0);
    world.acknowledge("a");
    assert_eq!(world.reports(), [subscribed("a", Continuity::Gap { since, until: world.now, cause })]);
}

// I27, S09
#[test]
fn an_acknowledgement_after_two_refusals_of_a_repeated_subscribe_proves_from_its_own_subscribe_on() {
    let refusal = r#"{"event":"pusher:subscription_error","channel":"a","data":{"status":429}}"#;
    let mut world = World::connected();
    world.subscribe("a");
    world.pass(10.0);
    world.text(refusal);
    world.text(refusal);
    world.take();
    let asked = world.connection.poll_timeout().unwrap();
    world.pass(1.0);
    assert_eq!(world.sent(), [subscribe_text("a")]);
    world.acknowledge("a");
    assert_eq!(gap_begins(&mut world), asked);
}
