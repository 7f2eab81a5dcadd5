//! The order of what comes out, and what becomes of it when it is not taken.

use super::*;

/// What comes out while `early`, kept before its acknowledgement, is released among the reports.
fn kinds<'t>(outputs: impl IntoIterator<Item = Output<'t>>) -> Vec<String> {
    let kind = |output| match output {
        Output::Event(event) => describe(&event),
        Output::Report(Report::Subscribed { channel, .. }) => format!("{channel} subscribed"),
        Output::Report(Report::Interrupted { channel, .. }) => format!("{channel} interrupted"),
        Output::Report(Report::StateChanged { to, .. }) => format!("{to:?}"),
        Output::SendText { .. } => "sent".to_owned(),
        other => format!("{other:?}"),
    };
    outputs.into_iter().map(kind).collect()
}

fn event(channel: &str, name: &str) -> String {
    format!(r#"{{"event":"{name}","channel":"{channel}","data":"{{\"a\":1}}","user_id":"u"}}"#)
}

// D05
#[test]
fn an_event_comes_out_in_its_place_among_the_reports() {
    let mut world = World::connected();
    world.subscribe("c");
    world.event("c", "early");
    world.take();
    world.acknowledge("c");
    world.event("c", "later");
    world.close(1001);
    assert_eq!(kinds(world.take())[..4], ["c subscribed", "c early", "c later", "Reconnecting"].map(str::to_owned));
}

// D05: whoever stops in the middle gets the rest with the next call, in the same order.
#[test]
fn outputs_that_are_not_taken_come_out_first_of_the_next_call() {
    let mut world = World::subscribed(&["c"]);
    let (now, epoch) = (world.now, world.epoch());
    let text = event("c", "one");
    drop(world.connection.handle_text(now, epoch, PING));
    drop(world.connection.handle_text(now, epoch, &text));
    drop(text);
    drop(world.connection.handle_text(now, epoch, PING));
    let two = event("c", "two");
    let mut outputs = world.connection.handle_text(now, epoch, &two);
    assert_eq!(outputs.len(), 4);
    assert!(matches!(outputs.next(), Some(Output::SendText { .. })));
    drop(outputs);
    let closed = world.connection.handle_closed(now, epoch, Closed::default());
    assert_eq!(kinds(closed)[..4], ["c one", "sent", "c two", "Reconnecting"].map(str::to_owned));
    assert_eq!(world.connection.outputs().count(), 0);
}

// D05
#[test]
fn an_event_that_was_not_taken_is_the_same_event_with_a_text_of_its_own() {
    let mut world = World::subscribed(&["c"]);
    let (now, epoch) = (world.now, world.epoch());
    let text = event("c", r"a\\b");
    let taken = match world.connection.handle_text(now, epoch, &text).next() {
        Some(Output::Event(event)) => event,
        other => panic!("{other:?}"),
    };
    drop(world.connection.handle_text(now, epoch, &text));
    let Some(Output::Event(kept)) = world.connection.outputs().next() else { panic!("it is lost") };
    assert_eq!((&kept, kept.name(), kept.user_id()), (&taken, r"a\b", Some("u")));
    assert_eq!((kept.data().payload().unwrap().as_ref(), kept.frame_bytes()), (r#"{"a":1}"#, text.len()));
}

// S19: what authorizes can prepare for as many at a time.
#[test]
fn a_socket_says_how_many_authorizations_it_will_need_at_a_time() {
    for (channels, expected) in [(0, 0), (2, 2), (20, 8)] {
        let mut world = World::new();
        world.subscribe("public");
        for channel in 0..channels {
            world.subscribe(&format!("private-{channel}"));
        }
        world.command(Connection::connect);
        let opens = Output::OpenSocket { epoch: world.epoch(), authorizations: expected };
        assert_eq!(world.take().last(), Some(&opens));
    }
}
