use super::*;
use crate::{AuthorizationError, DecryptionError, Secret, SubscriptionError, secretbox::tests::seal_with};

const CHANNEL: &str = "private-encrypted-a";

/// A key that is made of one byte.
fn key(byte: u8) -> Secret {
    Secret::new(crate::secretbox::tests::encode(&[byte; 32]))
}

fn with_key(byte: u8) -> Authorization {
    Authorization::new("key:abc").with_shared_secret(key(byte))
}

fn sealed(byte: u8, text: &str) -> String {
    seal_with(&[byte; 32], text)
}

/// Subscribes the channel with key 1.
fn subscribed_with(options: Options) -> World {
    let mut world = World::with_options(options);
    world.subscribe(CHANNEL);
    world.subscribe("b");
    world.command(Connection::connect);
    world.establish();
    world.authorize_with(with_key(1));
    world.acknowledge(CHANNEL);
    world.acknowledge("b");
    world.take();
    world
}

fn answer(world: &mut World, answer: Result<Authorization, AuthorizationError>) {
    let ids = world.authorizations();
    assert_eq!(ids.len(), 1, "{:?}", world.outputs);
    world.take();
    world.command(|connection, now| connection.handle_authorization(now, ids[0], answer));
}

/// Takes all outputs, and returns what reaches the consumer.
fn told(world: &mut World) -> Vec<String> {
    let tell = |output| match output {
        Output::Event(event) => Some(format!("{}={}", event.name(), event.data().payload().unwrap())),
        Output::Report(Report::Undecryptable { event, error, channel }) => {
            assert_eq!(channel.as_str(), CHANNEL);
            Some(format!("{event}: {error:?}"))
        }
        Output::Report(Report::Lagged { dropped, .. }) => Some(format!("{dropped} dropped")),
        _ => None,
    };
    world.take().into_iter().filter_map(tell).collect()
}

// S21
#[test]
fn an_event_is_delivered_as_its_publisher_sent_it() {
    let mut world = subscribed_with(options());
    for text in [r#"{"a":"é\n"}"#, "plain text", r#""quoted""#, "7", "null", "", "\u{1}\\\""] {
        world.message("e", CHANNEL, &sealed(1, text));
        let quoted = serde_json::to_string(&sealed(1, text)).unwrap();
        world.message("f", CHANNEL, &quoted);
        assert_eq!(told(&mut world), [format!("e={text}"), format!("f={text}")]);
    }
    // The protocol's own messages are not encrypted.
    world.message("pusher_internal:subscription_count", CHANNEL, r#"{"subscription_count":1}"#);
    assert!(matches!(&world.reports()[..], [Report::SubscriptionCount { count: 1, .. }]));
}

// S21
#[test]
fn a_key_that_has_changed_is_asked_for_once_and_nothing_is_lost_or_out_of_order() {
    let mut world = subscribed_with(options());
    world.message("1", CHANNEL, &sealed(1, "one"));
    world.message("2", CHANNEL, &sealed(2, "two"));
    world.message("3", CHANNEL, &sealed(2, "three"));
    world.event("b", "other");
    let outputs = world.outputs.clone();
    assert_eq!(outputs.iter().filter(|output| matches!(output, Output::Authorize { .. })).count(), 1);
    let order: Vec<_> = world.events.drain(..).collect();
    assert_eq!(order, [format!("{CHANNEL} 1"), "b other".to_owned()], "another channel does not wait");
    answer(&mut world, Ok(with_key(2)));
    assert_eq!(told(&mut world), ["2=two", "3=three"]);
    world.message("4", CHANNEL, &sealed(2, "four"));
    assert_eq!(told(&mut world), ["4=four"]);
}

// S21
#[test]
fn what_no_key_opens_is_said_in_its_place_and_a_storm_of_it_asks_once() {
    let mut world = subscribed_with(options());
    world.message("1", CHANNEL, &sealed(9, "one"));
    world.message("2", CHANNEL, &sealed(1, "two"));
    answer(&mut world, Ok(with_key(1)));
    assert_eq!(told(&mut world), ["1: WrongKey", "2=two"]);
    let mut asked = 0;
    for _ in 0..600 {
        world.message("e", CHANNEL, &sealed(9, "x"));
        if !world.authorizations().is_empty() {
            asked += 1;
            answer(&mut world, Ok(with_key(1)));
        }
        assert_eq!(told(&mut world), ["e: WrongKey"]);
        world.pass(0.1);
        assert_eq!(told(&mut world), Vec::<String>::new());
    }
    assert!((1..=6).contains(&asked), "{asked} requests in a minute");
    // It is asked again later: the endpoint may have learned of another key.
    for _ in 0..7 {
        world.pass(9.0);
        activity(&mut world);
    }
    world.take();
    world.message("late", CHANNEL, &sealed(3, "late"));
    answer(&mut world, Ok(with_key(3)));
    assert_eq!(told(&mut world), ["late=late"]);
}

// S21
#[test]
fn keys_that_change_all_the_time_are_asked_for_once_a_second_at_most() {
    let mut world = subscribed_with(options());
    let mut asked = 0;
    for number in 0..100_u8 {
        world.message("e", CHANNEL, &sealed(200, "x"));
        if !world.authorizations().is_empty() {
            asked += 1;
            answer(&mut world, Ok(with_key(number)));
        }
        world.take();
        world.pass(0.1);
    }
    assert!((5..=11).contains(&asked), "{asked} requests in ten seconds");
}

// S21
#[test]
fn an_event_that_is_not_sealed_fails_without_a_request() {
    let mut world = subscribed_with(options());
    let cases = [
        (r#""{\"plain\":1}""#, "NoNonce"),
        (r#"{"ciphertext":"AAAA"}"#, "NoNonce"),
        (r#"{"nonce":"AAAA"}"#, "NoCiphertext"),
        (r#"{"nonce":"!","ciphertext":"AAAA"}"#, "NonceNotBase64"),
        ("null", "NotSealed"),
    ];
    for (data, error) in cases {
        world.message("e", CHANNEL, data);
        assert!(world.authorizations().is_empty(), "{data}");
        assert_eq!(told(&mut world), [format!("e: {error}")], "{data}");
    }
    // Neither does one whose frame is not JSON.
    world.text(&format!(r#"{{"event":"e","channel":"{CHANNEL}","data":{{"nonce":NaN}}}}"#));
    assert_eq!(told(&mut world), ["e: NotSealed"]);
}

// S21
#[test]
fn a_request_for_a_key_has_an_end() {
    for late in [true, false] {
        let mut world = subscribed_with(options());
        world.message("1", CHANNEL, &sealed(2, "one"));
        world.message("2", CHANNEL, &sealed(1, "two"));
        if late {
            let id = world.authorizations()[0];
            world.take();
            world.pass(10.0);
            assert!(world.outputs.contains(&Output::CancelAuthorization { id }));
        } else {
            answer(&mut world, Err(AuthorizationError::denied(401)));
        }
        assert_eq!(told(&mut world), ["1: WrongKey", "2=two"]);
        assert_eq!(world.connection.state(), ConnectionState::Connected);
    }
}

// S21, I36
#[test]
fn what_waits_for_a_key_is_bounded() {
    let mut limited = options();
    limited.limits.max_early_events = 2;
    let mut world = subscribed_with(limited);
    for (number, byte) in [(1, 2), (2, 2), (3, 1), (4, 2)] {
        world.message(&number.to_string(), CHANNEL, &sealed(byte, "x"));
    }
    answer(&mut world, Ok(with_key(2)));
    assert_eq!(told(&mut world), ["2 dropped", "3: WrongKey", "4=x"]);
}

// S21
#[test]
fn events_before_the_acknowledgement_are_opened_behind_it() {
    let mut world = World::connected();
    world.subscribe(CHANNEL);
    world.authorize_with(with_key(1));
    world.message("1", CHANNEL, &sealed(1, "one"));
    world.message("2", CHANNEL, &sealed(2, "two"));
    world.take();
    world.acknowledge(CHANNEL);
    let first = world.outputs.first().cloned();
    assert!(matches!(first, Some(Output::Report(Report::Subscribed { .. }))), "{first:?}");
    assert_eq!(world.events, [format!("{CHANNEL} 1")]);
    answer(&mut world, Ok(with_key(2)));
    assert_eq!(told(&mut world), ["2=two"]);
}

// S21, I21
#[test]
fn what_waits_when_the_subscription_ends_is_said_to_be_lost() {
    let mut world = subscribed_with(options());
    world.message("1", CHANNEL, &sealed(2, "one"));
    let id = world.authorizations()[0];
    world.take();
    world.close(1006);
    assert!(world.outputs.contains(&Output::CancelAuthorization { id }));
    let lost = world.outputs.iter().position(|output| {
        matches!(output, Output::Report(Report::Undecryptable { error: DecryptionError::Interrupted, .. }))
    });
    let interrupted =
        world.outputs.iter().position(|output| matches!(output, Output::Report(Report::Interrupted { .. })));
    assert!(lost.unwrap() < interrupted.unwrap());

    let mut world = subscribed_with(options());
    world.message("1", CHANNEL, &sealed(2, "one"));
    let id = world.authorizations()[0];
    world.take();
    world.unsubscribe(CHANNEL);
    assert!(world.outputs.contains(&Output::CancelAuthorization { id }));
    assert_eq!(told(&mut world), Vec::<String>::new());
    world.command(|connection, now| connection.handle_authorization(now, id, Ok(with_key(2))));
    assert_eq!(world.take(), []);
}

// S21
#[test]
fn a_channel_without_a_usable_key_is_not_subscribed() {
    let long = Authorization::new("key:abc").with_shared_secret(Secret::new("no base64!"));
    let short = Authorization::new("key:abc").with_shared_secret(Secret::new("AAAA"));
    for authorization in [signature(), long, short] {
        let mut world = World::connected();
        world.subscribe(CHANNEL);
        world.authorize_with(authorization);
        let (error, retry_in) = world.failure();
        assert!(matches!(error, SubscriptionError::MalformedAuthorization { .. }) && is_soon(retry_in), "{error}");
        assert!(error.to_string().contains("secret"), "{error}");
        assert!(!error.to_string().contains("AAAA") && !error.to_string().contains("no base64"), "{error}");
    }
}

// S21, I19
#[test]
fn requests_for_keys_keep_to_the_limit_of_authorizations() {
    let mut limited = options();
    limited.limits.max_authorizations = 1;
    let mut world = World::with_options(limited);
    let channels = ["private-encrypted-a", "private-encrypted-b"];
    world.command(Connection::connect);
    world.establish();
    for channel in channels {
        world.take();
        world.subscribe(channel);
        world.authorize_with(with_key(1));
        world.acknowledge(channel);
    }
    world.take();
    for channel in channels {
        world.message("e", channel, &sealed(2, channel));
    }
    answer(&mut world, Ok(with_key(2)));
    answer(&mut world, Ok(with_key(2)));
    assert_eq!(told(&mut world), ["e=private-encrypted-b"]);
}

// S10, S21
#[test]
fn a_repeated_acknowledgement_asks_for_no_second_key() {
    let mut world = subscribed_with(options());
    world.message("1", CHANNEL, &sealed(2, "one"));
    world.acknowledge(CHANNEL);
    answer(&mut world, Ok(with_key(2)));
    assert_eq!(told(&mut world), ["1=one"]);
}

// S21, I36
#[test]
fn an_event_that_opens_at_once_needs_no_room_among_those_that_wait() {
    let mut limited = options();
    limited.limits.max_early_bytes = 1;
    let mut world = subscribed_with(limited);
    world.message("1", CHANNEL, &sealed(1, "one"));
    assert_eq!(told(&mut world), ["1=one"]);
    world.message("2", CHANNEL, &sealed(2, "two"));
    assert_eq!(told(&mut world), ["1 dropped"], "it would have to wait, and does not fit");
}

// S21, I36
#[test]
fn what_found_no_room_to_wait_is_counted_when_the_socket_ends_too() {
    let mut limited = options();
    limited.limits.max_early_events = 2;
    let mut world = subscribed_with(limited);
    for event in ["1", "2", "3"] {
        world.message(event, CHANNEL, &sealed(2, "x"));
    }
    world.close(1006);
    assert_eq!(told(&mut world), ["1 dropped", "2: Interrupted", "3: Interrupted"]);
}

// S21, I19
#[test]
fn the_time_in_line_does_not_count_as_time_to_answer_a_request_for_a_key() {
    let mut limited = options();
    limited.limits.max_authorizations = 1;
    let mut world = World::with_options(limited);
    let channels = ["private-encrypted-b", CHANNEL];
    world.command(Connection::connect);
    world.establish();
    for channel in channels {
        world.take();
        world.subscribe(channel);
        world.authorize_with(with_key(1));
        world.acknowledge(channel);
    }
    world.take();
    for channel in channels {
        world.message("e", channel, &sealed(2, channel));
    }
    world.pass(9.0);
    answer(&mut world, Ok(with_key(2)));
    world.pass(9.0);
    assert_eq!(told(&mut world), ["e=private-encrypted-b"]);
    let expected = Output::CancelAuthorization { id: AuthorizationId(4) };
    world.pass(1.0);
    assert!(world.take().contains(&expected), "it has an end all the same");
}
