//! The endpoint that authorizes channels and authenticates users.

use channels_sandbox::{App, AuthAnswer, AuthFault, Fault, Profile, Server};
use serde_json::{Value, json};

use crate::{
    clients::{Answer, Served as _, Ws, http, try_http},
    support::{inner, start},
};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

async fn post(server: &Server, path: &str, form: &str) -> Answer {
    http(server.address(), "POST", path, &[FORM], form).await
}

async fn authorize(server: &Server, ws: &Ws, channel: &str, rest: &str) -> Value {
    let answer =
        post(server, "/pusher/auth", &format!("socket_id={}&channel_name={channel}{rest}", ws.socket_id)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[tokio::test]
async fn what_it_authorizes_is_accepted() {
    let server = start(Profile::Pusher7).await;
    let mut ws = Ws::connect(&server).await;
    for (channel, rest) in [
        ("private-x", ""),
        ("private-encrypted-x", ""),
        ("presence-x", "&user_id=ann&user_info=%7B%22name%22%3A%22Ann%22%7D"),
        ("presence-y", ""),
    ] {
        let mut data = authorize(&server, &ws, channel, rest).await;
        data["channel"] = channel.into();
        ws.send(&json!({"event": "pusher:subscribe", "data": data}).to_string()).await;
        assert_eq!(ws.event().await["event"], "pusher_internal:subscription_succeeded", "{channel}");
    }
    let members = server.members("presence-x");
    assert_eq!((members[0].user_id.as_str(), &members[0].user_info), ("ann", &Some(json!({"name": "Ann"}))));
    assert_eq!(server.members("presence-y")[0].user_id, ws.socket_id);
}

#[tokio::test]
async fn who_it_authenticates_is_signed_in() {
    let server = start(Profile::Pusher7).await;
    let mut ws = Ws::connect(&server).await;
    let headers = [FORM, ("x-user-id", "ann"), ("x-watchlist", "bob, eve")];
    let form = format!("socket_id={}", ws.socket_id);
    let answer = http(server.address(), "POST", "/pusher/user-auth", &headers, &form).await;
    ws.send(&json!({"event": "pusher:signin", "data": answer.json()}).to_string()).await;
    let success = inner(&ws.event().await);
    let user_data: Value = serde_json::from_str(success["user_data"].as_str().unwrap()).unwrap();
    assert_eq!(user_data, json!({"id": "ann", "watchlist": ["bob", "eve"]}));
}

#[tokio::test]
async fn an_encrypted_channel_has_the_secret_that_its_events_are_encrypted_with() {
    let server = start(Profile::Pusher7).await;
    let ws = Ws::connect(&server).await;
    let right = authorize(&server, &ws, "private-encrypted-x", "").await["shared_secret"].take();
    assert_eq!(right, server.app().shared_secret("private-encrypted-x"));
    let fault = AuthFault::Channel { channel: Some("private-encrypted-*".into()), answer: AuthAnswer::WrongSecret };
    server.auth_endpoint().inject(Fault::once(fault));
    let wrong = authorize(&server, &ws, "private-encrypted-x", "").await["shared_secret"].take();
    assert_ne!(wrong, right);
    assert_eq!(authorize(&server, &ws, "private-encrypted-x", "").await["shared_secret"], right);
}

#[tokio::test]
async fn what_it_cannot_authorize_is_refused() {
    let server = start(Profile::Pusher7).await;
    for (form, status) in [
        ("socket_id=1.1&channel_name=public", 403),
        ("socket_id=1.1", 403),
        ("socket_id=x&channel_name=private-x", 400),
        ("channel_name=private-x", 400),
        ("socket_id=1.1&channel_name=presence-x&user_info=x", 400),
    ] {
        assert_eq!(post(&server, "/pusher/auth", form).await.status, status, "{form}");
    }
    assert_eq!(post(&server, "/pusher/user-auth", "socket_id=x").await.status, 400);
}

#[tokio::test]
async fn it_answers_wrongly_as_told_and_remembers_what_it_was_asked() {
    let server = start(Profile::Pusher7).await;
    let endpoint = server.auth_endpoint();
    let form = "socket_id=1.2&channel_name=private-x";
    let order = |answer| endpoint.inject(Fault::once(AuthFault::Channel { channel: None, answer }));
    order(AuthAnswer::Status { status: 503, retry_after: Some("7".into()) });
    order(AuthAnswer::Body { status: 200, body: "nonsense".into() });
    order(AuthAnswer::Drop);
    order(AuthAnswer::WrongSignature);
    let unavailable = post(&server, "/pusher/auth", form).await;
    assert_eq!((unavailable.status, unavailable.header("retry-after")), (503, Some("7")));
    assert_eq!(post(&server, "/pusher/auth", form).await.body, "nonsense");
    assert!(try_http(server.address(), "POST", "/pusher/auth", &[FORM], form).await.is_none());
    let wrong = post(&server, "/pusher/auth", form).await.json();
    assert_eq!(wrong["auth"], server.app().authorize("1.1", "private-x", None));

    let right = post(&server, "/pusher/auth?user_id=ann", form).await.json();
    assert_eq!(right["auth"], server.app().authorize("1.2", "private-x", None));
    let last = endpoint.requests().pop().unwrap();
    assert_eq!((last.path, last.form["channel_name"].as_str()), ("/pusher/auth", "private-x"));
    assert_eq!(last.query["user_id"], "ann");
    assert_eq!(endpoint.requests().len(), 5);
}

#[test]
fn channel_data_has_the_info_only_if_there_is_one() {
    assert_eq!(App::channel_data("ann", None), r#"{"user_id":"ann"}"#);
    assert_eq!(App::channel_data("ann", Some(&json!({}))), r#"{"user_id":"ann","user_info":{}}"#);
}
