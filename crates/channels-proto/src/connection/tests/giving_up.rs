//! Options by which a client gives up, or waits no longer than so long.

use super::*;
use crate::{ConnectFailure, ConnectFailureKind, ConnectionError, FailureClass};
use ConnectionState::{Connecting, Disconnected};

fn limited(max_attempts: u32) -> World {
    let mut options = options();
    options.max_attempts = Some(max_attempts);
    World::with_options(options)
}

fn fail(world: &mut World) {
    let (class, kind) = (FailureClass::Network, ConnectFailureKind::Network);
    let failure = ConnectFailure { class, kind, retry_after: None, message: "no".to_owned() };
    let epoch = world.epoch();
    world.command(|connection, now| connection.handle_connect_failed(now, epoch, failure));
}

fn last_failure(world: &mut World) -> (ConnectionError, Option<Duration>) {
    let failure = |report| match report {
        Report::ConnectionFailed { error, retry_in } => Some((error, retry_in)),
        _ => None,
    };
    world.reports().into_iter().rev().find_map(failure).expect("a failure")
}

// R02
#[test]
fn the_last_attempt_that_the_options_allow_is_the_last() {
    let mut world = limited(3);
    world.command(Connection::connect);
    for attempt in 1..=3 {
        if attempt > 1 {
            world.until_next_attempt();
        }
        fail(&mut world);
    }
    let (error, retry_in) = last_failure(&mut world);
    assert_eq!((world.connection.state(), retry_in, error.is_final()), (Disconnected, None, true));
    assert_eq!(error.to_string(), "gave up after 3 attempts in a row: no");
    assert!(matches!(error, ConnectionError::GaveUp { attempts: 3, last } if !last.is_final()));
    assert_eq!(world.connection.poll_timeout(), None);

    world.command(Connection::connect);
    fail(&mut world);
    assert!(last_failure(&mut world).1.is_some(), "the count begins anew when the caller connects");
}

#[test]
fn a_connection_begins_the_count_of_attempts_anew() {
    let mut world = limited(2);
    world.command(Connection::connect);
    for _ in 0..10 {
        fail(&mut world);
        world.until_next_attempt();
        world.establish();
        world.close(1006);
        assert!(last_failure(&mut world).1.is_some());
        world.until_next_attempt();
    }
    assert_eq!(world.connection.state(), Connecting);
}

#[test]
fn without_automatic_reconnection_a_lost_connection_is_the_end_until_the_caller_connects() {
    let mut options = options();
    options.auto_reconnect = false;
    let mut world = World::with_options(options);
    world.subscribe("a");
    world.command(Connection::connect);
    world.establish();
    world.acknowledge("a");
    world.close(1001);
    let reports = world.reports();
    let interrupted = |report: &Report| matches!(report, Report::Interrupted { .. });
    assert!(reports.iter().any(interrupted), "its gap opens as after any loss: {reports:?}");
    let Some(Report::ConnectionFailed { error, retry_in: None }) =
        reports.into_iter().find(|report| matches!(report, Report::ConnectionFailed { .. }))
    else {
        panic!("it is not told")
    };
    assert!(error.to_string().starts_with("the connection is not opened again: the server closed"), "{error}");
    assert_eq!((world.connection.state(), world.connection.poll_timeout()), (Disconnected, None));
    world.command(Connection::connect);
    world.establish();
    world.acknowledge("a");
    assert_eq!(world.connection.state(), ConnectionState::Connected);
}

// A close code that forbids another attempt says more than the options.
#[test]
fn a_refusal_of_the_server_is_told_as_such_whatever_the_options() {
    let mut world = limited(1);
    world.command(Connection::connect);
    world.close(4001);
    assert!(matches!(last_failure(&mut world).0, ConnectionError::Refused { code: 4001, .. }));
}

// R04, H04: what the server asks for stands.
#[test]
fn no_delay_is_longer_than_the_options_say_unless_the_server_asks_for_it() {
    let mut options = options();
    options.max_reconnect_delay = Duration::from_millis(400);
    let mut world = World::with_options(options);
    world.command(Connection::connect);
    for _ in 0..20 {
        fail(&mut world);
        let delay = last_failure(&mut world).1.unwrap();
        assert!(delay <= Duration::from_millis(400), "{delay:?}");
        world.until_next_attempt();
    }
    world.close(4100);
    assert_eq!(last_failure(&mut world).1, Some(Duration::from_secs(1)));
    world.until_next_attempt();
    let (class, kind) = (FailureClass::Network, ConnectFailureKind::Status(503));
    let retry_after = Some(Duration::from_secs(20));
    let failure = ConnectFailure { class, kind, retry_after, message: "busy".to_owned() };
    let epoch = world.epoch();
    world.command(|connection, now| connection.handle_connect_failed(now, epoch, failure));
    assert!(last_failure(&mut world).1.unwrap() >= Duration::from_secs(20));
}
