use super::*;
use crate::{ConnectFailure, ConnectFailureKind, ConnectionError, FailureClass};
use ConnectionState::{Connected, Connecting, Disconnected, Reconnecting};

fn fail(world: &mut World, class: FailureClass, retry_after: Option<Duration>) {
    let epoch = world.epoch();
    let failure =
        ConnectFailure { class, kind: ConnectFailureKind::Network, retry_after, message: "refused".to_owned() };
    world.command(|connection, now| connection.handle_connect_failed(now, epoch, failure));
}

// R02
#[test]
fn attempts_go_on_for_a_day_and_never_more_than_half_a_minute_apart() {
    let mut world = World::new();
    world.command(Connection::connect);
    let mut attempts = 0;
    let end = world.now + Duration::from_secs(24 * 3600);
    while world.now < end {
        fail(&mut world, FailureClass::Network, None);
        let wait = world.until_next_attempt();
        assert!(wait <= Duration::from_secs(30));
        attempts += 1;
        world.take();
    }
    assert!((4_000..8_000).contains(&attempts), "{attempts}");
    world.establish();
    assert_eq!(world.connection.state(), Connected);
}

// I9, I10, N01, N06
#[test]
fn a_failed_attempt_is_told_with_its_cause_and_the_next_one_announced() {
    let mut world = World::new();
    world.command(Connection::connect);
    world.take();
    fail(&mut world, FailureClass::Network, None);
    let reports = world.reports();
    assert_eq!(reports[0], state(Connecting, Reconnecting));
    let Report::ConnectionFailed { error, retry_in: Some(delay) } = &reports[1] else { panic!("{reports:?}") };
    assert_eq!(*error, ConnectionError::Connect { kind: ConnectFailureKind::Network, message: "refused".to_owned() });
    assert_eq!(world.until_next_attempt(), *delay);
    assert_eq!(world.reports(), [state(Reconnecting, Connecting)]);
}

// W03, N14, T01, R09
#[test]
fn a_refusal_at_the_upgrade_is_tried_again_slowly() {
    let mut world = World::new();
    world.command(Connection::connect);
    for _ in 0..10 {
        fail(&mut world, FailureClass::Refused, None);
        let wait = world.until_next_attempt();
        assert!((30..=300).contains(&wait.as_secs()), "{wait:?}");
    }
}

// W04
#[test]
fn the_server_may_ask_to_be_left_alone_and_hints_do_not_override_it() {
    let mut world = World::new();
    world.command(Connection::connect);
    fail(&mut world, FailureClass::Network, Some(Duration::from_secs(60)));
    world.pass(30.0);
    world.command(Connection::network_changed);
    assert_eq!(world.connection.state(), Reconnecting);
    world.command(Connection::connect);
    assert_eq!(world.connection.state(), Connecting, "the caller's word does");
}

// R01, I34
#[test]
fn a_connection_that_dies_young_does_not_reset_the_back_off() {
    let mut world = World::new();
    world.command(Connection::connect);
    let mut waits = vec![];
    for _ in 0..12 {
        world.establish();
        world.pass(9.0);
        world.close(None);
        waits.push(world.until_next_attempt());
    }
    assert!(waits[8..].iter().any(|wait| *wait > Duration::from_secs(8)), "{waits:?}");
}

// I34
#[test]
fn the_back_off_is_reset_by_ten_complete_seconds_and_not_before() {
    let wait_after = |complete: bool, seconds: f64| {
        let mut longest = Duration::ZERO;
        for seed in 0..20 {
            let mut world = World::with_options(options());
            world.connection = Connection::new(options(), seed);
            world.subscribe("a");
            world.command(Connection::connect);
            for _ in 0..6 {
                fail(&mut world, FailureClass::Network, None);
                world.until_next_attempt();
            }
            world.establish();
            if complete {
                world.acknowledge("a");
            }
            world.pass(seconds);
            world.close(None);
            longest = longest.max(world.until_next_attempt());
        }
        longest
    };
    assert!(wait_after(true, 10.0) <= Duration::from_secs(1));
    assert!(wait_after(true, 9.9) > Duration::from_secs(2));
    assert!(wait_after(false, 9.9) > Duration::from_secs(2));
}

/// How long the attempt under way has until it is given up.
fn until_given_up(world: &mut World) -> u64 {
    let began = world.now;
    for _ in 0..1_000 {
        world.pass(0.1);
        if world.connection.state() != Connecting {
            return world.now.saturating_since(began).as_millis().div_ceil(1_000).try_into().unwrap();
        }
    }
    panic!("it is not given up");
}

// N02, N07, P01: a server that needs longer gets longer, up to a minute, and after a success no more than at first.
#[test]
fn an_attempt_has_longer_after_each_in_a_row_that_took_too_long() {
    let mut world = World::new();
    world.command(Connection::connect);
    for expected in [10, 20, 40, 60, 60] {
        let waited = until_given_up(&mut world);
        assert!((expected..=expected + 1).contains(&waited), "{waited} s instead of {expected} s");
        let told = format!("within {expected} s");
        let is_told = |report: &Report| matches!(report, Report::ConnectionFailed { error, .. } if error.to_string().contains(&told));
        assert!(world.reports().iter().any(is_told), "{told}");
        world.until_next_attempt();
    }
    fail(&mut world, FailureClass::Network, None);
    world.until_next_attempt();
    assert!(until_given_up(&mut world) >= 60, "another failure proves nothing about its speed");
    world.until_next_attempt();
    world.establish();
    world.close(None);
    world.until_next_attempt();
    assert!(until_given_up(&mut world) <= 11, "after a success");
    world.until_next_attempt();
    world.command(Connection::disconnect);
    world.command(Connection::connect);
    assert!(until_given_up(&mut world) <= 11, "after a disconnect");
}

// X01: on another network the old attempt is probably lost.
#[test]
fn a_hint_leaves_an_attempt_under_way_no_more_than_the_first_deadline() {
    let mut world = World::new();
    world.command(Connection::connect);
    for _ in 0..3 {
        until_given_up(&mut world);
        world.until_next_attempt();
    }
    world.pass(5.0);
    world.command(Connection::network_changed);
    assert!(until_given_up(&mut world) <= 11);
    world.until_next_attempt();
    world.pass(8.0);
    world.command(Connection::resumed);
    assert!(until_given_up(&mut world) <= 13, "nor any longer than it had");
}

// R05
#[test]
fn connecting_by_hand_during_a_back_off_means_now_but_a_second_apart() {
    let mut world = World::new();
    world.command(Connection::connect);
    for _ in 0..6 {
        fail(&mut world, FailureClass::Network, None);
        world.until_next_attempt();
    }
    fail(&mut world, FailureClass::Refused, None);
    world.take();
    world.command(Connection::connect);
    assert_eq!(world.connection.state(), Reconnecting, "an attempt has just been made");
    let wait = world.until_next_attempt();
    assert!(wait <= Duration::from_secs(1), "{wait:?}");
    fail(&mut world, FailureClass::Refused, None);
    world.pass(2.0);
    world.take();
    world.command(Connection::network_changed);
    assert_eq!(world.connection.state(), Connecting);
    world.command(Connection::network_changed);
    world.command(Connection::connect);
    let opened = world.take().into_iter().filter(|output| matches!(output, Output::OpenSocket { .. })).count();
    assert_eq!(opened, 1);
}

// R06
#[test]
fn a_long_outage_is_told_once() {
    let mut world = World::connected();
    world.close(None);
    let began = world.now;
    let mut told = vec![];
    for _ in 0..60 {
        world.until_next_attempt();
        world.pass(10.0);
        told.extend(world.reports().into_iter().filter(|report| matches!(report, Report::Suspended { .. })));
    }
    assert_eq!(told, [Report::Suspended { channel: None, since: began }]);
    world.until_next_attempt();
    world.establish();
    world.close(None);
    world.pass(119.0);
    assert!(!world.reports().iter().any(|report| matches!(report, Report::Suspended { .. })));
}

// R03
#[test]
fn clients_of_a_restarted_server_come_back_spread_over_the_first_second() {
    let mut tenths = [0_u32; 10];
    for seed in 0..2_000 {
        let mut world = World::new();
        world.connection = Connection::new(options(), seed);
        world.command(Connection::connect);
        world.establish();
        world.close(4200);
        let wait = world.until_next_attempt();
        let tenth = usize::try_from(wait.as_millis() / 100).unwrap().min(9);
        tenths[tenth] += 1;
    }
    assert!(tenths.iter().all(|&count| (130..=270).contains(&count)), "{tenths:?}");
}

// Z04
#[test]
fn without_a_hint_a_back_off_has_one_timer() {
    let mut world = World::new();
    world.command(Connection::connect);
    fail(&mut world, FailureClass::Network, None);
    let due = world.connection.poll_timeout();
    world.command(Connection::handle_timeout);
    assert_eq!((world.connection.poll_timeout(), world.connection.state()), (due, Reconnecting));
    world.command(Connection::disconnect);
    assert_eq!((world.connection.poll_timeout(), world.connection.state()), (None, Disconnected));
}

// C07, R05, X01
#[test]
fn a_hint_does_not_hurry_back_to_an_overloaded_server() {
    let mut world = World::connected();
    world.pass(20.0);
    world.text(PONG);
    world.close(4100);
    world.command(Connection::network_changed);
    assert_eq!(world.connection.state(), Reconnecting);
    let wait = world.until_next_attempt();
    assert_eq!(wait, Duration::from_secs(1), "the hint ends the rest of the back-off");
    let mut world = World::connected();
    world.pass(20.0);
    world.text(PONG);
    world.close(1001);
    world.command(Connection::network_changed);
    assert_eq!(world.connection.state(), Connecting);
}
