use super::*;
use crate::{ConnectionError, ProtocolViolation};
use ConnectionState::{Connected, Connecting, Disconnected, Reconnecting};

fn failed_with(world: &mut World) -> Option<(ConnectionError, bool)> {
    world.reports().into_iter().find_map(|report| match report {
        Report::ConnectionFailed { error, retry_in } => Some((error, retry_in.is_some())),
        _ => None,
    })
}

fn opening() -> World {
    let mut world = World::new();
    world.command(Connection::connect);
    let epoch = world.epoch();
    world.command(|connection, now| connection.handle_opened(now, epoch));
    world.take();
    world
}

// I7, I8, I10
#[test]
fn a_connection_is_established_by_the_first_message() {
    let mut world = World::new();
    world.command(Connection::connect);
    let opens = Output::OpenSocket { epoch: world.epoch(), authorizations: 0 };
    assert_eq!(world.take(), [Output::Report(state(Disconnected, Connecting)), opens]);
    assert_eq!(world.connection.socket_id(), None);
    world.establish();
    assert_eq!(world.reports(), [state(Connecting, Connected)]);
    assert_eq!(world.connection.socket_id().map(|id| id.as_str().to_owned()).as_deref(), Some("1.2"));
    world.close(None);
    assert_eq!(world.connection.socket_id(), None);
    assert_eq!(world.reports().first(), Some(&state(Connected, Reconnecting)));
}

// P01, N07
#[test]
fn a_server_that_stays_silent_is_given_up_after_ten_seconds_in_all() {
    for upgraded in [false, true] {
        let mut world = World::new();
        world.command(Connection::connect);
        let epoch = world.epoch();
        world.pass(6.0);
        if upgraded {
            world.command(|connection, now| connection.handle_opened(now, epoch));
        }
        world.pass(3.9);
        assert_eq!(world.connection.state(), Connecting);
        world.take();
        world.now = world.now + Duration::from_millis(100);
        world.command(Connection::handle_timeout);
        let outputs = world.take();
        assert_eq!(outputs[0], Output::CloseSocket { epoch, close: None });
        assert_eq!(outputs[1], Output::Report(state(Connecting, Reconnecting)));
        let Output::Report(Report::ConnectionFailed { error, retry_in: Some(_) }) = &outputs[2] else {
            panic!("{outputs:?}")
        };
        assert!(error.to_string().contains("within 10 s"), "{error}");
        assert_eq!(error.to_string().contains("Pusher server"), upgraded, "{error}");
    }
}

// P02
#[test]
fn another_event_before_the_handshake_is_a_violation() {
    let mut world = opening();
    world.event("c", "e");
    let violation = ProtocolViolation::EventBeforeEstablished { event: "e".to_owned() };
    assert_eq!(failed_with(&mut world), Some((violation.into(), true)));
}

// P05
#[test]
fn a_handshake_without_a_socket_id_is_a_violation() {
    let mut world = opening();
    world.text(r#"{"event":"pusher:connection_established","data":"{}"}"#);
    assert_eq!(failed_with(&mut world), Some((ProtocolViolation::BadSocketId.into(), true)));
    assert_eq!(world.connection.state(), Reconnecting);
}

// P06
#[test]
fn a_second_handshake_is_a_violation_and_never_swaps_the_id() {
    let mut world = World::connected();
    world.text(r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"9.9\"}"}"#);
    assert_eq!(failed_with(&mut world), Some((ProtocolViolation::EstablishedTwice.into(), true)));
    assert_eq!(world.connection.socket_id(), None);
}

// P07, C06
#[test]
fn an_error_instead_of_the_handshake_decides_by_its_code() {
    let error = |code: &str| format!(r#"{{"event":"pusher:error","data":{{"message":"m","code":{code}}}}}"#);
    let mut world = opening();
    world.text(&error("4001"));
    let reports = world.reports();
    assert_eq!(reports[0], Report::ServerError { code: Some(4001), message: "m".to_owned() });
    assert_eq!(reports[1], state(Connecting, Disconnected));
    let refused = ConnectionError::Refused { code: 4001, message: "m".to_owned() };
    assert_eq!(reports[2], Report::ConnectionFailed { error: refused, retry_in: None });
    assert_eq!(world.connection.poll_timeout(), None, "no attempt follows");

    let mut world = opening();
    world.text(&error("4200"));
    assert!(matches!(failed_with(&mut world), Some((ConnectionError::ClosedEarly { code: Some(4200), .. }, true))));
}

// P09
#[test]
fn an_error_without_a_code_is_reported_and_the_socket_kept() {
    let mut world = opening();
    world.text(r#"{"event":"pusher:error","data":{"message":"m","code":null}}"#);
    assert_eq!(world.reports(), [Report::ServerError { code: None, message: "m".to_owned() }]);
    world.text(ESTABLISHED);
    world.text(r#"{"event":"pusher:error","data":"hm"}"#);
    assert_eq!(world.connection.state(), Connected);
    assert!(world.reports().contains(&Report::ServerError { code: None, message: "hm".to_owned() }));
}

// P08, P11, D01, I2, I3
#[test]
fn what_an_old_socket_says_has_no_effect() {
    let mut world = opening();
    let old = world.epoch();
    world.command(Connection::disconnect);
    world.take();
    for text in [ESTABLISHED, PING, r#"{"event":"pusher:error","data":{"code":4001}}"#] {
        world.text_of(old, text);
    }
    world.command(|connection, now| {
        let _ = connection.handle_opened(now, old);
        let _ = connection.handle_activity(now, old);
        connection.handle_closed(now, old, Closed::default())
    });
    assert_eq!(world.take(), []);
    assert_eq!(world.connection.state(), Disconnected);
    assert_eq!(world.connection.counters().stale_inputs, 6);
}

// P10
#[test]
fn unknown_messages_of_the_protocol_are_counted_and_ignored() {
    let mut world = World::subscribed(&["c"]);
    for event in ["pusher:future", "pusher_internal:future", "pusher_internal:subscription_count"] {
        world.event("c", event);
    }
    assert_eq!((world.take(), world.events.len()), (vec![], 0));
    assert_eq!(world.connection.counters().ignored_internal_events, 3);
    world.event("c", "pusher-like");
    assert_eq!(world.events, ["c pusher-like"]);
}

// Sockudo answers a wrong key with a 101 and nothing behind it.
#[test]
fn a_close_right_after_the_upgrade_points_at_the_app_key_and_backs_off() {
    let mut world = opening();
    let mut waits = vec![];
    for _ in 0..8 {
        world.close(None);
        let (error, _) = failed_with(&mut world).unwrap();
        assert!(error.to_string().contains("app key"), "{error}");
        waits.push(world.until_next_attempt());
        world.take();
    }
    assert!(waits.iter().any(|wait| *wait > Duration::from_secs(4)), "{waits:?}");
}
