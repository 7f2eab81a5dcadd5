use std::time::Duration;

use super::*;

fn channel(name: &str) -> ChannelName {
    ChannelName::parse(name).unwrap()
}

fn steps(intent: &mut Intent, done: &mut CarriedOut) -> Steps {
    intent.steps(done).expect("something changed")
}

#[test]
fn nothing_is_to_do_when_nothing_changed() {
    let (mut intent, mut done) = (Intent::default(), CarriedOut::default());
    assert_eq!(intent.steps(&mut done), None);
    intent.connect();
    assert!(steps(&mut intent, &mut done).connect);
    assert_eq!(intent.steps(&mut done), None);
}

// D04, D05
#[test]
fn any_number_of_toggles_comes_to_the_last_of_them() {
    let (mut intent, mut done) = (Intent::default(), CarriedOut::default());
    for _ in 0..1_000 {
        intent.connect();
        intent.end_session();
    }
    let off = steps(&mut intent, &mut done);
    assert_eq!((off.new_session, off.wanted), (Some(1_000), false));
    intent.end_session();
    intent.connect();
    let on = steps(&mut intent, &mut done);
    assert_eq!((on.new_session, on.wanted, on.connect), (Some(1_001), true, true));
}

// S17
#[test]
fn a_channel_left_and_taken_again_is_both_unsubscribed_and_subscribed() {
    let (mut intent, mut done) = (Intent::default(), CarriedOut::default());
    intent.subscribe(channel("a"), 10).unwrap();
    assert_eq!(steps(&mut intent, &mut done).subscribe, [channel("a")]);
    assert!(intent.unsubscribe(&channel("a")).is_some());
    intent.subscribe(channel("a"), 10).unwrap();
    let both = steps(&mut intent, &mut done);
    assert_eq!((both.unsubscribe, both.subscribe), (vec![channel("a")], vec![channel("a")]));
    assert!(intent.unsubscribe(&channel("a")).is_some());
    assert_eq!(steps(&mut intent, &mut done).unsubscribe, [channel("a")]);
    assert_eq!(intent.unsubscribe(&channel("a")), None);
}

// S15
#[test]
fn asking_again_for_a_channel_is_passed_on_without_leaving_it() {
    let (mut intent, mut done) = (Intent::default(), CarriedOut::default());
    intent.subscribe(channel("a"), 10).unwrap();
    steps(&mut intent, &mut done);
    intent.subscribe(channel("a"), 10).unwrap();
    let again = steps(&mut intent, &mut done);
    assert_eq!((again.unsubscribe, again.subscribe), (Vec::new(), vec![channel("a")]));
}

// I26: what the task does not hear of in time comes to the first and the last of the names
#[test]
fn any_number_of_replacements_comes_to_the_last_of_them() {
    let (mut intent, mut done) = (Intent::default(), CarriedOut::default());
    intent.subscribe(channel("a"), 1).unwrap();
    steps(&mut intent, &mut done);
    for (old, new, second) in [("a", "b", 1), ("b", "c", 2), ("c", "d", 3)] {
        intent.replace(&channel(old), channel(new), Time::ZERO + Duration::from_secs(second), 1).unwrap();
    }
    let replaced = steps(&mut intent, &mut done);
    let since = Time::ZERO + Duration::from_secs(3);
    assert_eq!(replaced.replace, [Replacement { old: channel("a"), new: channel("d"), since }]);
    assert_eq!((replaced.unsubscribe, replaced.subscribe), (vec![], vec![]));
    intent.replace(&channel("d"), channel("e"), Time::ZERO, 1).unwrap();
    intent.replace(&channel("e"), channel("d"), Time::ZERO, 1).unwrap();
    let back = steps(&mut intent, &mut done);
    assert_eq!((back.replace, back.unsubscribe, back.subscribe), (vec![], vec![], vec![channel("d")]));
    assert!(intent.unsubscribe(&channel("d")).is_some());
    assert_eq!(steps(&mut intent, &mut done).unsubscribe, [channel("d")]);
}

#[test]
fn replacing_by_a_channel_that_is_wanted_already_leaves_the_old_one() {
    let (mut intent, mut done) = (Intent::default(), CarriedOut::default());
    intent.subscribe(channel("a"), 2).unwrap();
    intent.subscribe(channel("b"), 2).unwrap();
    steps(&mut intent, &mut done);
    intent.replace(&channel("a"), channel("b"), Time::ZERO, 2).unwrap();
    let left = steps(&mut intent, &mut done);
    assert_eq!((left.replace, left.unsubscribe, left.subscribe), (vec![], vec![channel("a")], vec![channel("b")]));
    intent.replace(&channel("b"), channel("b"), Time::ZERO, 2).unwrap();
    let again = steps(&mut intent, &mut done);
    assert_eq!((again.replace, again.unsubscribe, again.subscribe), (vec![], vec![], vec![channel("b")]));
    assert_eq!(again.renew, [channel("b")]);
    intent.replace(&channel("x"), channel("c"), Time::ZERO, 2).unwrap();
    assert_eq!(steps(&mut intent, &mut done).subscribe, [channel("c")]);
}

// I20, I26: the task hears of several at once, and each channel is let go before another one takes its name
#[test]
fn channels_that_take_each_others_names_are_all_wanted_afterwards() {
    let replacement = |old, new| Replacement { old: channel(old), new: channel(new), since: Time::ZERO };
    let (mut intent, mut done) = (Intent::default(), CarriedOut::default());
    for name in ["a", "b", "x", "y"] {
        intent.subscribe(channel(name), 4).unwrap();
    }
    steps(&mut intent, &mut done);
    for (old, new) in [("b", "c"), ("a", "b"), ("x", "z"), ("y", "x"), ("z", "y")] {
        intent.replace(&channel(old), channel(new), Time::ZERO, 4).unwrap();
    }
    let replaced = steps(&mut intent, &mut done);
    assert_eq!(replaced.replace, [replacement("b", "c"), replacement("a", "b")]);
    assert_eq!((replaced.unsubscribe, replaced.subscribe), (vec![], vec![channel("x"), channel("y")]), "they stay");
}

// S23
#[test]
fn one_channel_too_many_is_refused_alone() {
    let mut intent = Intent::default();
    intent.subscribe(channel("a"), 1).unwrap();
    let refused = SubscribeError::TooManyChannels { channel: channel("b"), limit: 1 };
    assert_eq!(intent.subscribe(channel("b"), 1), Err(refused));
    assert_eq!(intent.subscribe(channel("a"), 1), Ok(()));
}

// Y01: what is remembered of the past is what the task still has to be told.
#[test]
fn nothing_is_remembered_of_channels_that_the_task_has_seen_or_nobody_wants() {
    let (mut intent, mut done) = (Intent::default(), CarriedOut::default());
    for number in 0..100 {
        intent.subscribe(channel(&format!("c{number}")), 100).unwrap();
    }
    assert_eq!((steps(&mut intent, &mut done).subscribe.len(), intent.changed.len()), (100, 0));
    for number in 0..100 {
        let unknown = channel(&format!("u{number}"));
        assert_eq!(intent.unsubscribe(&unknown), None);
        assert!(intent.subscribe(unknown.clone(), 100).is_err());
        assert!(intent.replace(&unknown, unknown.clone(), Time::ZERO, 100).is_err());
    }
    assert_eq!((intent.changed.len(), intent.steps(&mut done)), (0, None));
}
