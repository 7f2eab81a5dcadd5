use super::*;
use crate::{ClientEventError, SendError, TriggerError};

fn trigger(world: &mut World, channel: &str, event: &str) -> Result<(), TriggerError> {
    let (channel, mut outputs) = (name(channel), vec![]);
    outputs.extend(world.connection.trigger(world.now, &channel, event, r#"{"a":1}"#)?.map(owned));
    world.outputs.extend(outputs);
    Ok(())
}

fn message(channel: &str, event: &str) -> String {
    format!(r#"{{"event":"{event}","channel":"{channel}","data":{{"a":1}}}}"#)
}

/// Takes all outputs and returns the client events that failed.
fn failed(world: &mut World) -> Vec<(String, Option<String>, ClientEventError)> {
    let failure = |report| match report {
        Report::ClientEventFailed { channel, event, error } => {
            Some((channel.to_string(), event.map(String::from), error))
        }
        _ => None,
    };
    world.reports().into_iter().filter_map(failure).collect()
}

// S22
#[test]
fn a_client_event_is_sent_at_once_on_a_subscribed_channel() {
    let mut world = World::subscribed(&["private-a"]);
    trigger(&mut world, "private-a", "client-e").unwrap();
    assert_eq!(world.sent(), [message("private-a", "client-e")]);
}

// S22, D11
#[test]
fn client_events_wait_for_the_acknowledgement_and_keep_their_order() {
    let mut world = World::new();
    world.subscribe("private-a");
    for event in ["client-1", "client-2", "client-2"] {
        trigger(&mut world, "private-a", event).unwrap();
    }
    world.command(Connection::connect);
    world.establish();
    world.authorize_all();
    let sent = world.sent();
    assert!(sent.len() == 1 && sent[0].contains("pusher:subscribe"), "{sent:?}");
    world.acknowledge("private-a");
    let expected = ["client-1", "client-2", "client-2"].map(|event| message("private-a", event));
    assert_eq!(world.sent(), expected);
}

// S22
#[test]
fn what_waited_is_sent_no_faster_than_the_server_allows() {
    let mut world = World::subscribed(&["private-a"]);
    world.subscribe("private-b");
    for number in 0..25 {
        trigger(&mut world, "private-b", &format!("client-{number}")).unwrap();
    }
    world.authorize_all();
    world.take();
    world.acknowledge("private-b");
    assert_eq!(world.sent().len(), 10);
    assert!(matches!(trigger(&mut world, "private-a", "client-x"), Err(TriggerError::TooFast { limit: 10, .. })));
    world.pass(0.99);
    assert_eq!(world.sent().len(), 0);
    world.pass(0.02);
    assert_eq!(world.sent().len(), 10);
    world.pass(1.0);
    assert_eq!(world.sent().len(), 5);
}

// S22
#[test]
fn a_client_event_that_may_not_be_sent_is_refused_at_the_call() {
    let mut world = World::subscribed(&["private-a", "public"]);
    assert!(matches!(trigger(&mut world, "public", "client-e"), Err(TriggerError::Kind { .. })));
    assert!(matches!(trigger(&mut world, "private-b", "client-e"), Err(TriggerError::NotSubscribed { .. })));
    assert!(matches!(trigger(&mut world, "private-a", "e"), Err(TriggerError::Name { .. })));
    world.unsubscribe("private-a");
    world.take();
    assert!(matches!(trigger(&mut world, "private-a", "client-e"), Err(TriggerError::NotSubscribed { .. })));
    assert_eq!(world.take(), []);
}

// S22
#[test]
fn those_that_wait_in_vain_are_reported() {
    let mut world = World::connected();
    for channel in ["private-a", "private-b", "private-c"] {
        world.subscribe(channel);
        trigger(&mut world, channel, "client-e").unwrap();
    }
    let ids = world.authorizations();
    world.take();
    world.unsubscribe("private-a");
    let event = || Some("client-e".to_owned());
    assert_eq!(failed(&mut world), [("private-a".to_owned(), event(), ClientEventError::Unsubscribed)]);
    let denied = Err(crate::AuthorizationError::denied(401));
    world.command(|connection, now| connection.handle_authorization(now, ids[1], denied));
    assert_eq!(failed(&mut world), [("private-b".to_owned(), event(), ClientEventError::Unsubscribed)]);
    world.close(1006);
    assert_eq!(failed(&mut world), []);
    world.command(Connection::disconnect);
    assert_eq!(failed(&mut world), [("private-c".to_owned(), event(), ClientEventError::Disconnected)]);
    world.command(Connection::connect);
    world.establish();
    world.authorize_all();
    world.take();
    world.acknowledge("private-c");
    assert_eq!(world.sent(), Vec::<String>::new(), "nothing of the session before is sent");
}

// S22
#[test]
fn a_refusal_is_reported_for_the_channel_that_it_is_about_and_the_socket_stays() {
    let mut world = World::subscribed(&["private-a", "private-b"]);
    trigger(&mut world, "private-a", "client-1").unwrap();
    let error = || ClientEventError::RejectedByServer { code: 4301, message: "no".to_owned() };
    world.text(r#"{"event":"pusher:error","data":{"code":4301,"message":"no"}}"#);
    let one = || Some("client-1".to_owned());
    assert_eq!(failed(&mut world), [("private-a".to_owned(), one(), error())]);
    trigger(&mut world, "private-b", "client-2").unwrap();
    world.text(r#"{"event":"pusher:error","data":"{\"code\":4301,\"message\":\"no\"}"}"#);
    let both = [("private-a".to_owned(), None, error()), ("private-b".to_owned(), None, error())];
    assert_eq!(failed(&mut world), both);
    world.text(r#"{"event":"pusher:error","channel":"private-a","data":{"code":"4301","message":"no"}}"#);
    assert_eq!(failed(&mut world), [("private-a".to_owned(), one(), error())]);
    world.pass(6.0);
    world.text(r#"{"event":"pusher:error","data":{"code":4301,"message":"no"}}"#);
    assert_eq!(failed(&mut world), []);
    assert_eq!(world.connection.state(), ConnectionState::Connected);
}

const PUSH1ST: &str = r#"{"data":"{\"activity_timeout\":\"40\",\"socket_id\":\"1795521896925195131.1442880739\"}","event":"pusher:connection_established"}"#;

// L08
#[test]
fn nothing_that_push1st_dies_of_is_sent_to_it_unless_it_is_trusted() {
    for trusted in [false, true] {
        let mut world = World::with_options(Options { trust_push1st: trusted, ..options() });
        world.subscribe("private-a");
        trigger(&mut world, "private-a", "client-waiting").unwrap();
        world.command(Connection::connect);
        world.text(PUSH1ST);
        world.authorize_all();
        world.take();
        world.acknowledge("private-a");
        if trusted {
            assert_eq!(world.sent(), [message("private-a", "client-waiting")]);
            trigger(&mut world, "private-a", "client-e").unwrap();
            world.command(|connection, now| connection.send_event(now, "x", None, "1").unwrap());
            assert_eq!(world.sent().len(), 2);
        } else {
            let event = Some("client-waiting".to_owned());
            let error = ClientEventError::UnsupportedByServer;
            assert_eq!(failed(&mut world), [("private-a".to_owned(), event, error)]);
            assert_eq!(trigger(&mut world, "private-a", "client-e"), Err(TriggerError::UnsupportedByServer));
            let sent = world.connection.send_event(world.now, "x", None, "1").map(drop);
            assert_eq!(sent, Err(SendError::UnsupportedByServer));
            assert_eq!(world.take(), []);
        }
    }
}

#[test]
fn a_raw_event_is_sent_as_it_is_while_there_is_a_connection() {
    let mut world = World::connected();
    world.command(|connection, now| connection.send_event(now, "my \"event\"", None, " [1] ").unwrap());
    world.command(|connection, now| connection.send_event(now, "e", Some(&name("a")), "null").unwrap());
    let expected = [r#"{"event":"my \"event\"","data":[1]}"#, r#"{"event":"e","channel":"a","data":null}"#];
    assert_eq!(world.sent(), expected);
    let now = world.now;
    assert!(matches!(world.connection.send_event(now, "e", None, "{").map(drop), Err(SendError::NotJson(_))));
    let long = format!("\"{}\"", "x".repeat(1024 * 1024));
    let too_large = world.connection.send_event(now, "e", None, &long).map(drop);
    assert!(matches!(too_large, Err(SendError::TooLarge { limit: 1_048_576, .. })));
    world.command(Connection::disconnect);
    assert_eq!(world.connection.send_event(now, "e", None, "1").map(drop), Err(SendError::NotConnected));
}

// S22
#[test]
fn client_events_that_wait_fail_when_no_attempt_follows() {
    let mut world = World::with_options(Options { auto_reconnect: false, ..options() });
    world.subscribe("private-a");
    world.command(Connection::connect);
    world.establish();
    trigger(&mut world, "private-a", "client-e").unwrap();
    world.close(1006);
    assert_eq!(world.connection.state(), ConnectionState::Disconnected);
    let error = ClientEventError::Disconnected;
    assert_eq!(failed(&mut world), [("private-a".to_owned(), Some("client-e".to_owned()), error)]);
}
