use super::*;
use ConnectionState::Connected;

/// What happened at a server that closes the whole socket on some channels (push1st).
#[derive(Default)]
struct Course {
    closes: usize,
    failed: Vec<String>,
    subscribed: Vec<String>,
}

impl Course {
    /// Has the server answer whatever the client asks, until that asks nothing more.
    fn serve(&mut self, world: &mut World, bad: &[&str]) {
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
                        self.answer(world, bad, text.expose());
                    }
                    Output::Report(Report::SubscriptionFailed { channel, .. }) => self.failed.push(channel.to_string()),
                    Output::Report(Report::Subscribed { channel, .. }) => self.subscribed.push(channel.to_string()),
                    _ => {}
                }
            }
            if idle {
                return;
            }
        }
        panic!("the client asks without end");
    }

    fn answer(&mut self, world: &mut World, bad: &[&str], text: &str) {
        if text.contains("pusher:ping") {
            return world.text(PONG);
        }
        let channel = channel_of(text);
        if bad.contains(&channel.as_str()) {
            self.closes += 1;
            world.close(1002);
        } else {
            world.acknowledge(&channel);
        }
    }
}

/// Connects until the server leaves a socket open, and returns how often it closed one, and which channels failed.
fn run(world: &mut World, bad: &[&str], sockets: usize) -> (usize, Vec<String>) {
    let mut course = Course::default();
    for _ in 0..sockets {
        world.establish();
        course.serve(world, bad);
        if world.connection.state() == Connected {
            break;
        }
        world.until_next_attempt();
    }
    (course.closes, course.failed)
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
fn a_channel_on_which_the_server_closes_costs_the_others_two_sockets_at_first() {
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

// S07: and it is back within half an hour when the server has changed its mind.
#[test]
fn an_offender_costs_the_others_a_few_sockets_an_hour_and_is_never_given_up() {
    let mut world = connecting(&["good", "bad"]);
    let mut course = Course::default();
    let mut by_hour = [0; 5];
    for second in 0..5 * 3600 {
        if world.connection.state() == ConnectionState::Connecting {
            world.establish();
        }
        let before = course.closes;
        let bad: &[&str] = if second < 4 * 3600 { &["bad"] } else { &[] };
        course.serve(&mut world, bad);
        by_hour[second / 3600] += course.closes - before;
        if second == 4 * 3600 {
            assert!(!course.subscribed.contains(&"bad".to_owned()));
        }
        world.pass(1.0);
    }
    assert!((4..=8).contains(&by_hour[0]), "{by_hour:?}");
    assert!(by_hour[1..4].iter().all(|closes| (1..=4).contains(closes)), "{by_hour:?}");
    assert_eq!(by_hour[4], 0);
    assert_eq!(course.subscribed.iter().filter(|channel| *channel == "bad").count(), 1);
    assert_eq!(course.failed.len() + 1, course.closes, "each but the first is told");
    assert_eq!(course.subscribed.iter().filter(|channel| *channel == "good").count(), course.closes + 1);
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
    let reports = world.reports();
    let Report::SubscriptionFailed { channel, error: told, failures: 1, retry_in, .. } = &reports[1] else {
        panic!("{reports:?}");
    };
    assert_eq!((&reports[0], channel.as_str(), told), (&subscribed("c", Continuity::Fresh), "b", &error));
    assert!(is_slow(*retry_in), "{retry_in:?}");
    assert!(world.connection.is_settled());
}

// S12, SB8: the late yes of a channel that is wanted is a yes, and the error was about the other.
#[test]
fn a_blamed_channel_that_is_acknowledged_is_reinstated_and_another_meant() {
    let mut world = World::connected();
    world.subscribe("a");
    world.pass(5.0);
    world.subscribe("b");
    world.text(r#"{"event":"pusher:error","data":{"message":"bad auth","code":4009}}"#);
    world.take();
    world.pass(5.0);
    assert_eq!(world.failures()[0].0, "a", "its answer is due first");
    world.acknowledge("a");
    let reports = world.reports();
    assert_eq!(reports[0], subscribed("a", Continuity::Fresh));
    assert!(
        matches!(&reports[1], Report::SubscriptionFailed { channel, .. } if channel.as_str() == "b"),
        "{reports:?}"
    );
    world.acknowledge("b");
    assert_eq!(world.take(), [Output::Report(subscribed("b", Continuity::Fresh))]);
    world.subscribe("c");
    assert_eq!(world.sent(), [subscribe_text("c")]);
    world.acknowledge("c");
    assert_eq!(world.reports(), [subscribed("c", Continuity::Fresh)], "the error is not held against anybody else");
}

// Sockudo says which channel it means.
#[test]
fn an_error_that_names_a_channel_is_the_answer_to_its_subscribe() {
    let mut world = connecting(&["a", "b"]);
    world.establish();
    world.take();
    world.text(r#"{"event":"pusher:error","channel":"b","data":{"message":"bad auth","code":4009}}"#);
    let error = SubscriptionError::RejectedByServer { code: Some(4009), message: "bad auth".to_owned() };
    let failures = world.failures();
    assert_eq!((failures[0].0.as_str(), &failures[0].1), ("b", &error));
    assert!(failures.len() == 1 && is_slow(failures[0].2), "{failures:?}");
    world.acknowledge("a");
    world.take();
    world.text(r#"{"event":"pusher:error","channel":"a","data":{"message":"too fast","code":4301}}"#);
    assert_eq!(world.take(), [], "whoever may publish on a channel cannot end it by that");
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
