//! What outlives a socket, and what does not: the wishes of the caller do, the answers of a server do not.

use super::*;
use crate::AuthorizationError;

/// Loses the socket, and has the next one established.
fn reconnect(world: &mut World) {
    world.close(None);
    world.until_next_attempt();
    world.take();
    world.establish();
}

// R02, I27, I31: clients of this protocol have stayed away after the second outage, after the sixth, and after a reset of a
// counter that was forgotten
#[test]
fn after_a_hundred_outages_in_a_row_a_client_is_connected_and_subscribed() {
    let mut world = World::subscribed(&["private-a", "b"]);
    for outage in 0..100 {
        reconnect(&mut world);
        world.authorize_all();
        world.acknowledge("private-a");
        world.acknowledge("b");
        let is_gap = |report: &&Report| matches!(report, Report::Subscribed { continuity: Continuity::Gap { .. }, .. });
        assert_eq!(world.reports().iter().filter(is_gap).count(), 2, "outage {outage}");
        world.event("b", "on");
        assert_eq!(world.events.len(), outage + 1);
        assert!(world.connection.is_settled());
        world.pass(if outage % 2 == 0 { 0.5 } else { 60.0 });
    }
}

// I16, I20: nothing of the first subscribe is remembered, or the channel would be taken for one that is answered soon
#[test]
fn a_channel_whose_acknowledgement_was_cut_off_is_subscribed_on_the_next_socket() {
    let mut world = World::connected();
    world.subscribe("a");
    assert_eq!(world.sent(), [subscribe_text("a")]);
    reconnect(&mut world);
    assert_eq!(world.sent(), [subscribe_text("a")]);
    world.acknowledge("a");
    assert_eq!(world.reports(), [subscribed("a", Continuity::Fresh)]);
}

// S16, S17, I18, I21
#[test]
fn a_channel_that_was_left_is_not_subscribed_again_whatever_had_become_of_it() {
    let refused = |world: &mut World| {
        let denied = Err(AuthorizationError::denied(403));
        let id = world.authorizations()[0];
        world.command(|connection, now| connection.handle_authorization(now, id, denied));
    };
    let rejected = |world: &mut World| {
        world.authorize_all();
        world.text(r#"{"event":"pusher:subscription_error","channel":"private-a","data":{"status":403}}"#);
    };
    let acknowledged = |world: &mut World| {
        world.authorize_all();
        world.acknowledge("private-a");
    };
    type Happens<'a> = &'a dyn Fn(&mut World);
    let cases: [(&str, Happens<'_>); 5] = [
        ("authorizing", &|_| {}),
        ("refused", &refused),
        ("rejected", &rejected),
        ("waiting for the answer", &World::authorize_all),
        ("subscribed", &acknowledged),
    ];
    for (case, happens) in cases {
        for is_offline in [false, true] {
            let mut world = World::connected();
            world.subscribe("private-a");
            happens(&mut world);
            if is_offline {
                world.close(None);
                world.unsubscribe("private-a");
                world.until_next_attempt();
                world.establish();
            } else {
                world.unsubscribe("private-a");
                reconnect(&mut world);
            }
            world.take();
            world.pass(3_600.0);
            let (asked, sent) = (world.authorizations(), world.sent());
            assert!(asked.is_empty(), "{case}, {is_offline}");
            assert!(!sent.iter().any(|text| text.contains("private-a")), "{case}, {is_offline}: {sent:?}");
        }
    }
}

// S11: the server's data is nobody's business on a public channel
#[test]
fn a_subscription_is_acknowledged_with_any_data_and_with_none() {
    for data in ["", r#","data":null"#, r#","data":"""#, r#","data":"{}""#, r#","data":{}"#, r#","data":[]"#] {
        let mut world = World::connected();
        world.subscribe("a");
        world.take();
        world.text(&format!(r#"{{"event":"pusher_internal:subscription_succeeded","channel":"a"{data}}}"#));
        assert_eq!(world.reports(), [subscribed("a", Continuity::Fresh)], "{data}");
    }
}

// S03, L05, I30: whoever signs may take all the time there is
#[test]
fn while_an_authorization_is_under_way_the_connection_lives_on() {
    let mut world = World::subscribed(&["b"]);
    world.subscribe("private-a");
    world.take();
    world.pass(5.0);
    world.event("b", "on");
    world.text(PING);
    assert_eq!(world.events, ["b on"]);
    assert_eq!(world.sent(), [PONG.replace('}', r#","data":{}}"#)]);
    world.pass(26.0);
    assert!(world.sent().contains(&PING.to_owned()), "and it is looked after");
}

// M14: a name is a text, never a key of something that has others
#[test]
fn an_event_may_have_any_name() {
    let long = "x".repeat(200);
    for event in ["__proto__", "constructor", "hasOwnProperty", "", " ", "é🦀", long.as_str()] {
        let mut world = World::subscribed(&["a"]);
        world.event("a", event);
        assert_eq!(world.events, [format!("a {event}")]);
    }
}
