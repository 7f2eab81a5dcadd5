use super::*;
use crate::{CloseFrame, ConnectFailure, ConnectFailureKind, FailureClass};
use ConnectionState::{Connected, Connecting, Disconnected, Disconnecting, Reconnecting};

/// A connection in every state there is, each with a private channel wanted.
fn in_every_state() -> Vec<(&'static str, World)> {
    let start = || {
        let mut world = World::new();
        world.subscribe("private-a");
        world
    };
    let connecting = || {
        let mut world = start();
        world.command(Connection::connect);
        world
    };
    let upgraded = || {
        let mut world = connecting();
        let epoch = world.epoch();
        world.command(|connection, now| connection.handle_opened(now, epoch));
        world
    };
    let authorizing = || {
        let mut world = connecting();
        world.establish();
        world
    };
    let subscribing = || {
        let mut world = authorizing();
        world.authorize_all();
        world
    };
    let complete = || {
        let mut world = subscribing();
        world.acknowledge("private-a");
        world
    };
    let pinging = || {
        let mut world = complete();
        world.pass(30.0);
        world
    };
    let waiting = || {
        let mut world = complete();
        world.close(None);
        world
    };
    let slow = || {
        let mut world = connecting();
        let epoch = world.epoch();
        let failure = ConnectFailure {
            class: FailureClass::Refused,
            kind: ConnectFailureKind::Network,
            retry_after: None,
            message: String::new(),
        };
        world.command(|connection, now| connection.handle_connect_failed(now, epoch, failure));
        world
    };
    vec![
        ("opening", connecting()),
        ("upgraded", upgraded()),
        ("authorizing", authorizing()),
        ("subscribing", subscribing()),
        ("complete", complete()),
        ("pinging", pinging()),
        ("waiting", waiting()),
        ("slow", slow()),
    ]
}

// D01, I12, I14, I37
#[test]
fn disconnecting_works_in_every_state_and_nothing_follows() {
    for (case, mut world) in in_every_state() {
        let epoch = world.connection.epoch();
        let asked = world.authorizations();
        world.take();
        world.command(Connection::disconnect);
        let outputs = world.take();
        assert_eq!(world.connection.state(), Disconnected, "{case}");
        let closed = outputs.iter().filter(|output| matches!(output, Output::CloseSocket { .. })).count();
        assert_eq!(closed, usize::from(epoch.is_some()), "{case}");
        assert!(outputs.iter().all(|output| !matches!(output, Output::SendText { .. })), "{case}");
        let ended =
            outputs.iter().filter(|o| matches!(o, Output::Report(Report::StateChanged { to: Disconnected, .. })));
        assert_eq!(ended.count(), 1, "{case}");
        world.pass(600.0);
        for id in asked {
            world.authorize(id);
        }
        if let Some(epoch) = epoch {
            world.text_of(epoch, ESTABLISHED);
            world.command(|connection, now| connection.handle_closed(now, epoch, Closed::default()));
        }
        world.command(Connection::network_changed);
        assert_eq!((world.take(), world.connection.poll_timeout()), (vec![], None), "{case}");
        world.command(Connection::disconnect);
        assert_eq!(world.take(), [], "{case}: D10");
    }
}

// I9, I10
#[test]
fn a_live_connection_is_closed_with_a_close_frame() {
    let mut world = World::subscribed(&["a"]);
    let epoch = world.epoch();
    world.command(Connection::disconnect);
    let close = Some(CloseFrame { code: 1000, reason: "" });
    assert_eq!(
        world.take(),
        [
            Output::Report(state(Connected, Disconnecting)),
            Output::CloseSocket { epoch, close },
            Output::Report(state(Disconnecting, Disconnected)),
        ]
    );
}

// D03
#[test]
fn connecting_again_and_again_opens_one_socket() {
    for (case, mut world) in in_every_state() {
        world.take();
        let before = world.connection.epoch();
        for _ in 0..50 {
            world.command(Connection::connect);
        }
        let opened = world.take().into_iter().filter(|output| matches!(output, Output::OpenSocket { .. })).count();
        assert!(opened <= usize::from(before.is_none()), "{case}");
        assert!(before.is_none() || world.connection.epoch() == before, "{case}");
    }
}

// D04, D05, I1, I15
#[test]
fn connecting_after_disconnecting_starts_afresh_on_a_new_socket() {
    for (case, mut world) in in_every_state() {
        let old = world.connection.epoch();
        world.command(Connection::disconnect);
        world.take();
        world.command(Connection::connect);
        assert_eq!(world.connection.state(), Connecting, "{case}");
        let new = world.epoch();
        if let Some(old) = old {
            assert!(new > old, "{case}");
            world.command(|connection, now| connection.handle_closed(now, old, Closed::default()));
        }
        assert_eq!(world.epoch(), new, "{case}: the late close of the old socket does not hurt the new one");
        world.take();
        world.establish();
        world.authorize_all();
        world.take();
        world.acknowledge("private-a");
        assert_eq!(world.reports(), [subscribed("private-a", Continuity::Fresh)], "{case}");
    }
}

// D10
#[test]
fn disconnecting_before_anything_is_nothing() {
    let mut world = World::new();
    world.command(Connection::disconnect);
    assert_eq!(world.take(), []);
}

// I1, I5, I6
#[test]
fn a_new_socket_is_asked_for_only_when_the_old_one_is_closed() {
    let mut world = World::subscribed(&["a"]);
    world.pass(40.0);
    let outputs = world.take();
    let close = outputs.iter().position(|output| matches!(output, Output::CloseSocket { .. })).unwrap();
    assert!(!outputs.iter().any(|output| matches!(output, Output::OpenSocket { .. })));
    assert!(outputs[close + 1..].iter().all(|output| !matches!(output, Output::SendText { .. })));
    assert_eq!(world.connection.state(), Reconnecting);
}
