use super::*;
use crate::{ConnectionError, close};
use ConnectionState::{Disconnected, Reconnecting};

/// Closes a fresh connection with `code`; returns the delay announced, none when it was the end.
fn delay_after(code: impl Into<Option<u16>>) -> Option<Duration> {
    let mut world = World::connected();
    world.close(code);
    retry_in(&mut world)
}

fn retry_in(world: &mut World) -> Option<Duration> {
    let delays = world.reports().into_iter().filter_map(|report| match report {
        Report::ConnectionFailed { retry_in, .. } => Some(retry_in),
        _ => None,
    });
    delays.last().expect("the failure is reported")
}

// C01, C03, C04, C09
#[test]
fn an_ordinary_close_is_followed_by_an_attempt_within_a_second() {
    for code in [Some(1000), Some(1001), Some(1011), Some(1012), Some(1014), Some(4300), Some(4999), None] {
        let delay = delay_after(code).unwrap();
        assert!((Duration::from_millis(250)..=Duration::from_secs(1)).contains(&delay), "{code:?}: {delay:?}");
    }
}

// C05, C06, T09
#[test]
fn a_refusal_of_the_parameters_is_final_until_the_caller_connects_again() {
    for code in [4000, 4001, 4002, 4003, 4004, 4005, 4006, 4007, 4008, 4050, 4099] {
        let mut world = World::connected();
        world.close(code);
        assert_eq!(world.connection.state(), Disconnected);
        let reports = world.reports();
        let Some(Report::ConnectionFailed { error, retry_in: None }) = reports.get(1) else { panic!("{reports:?}") };
        assert!(error.is_final() && error.to_string().contains(&code.to_string()), "{error}");
        world.pass(3600.0);
        assert_eq!(world.take(), []);
        world.command(Connection::network_changed);
        assert_eq!(world.take(), []);
        world.command(Connection::connect);
        assert!(matches!(world.take().last(), Some(Output::OpenSocket { .. })));
    }
}

// C06, A09
#[test]
fn a_4009_is_tried_once_more_with_a_fresh_token() {
    let mut world = World::subscribed(&["private-a"]);
    world.close(4009);
    assert_eq!(world.connection.state(), Reconnecting);
    world.until_next_attempt();
    world.take();
    world.establish();
    assert!(matches!(world.take().last(), Some(Output::Authorize { refresh_token: true, .. })));
    world.close(4009);
    assert_eq!((world.connection.state(), retry_in(&mut world)), (Disconnected, None));
}

// C06, A09
#[test]
fn after_a_final_4009_connecting_is_a_whole_new_chance_with_a_fresh_token() {
    let mut world = World::subscribed(&["private-a"]);
    for round in 0..3 {
        world.close(4009);
        assert_eq!(world.connection.state(), Reconnecting, "round {round}: the first one is no end");
        let wait = world.until_next_attempt();
        assert!(wait <= Duration::from_secs(1), "round {round}: {wait:?}");
        world.establish();
        world.authorize_all();
        world.acknowledge("private-a");
        world.close(4009);
        assert_eq!(world.connection.state(), Disconnected, "round {round}");
        world.command(Connection::connect);
        world.take();
        world.establish();
        let asks = |output: &Output<'_>| matches!(output, Output::Authorize { refresh_token: true, .. });
        assert!(world.outputs.iter().any(asks), "round {round}: {:?}", world.outputs);
        world.authorize_all();
        world.acknowledge("private-a");
        world.take();
    }
}

// C06
#[test]
fn a_4009_long_after_another_is_a_new_one() {
    let mut world = World::subscribed(&["private-a"]);
    for _ in 0..3 {
        world.close(4009);
        world.until_next_attempt();
        world.take();
        world.establish();
        world.authorize_all();
        world.acknowledge("private-a");
        world.pass(10.0);
    }
    assert_eq!(world.connection.state(), ConnectionState::Connected);
}

// C07
#[test]
fn an_overloaded_server_is_left_alone_for_a_second_at_least() {
    for code in [4100, 4199] {
        assert!(delay_after(code).unwrap() >= Duration::from_secs(1));
    }
}

// C08
#[test]
fn a_restarting_server_is_tried_at_once_and_then_with_back_off() {
    let mut world = World::connected();
    world.close(4200);
    assert!(retry_in(&mut world).unwrap() <= Duration::from_secs(1));
    let mut longest = Duration::ZERO;
    for _ in 0..30 {
        world.until_next_attempt();
        world.establish();
        world.take();
        world.close(4200);
        let delay = retry_in(&mut world).unwrap();
        assert!(delay >= Duration::from_millis(250), "{delay:?}");
        longest = longest.max(delay);
    }
    assert!(longest > Duration::from_secs(15), "{longest:?}");
    world.until_next_attempt();
    world.establish();
    world.pass(10.0);
    world.text(PONG);
    world.take();
    world.close(4200);
    assert!(retry_in(&mut world).unwrap() <= Duration::from_secs(1), "a stable connection counts anew");
}

// C02
#[test]
fn three_protocol_faults_within_five_minutes_slow_the_client_down() {
    let mut world = World::connected();
    let mut delays = vec![];
    for _ in 0..3 {
        world.close(1003);
        delays.push(retry_in(&mut world).unwrap());
        world.until_next_attempt();
        world.establish();
        world.take();
    }
    assert!(delays[0] <= Duration::from_secs(1) && delays[1] <= Duration::from_secs(2), "{delays:?}");
    assert!(delays[2] >= Duration::from_secs(30), "{delays:?}");
}

// C10
#[test]
fn an_error_and_the_close_behind_it_are_one_decision_the_stricter() {
    let with_error = |error: u16, code: Option<u16>, apart: f64| {
        let mut world = World::connected();
        world.text(&format!(r#"{{"event":"pusher:error","data":"{{\"code\":{error},\"message\":\"m\"}}"}}"#));
        world.pass(apart);
        world.close(code);
        retry_in(&mut world)
    };
    assert_eq!(with_error(4001, Some(1000), 0.0), None);
    assert_eq!(with_error(4200, Some(4001), 0.0), None);
    assert!(with_error(4100, Some(1000), 0.0).unwrap() >= Duration::from_secs(1));
    // Reverb says why in an error, and ends the socket without a close frame.
    assert_eq!(with_error(4001, None, 0.0), None);
    assert!(with_error(4201, None, 0.0).is_some());
    assert!(with_error(4001, None, 60.0).is_some(), "an error of a minute ago explains nothing");
}

// C06, C10: the error by which it ends is final, and names the code that decides, however the server said it.
#[test]
fn the_last_error_says_what_ended_the_connection() {
    let said = |code: u16, message: &str| {
        format!(r#"{{"event":"pusher:error","data":{{"code":{code},"message":"{message}"}}}}"#)
    };
    let closed = |code: Option<u16>, reason: &str| Closed { code, reason: reason.to_owned(), error: None };
    let reset = Closed { error: Some("reset by peer".to_owned()), ..Closed::default() };
    let no_app = close::name_of(4001);
    let cases = [
        (vec![(4001, "no such app")], closed(None, ""), 4001, "no such app"),
        (vec![(4001, "no such app")], closed(Some(1000), "bye"), 4001, "no such app"),
        (vec![(4001, "no such app")], reset, 4001, "no such app"),
        (vec![(4001, "no such app")], closed(Some(4001), ""), 4001, "no such app"),
        (vec![(4001, "no such app")], closed(Some(4001), "gone"), 4001, "gone"),
        (vec![(4001, "")], closed(None, ""), 4001, no_app),
        (vec![], closed(Some(4001), ""), 4001, no_app),
        (vec![(4009, "unauthorized")], closed(Some(4001), ""), 4001, no_app),
        (vec![(4001, "no such app")], closed(Some(4009), "who?"), 4001, "no such app"),
        (vec![(4301, "too fast")], closed(Some(4003), "off"), 4003, "off"),
    ];
    for (errors, close, code, message) in cases {
        let mut world = World::subscribed(&["a"]);
        for (code, message) in errors {
            world.text(&said(code, message));
        }
        let epoch = world.epoch();
        world.take();
        world.command(|connection, now| connection.handle_closed(now, epoch, close.clone()));
        let reports = world.reports();
        assert_eq!(reports[0], state(ConnectionState::Connected, Disconnected));
        let Report::ConnectionFailed { error, retry_in: None } = &reports[1] else { panic!("{close:?}: {reports:?}") };
        assert_eq!(*error, ConnectionError::Refused { code, message: message.to_owned() }, "{close:?}");
        assert!(error.is_final());
    }
}

// C06, C10, S07
#[test]
fn a_final_error_stays_final_when_the_close_may_be_about_a_subscribe() {
    for code in [1002_u16, 1008] {
        let mut world = World::connected();
        world.subscribe("a");
        world.text(r#"{"event":"pusher:error","data":{"code":4001,"message":"no such app"}}"#);
        world.close(code);
        assert_eq!(world.connection.state(), Disconnected, "{code}");
    }
}

// C06, A09: also when the code came in an error each time, and never with the close.
#[test]
fn the_second_4009_is_named_by_the_last_error() {
    let mut world = World::subscribed(&["private-a"]);
    let error = r#"{"event":"pusher:error","data":{"message":"unauthorized","code":4009}}"#;
    world.text(error);
    world.close(None);
    assert_eq!(world.connection.state(), Reconnecting);
    assert!(world.reports().iter().all(|r| !matches!(r, Report::ConnectionFailed { error, .. } if error.is_final())));
    world.until_next_attempt();
    world.establish();
    world.text(error);
    world.take();
    world.close(None);
    let refused = ConnectionError::Refused { code: 4009, message: "unauthorized".to_owned() };
    assert!(world.reports().contains(&Report::ConnectionFailed { error: refused, retry_in: None }));
}

#[test]
fn a_broken_socket_says_how_it_broke() {
    let mut world = World::connected();
    let epoch = world.epoch();
    let closed = Closed { error: Some("reset by peer".to_owned()), ..Closed::default() };
    world.command(|connection, now| connection.handle_closed(now, epoch, closed));
    let lost = ConnectionError::Lost { message: "reset by peer".to_owned() };
    let reports = world.reports();
    assert!(matches!(&reports[1], Report::ConnectionFailed { error, .. } if *error == lost), "{reports:?}");
}

// W08, W11, W13, C02
#[test]
fn a_server_that_breaks_the_framing_three_times_slows_the_client_down() {
    let mut world = World::subscribed(&["a"]);
    let mut delays = vec![];
    for _ in 0..3 {
        let epoch = world.epoch();
        let closed = Closed { code: Some(1002), error: Some("a reserved bit".to_owned()), ..Closed::default() };
        world.command(|connection, now| connection.handle_closed(now, epoch, closed));
        delays.push(retry_in(&mut world).unwrap());
        world.until_next_attempt();
        world.establish();
    }
    assert!(delays[2] >= Duration::from_secs(30), "{delays:?}");
    world.acknowledge("a");
    let gap = world.reports().into_iter().find_map(|report| match report {
        Report::Subscribed { continuity: Continuity::Gap { cause, .. }, .. } => Some(cause),
        _ => None,
    });
    assert_eq!(gap, Some(crate::GapCause::ProtocolViolation));
}

// W11, M03: our limit is no fault of the server's, and no answer to a subscribe.
#[test]
fn a_message_over_the_limit_names_the_limit_and_blames_neither_the_server_nor_a_channel() {
    let mut options = options();
    options.limits.max_message_bytes = 4_096;
    let mut world = World::with_options(options);
    for channel in ["a", "b"] {
        world.subscribe(channel);
    }
    world.command(Connection::connect);
    for round in 0..6 {
        world.establish();
        let asked: Vec<_> = world.sent();
        assert_eq!(asked, ["a", "b"].map(subscribe_text), "nobody is suspect");
        if round % 2 == 1 {
            world.acknowledge("a");
            world.acknowledge("b");
            world.pass(10.0);
        }
        let epoch = world.epoch();
        let closed = Closed { code: Some(1009), error: Some("too long".to_owned()), ..Closed::default() };
        world.take();
        world.command(|connection, now| connection.handle_closed(now, epoch, closed));
        let reports = world.reports();
        let Some(Report::ConnectionFailed { error, retry_in: Some(delay) }) = reports.get(1) else {
            panic!("{reports:?}");
        };
        assert_eq!(*error, ConnectionError::MessageTooLong { limit: 4_096 });
        assert!(
            error.to_string().contains("4096 bytes") && error.to_string().contains("the configured limit"),
            "{error}"
        );
        assert!(*delay <= Duration::from_secs(2), "{delay:?}");
        let cause = crate::GapCause::MessageTooLong;
        let interrupted =
            |report: &&Report| matches!(report, Report::Interrupted { cause: told, .. } if *told == cause);
        assert_eq!(reports.iter().filter(interrupted).count(), if round % 2 == 1 { 2 } else { 0 });
        world.until_next_attempt();
    }
}

// C04: named as what it is, and neither a fault of ours nor an answer to a subscribe.
#[test]
fn a_close_code_that_no_server_may_send_is_named_as_such() {
    for code in [0, 1005, 1006, 1015, 2999, 5000] {
        let mut world = World::connected();
        world.subscribe("a");
        world.take();
        world.close(code);
        let reports = world.reports();
        let Some(Report::ConnectionFailed { error, retry_in: Some(delay) }) = reports.get(1) else {
            panic!("{reports:?}");
        };
        let told = format!("with code {code}, which no server may send");
        assert!(error.to_string().contains(&told), "{error}");
        assert!(*delay <= Duration::from_secs(1), "{delay:?}");
    }
}

// C06, A09: the error that goes with the close may have been about the connection, not about the channel.
#[test]
fn a_channel_that_failed_for_an_error_without_a_channel_is_tried_on_the_next_socket() {
    let error = r#"{"event":"pusher:error","data":{"message":"disconnected by the app","code":4009}}"#;
    for (apart, code) in [(0.0, 4009), (5.0, 4009), (5.0, 1001)] {
        let mut world = World::connected();
        world.subscribe("private-a");
        world.authorize_all();
        world.text(error);
        assert!(is_slow(world.failure().1));
        world.pass(apart);
        world.close(code);
        world.until_next_attempt();
        world.take();
        world.establish();
        assert_eq!(world.authorizations().len(), 1, "{code} after {apart} s");
    }
}
