use super::*;
use crate::{AuthorizationError, GapCause, SubscribeError};
use ConnectionState::{Connected, Reconnecting};

fn answer(world: &mut World, id: AuthorizationId, error: AuthorizationError) {
    world.command(|connection, now| connection.handle_authorization(now, id, Err(error)));
}

fn unavailable(message: &str) -> AuthorizationError {
    AuthorizationError::unavailable(message)
}

/// Lets time pass on a live socket, until an authorization is asked for; returns how long that took.
fn until_authorization(world: &mut World) -> Duration {
    let began = world.now;
    for _ in 0..4_000 {
        if !world.authorizations().is_empty() {
            return world.now.saturating_since(began);
        }
        world.pass(0.1);
        world.text(PONG);
    }
    panic!("none is asked for");
}

/// A connected world that asked for the authorization of `private-a`, and its number.
fn authorizing() -> (World, AuthorizationId) {
    let mut world = World::connected();
    world.subscribe("private-a");
    let id = world.authorizations()[0];
    world.take();
    (world, id)
}

// I16, I17, I22, S10, S11
#[test]
fn all_channels_are_asked_for_at_once_and_in_order() {
    let mut world = World::new();
    for channel in ["private-token.b", "private-user.a", "public"] {
        world.subscribe(channel);
    }
    world.command(Connection::connect);
    world.take();
    world.establish();
    let asked: Vec<_> = world
        .outputs
        .iter()
        .filter_map(|output| match output {
            Output::Authorize { channel, socket_id, refresh_token: false, .. } => {
                Some(format!("{channel} {socket_id}"))
            }
            _ => None,
        })
        .collect();
    assert_eq!(asked, ["private-token.b 1.2", "private-user.a 1.2"]);
    world.authorize_all();
    let texts = ["public", "private-token.b", "private-user.a"].map(subscribe_text);
    assert_eq!(world.sent(), texts);
    for data in ["", r#","data":null"#, r#","data":"""#, r#","data":"{}""#, r#","data":{}"#] {
        world.text(&format!(r#"{{"event":"pusher_internal:subscription_succeeded","channel":"public"{data}}}"#));
    }
    world.acknowledge("private-token.b");
    world.acknowledge("private-user.a");
    let expected = ["public", "private-token.b", "private-user.a"].map(|c| subscribed(c, Continuity::Fresh));
    assert_eq!(world.reports(), expected);
    assert_eq!(world.connection.counters().repeated_acknowledgements, 4);
    assert!(world.connection.is_settled());
}

// S19, I19
#[test]
fn authorizations_are_limited_in_number_and_keep_their_order() {
    let mut world = World::connected();
    for index in 0..500 {
        world.subscribe(&format!("private-{index:03}"));
    }
    let mut subscribed = 0;
    for _ in 0..500 {
        let ids = world.authorizations();
        world.outputs.clear();
        assert!(ids.len() <= 8);
        for id in ids {
            world.authorize(id);
        }
        let sent: Vec<_> = world.outputs.iter().filter(|o| matches!(o, Output::SendText { .. })).cloned().collect();
        for output in sent {
            let Output::SendText { text, .. } = output else { continue };
            assert_eq!(text.expose(), subscribe_text(&format!("private-{subscribed:03}")));
            subscribed += 1;
        }
    }
    assert_eq!(subscribed, 500);
}

// S01, S06, I23
#[test]
fn a_channel_that_is_denied_fails_alone() {
    for status in [401, 419] {
        let mut world = World::connected();
        world.subscribe("private-a");
        world.subscribe("private-b");
        let ids = world.authorizations();
        world.take();
        answer(&mut world, ids[0], AuthorizationError::denied(status));
        assert_eq!(world.failure(), (SubscriptionError::from(AuthorizationError::denied(status)), None));
        world.authorize(ids[1]);
        world.acknowledge("private-b");
        assert_eq!(world.reports(), [subscribed("private-b", Continuity::Fresh)]);
        world.pass(10.0);
        assert_eq!(world.take(), [], "a channel whose session is over is not asked for again");
        world.close(None);
        world.until_next_attempt();
        world.take();
        world.establish();
        assert_eq!(world.authorizations().len(), 1, "not on the next socket either");
        world.subscribe("private-a");
        assert_eq!(world.authorizations().len(), 2, "but when the caller asks for it");
    }
}

/// Fails a channel by `fail`, which leaves the socket alone, and expects it to be tried slowly and on every new socket.
fn expect_slow(expected: &SubscriptionError, mut fail: impl FnMut(&mut World, AuthorizationId)) {
    let (mut world, id) = authorizing();
    fail(&mut world, id);
    let (error, retry_in) = world.failure();
    assert_eq!(error, *expected);
    assert!(is_slow(retry_in), "{error}: {retry_in:?}");
    assert!(world.connection.is_settled(), "{error}");
    assert!(world.connection.poll_timeout().is_some());
    let waited = until_authorization(&mut world);
    assert!(waited.abs_diff(retry_in.unwrap()) < Duration::from_millis(200), "{error}: {waited:?} {retry_in:?}");
    let id = world.authorizations()[0];
    world.take();
    fail(&mut world, id);
    let reports = world.reports();
    let again = |report: &Report| matches!(report, Report::SubscriptionFailed { failures: 2, .. });
    assert!(reports.iter().any(again), "{error}: {reports:?}");
    world.close(None);
    world.until_next_attempt();
    world.take();
    world.establish();
    let id = world.authorizations()[0];
    world.authorize(id);
    world.acknowledge("private-a");
    assert!(world.reports().contains(&subscribed("private-a", Continuity::Fresh)), "{error}");
}

// S01, S04, S06, S08, I23: one answer that passes by itself is no end.
#[test]
fn what_may_pass_by_itself_is_tried_slowly_and_on_every_new_socket() {
    for status in [400, 403, 404, 422] {
        expect_slow(&SubscriptionError::from(AuthorizationError::denied(status)), |world, id| {
            answer(world, id, AuthorizationError::denied(status));
        });
    }
    expect_slow(&SubscriptionError::WrongAppKey, |world, id| {
        let authorization = Authorization::new("other:abc");
        world.command(|connection, now| connection.handle_authorization(now, id, Ok(authorization)));
        assert!(!world.outputs.iter().any(|output| matches!(output, Output::SendText { .. })), "it is refused here");
    });
    for status in [Some(400), Some(401), Some(403), Some(404), Some(4009), None] {
        let rejected = SubscriptionError::RejectedByServer { code: status, message: "no".to_owned() };
        expect_slow(&rejected, |world, id| {
            world.authorize(id);
            world.text(&subscription_error(status));
        });
    }
}

// S02, R07, R08
#[test]
fn an_unavailable_endpoint_is_asked_again_after_a_back_off_while_the_socket_stays() {
    let (mut world, mut id) = authorizing();
    let since = world.now;
    for round in 1..=20 {
        answer(&mut world, id, unavailable("500"));
        let reports = world.reports();
        let [Report::SubscriptionFailed { error, since: began, failures, retry_in: Some(_), .. }] = &reports[..] else {
            panic!("{reports:?}");
        };
        assert_eq!(*error, SubscriptionError::from(AuthorizationError::unavailable("500")));
        assert_eq!((*began, *failures), (since, round), "every try is told, with how long it has been going on");
        assert!(until_authorization(&mut world) <= Duration::from_secs(30));
        assert_eq!(world.connection.state(), Connected);
        id = world.authorizations()[0];
        world.take();
    }
    world.authorize(id);
    assert_eq!(world.sent(), [subscribe_text("private-a")]);
    world.acknowledge("private-a");
    world.text(&subscription_error(Some(503)));
    let failures = world.reports().into_iter().find_map(|report| match report {
        Report::SubscriptionFailed { failures, .. } => Some(failures),
        _ => None,
    });
    assert_eq!(failures, Some(1), "a subscription between them starts over");
}

// S02, W04
#[test]
fn the_endpoint_may_ask_to_be_left_alone() {
    let (mut world, id) = authorizing();
    answer(&mut world, id, AuthorizationError::unavailable("429").after(Duration::from_secs(20)));
    world.pass(19.9);
    assert_eq!(world.authorizations(), []);
    world.pass(1.2);
    assert_eq!(world.authorizations().len(), 1);
}

// S03, A02
#[test]
fn an_authorization_that_hangs_is_cancelled_and_asked_for_again() {
    let (mut world, id) = authorizing();
    world.pass(10.0);
    assert_eq!(world.outputs[0], Output::CancelAuthorization { id });
    let (error, retry_in) = world.failure();
    assert_eq!(error, SubscriptionError::AuthorizationTimedOut);
    assert!(is_soon(retry_in), "{retry_in:?}");
    world.pass(1.0);
    assert_eq!(world.authorizations().len(), 1);
    world.take();
    world.authorize(id);
    assert_eq!(world.take(), [], "the late answer is dropped");
}

// S03: an endpoint that needs longer gets longer, and after an answer no more than at first.
#[test]
fn an_authorization_has_longer_after_each_in_a_row_that_was_late() {
    let (mut world, mut id) = authorizing();
    for seconds in [10, 20, 40, 60, 60] {
        for _ in 0..2 * seconds - 1 {
            world.pass(0.5);
            world.text(PONG);
            assert!(!world.take().contains(&Output::CancelAuthorization { id }), "{seconds} s");
        }
        world.pass(0.5);
        assert!(world.take().contains(&Output::CancelAuthorization { id }), "{seconds} s");
        until_authorization(&mut world);
        id = world.authorizations()[0];
        world.take();
    }
    answer(&mut world, id, unavailable("busy"));
    world.take();
    until_authorization(&mut world);
    let id = world.authorizations()[0];
    world.take();
    world.pass(10.0);
    assert!(world.take().contains(&Output::CancelAuthorization { id }));
}

// S04
#[test]
fn an_unusable_answer_is_tried_slowly_from_the_third_time_on() {
    let (mut world, mut id) = authorizing();
    for tries in 1..=5 {
        answer(&mut world, id, AuthorizationError::malformed("html"));
        let (error, retry_in) = world.failure();
        assert_eq!(error, AuthorizationError::malformed("html").into());
        let slow = (Duration::from_secs(30)..=Duration::from_secs(300)).contains(&retry_in.unwrap());
        assert_eq!(slow, tries >= 3, "{tries}: {retry_in:?}");
        assert_eq!(world.connection.is_settled(), slow);
        until_authorization(&mut world);
        id = world.authorizations()[0];
        world.take();
    }
    world.authorize(id);
    world.acknowledge("private-a");
    assert!(world.reports().contains(&subscribed("private-a", Continuity::Fresh)));
}

// S04
#[test]
fn a_signature_without_its_key_is_unusable() {
    for auth in ["", "key", "key:", ":"] {
        let (mut world, id) = authorizing();
        let authorization = Authorization::new(auth);
        world.command(|connection, now| connection.handle_authorization(now, id, Ok(authorization)));
        assert!(matches!(world.failure().0, SubscriptionError::MalformedAuthorization { .. }), "{auth:?}");
        world.pass(1.0);
        assert_eq!(world.authorizations().len(), 1, "{auth:?}");
    }
}

// S05, I17
#[test]
fn an_answer_for_the_old_socket_is_dropped_and_asked_for_again() {
    let (mut world, old) = authorizing();
    world.close(None);
    assert!(world.take().contains(&Output::CancelAuthorization { id: old }));
    world.until_next_attempt();
    world.establish();
    let new = world.authorizations()[0];
    world.take();
    world.authorize(old);
    assert_eq!(world.take(), []);
    world.authorize(new);
    assert_eq!(world.sent(), [subscribe_text("private-a")]);
}

fn subscription_error(status: Option<u16>) -> String {
    let status = status.map(|status| format!(r#","status":{status}"#)).unwrap_or_default();
    let data = format!(r#"{{"type":"AuthError","error":"no"{status}}}"#);
    format!(r#"{{"event":"pusher:subscription_error","channel":"private-a","data":{data}}}"#)
}

// S08
#[test]
fn a_subscription_error_that_says_later_is_tried_again_soon() {
    for status in [408, 429, 500, 503] {
        let (mut world, id) = authorizing();
        world.authorize(id);
        world.take();
        world.text(&subscription_error(Some(status)));
        let (error, retry_in) = world.failure();
        assert_eq!(error, SubscriptionError::RejectedByServer { code: Some(status), message: "no".to_owned() });
        assert!(is_soon(retry_in), "{retry_in:?}");
        world.pass(1.0);
        assert_eq!(world.authorizations().len(), 1, "{status}");
    }
}

// S08, I26, I27
#[test]
fn a_subscription_that_the_server_ends_on_a_live_socket_is_a_gap_and_tried_again() {
    for (status, is_soon_again) in [(None, true), (Some(503), true), (Some(403), false)] {
        let mut world = World::subscribed(&["private-a", "b"]);
        world.pass(20.0);
        world.take();
        world.text(&subscription_error(status));
        let reports = world.reports();
        let cause = GapCause::EndedByServer { code: status };
        let [Report::Interrupted { channel, since, cause: told }, failed] = &reports[..] else { panic!("{reports:?}") };
        assert_eq!((channel.as_str(), *told), ("private-a", cause));
        assert!(*since < world.now && world.now.saturating_since(*since) <= Duration::from_secs(20), "{since:?}");
        let Report::SubscriptionFailed { retry_in, failures: 1, .. } = failed else { panic!("{failed:?}") };
        assert_eq!((is_soon(*retry_in), is_slow(*retry_in)), (is_soon_again, !is_soon_again), "{retry_in:?}");
        world.event("private-a", "lost");
        world.event("b", "other");
        assert_eq!(world.events, ["b other"], "the other channel goes on");
        until_authorization(&mut world);
        world.authorize_all();
        world.take();
        world.acknowledge("private-a");
        let gap = Continuity::Gap { since: *since, until: world.now, cause };
        assert_eq!(world.reports(), [subscribed("private-a", gap)]);
        assert_eq!(world.connection.state(), Connected);
    }
}

// S08: each try costs the endpoint an authorization
#[test]
fn a_subscription_that_the_server_ends_again_and_again_is_tried_less_and_less_often() {
    let mut world = World::subscribed(&["private-a"]);
    world.pass(20.0);
    let mut waits = vec![];
    for _ in 0..12 {
        world.text(&subscription_error(Some(503)));
        world.take();
        waits.push(until_authorization(&mut world));
        world.authorize_all();
        world.take();
        world.acknowledge("private-a");
        world.take();
    }
    assert!(waits.iter().sum::<Duration>() > Duration::from_secs(30), "{waits:?}");
    world.pass(9.0);
    world.text(PONG);
    world.pass(9.0);
    world.take();
    world.text(&subscription_error(Some(503)));
    let (_, retry_in) = world.failure();
    assert!(is_soon(retry_in), "one that has lasted begins anew: {retry_in:?}");
}

// S09, I16
#[test]
fn a_missing_acknowledgement_is_asked_for_once_more_and_then_the_socket_is_given_up() {
    let mut world = World::connected();
    world.subscribe("a");
    world.take();
    world.pass(10.0);
    assert_eq!(world.sent(), [subscribe_text("a")]);
    world.text(PONG);
    world.pass(10.0);
    assert_eq!(world.connection.state(), Reconnecting);
    assert!(matches!(world.take().first(), Some(Output::CloseSocket { .. })));
}

/// A world with `a` and `b`, of which the first was not acknowledged on one socket, and not on the second.
fn mute() -> World {
    let mut world = World::connected();
    world.subscribe("a");
    world.subscribe("b");
    world.acknowledge("b");
    world.pass(10.0);
    world.text(PONG);
    world.pass(10.0);
    world.until_next_attempt();
    world.take();
    world.establish();
    assert_eq!(world.sent(), [subscribe_text("b")]);
    world.acknowledge("b");
    assert_eq!(world.sent(), [subscribe_text("a")], "behind the others");
    for _ in 0..8 {
        world.pass(5.0);
        world.text(PONG);
    }
    world
}

// S09, S07, I23
#[test]
fn a_channel_that_is_never_acknowledged_costs_the_others_one_socket() {
    let mut world = mute();
    let (error, retry_in) = world.failure();
    assert_eq!(error, SubscriptionError::Unacknowledged);
    assert!(is_slow(retry_in), "{retry_in:?}");
    for _ in 0..3600 {
        world.pass(1.0);
        world.text(PONG);
    }
    assert_eq!(world.connection.state(), Connected, "its silence ends no socket any more");
    let failures = world.failures();
    assert!((5..60).contains(&failures.len()), "{} tries within an hour", failures.len());
    world.subscribe("c");
    assert_eq!(world.sent(), [subscribe_text("c")], "nobody waits for it");
}

// S09, S12: a server that needs 21 s has this client too.
#[test]
fn a_late_yes_for_a_channel_that_is_wanted_is_a_yes() {
    let mut world = mute();
    world.take();
    world.pass(1.0);
    world.acknowledge("a");
    assert_eq!(world.take(), [Output::Report(subscribed("a", Continuity::Fresh))]);
    world.event("a", "e");
    assert_eq!(world.events, ["a e"]);
    world.pass(3600.0);
}

// S09, S12: also while the next try is being authorized, which is then not needed any more.
#[test]
fn a_late_yes_ends_the_next_try() {
    let mut world = World::connected();
    world.subscribe("private-a");
    world.authorize_all();
    world.take();
    world.text(r#"{"event":"pusher:error","data":{"message":"m","code":4300}}"#);
    assert!(is_slow(world.failure().1));
    until_authorization(&mut world);
    let id = world.authorizations()[0];
    world.take();
    world.acknowledge("private-a");
    let yes = Output::Report(subscribed("private-a", Continuity::Fresh));
    assert_eq!(world.take(), [Output::CancelAuthorization { id }, yes]);
}

// S12, S17: but not for one that is not wanted any more, or was refused by its name.
#[test]
fn a_late_yes_for_a_channel_that_is_not_wanted_is_no_subscription() {
    let mut world = mute();
    world.take();
    world.unsubscribe("a");
    assert_eq!(world.sent(), [unsubscribe_text("a")]);
    world.acknowledge("a");
    assert_eq!(world.take(), [], "the server had it before the unsubscribe");
}

// S09, I26: either subscribe may be the one that is answered, and none is taken back in between.
#[test]
fn between_the_two_answers_to_a_repeated_subscribe_nothing_is_lost() {
    let mut world = World::connected();
    world.subscribe("a");
    world.take();
    world.pass(10.0);
    assert_eq!(world.sent(), [subscribe_text("a")], "an unsubscribe before it would take effect behind the first");
    world.pass(1.0);
    world.acknowledge("a");
    assert_eq!(world.reports(), [subscribed("a", Continuity::Fresh)]);
    world.event("a", "between");
    world.pass(3.0);
    world.acknowledge("a");
    world.event("a", "behind");
    assert!(matches!(&world.take()[..], [Output::Event(_), Output::Event(_)]));
    assert_eq!(world.events, ["a between", "a behind"]);
    assert_eq!(world.connection.counters().repeated_acknowledgements, 1);
}

// I16, I26, S17: the server has yet to carry out the unsubscribe when such an answer comes.
#[test]
fn an_answer_to_what_was_unsubscribed_since_is_not_the_answer_to_what_was_asked_next() {
    let repeated = || {
        let mut world = World::connected();
        world.subscribe("a");
        world.pass(10.0);
        world.acknowledge("a");
        world.unsubscribe("a");
        world
    };
    let left_before_the_answer = || {
        let mut world = World::connected();
        world.subscribe("a");
        world.unsubscribe("a");
        world.pass(10.0);
        world
    };
    let left_while_mute = || {
        let mut world = mute();
        world.acknowledge("a");
        world.unsubscribe("a");
        world
    };
    for mut world in [repeated(), left_before_the_answer(), left_while_mute()] {
        assert_eq!(world.sent().last(), Some(&unsubscribe_text("a")));
        world.subscribe("a");
        assert_eq!(world.sent(), [subscribe_text("a")]);
        world.acknowledge("a");
        assert_eq!(world.take(), [], "it answers the subscribe before the unsubscribe");
        world.acknowledge("a");
        assert_eq!(world.reports(), [subscribed("a", Continuity::Fresh)]);
        world.unsubscribe("a");
        assert_eq!(world.sent(), [unsubscribe_text("a")]);
    }
}

// S17, S08: so is a refusal.
#[test]
fn a_refusal_of_what_was_unsubscribed_since_is_not_the_refusal_of_what_was_asked_next() {
    let mut world = World::connected();
    world.subscribe("private-a");
    world.authorize_all();
    world.unsubscribe("private-a");
    world.pass(10.0);
    world.take();
    world.subscribe("private-a");
    world.authorize_all();
    world.take();
    world.text(&subscription_error(Some(403)));
    assert_eq!(world.take(), []);
    world.acknowledge("private-a");
    assert_eq!(world.reports(), [subscribed("private-a", Continuity::Fresh)]);
}

// S09, S17: an answer that was lost makes the next one count for it, which the repetition mends.
#[test]
fn a_server_that_leaves_a_subscribe_unanswered_costs_the_next_one_a_repetition() {
    let mut world = World::connected();
    world.subscribe("a");
    world.unsubscribe("a");
    world.pass(10.0);
    world.subscribe("a");
    world.acknowledge("a");
    world.take();
    world.pass(10.0);
    assert_eq!(world.sent(), [subscribe_text("a")]);
    world.acknowledge("a");
    assert_eq!(world.reports(), [subscribed("a", Continuity::Fresh)]);
}

// S09, S17: what a server has left out for longer than anyone waits, while it answered other things, does not come any more.
#[test]
fn an_answer_that_the_server_leaves_out_does_not_cost_the_next_one_for_ever() {
    let answered_once_for_two = || {
        let mut world = World::connected();
        world.subscribe("a");
        world.pass(10.0);
        world.acknowledge("a");
        world
    };
    let left_unanswered = || {
        let mut world = World::connected();
        world.subscribe("a");
        world.unsubscribe("a");
        world
    };
    for mut world in [answered_once_for_two(), left_unanswered()] {
        pass_answered(&mut world, 95);
        world.unsubscribe("a");
        world.take();
        world.subscribe("a");
        assert_eq!(world.sent(), [subscribe_text("a")]);
        world.acknowledge("a");
        assert_eq!(world.reports(), [subscribed("a", Continuity::Fresh)]);
        world.acknowledge("a");
        world.unsubscribe("a");
        assert_eq!(world.sent(), [unsubscribe_text("a")]);
        world.acknowledge("a");
        assert_eq!(world.sent(), [unsubscribe_text("a")], "nothing more was owed");
    }
}

// I16, I26, S17: a server that is slow, or behind a network that is, still owes what it was asked.
#[test]
fn an_answer_is_owed_while_the_server_may_be_slow() {
    let without_pongs = |world: &mut World| {
        for _ in 0..100 {
            world.pass(1.0);
            activity(world);
        }
    };
    let for_a_minute = |world: &mut World| pass_answered(world, 59);
    let working = |world: &mut World| {
        pass_answered(world, 90);
        world.subscribe("b");
        world.acknowledge("b");
    };
    for slow in [without_pongs as fn(&mut World), for_a_minute, working] {
        let mut world = World::connected();
        world.subscribe("a");
        world.pass(10.0);
        world.acknowledge("a");
        slow(&mut world);
        world.unsubscribe("a");
        world.subscribe("a");
        world.take();
        world.acknowledge("a");
        assert_eq!(world.take(), [], "it may answer the subscribe before the unsubscribe");
        world.acknowledge("a");
        assert_eq!(world.reports(), [subscribed("a", Continuity::Fresh)]);
    }
}

/// Lets time pass in which the server says something every second, and answers every ping.
fn pass_answered(world: &mut World, seconds: u32) {
    for _ in 0..seconds {
        world.pass(1.0);
        world.text(PONG);
    }
}

// S14, M08: what was left with an answer still to come is remembered until that comes, or the socket ends.
#[test]
fn a_channel_that_was_left_is_forgotten_with_its_last_answer() {
    let mut world = World::connected();
    for channel in ["a", "b"] {
        world.subscribe(channel);
        world.unsubscribe(channel);
    }
    world.pass(10.0);
    world.take();
    world.acknowledge("a");
    assert_eq!((world.take(), world.connection.is_settled()), (vec![], true));
    world.acknowledge("a");
    assert_eq!(world.sent(), [unsubscribe_text("a")], "nobody asked for that one");
    world.event("b", "e");
    assert_eq!(world.events, Vec::<String>::new());
    world.close(None);
    world.until_next_attempt();
    world.take();
    world.establish();
    assert_eq!(world.sent(), Vec::<String>::new());
}

// S09: a slow link is not a silent server: while it answers, the others have not had their turn.
#[test]
fn while_the_server_answers_one_subscribe_after_the_other_nobody_is_late() {
    let mut world = World::connected();
    let channels: Vec<_> = (0..100).map(|number| format!("c{number}")).collect();
    for channel in &channels {
        world.subscribe(channel);
    }
    world.take();
    for channel in &channels {
        world.pass(1.0);
        world.acknowledge(channel);
        let asked = world.sent().into_iter().filter(|text| !text.contains("pusher:ping"));
        assert_eq!(asked.collect::<Vec<_>>(), Vec::<String>::new(), "nothing is asked for again");
    }
    assert!(world.connection.is_settled());
}

// S09: 10 s twice, then 20 s twice, and after an acknowledgement 10 s again.
#[test]
fn an_acknowledgement_has_longer_after_each_subscribe_in_a_row_that_was_late() {
    let mut world = mute();
    world.take();
    let resent_after = |world: &mut World| {
        for _ in 0..10_000 {
            world.pass(0.1);
            world.text(PONG);
            if world.sent().contains(&subscribe_text("a")) {
                break;
            }
        }
        let sent = world.now;
        for _ in 0..10_000 {
            world.pass(0.1);
            world.text(PONG);
            if world.sent().contains(&subscribe_text("a")) {
                return world.now.saturating_since(sent);
            }
        }
        panic!("it is not sent again");
    };
    let waited = resent_after(&mut world);
    assert!(waited.abs_diff(Duration::from_secs(40)) < Duration::from_millis(200), "{waited:?}");
    world.acknowledge("a");
    world.close(None);
    world.until_next_attempt();
    world.establish();
    world.acknowledge("b");
    world.take();
    world.pass(9.9);
    assert_eq!(world.sent(), Vec::<String>::new());
    world.pass(0.2);
    assert_eq!(world.sent(), [subscribe_text("a")]);
}

// R06: of a channel, on a live connection.
#[test]
fn a_channel_without_a_subscription_for_two_minutes_is_told_once() {
    let (mut world, mut id) = authorizing();
    world.subscribe("b");
    world.acknowledge("b");
    let began = world.now;
    let mut told = vec![];
    for second in 0..600 {
        answer(&mut world, id, unavailable("500"));
        world.pass(1.0);
        world.text(PONG);
        id = world.authorizations().last().copied().unwrap_or(id);
        for report in world.reports() {
            if let Report::Suspended { channel, since } = report {
                told.push((second, channel, since));
            }
        }
    }
    assert_eq!(told, [(119, Some(name("private-a")), began)]);
    assert!(world.connection.is_settled(), "the connection does not wait for it");
    until_authorization(&mut world);
    let id = *world.authorizations().last().unwrap();
    world.authorize(id);
    world.acknowledge("private-a");
    world.text(&subscription_error(Some(403)));
    let began = world.now;
    world.take();
    for _ in 0..130 {
        world.pass(1.0);
        world.text(PONG);
    }
    let suspended = |report: &Report| matches!(report, Report::Suspended { .. });
    let told: Vec<_> = world.reports().into_iter().filter(suspended).collect();
    assert_eq!(told, [Report::Suspended { channel: Some(name("private-a")), since: began }], "a new outage");
}

// R06: the time without a connection is the connection's, and does not count.
#[test]
fn a_channels_time_without_a_subscription_counts_over_sockets_but_not_between_them() {
    let mut world = World::new();
    world.subscribe("private-a");
    world.command(Connection::connect);
    let mut told = 0;
    let mut live = 0;
    for _ in 0..8 {
        world.establish();
        for _ in 0..20 {
            for id in world.authorizations() {
                answer(&mut world, id, unavailable("500"));
            }
            world.take();
            world.pass(1.0);
            world.text(PONG);
            live += 1;
            let suspended =
                |output: &&Output<'_>| matches!(output, Output::Report(Report::Suspended { channel: Some(_), .. }));
            let now_told = world.outputs.iter().filter(suspended).count();
            assert!(now_told == 0 || live == 120, "after {live} s");
            told += now_told;
        }
        world.close(4100);
        world.pass(0.5);
        world.until_next_attempt();
    }
    assert_eq!(told, 1);
}

// S13, I25
#[test]
fn events_before_the_acknowledgement_are_delivered_behind_it() {
    let mut world = World::connected();
    world.subscribe("a");
    world.event("a", "early-1");
    world.event("a", "early-2");
    assert_eq!(world.events, Vec::<String>::new());
    world.take();
    world.acknowledge("a");
    let outputs = world.take();
    assert_eq!(outputs[0], Output::Report(subscribed("a", Continuity::Fresh)));
    assert!(matches!(&outputs[1..], [Output::Event(_), Output::Event(_)]), "{outputs:?}");
    world.event("a", "later");
    assert_eq!(world.events, ["a early-1", "a early-2", "a later"]);
}

// S13, I25, I26: also when the subscribe was taken for failed in between.
#[test]
fn events_before_a_late_yes_are_delivered_behind_it() {
    let nameless = r#"{"event":"pusher:error","data":{"message":"m","code":4300}}"#;
    let mut world = World::connected();
    world.subscribe("a");
    world.event("a", "early-1");
    world.text(nameless);
    assert!(is_slow(world.failure().1));
    world.event("a", "early-2");
    world.acknowledge("a");
    assert_eq!(world.reports()[0], subscribed("a", Continuity::Fresh));
    assert_eq!(world.events, ["a early-1", "a early-2"]);
    assert_eq!(world.connection.counters().unexpected_events, 0);

    let mut world = World::connected();
    world.subscribe("private-a");
    world.authorize_all();
    for number in 0..60 {
        world.event("private-a", &format!("e{number}"));
    }
    world.text(nameless);
    world.take();
    until_authorization(&mut world);
    for number in 60..70 {
        world.event("private-a", &format!("e{number}"));
    }
    world.take();
    world.acknowledge("private-a");
    let lagged = Report::Lagged { channel: name("private-a"), dropped: 6 };
    assert_eq!(world.reports()[1], lagged);
    assert_eq!((world.events.len(), world.events[0].as_str()), (64, "private-a e6"));
}

// S13: a subscribe that was refused by its name has no events.
#[test]
fn events_before_a_refusal_belong_to_nobody() {
    let mut world = World::connected();
    world.subscribe("private-a");
    world.authorize_all();
    world.event("private-a", "early");
    world.text(&subscription_error(Some(503)));
    world.event("private-a", "late");
    assert_eq!(world.connection.counters().unexpected_events, 1);
    world.take();
    until_authorization(&mut world);
    world.authorize_all();
    world.take();
    world.acknowledge("private-a");
    assert_eq!(world.reports(), [subscribed("private-a", Continuity::Fresh)]);
    assert_eq!(world.events, Vec::<String>::new());
}

// S13, Y03
#[test]
fn too_many_early_events_are_counted_where_they_are_missing() {
    let mut world = World::connected();
    world.subscribe("a");
    for index in 0..100 {
        world.event("a", &format!("e{index}"));
    }
    world.take();
    world.acknowledge("a");
    let reports = world.reports();
    assert_eq!(reports[1], Report::Lagged { channel: name("a"), dropped: 36 });
    assert_eq!(world.events.first().map(String::as_str), Some("a e36"));
    assert_eq!(world.events.len(), 64);
}

// S15
#[test]
fn subscribing_twice_is_one_subscribe() {
    let mut world = World::connected();
    for _ in 0..3 {
        world.subscribe("a");
    }
    assert_eq!(world.sent(), [subscribe_text("a")]);
    world.acknowledge("a");
    world.take();
    world.subscribe("a");
    assert_eq!(world.take(), []);
}

// S16
#[test]
fn unsubscribing_during_the_authorization_sends_nothing() {
    let (mut world, id) = authorizing();
    world.unsubscribe("private-a");
    assert_eq!(world.take(), [Output::CancelAuthorization { id }]);
    world.authorize(id);
    assert_eq!(world.take(), []);
    world.close(None);
    world.until_next_attempt();
    world.establish();
    assert_eq!(world.authorizations(), []);
}

// S17
#[test]
fn the_last_of_many_wishes_counts_and_waits_for_the_answer_on_its_way() {
    let mut world = World::connected();
    world.subscribe("a");
    world.take();
    world.unsubscribe("a");
    world.subscribe("a");
    world.unsubscribe("a");
    assert_eq!(world.take(), [], "the first answer is awaited");
    world.event("a", "unwanted");
    world.acknowledge("a");
    assert_eq!(world.sent(), [unsubscribe_text("a")]);
    world.subscribe("a");
    assert_eq!(world.sent(), [subscribe_text("a")]);
    world.unsubscribe("a");
    world.subscribe("a");
    world.acknowledge("a");
    assert_eq!(world.reports(), [subscribed("a", Continuity::Fresh)]);
    assert_eq!(world.events, Vec::<String>::new());
}

// S17, I21
#[test]
fn an_answer_that_never_comes_does_not_keep_an_unwanted_channel() {
    let mut world = World::connected();
    world.subscribe("a");
    world.unsubscribe("a");
    world.take();
    world.pass(10.0);
    assert_eq!(world.sent(), [unsubscribe_text("a")]);
    assert!(world.connection.is_settled());
}

// I25
#[test]
fn nothing_of_a_channel_is_delivered_after_it_was_unsubscribed() {
    let mut world = World::subscribed(&["a", "b"]);
    world.unsubscribe("a");
    assert_eq!(world.sent(), [unsubscribe_text("a")]);
    world.event("a", "late");
    world.event("b", "other");
    assert_eq!(world.events, ["b other"]);
}

// D11
#[test]
fn wishes_made_offline_are_remembered() {
    let mut world = World::new();
    world.subscribe("a");
    world.subscribe("b");
    world.unsubscribe("a");
    world.command(Connection::connect);
    world.take();
    world.establish();
    assert_eq!(world.sent(), [subscribe_text("b")]);
}

#[test]
fn kinds_that_are_not_supported_are_refused_before_anything_is_sent() {
    let mut world = World::connected();
    let encrypted = (!cfg!(feature = "encryption")).then_some("private-encrypted-a");
    for channel in ["#server-to-user-1"].into_iter().chain(encrypted) {
        let refused = world.connection.subscribe(world.now, name(channel)).map(drop);
        assert!(matches!(refused, Err(SubscribeError::UnsupportedKind { .. })), "{channel}");
    }
    assert!(world.connection.outputs().next().is_none());
}

#[test]
fn channel_data_of_the_endpoint_is_passed_on() {
    let (mut world, id) = authorizing();
    let authorization = Authorization::new("key:abc").with_channel_data("{}");
    world.command(|connection, now| connection.handle_authorization(now, id, Ok(authorization)));
    assert!(world.sent()[0].contains(r#""channel_data":"{}""#));
}

// Q01, I38
#[test]
fn no_debug_output_shows_a_signature() {
    let (mut world, id) = authorizing();
    let authorization = Authorization::new("key:canary");
    let _ = world.connection.handle_authorization(world.now, id, Ok(authorization));
    assert!(!format!("{:?}", world.connection).contains("canary"), "with the subscribe still in it");
    world.command(|connection, _| connection.outputs());
    let Some(Output::SendText { text, .. }) = world.outputs.first() else { panic!("{:?}", world.outputs) };
    assert!(text.expose().contains("canary"));
    assert!(!format!("{:?}", world.outputs).contains("canary"));
    assert!(!format!("{:?}", world.connection).contains("canary"));
}

// Y02, Y03, I36
#[test]
fn early_events_are_bounded_by_their_bytes_over_all_channels() {
    let mut world = World::connected();
    let event = |channel: &str, name: &str| {
        let filling = "x".repeat(100_000);
        format!(r#"{{"event":"{name}","channel":"{channel}","data":"{filling}"}}"#)
    };
    for channel in ["a", "b"] {
        world.subscribe(channel);
    }
    for number in 0..8 {
        world.text(&event("a", &format!("e{number}")));
    }
    for number in 0..20 {
        world.text(&event("b", &format!("e{number}")));
    }
    world.take();
    world.acknowledge("a");
    world.acknowledge("b");
    assert_eq!(world.events.len(), 10, "a mebibyte of them");
    assert_eq!(world.events.last().map(String::as_str), Some("b e19"));
    let lagged = |report: &Report| if let Report::Lagged { dropped, .. } = report { *dropped } else { 0 };
    assert_eq!(world.reports().iter().map(lagged).sum::<u64>(), 18);
    world.subscribe("c");
    for number in 0..10 {
        world.text(&event("c", &format!("e{number}")));
    }
    world.take();
    world.acknowledge("c");
    assert_eq!(world.reports().iter().map(lagged).sum::<u64>(), 0, "what was released makes room");
}
