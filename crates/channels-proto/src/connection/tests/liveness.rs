use super::*;
use crate::{ConnectionError, GapCause};
use ConnectionState::{Connected, Reconnecting};

// L01, L02, L06, I4, X08
#[test]
fn a_silent_server_is_pinged_once_and_given_up_within_forty_seconds() {
    let mut world = World::connected();
    world.pass(29.9);
    assert_eq!(world.sent(), Vec::<String>::new());
    world.pass(0.1);
    assert_eq!(world.sent(), [PING]);
    world.pass(9.9);
    assert_eq!((world.sent(), world.connection.state()), (vec![], Connected));
    let epoch = world.epoch();
    world.pass(0.1);
    let outputs = world.take();
    assert_eq!(outputs[0], Output::CloseSocket { epoch, close: None });
    assert_eq!(outputs[1], Output::Report(state(Connected, Reconnecting)));
    let Output::Report(Report::ConnectionFailed { error, .. }) = &outputs[2] else { panic!("{outputs:?}") };
    assert_eq!(*error, ConnectionError::Silent { silence: Duration::from_secs(40) });
}

// L12, W17
#[test]
fn anything_received_answers_a_ping() {
    let mut world = World::subscribed(&["c"]);
    world.pass(30.0);
    for round in 0..5 {
        assert_eq!(world.sent(), [PING], "round {round}");
        match round {
            0 => world.text(PONG),
            1 => world.event("c", "e"),
            2 => activity(&mut world),
            3 => world.text("not a message"),
            _ => world.text(r#"{"event":"pusher:pong","data":{}}"#),
        }
        world.pass(10.0);
        assert_eq!(world.connection.state(), Connected, "round {round}");
        world.pass(20.0);
    }
}

// L12: a server that answers no ping is kept for as long as it sends something.
#[test]
fn events_without_pongs_keep_the_connection() {
    let mut world = World::subscribed(&["c"]);
    for _ in 0..120 {
        world.pass(5.0);
        world.event("c", "e");
    }
    assert_eq!((world.connection.state(), world.sent().len()), (Connected, 20));
    world.pass(40.0);
    assert_eq!(world.connection.state(), Reconnecting);
}

// L06: some servers drop a client that says nothing, however much they send.
#[test]
fn under_traffic_a_ping_goes_out_every_interval() {
    let mut world = World::subscribed(&["c"]);
    for second in 1..=120 {
        world.pass(1.0);
        world.event("c", "e");
        let pings = if second % 30 == 0 { vec![PING.to_owned()] } else { vec![] };
        assert_eq!(world.sent(), pings, "{second}");
        if second % 30 == 0 {
            world.text(PONG);
        }
    }
}

// L03, I30
#[test]
fn what_the_client_sends_never_postpones_detection() {
    let mut world = World::connected();
    for second in 0..40 {
        assert_eq!(world.connection.state(), Connected, "{second}");
        world.subscribe(&format!("c{second}"));
        world.pass(0.5);
        world.unsubscribe(&format!("c{second}"));
        world.pass(0.5);
    }
    assert_eq!(world.connection.state(), Reconnecting);
}

// L05, L08
#[test]
fn a_ping_of_the_server_is_answered_at_once_and_nothing_else_is() {
    let mut world = World::connected();
    world.text(r#"{"event":"pusher:ping"}"#);
    assert_eq!(world.sent(), [r#"{"event":"pusher:pong","data":{}}"#]);
    world.text(r#"{"event":"pusher:ping","data":"{}"}"#);
    assert_eq!(world.sent().len(), 1);
    world.text(PONG);
    activity(&mut world);
    assert_eq!(world.sent(), Vec::<String>::new());
}

// L04, L07
#[test]
fn a_late_pong_does_not_raise_the_dead() {
    let mut world = World::connected();
    let old = world.epoch();
    world.pass(40.0);
    world.take();
    world.text_of(old, PONG);
    assert_eq!(world.connection.state(), Reconnecting);
    world.until_next_attempt();
    world.establish();
    world.take();
    world.pass(30.0);
    assert_eq!(world.sent(), [PING]);
    world.text_of(old, PONG);
    world.pass(10.0);
    assert_eq!(world.connection.state(), Reconnecting, "only the live socket's pong counts");
}

// X01, X02, Z05, I4
#[test]
fn a_hint_probes_the_connection_for_five_seconds() {
    let mut world = World::connected();
    for _ in 0..10 {
        world.command(Connection::network_changed);
        world.pass(0.1);
    }
    assert_eq!(world.sent(), [PING]);
    world.text(PONG);
    assert_eq!(world.sent(), [PING], "the hints that came behind the ping want a look of their own");
    world.text(PONG);
    world.pass(10.0);
    assert_eq!((world.sent(), world.connection.state()), (vec![], Connected));
    world.command(Connection::resumed);
    world.pass(4.9);
    assert_eq!(world.connection.state(), Connected);
    world.pass(0.1);
    assert_eq!(world.connection.state(), Reconnecting);
}

#[test]
fn a_hint_shortens_the_wait_for_a_pong_but_never_extends_it() {
    let mut world = World::connected();
    world.pass(37.0);
    world.command(Connection::network_changed);
    world.pass(2.9);
    assert_eq!(world.connection.state(), Connected);
    world.pass(0.1);
    assert_eq!(world.connection.state(), Reconnecting);
}

// Z02, Z03, Z10
#[test]
fn after_a_long_sleep_the_connection_is_replaced_and_the_gap_is_as_long_as_the_sleep() {
    let mut world = World::subscribed(&["c"]);
    let asleep = world.now;
    world.now = world.now + Duration::from_secs(8 * 3600);
    world.command(Connection::handle_timeout);
    let interrupted = Report::Interrupted { channel: name("c"), since: asleep, cause: GapCause::Silent };
    assert!(world.reports().contains(&interrupted));
}

// Z02
#[test]
fn bytes_read_after_a_sleep_do_not_shorten_the_gap_and_the_server_is_probed() {
    let mut world = World::subscribed(&["c"]);
    let asleep = world.now;
    world.now = world.now + Duration::from_secs(3600);
    world.event("c", "sent-before-the-sleep");
    world.command(Connection::handle_timeout);
    assert_eq!(world.sent(), [PING]);
    world.pass(5.0);
    let interrupted = Report::Interrupted { channel: name("c"), since: asleep, cause: GapCause::Silent };
    assert!(world.reports().contains(&interrupted));
}

// Z06, Z07, Z08, I32
#[test]
fn early_late_and_backward_timers_do_no_harm() {
    let mut world = World::connected();
    world.command(Connection::handle_timeout);
    world.command(|connection, _| connection.handle_timeout(Time::ZERO));
    assert_eq!(world.take(), []);
    world.command(|connection, _| connection.handle_timeout(Time::from_nanos(u64::MAX)));
    assert_eq!(world.connection.state(), Reconnecting);
    assert!(world.connection.poll_timeout().is_some());
}

// P03
#[test]
fn the_server_may_ask_for_earlier_pings() {
    let mut world = World::new();
    world.command(Connection::connect);
    let established =
        r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"1\",\"activity_timeout\":\"20\"}"}"#;
    world.text(established);
    world.take();
    world.pass(15.0);
    assert_eq!(world.sent(), [PING]);
}

// Z08: the machine takes times that no driver lets through; they are never over, and no sum of them overflows.
#[test]
fn times_without_end_overflow_nowhere() {
    for established in [ESTABLISHED, r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\"}"}"#] {
        let mut world = World::with_options(lasting(Duration::MAX));
        world.subscribe("private-a");
        world.subscribe("b");
        world.command(Connection::connect);
        world.pass(YEAR);
        world.command(|connection, now| connection.handle_opened(now, connection.epoch().unwrap()));
        world.text(established);
        world.pass(YEAR);
        world.authorize_all();
        world.pass(YEAR);
        assert_eq!(world.connection.state(), Connected, "it waits for its answers");
        world.command(Connection::network_changed);
        world.pass(5.0);
        assert_eq!(world.connection.state(), Reconnecting, "a hint has a deadline of its own");
    }
}

// L01, Z08: the longest times that an option may have.
#[test]
fn with_times_of_a_day_a_silent_server_is_pinged_and_given_up() {
    let mut world = World::with_options(lasting(Duration::from_secs(86_400)));
    world.command(Connection::connect);
    world.command(|connection, now| connection.handle_opened(now, connection.epoch().unwrap()));
    world.text(r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\"}"}"#);
    world.take();
    world.pass(86_400.0);
    assert_eq!(world.sent(), [PING]);
    world.pass(86_399.0);
    assert_eq!(world.connection.state(), Connected);
    world.pass(1.0);
    assert_eq!(world.connection.state(), Reconnecting);
}

fn lasting(time: Duration) -> Options {
    Options {
        activity_timeout: time,
        pong_timeout: time,
        connect_timeout: time,
        max_connect_timeout: time,
        authorization_timeout: time,
        acknowledgement_timeout: time,
        max_answer_timeout: time,
        ..options()
    }
}

const YEAR: f64 = 365.0 * 86_400.0;
