use super::*;
use crate::{AuthorizationError, Secret, SignInError, UserAuthentication};

const SUCCESS: &str = r#"{"event":"pusher:signin_success","data":{"user_data":"{\"id\":\"42\"}"}}"#;
const OWN: &str = "#server-to-user-42";

fn authentications(world: &World) -> Vec<(AuthorizationId, bool)> {
    let asked = |output: &Output<'_>| match output {
        Output::Authenticate { id, refresh_token, .. } => Some((*id, *refresh_token)),
        _ => None,
    };
    world.outputs.iter().filter_map(asked).collect()
}

/// Answers the only authentication asked for since the outputs were last taken, and takes them.
fn authenticate(world: &mut World, answer: Result<UserAuthentication, AuthorizationError>) {
    let asked = authentications(world);
    assert_eq!(asked.len(), 1, "{asked:?}");
    world.take();
    world.command(|connection, now| connection.handle_authentication(now, asked[0].0, answer));
}

fn user() -> UserAuthentication {
    UserAuthentication { auth: Secret::new("key:abc"), user_data: r#"{"id":"42"}"#.to_owned() }
}

fn failure(world: &mut World) -> (SignInError, Option<Duration>) {
    let failure = world.reports().into_iter().find_map(|report| match report {
        Report::SignInFailed { error, retry_in } => Some((error, retry_in)),
        _ => None,
    });
    failure.expect("the sign-in failed")
}

fn signed_in() -> World {
    let mut world = World::connected();
    world.command(Connection::sign_in);
    authenticate(&mut world, Ok(user()));
    world.take();
    world.text(SUCCESS);
    world
}

#[test]
fn signing_in_is_answered_and_the_users_own_channel_is_subscribed() {
    let mut world = World::connected();
    world.command(Connection::sign_in);
    world.command(Connection::sign_in);
    authenticate(&mut world, Ok(user()));
    assert_eq!(world.sent(), [r#"{"event":"pusher:signin","data":{"auth":"key:abc","user_data":"{\"id\":\"42\"}"}}"#]);
    assert_eq!(world.connection.user(), None);
    world.text(SUCCESS);
    let outputs = world.take();
    assert!(
        matches!(&outputs[..], [Output::Report(Report::SignedIn { user }), Output::SendText { text, .. }]
        if user.id() == "42" && text.expose() == format!(r#"{{"event":"pusher:subscribe","data":{{"channel":"{OWN}"}}}}"#)),
        "{outputs:?}"
    );
    assert_eq!(world.connection.user().unwrap().id(), "42");
    world.acknowledge(OWN);
    world.event(OWN, "for-me");
    assert_eq!(world.events, [format!("{OWN} for-me")]);
    world.take();
    world.text(SUCCESS);
    assert_eq!(world.take(), [], "a second answer says nothing");
}

#[test]
fn after_a_reconnect_the_user_is_signed_in_again_before_the_own_channel() {
    let mut world = signed_in();
    world.acknowledge(OWN);
    world.close(1006);
    assert_eq!(world.connection.user(), None);
    world.until_next_attempt();
    world.take();
    world.establish();
    assert!(world.outputs.iter().all(|output| !matches!(output, Output::SendText { .. })));
    authenticate(&mut world, Ok(user()));
    world.text(SUCCESS);
    world.take();
    world.acknowledge(OWN);
    let reports = world.reports();
    assert!(
        matches!(&reports[..], [Report::Subscribed { channel, continuity: Continuity::Gap { .. }, .. }] if channel.as_str() == OWN)
    );
}

#[test]
fn a_sign_in_before_there_is_a_connection_follows_when_there_is_one_and_in_every_session() {
    let mut world = World::new();
    world.command(Connection::sign_in);
    assert_eq!(world.take(), []);
    for _ in 0..2 {
        world.command(Connection::connect);
        world.establish();
        authenticate(&mut world, Ok(user()));
        world.text(SUCCESS);
        world.command(Connection::disconnect);
        world.take();
    }
}

#[test]
fn signing_out_leaves_the_own_channel_and_asks_no_more() {
    let mut world = signed_in();
    world.acknowledge(OWN);
    world.take();
    world.command(Connection::sign_out);
    assert_eq!(world.sent(), [format!(r#"{{"event":"pusher:unsubscribe","data":{{"channel":"{OWN}"}}}}"#)]);
    world.close(1006);
    world.until_next_attempt();
    world.establish();
    assert_eq!(authentications(&world), []);
    world.command(Connection::sign_in);
    let (id, _) = authentications(&world)[0];
    world.command(Connection::sign_out);
    assert!(world.take().contains(&Output::CancelAuthorization { id }));
    world.command(|connection, now| connection.handle_authentication(now, id, Ok(user())));
    assert_eq!(world.take(), []);
}

#[test]
fn a_refusal_is_tried_once_more_with_a_fresh_token_and_then_slowly() {
    let mut world = World::connected();
    world.command(Connection::sign_in);
    assert!(!authentications(&world)[0].1);
    authenticate(&mut world, Ok(user()));
    world.text(r#"{"event":"pusher:error","data":{"code":4009,"message":"no"}}"#);
    let (error, retry_in) = failure(&mut world);
    assert_eq!(error, SignInError::RejectedByServer { code: Some(4009), message: "no".to_owned() });
    assert!(is_soon(retry_in), "{retry_in:?}");
    world.pass(1.0);
    assert!(authentications(&world)[0].1);
    authenticate(&mut world, Ok(user()));
    world.text(r#"{"event":"pusher:error","data":{"code":4009,"message":"no"}}"#);
    let (_, retry_in) = failure(&mut world);
    assert!(retry_in.unwrap() >= Duration::from_secs(30), "{retry_in:?}");
    assert_eq!(world.connection.state(), ConnectionState::Connected);
    world.command(Connection::sign_in);
    authenticate(&mut world, Ok(user()));
    world.text(SUCCESS);
    assert!(world.connection.user().is_some());
}

// The server answers in order.
#[test]
fn an_error_without_a_channel_is_of_what_was_sent_first() {
    let refusal = r#"{"event":"pusher:error","data":{"code":4009,"message":"no"}}"#;
    let mut world = World::connected();
    world.command(Connection::sign_in);
    authenticate(&mut world, Ok(user()));
    world.subscribe("public");
    world.take();
    world.text(refusal);
    assert!(matches!(failure(&mut world).0, SignInError::RejectedByServer { .. }));

    let mut world = World::connected();
    world.subscribe("public");
    world.command(Connection::sign_in);
    authenticate(&mut world, Ok(user()));
    world.take();
    world.text(refusal);
    assert!(matches!(world.failure().0, SubscriptionError::RejectedByServer { .. }));
    world.text(refusal);
    assert!(matches!(failure(&mut world).0, SignInError::RejectedByServer { .. }));
}

#[test]
fn a_sign_in_that_gets_no_answer_or_no_authentication_fails_and_says_why() {
    let mut world = World::connected();
    world.command(Connection::sign_in);
    world.pass(10.0);
    assert_eq!(failure(&mut world).0, SignInError::Authentication(AuthorizationError::TimedOut));
    world.pass(2.0);
    let denied = AuthorizationError::denied(401);
    authenticate(&mut world, Err(denied.clone()));
    assert_eq!(failure(&mut world), (SignInError::Authentication(denied), None));
    world.pass(20.0);
    activity(&mut world);
    assert_eq!(authentications(&world), []);
    world.command(Connection::sign_in);
    authenticate(&mut world, Ok(UserAuthentication { user_data: "{}".to_owned(), ..user() }));
    assert!(matches!(failure(&mut world).0, SignInError::Malformed { .. }));
    world.command(Connection::sign_in);
    authenticate(&mut world, Ok(user()));
    world.pass(10.0);
    let (error, retry_in) = failure(&mut world);
    assert_eq!(error, SignInError::Unanswered);
    assert!(retry_in.unwrap() >= Duration::from_secs(30), "{retry_in:?}");
}

// L08
#[test]
fn nobody_signs_in_at_push1st() {
    let mut world = World::new();
    world.command(Connection::sign_in);
    world.command(Connection::connect);
    world.text(r#"{"data":"{\"activity_timeout\":\"40\",\"socket_id\":\"1795521896925195131.1442880739\"}","event":"pusher:connection_established"}"#);
    assert_eq!(authentications(&world), []);
    assert_eq!(failure(&mut world), (SignInError::UnsupportedByServer, None));
}

#[test]
fn watched_users_are_reported_as_pusher_and_as_sockudo_send_them() {
    let mut world = signed_in();
    world.take();
    world.text(r#"{"event":"pusher_internal:watchlist_events","data":"{\"events\":[{\"name\":\"online\",\"user_ids\":[\"1\"]},{\"name\":\"offline\",\"user_ids\":[2]}]}"}"#);
    world.text(r#"{"event":"offline","data":{"user_ids":["1"]}}"#);
    let watched = |online, id: &str| Report::Watchlist { online, user_ids: vec![id.into()] };
    assert_eq!(world.reports(), [watched(true, "1"), watched(false, "2"), watched(false, "1")]);
}

// Q01
#[test]
fn no_debug_output_shows_who_signs_in_with_what() {
    let mut world = World::connected();
    world.command(Connection::sign_in);
    authenticate(
        &mut world,
        Ok(UserAuthentication { auth: Secret::new("key:canary"), user_data: r#"{"id":"canary"}"#.to_owned() }),
    );
    assert!(!format!("{:?}", world.connection).contains("canary"));
    assert!(!format!("{:?}", world.outputs).contains("canary"));
}

#[test]
fn an_answer_to_an_earlier_sign_in_signs_nobody_else_in() {
    let mut world = World::connected();
    world.command(Connection::sign_in);
    authenticate(&mut world, Ok(user()));
    world.command(Connection::sign_out);
    world.take();
    world.command(Connection::sign_in);
    authenticate(&mut world, Ok(UserAuthentication { user_data: r#"{"id":"7"}"#.to_owned(), ..user() }));
    world.text(SUCCESS);
    assert_eq!(world.connection.user(), None);
    world.text(&SUCCESS.replace("42", "7"));
    assert_eq!(world.connection.user().unwrap().id(), "7");
}

#[test]
fn a_sign_in_on_which_the_server_closes_costs_the_connection_two_sockets_at_most() {
    for said in [true, false] {
        let mut world = World::connected();
        world.command(Connection::sign_in);
        for last in [false, true] {
            authenticate(&mut world, Ok(user()));
            if said {
                world.text(r#"{"event":"pusher:error","data":{"code":4009,"message":"no"}}"#);
            }
            world.close(4009);
            let (error, retry_in) = failure(&mut world);
            assert!(matches!(error, SignInError::RejectedByServer { code: Some(4009), .. }), "{error}");
            assert_eq!(retry_in.unwrap() >= Duration::from_secs(30), last);
            assert_eq!(world.connection.state(), ConnectionState::Reconnecting);
            world.until_next_attempt();
            world.take();
            world.establish();
            if !last {
                world.pass(1.0);
                assert!(authentications(&world)[0].1, "with a fresh token");
            }
        }
        assert_eq!(authentications(&world), []);
        world.pass(20.0);
        assert_eq!(authentications(&world), []);
    }
}

#[test]
fn a_sign_in_that_was_given_up_is_tried_again_when_the_caller_connects_again() {
    let mut world = World::connected();
    world.command(Connection::sign_in);
    authenticate(&mut world, Err(AuthorizationError::denied(401)));
    world.close(4001);
    assert_eq!(world.connection.state(), ConnectionState::Disconnected);
    world.take();
    world.command(Connection::connect);
    world.establish();
    assert_eq!(authentications(&world).len(), 1);
}
