//! Many channels on one socket: what an answer costs does not depend on how many others there are.

use super::*;
use crate::AuthorizationError;

/// How many channels the machine looks at while so many are subscribed, lost with the socket, subscribed again, fail, and
/// are left.
fn visits(channels: usize) -> u64 {
    let mut options = options();
    options.limits.max_channels = channels;
    let mut world = World::with_options(options);
    let names: Vec<String> = (0..channels).map(name_of).collect();
    for name in &names {
        world.subscribe(name);
    }
    world.command(Connection::connect);
    world.establish();
    subscribe_all(&mut world, &names);
    world.close(1001);
    world.until_next_attempt();
    world.take();
    world.establish();
    subscribe_all(&mut world, &names);
    for name in &names {
        world.text(&format!(r#"{{"event":"pusher:subscription_error","channel":"{name}","data":{{"status":403}}}}"#));
    }
    world.take();
    assert!(world.connection.is_settled(), "all of them wait for a slow retry");
    world.pass(61.0);
    fail_all(&mut world);
    for name in &names {
        world.unsubscribe(name);
    }
    world.connection.channels.visits()
}

/// Every other one needs an authorization.
fn name_of(number: usize) -> String {
    format!("{}{number}", if number.is_multiple_of(2) { "private-" } else { "public-" })
}

fn subscribe_all(world: &mut World, names: &[String]) {
    authorize_each(world, |_| Ok(signature()));
    world.take();
    for name in names {
        world.acknowledge(name);
    }
    let reports = world.reports();
    let subscribed = reports.iter().filter(|report| matches!(report, Report::Subscribed { .. })).count();
    assert_eq!((subscribed, world.connection.is_settled()), (names.len(), true));
}

fn fail_all(world: &mut World) {
    let unavailable = AuthorizationError::unavailable("no");
    authorize_each(world, |_| Err(unavailable.clone()));
}

/// Answers every authorization that is asked for, until none is asked for any more.
fn authorize_each(world: &mut World, answer: impl Fn(AuthorizationId) -> Result<Authorization, AuthorizationError>) {
    loop {
        let ids = world.authorizations();
        world.take();
        if ids.is_empty() {
            return;
        }
        for id in ids {
            let answer = answer(id);
            world.command(|connection, now| connection.handle_authorization(now, id, answer));
        }
    }
}

// S23, Y03
#[test]
fn ten_thousand_channels_cost_ten_times_what_a_thousand_cost() {
    let (few, many) = (visits(1_000), visits(10_000));
    assert!(many <= 11 * few, "{few} for 1,000 and {many} for 10,000");
    assert!(few <= 1_000 * 100, "{few} for 1,000");
}

// Two channels are what most sessions have: they keep no index while nothing is to be done.
#[test]
fn channels_that_are_subscribed_keep_no_index() {
    let mut world = World::connected();
    world.subscribe("a");
    world.subscribe("private-b");
    assert!(world.connection.channels.has_index());
    world.authorize_all();
    world.acknowledge("a");
    world.acknowledge("private-b");
    assert!(!world.connection.channels.has_index());
    world.close(1001);
    assert!(world.connection.channels.has_index());
}
