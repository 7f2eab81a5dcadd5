use super::*;

fn name(name: &str) -> ChannelName {
    ChannelName::parse(name).unwrap()
}

fn at(milliseconds: u64) -> Time {
    Time::ZERO + Duration::from_millis(1_000_000 + milliseconds)
}

fn event(channel: &str, event: &str) -> ClientEvent {
    ClientEvent::new(&name(channel), event, "{}", &Limits::default()).unwrap()
}

const ALL_READY: fn(&ChannelName) -> Readiness = |_| Readiness::Ready;

// S22
#[test]
fn what_may_not_be_sent_is_refused_with_the_reason() {
    let limits = Limits { max_client_event_bytes: 10, ..Limits::default() };
    let refused = |channel: &str, event: &str, data: &str| {
        ClientEvent::new(&name(channel), event, data, &limits).map(|event| event.text).unwrap_err()
    };
    for wrong in ["", "client-", "Client-a", "client", "pusher:ping", "client:a"] {
        assert_eq!(refused("private-a", wrong, "{}"), TriggerError::Name { event: wrong.to_owned() });
    }
    let long = format!("client-{}", "é".repeat(194));
    assert_eq!(refused("private-a", &long, "{}"), TriggerError::NameTooLong { length: 201 });
    for channel in ["a", "cache-a", "private-encrypted-a", "private-encrypted-cache-a", "#server-to-user-1"] {
        let error = TriggerError::Kind { channel: name(channel), kind: name(channel).kind() };
        assert_eq!(refused(channel, "client-a", "{}"), error);
    }
    assert_eq!(refused("private-a", "client-a", r#"{"a":12345}"#), TriggerError::TooLarge { bytes: 11, limit: 10 });
    for wrong in ["", "{", "x", "{} {}", "{\"a\"}", "1,2", "\"a"] {
        assert!(matches!(refused("private-a", "client-a", wrong), TriggerError::NotJson(_)), "{wrong}");
    }
    let longest = format!("client-{}", "é".repeat(193));
    for right in ["{}", "null", "1", "\"a\"", "[1]", " {} \n"] {
        assert!(ClientEvent::new(&name("private-cache-a"), &longest, right, &limits).is_ok(), "{right}");
        assert!(ClientEvent::new(&name("presence-a"), "client-a", right, &limits).is_ok(), "{right}");
    }
}

#[test]
fn the_message_is_json_whatever_the_name_is() {
    let event = ClientEvent::new(&name("private-a"), "client-\"\n", r#" {"a":[1]} "#, &Limits::default()).unwrap();
    let expected = r#"{"event":"client-\"\u000a","channel":"private-a","data":{"a":[1]}}"#;
    assert_eq!(event.text.expose(), expected);
}

// S22
#[test]
fn never_more_than_ten_are_sent_within_any_second() {
    let (limits, mut events) = (Limits::default(), ClientEvents::default());
    let mut sent = Vec::new();
    for now in (0..5_000).step_by(7) {
        match events.trigger(at(now), event("private-a", "client-a"), Readiness::Ready, &limits) {
            Ok(Some(_)) => sent.push(now),
            Ok(None) => panic!("nothing waits"),
            Err(TriggerError::TooFast { limit: 10, retry_in }) => {
                let next = now + u64::try_from(retry_in.as_millis()).unwrap();
                assert_eq!(next, sent[sent.len() - 10] + 1_000);
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(sent.windows(11).all(|window| window[10] - window[0] >= 1_000), "{sent:?}");
    assert_eq!(sent.len(), 50);
    assert!(events.sent.len() <= 60);
}

// S22, D11
#[test]
fn those_that_wait_for_their_channel_keep_their_order_and_their_pace() {
    let (limits, mut events) = (Limits::default(), ClientEvents::default());
    for number in 0..25 {
        let channel = if number % 2 == 0 { "private-a" } else { "private-b" };
        let waiting = events.trigger(at(0), event(channel, &format!("client-{number}")), Readiness::Pending, &limits);
        assert!(matches!(waiting, Ok(None)));
    }
    let only_b = |name: &ChannelName| if name.as_str() == "private-b" { Readiness::Ready } else { Readiness::Pending };
    let next = |events: &mut ClientEvents, now, ready: &dyn Fn(&ChannelName) -> Readiness| {
        events.next(at(now), &limits, ready).map(|event| event.event.to_string())
    };
    assert_eq!(next(&mut events, 0, &only_b).as_deref(), Some("client-1"));
    assert_eq!(next(&mut events, 0, &ALL_READY).as_deref(), Some("client-0"));
    // One that comes now is behind the others of its channel.
    assert!(matches!(events.trigger(at(0), event("private-b", "client-x"), Readiness::Ready, &limits), Ok(None)));
    let mut order = Vec::new();
    let mut now = 0;
    while let Some(deadline) = events.deadline(&limits, ALL_READY) {
        now = now.max(u64::try_from(deadline.saturating_since(at(0)).as_millis()).unwrap());
        while let Some(event) = next(&mut events, now, &ALL_READY) {
            order.push(event);
        }
        if order.len() > 100 {
            break;
        }
    }
    let rest = (2..25).map(|number| format!("client-{number}")).chain(["client-x".to_owned()]);
    assert_eq!(order, rest.collect::<Vec<_>>());
    assert_eq!(now, 2_000);
}

// S22, I36
#[test]
fn the_queue_is_bounded_and_tells_those_that_are_gone() {
    let limits = Limits { max_waiting_client_events: 2, ..Limits::default() };
    let mut events = ClientEvents::default();
    let mut trigger = |channel: &str, readiness| events.trigger(at(0), event(channel, "client-e"), readiness, &limits);
    assert!(matches!(trigger("private-a", Readiness::Pending), Ok(None)));
    assert!(matches!(trigger("private-b", Readiness::Pending), Ok(None)));
    assert_eq!(trigger("private-c", Readiness::Pending).unwrap_err(), TriggerError::QueueFull { limit: 2 });
    let error = TriggerError::NotSubscribed { channel: name("private-c") };
    assert_eq!(trigger("private-c", Readiness::Gone).unwrap_err(), error);
    let gone = |name: &ChannelName| if name.as_str() == "private-a" { Readiness::Gone } else { Readiness::Pending };
    let gone: Vec<_> = events.gone(gone).into_iter().map(|event| event.channel).collect();
    assert_eq!(gone, [name("private-a")]);
    assert_eq!(events.take_all().len(), 1);
    assert!(events.is_idle());
}

// S22
#[test]
fn a_refusal_is_about_the_channel_it_names_or_else_about_all_that_it_may_be() {
    let limits = Limits::default();
    let mut events = ClientEvents::default();
    let mut send = |now, channel: &str, name: &str| {
        assert!(events.trigger(at(now), event(channel, name), Readiness::Ready, &limits).unwrap().is_some());
    };
    send(0, "private-old", "client-e");
    send(5_001, "private-a", "client-1");
    let one = [(name("private-a"), Some("client-1".into()))];
    assert_eq!(events.blame(at(5_001), None), one);
    assert_eq!(events.blame(at(5_001), Some("private-a")), one);
    assert_eq!(events.blame(at(5_001), Some("private-b")), []);
    let mut send = |now, channel: &str, name: &str| {
        assert!(events.trigger(at(now), event(channel, name), Readiness::Ready, &limits).unwrap().is_some());
    };
    send(5_002, "private-a", "client-1");
    send(5_003, "private-b", "client-2");
    send(5_004, "private-a", "client-3");
    assert_eq!(events.blame(at(5_004), None), [(name("private-a"), None), (name("private-b"), None)]);
    assert_eq!(events.blame(at(5_004), Some("private-b")), [(name("private-b"), Some("client-2".into()))]);
    assert_eq!(events.blame(at(20_000), None), []);
}

// Z06
#[test]
fn a_clock_that_steps_back_stops_client_events_for_a_second_at_most() {
    let limits = Limits::default();
    let mut events = ClientEvents::default();
    for _ in 0..limits.max_client_events_per_second {
        events.trigger(at(3_600_000), event("private-a", "client-e"), Readiness::Ready, &limits).unwrap();
    }
    let error = events.trigger(at(10), event("private-a", "client-e"), Readiness::Ready, &limits).unwrap_err();
    let limit = limits.max_client_events_per_second;
    assert_eq!(error, TriggerError::TooFast { limit, retry_in: SECOND });
    assert!(events.trigger(at(1_010), event("private-a", "client-e"), Readiness::Ready, &limits).unwrap().is_some());
}
