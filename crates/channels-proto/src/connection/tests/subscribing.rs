use super::*;
use crate::{AuthorizationError, SubscribeError, SubscriptionError};
use ConnectionState::{Connected, Reconnecting};

fn answer(world: &mut World, id: AuthorizationId, error: AuthorizationError) {
    world.command(|connection, now| connection.handle_authorization(now, id, Err(error)));
}

fn failed(channel: &str, error: SubscriptionError) -> Report {
    Report::SubscriptionFailed { channel: name(channel), error, since: Time::ZERO, failures: 1, retry_in: None }
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
        assert!(world.connection.authorizations_needed() <= 8);
        let ids = world.authorizations();
        world.outputs.clear();
        assert!(ids.len() <= 8);
        for id in ids {
            world.authorize(id);
        }
        let sent: Vec<_> = world.outputs.iter().filter(|o| matches!(o, Output::SendText { .. })).cloned().collect();
        for output in sent {
            let Output::SendText { text, .. } = output else { continue };
            assert_eq!(text, subscribe_text(&format!("private-{subscribed:03}")));
            subscribed += 1;
        }
    }
    assert_eq!(subscribed, 500);
}

// S01, S06, I23
#[test]
fn a_channel_that_is_denied_fails_alone() {
    let mut world = World::connected();
    world.subscribe("private-a");
    world.subscribe("private-b");
    let ids = world.authorizations();
    world.take();
    answer(&mut world, ids[0], AuthorizationError::Denied { status: 403 });
    world.authorize(ids[1]);
    world.acknowledge("private-b");
    let reports = world.reports();
    assert_eq!(
        reports,
        [failed("private-a", SubscriptionError::Denied { status: 403 }), subscribed("private-b", Continuity::Fresh),]
    );
    world.pass(10.0);
    assert_eq!(world.take(), [], "a denied channel is not asked for again");
    world.close(None);
    world.until_next_attempt();
    world.take();
    world.establish();
    assert_eq!(world.authorizations().len(), 1, "not on the next socket either");
    world.subscribe("private-a");
    assert_eq!(world.authorizations().len(), 2, "but when the caller asks for it");
}

// S02, R07, R08
#[test]
fn an_unavailable_endpoint_is_asked_again_after_a_back_off_while_the_socket_stays() {
    let (mut world, mut id) = authorizing();
    for round in 0..20 {
        let error = AuthorizationError::Unavailable { message: "500".to_owned(), retry_after: None };
        answer(&mut world, id, error);
        assert_eq!(world.take(), []);
        for _ in 0..300 {
            world.pass(0.1);
            world.text(PONG);
            if !world.authorizations().is_empty() {
                break;
            }
        }
        assert_eq!(world.connection.state(), Connected);
        let ids = world.authorizations();
        assert_eq!(ids.len(), 1, "round {round}");
        id = ids[0];
        world.take();
    }
    world.authorize(id);
    assert_eq!(world.sent(), [subscribe_text("private-a")]);
}

// S02, W04
#[test]
fn the_endpoint_may_ask_to_be_left_alone() {
    let (mut world, id) = authorizing();
    let retry_after = Some(Duration::from_secs(20));
    answer(&mut world, id, AuthorizationError::Unavailable { message: "429".to_owned(), retry_after });
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
    assert_eq!(world.take(), [Output::CancelAuthorization { id }]);
    world.pass(1.0);
    assert_eq!(world.authorizations().len(), 1);
    world.take();
    world.authorize(id);
    assert_eq!(world.take(), [], "the late answer is dropped");
}

// S04
#[test]
fn an_unusable_answer_is_final_the_third_time() {
    let (mut world, mut id) = authorizing();
    for tries in 1..=3 {
        answer(&mut world, id, AuthorizationError::Malformed { message: "html".to_owned() });
        if tries < 3 {
            assert_eq!(world.take(), []);
            world.pass(4.0);
            id = world.authorizations()[0];
            world.take();
        }
    }
    let error = SubscriptionError::MalformedAuthorization { message: "html".to_owned() };
    assert_eq!(world.reports(), [failed("private-a", error)]);
}

// S04
#[test]
fn a_signature_without_its_key_is_unusable() {
    for auth in ["", "key", "key:", ":"] {
        let (mut world, id) = authorizing();
        let authorization = Authorization { auth: Secret::new(auth), channel_data: None };
        world.command(|connection, now| connection.handle_authorization(now, id, Ok(authorization)));
        assert_eq!(world.take(), [], "{auth:?}");
        world.pass(1.0);
        assert_eq!(world.authorizations().len(), 1, "{auth:?}");
    }
}

// S06
#[test]
fn a_signature_of_another_app_is_refused_here() {
    let (mut world, id) = authorizing();
    let authorization = Authorization { auth: Secret::new("other:abc"), channel_data: None };
    world.command(|connection, now| connection.handle_authorization(now, id, Ok(authorization)));
    assert_eq!(world.reports(), [failed("private-a", SubscriptionError::WrongAppKey)]);
    assert_eq!(world.sent(), Vec::<String>::new());
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

// S08
#[test]
fn a_subscription_error_of_the_server_is_final_or_tried_again_by_its_status() {
    let error = |status: u16| {
        format!(
            r#"{{"event":"pusher:subscription_error","channel":"private-a","data":{{"type":"AuthError","error":"no","status":{status}}}}}"#
        )
    };
    for status in [400, 401, 403, 404] {
        let (mut world, id) = authorizing();
        world.authorize(id);
        world.take();
        world.text(&error(status));
        let rejected = SubscriptionError::RejectedByServer { code: Some(status), message: "no".to_owned() };
        assert_eq!(world.reports(), [failed("private-a", rejected)]);
    }
    for status in [408, 429, 500, 503] {
        let (mut world, id) = authorizing();
        world.authorize(id);
        world.take();
        world.text(&error(status));
        assert_eq!(world.take(), []);
        world.pass(1.0);
        assert_eq!(world.authorizations().len(), 1, "{status}");
    }
}

// S09, I16
#[test]
fn a_missing_acknowledgement_is_asked_for_once_more_and_then_the_socket_is_given_up() {
    let mut world = World::connected();
    world.subscribe("a");
    world.take();
    world.pass(10.0);
    assert_eq!(world.sent(), [unsubscribe_text("a"), subscribe_text("a")]);
    world.text(PONG);
    world.pass(10.0);
    assert_eq!(world.connection.state(), Reconnecting);
    assert!(matches!(world.take().first(), Some(Output::CloseSocket { .. })));
}

// S09, S07, I23
#[test]
fn a_channel_that_is_never_acknowledged_costs_the_others_one_socket() {
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
    assert_eq!(world.sent(), [subscribe_text("a")], "last and alone");
    for _ in 0..2 {
        world.pass(10.0);
        world.text(PONG);
    }
    assert!(world.reports().contains(&failed("a", SubscriptionError::Unacknowledged)));
    assert_eq!(world.connection.state(), Connected);
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
    let reports = world.reports();
    assert_eq!(reports[0], subscribed("a", Continuity::Fresh));
    assert_eq!(reports.len(), 3);
    world.event("a", "later");
    assert_eq!(world.events, ["a early-1", "a early-2", "a later"]);
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
    for channel in ["presence-a", "private-encrypted-a", "#server-to-user-1"] {
        let refused = world.connection.subscribe(world.now, name(channel));
        assert!(matches!(refused, Err(SubscribeError::UnsupportedKind { .. })), "{channel}");
    }
    world.drain();
    assert_eq!(world.take(), []);
}

#[test]
fn channel_data_of_the_endpoint_is_passed_on() {
    let (mut world, id) = authorizing();
    let authorization = Authorization { auth: Secret::new("key:abc"), channel_data: Some("{}".to_owned()) };
    world.command(|connection, now| connection.handle_authorization(now, id, Ok(authorization)));
    assert!(world.sent()[0].contains(r#""channel_data":"{}""#));
}

// Q01, I38
#[test]
fn no_debug_output_shows_a_signature() {
    let (mut world, id) = authorizing();
    let authorization = Authorization { auth: Secret::new("key:canary"), channel_data: None };
    world.command(|connection, now| connection.handle_authorization(now, id, Ok(authorization)));
    world.take();
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
