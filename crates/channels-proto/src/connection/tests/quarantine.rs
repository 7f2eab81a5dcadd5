use super::*;
use crate::SubscriptionError;
use ConnectionState::Connected;

/// What a server does that closes the whole socket on some channels (push1st).
fn run(world: &mut World, bad: &[&str], sockets: usize) -> (usize, Vec<String>) {
    let (mut closes, mut failed) = (0, vec![]);
    for _ in 0..sockets {
        world.establish();
        for _ in 0..100 {
            let outputs = world.take();
            let mut idle = true;
            for output in outputs {
                match output {
                    Output::Authorize { id, .. } => {
                        idle = false;
                        world.authorize(id);
                    }
                    Output::SendText { text, epoch } if Some(epoch) == world.connection.epoch() => {
                        idle = false;
                        let channel = channel_of(&text);
                        if bad.contains(&channel.as_str()) {
                            closes += 1;
                            world.close(1002);
                        } else {
                            world.acknowledge(&channel);
                        }
                    }
                    Output::Report(Report::SubscriptionFailed { channel, .. }) => failed.push(channel.to_string()),
                    _ => {}
                }
            }
            if idle {
                break;
            }
        }
        if world.connection.state() == Connected {
            break;
        }
        world.until_next_attempt();
    }
    (closes, failed)
}

fn channel_of(text: &str) -> String {
    text.split(r#""channel":""#).nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned()
}

fn connecting(channels: &[&str]) -> World {
    let mut world = World::new();
    for channel in channels {
        world.subscribe(channel);
    }
    world.command(Connection::connect);
    world
}

// S07, R09
#[test]
fn a_channel_on_which_the_server_closes_is_given_up_after_two_sockets() {
    let mut world = connecting(&["good-1", "bad", "good-2"]);
    let (closes, failed) = run(&mut world, &["bad"], 10);
    assert_eq!((closes, failed), (2, vec!["bad".to_owned()]));
    assert_eq!(world.connection.state(), Connected);
    assert!(world.connection.is_settled());
    world.event("good-1", "e");
    world.event("good-2", "e");
    assert_eq!(world.events, ["good-1 e", "good-2 e"]);
}

// S07
#[test]
fn each_offender_costs_two_sockets_and_no_more() {
    let mut world = connecting(&["bad-1", "good", "bad-2", "private-bad-3"]);
    let started = world.now;
    let (closes, mut failed) = run(&mut world, &["bad-1", "bad-2", "private-bad-3"], 20);
    failed.sort();
    assert_eq!((closes, failed.len()), (6, 3));
    assert_eq!(world.connection.state(), Connected);
    let spent = world.now.saturating_since(started);
    assert!(spent < Duration::from_secs(120), "explained closes are not slow: {spent:?}");
}

// S07
#[test]
fn the_suspect_comes_last_and_alone() {
    let mut world = connecting(&["bad", "good"]);
    world.establish();
    world.take();
    world.close(1002);
    world.until_next_attempt();
    world.take();
    world.establish();
    assert_eq!(world.sent(), [subscribe_text("good")]);
    world.acknowledge("good");
    assert_eq!(world.sent(), [subscribe_text("bad")]);
    world.subscribe("another");
    assert_eq!(world.sent(), Vec::<String>::new(), "alone");
    world.acknowledge("bad");
    assert_eq!(world.sent(), [subscribe_text("another")]);
}

// S07
#[test]
fn a_suspect_that_is_acknowledged_is_cleared() {
    let mut world = connecting(&["a", "b"]);
    for _ in 0..3 {
        world.establish();
        world.take();
        world.close(1002);
        world.until_next_attempt();
        world.establish();
        world.acknowledge("b");
        world.acknowledge("a");
        assert!(world.connection.is_settled());
        world.close(None);
        world.until_next_attempt();
    }
    assert!(world.reports().iter().all(|report| !matches!(report, Report::SubscriptionFailed { .. })));
}

// S07: a broken network is not a refusal.
#[test]
fn an_abnormal_end_makes_no_channel_suspect() {
    let mut world = connecting(&["a", "b"]);
    for code in [None, Some(1001), Some(1006), Some(4200), None, Some(1011)] {
        world.establish();
        world.take();
        world.close(code);
        world.until_next_attempt();
    }
    world.establish();
    assert_eq!(world.sent(), [subscribe_text("a"), subscribe_text("b")]);
}

// Sockudo and Reverb refuse by an error that names no channel.
#[test]
fn of_an_error_that_names_no_channel_the_one_without_acknowledgement_is_meant() {
    let refused = r#"{"event":"pusher:error","data":{"message":"bad auth","code":4009}}"#;
    let mut world = connecting(&["a", "b", "c"]);
    world.establish();
    world.take();
    world.acknowledge("a");
    world.text(refused);
    assert!(!world.reports().iter().any(|r| matches!(r, Report::SubscriptionFailed { .. })), "b or c?");
    world.acknowledge("c");
    let error = SubscriptionError::RejectedByServer { code: Some(4009), message: "bad auth".to_owned() };
    let failed =
        Report::SubscriptionFailed { channel: name("b"), error, since: Time::ZERO, failures: 1, retry_in: None };
    assert_eq!(world.reports(), [subscribed("c", Continuity::Fresh), failed]);
    assert!(world.connection.is_settled());
}

#[test]
fn when_every_unanswered_subscribe_was_refused_all_of_them_fail_at_once() {
    let refused = r#"{"event":"pusher:error","data":{"message":"bad auth","code":4009}}"#;
    let mut world = connecting(&["a", "b"]);
    world.establish();
    world.text(refused);
    world.take();
    world.text(refused);
    let failures = world.reports().into_iter().filter(|r| matches!(r, Report::SubscriptionFailed { .. })).count();
    assert_eq!((failures, world.connection.state()), (2, Connected));
}

#[test]
fn a_refusal_with_nothing_unanswered_blames_nobody_later() {
    let mut world = connecting(&["a"]);
    world.establish();
    world.acknowledge("a");
    world.text(r#"{"event":"pusher:error","data":{"message":"m","code":4009}}"#);
    world.subscribe("b");
    world.acknowledge("b");
    assert!(!world.reports().iter().any(|r| matches!(r, Report::SubscriptionFailed { .. })));
}
