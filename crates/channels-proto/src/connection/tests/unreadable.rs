//! Messages that cannot be read and may have been events: none of them vanishes without a word.

use super::*;
use crate::{FrameError, JsonError};
use ConnectionState::{Connected, Reconnecting};

fn lost(reports: &[Report]) -> Vec<(u64, FrameError)> {
    let lost = reports.iter().filter_map(|report| match report {
        Report::Unreadable { lost, last } => Some((*lost, last.clone())),
        _ => None,
    });
    lost.collect()
}

fn deep(channel: &str, data: &str) -> String {
    format!(r#"{{"event":"e","data":{data},"channel":"{channel}"}}"#)
}

/// Lets time pass in which the server says something every second.
fn pass_answered(world: &mut World, seconds: u32) {
    for _ in 0..seconds {
        world.pass(1.0);
        world.text(PONG);
    }
}

// M01, I26
#[test]
fn the_first_message_that_cannot_be_read_is_told_at_once_and_the_others_when_the_minute_is_over() {
    let mut world = World::subscribed(&["c"]);
    world.text(r#"[{"event":"e","channel":"c"}]"#);
    let no_object = FrameError::Json(JsonError::Syntax { offset: 0 });
    assert_eq!(lost(&world.reports()), [(1, no_object)]);
    for _ in 0..3 {
        world.text(r#"{"event":"e","data":NaN,"channel":c}"#);
    }
    world.text(r#"{"event":"e","channel":1}"#);
    pass_answered(&mut world, 59);
    assert_eq!(lost(&world.reports()), []);
    world.pass(1.0);
    assert_eq!(lost(&world.reports()), [(4, FrameError::BadChannel)]);
    pass_answered(&mut world, 10);
    world.text("{}");
    assert_eq!(lost(&world.reports()), [], "less than a minute after the last report");
    pass_answered(&mut world, 50);
    assert_eq!(lost(&world.reports()), [(1, FrameError::NoEvent)]);
    assert_eq!(world.connection.state(), Connected);
}

// I26
#[test]
fn what_was_lost_is_told_before_the_socket_ends_and_not_in_the_next_session() {
    let mut world = World::subscribed(&["c"]);
    world.text("[]");
    world.text("{}");
    world.take();
    world.close(1006);
    let reports = world.reports();
    assert_eq!(lost(&reports), [(1, FrameError::NoEvent)]);
    let place = |wanted: fn(&Report) -> bool| reports.iter().position(wanted).unwrap();
    let ended = place(|report| matches!(report, Report::StateChanged { to: Reconnecting, .. }));
    assert!(place(|report| matches!(report, Report::Unreadable { .. })) < ended, "{reports:?}");

    let mut world = World::subscribed(&["c"]);
    world.text("[]");
    world.text("[]");
    world.take();
    world.command(Connection::disconnect);
    world.command(Connection::connect);
    world.establish();
    world.pass(120.0);
    assert_eq!(lost(&world.reports()), []);
}

// M03, M07: the channel can be read, so whoever listens to it gets the event
#[test]
fn an_event_whose_name_is_too_long_or_whose_data_is_too_deep_is_delivered_as_it_is() {
    let mut world = World::subscribed(&["c"]);
    let data = format!(r#"{}{{"a":"]"}}{}"#, "[".repeat(100_000), "]".repeat(100_000));
    let text = deep("c", &data);
    world.text(&text);
    let event = world.take_event().expect("an event");
    assert_eq!((event.name(), event.channel().as_str(), event.data().raw()), ("e", "c", data.as_str()));
    let too_deep = FrameError::Json(JsonError::TooDeep { limit: 128, offset: text.find('[').unwrap() + 127 });
    assert_eq!((event.defect(), event.frame_bytes()), (Some(&too_deep), text.len()));

    let long = "e".repeat(5_000);
    let text = format!(r#"{{"event":"{long}","channel":"c","data":"{{}}"}}"#);
    world.text(&text);
    let event = world.take_event().expect("an event");
    assert_eq!((event.name(), event.data().payload().unwrap().as_ref()), (long.as_str(), "{}"));
    assert_eq!(event.defect(), Some(&FrameError::EventNameTooLong { bytes: 5_000, limit: 4_096 }));
    assert_eq!(event.to_owned_event().as_event(), event);
    assert_eq!(lost(&world.reports()), []);
}

// M03, M10, S13
#[test]
fn a_deep_message_that_is_no_event_of_a_wanted_channel_is_not_delivered() {
    let mut world = World::new();
    world.subscribe("c");
    world.command(Connection::connect);
    world.establish();
    let nested = format!("{}{}", "[".repeat(200), "]".repeat(200));
    world.text(&deep("c", &nested));
    world.text(&deep("other", &nested));
    assert_eq!((&world.events[..], world.connection.counters().unexpected_events), (&[][..], 1));
    world.take();
    world.acknowledge("c");
    let early = world.take_event().and_then(|event| event.defect().cloned());
    assert!(matches!(early, Some(FrameError::Json(JsonError::TooDeep { .. }))), "{early:?}");
    world.text(&format!(r#"{{"event":"pusher:error","data":{nested}}}"#));
    world.text(&format!(r#"{{"event":"e","data":{nested}}}"#));
    world.text(&format!(r#"{{"event":"e","data":{},"channel":"c"}}"#, "[".repeat(200)));
    assert_eq!((&world.events[..], world.connection.counters().malformed_frames), (&["c e".to_owned()][..], 3));
}

// W14, M01
#[test]
fn binary_messages_are_told_and_too_many_of_them_end_the_socket() {
    let mut world = World::subscribed(&["c"]);
    let epoch = world.epoch();
    for _ in 0..100 {
        world.command(|connection, now| connection.handle_binary(now, epoch));
    }
    assert_eq!((lost(&world.reports()), world.connection.state()), (vec![(1, FrameError::Binary)], Connected));
    world.command(|connection, now| connection.handle_binary(now, epoch));
    let reports = world.reports();
    assert_eq!((lost(&reports), world.connection.state()), (vec![(100, FrameError::Binary)], Reconnecting));
}
