//! The HTTP API of Pusher servers.

use std::time::{Duration, UNIX_EPOCH};

use channels_sandbox::{App, Profile, Server, ServerConfig, WallClock};
use serde_json::{Value, json};

use crate::{
    clients::{End, Served as _, Ws, http, try_http},
    library::Library,
    support::{join, sign_in, start},
};

/// Every profile but push1st, whose API is another.
const SIGNED: [Profile; 4] = [Profile::Pusher7, Profile::Reverb, Profile::Sockudo, Profile::Soketi];

fn event(channel: &str) -> Value {
    json!({"name": "added", "channels": [channel], "data": r#"{"id":17}"#})
}

#[tokio::test]
async fn an_event_that_a_library_publishes_reaches_the_subscribers() {
    for profile in SIGNED {
        let server = start(profile).await;
        let mut ws = Ws::connect(&server).await;
        ws.subscribe(&server, "private-x").await;
        let library = Library::of(&server);
        library.post("events", &event("private-x")).await.expect(200);
        let received = ws.event().await;
        let expected = json!({"event": "added", "channel": "private-x", "data": r#"{"id":17}"#});
        assert_eq!(received, expected, "{profile}");
    }
}

#[tokio::test]
async fn the_answers_are_those_of_the_profiles_server() {
    for (profile, event_answer, batch_answer) in [
        (Profile::Pusher7, json!({}), json!({})),
        (Profile::Reverb, json!({}), json!({"batch": {}})),
        (Profile::Sockudo, json!({"ok": true}), json!({})),
        (Profile::Soketi, json!({"ok": true}), json!({"ok": true})),
    ] {
        let server = start(profile).await;
        let library = Library::of(&server);
        assert_eq!(library.post("events", &event("x")).await.expect(200).json(), event_answer, "{profile}");
        let batch = json!({"batch": [{"name": "added", "channel": "x", "data": ""}]});
        assert_eq!(library.post("batch_events", &batch).await.expect(200).json(), batch_answer, "{profile}");
    }
}

#[tokio::test]
async fn an_event_goes_to_all_of_its_channels_but_not_to_the_socket_that_is_left_out() {
    let server = start(Profile::Pusher7).await;
    let (mut one, mut other) = (Ws::connect(&server).await, Ws::connect(&server).await);
    for ws in [&mut one, &mut other] {
        ws.subscribe(&server, "a").await;
        ws.subscribe(&server, "b").await;
    }
    let body = json!({"name": "e", "channels": ["a", "b"], "data": "1", "socket_id": one.socket_id});
    Library::of(&server).post("events", &body).await.expect(200);
    for channel in ["a", "b"] {
        assert_eq!(other.event().await["channel"], channel);
    }
    one.round_trip().await;
}

#[tokio::test]
async fn the_events_of_a_batch_come_in_their_order_and_an_invalid_one_holds_all_back() {
    let server = start(Profile::Pusher7).await;
    let library = Library::of(&server);
    let mut ws = Ws::connect(&server).await;
    ws.subscribe(&server, "x").await;
    let of = |data: &str| json!({"name": "e", "channel": "x", "data": data});
    let with_info = json!({"name": "e", "channel": "x", "data": "2", "info": "subscription_count"});
    let answer = library.post("batch_events", &json!({"batch": [of("1"), with_info]})).await.expect(200);
    assert_eq!(answer.json(), json!({"batch": [{}, {"subscription_count": 1}]}));
    for data in ["1", "2"] {
        assert_eq!(ws.event().await["data"], data);
    }
    let half = json!({"batch": [of("3"), {"name": "", "channel": "x", "data": "4"}]});
    library.post("batch_events", &half).await.expect(400);
    ws.round_trip().await;
    let eleven: Vec<_> = (0..11).map(|_| of("5")).collect();
    library.post("batch_events", &json!({"batch": eleven})).await.expect(400);
    library.post("batch_events", &json!({"batch": eleven[..10]})).await.expect(200);
}

#[tokio::test]
async fn what_is_wrong_with_an_event_is_named() {
    let server = start(Profile::Pusher7).await;
    let library = Library::of(&server);
    let many: Vec<_> = (0..101).map(|number| format!("c{number}")).collect();
    for (member, value, word) in [
        ("name", json!(""), "name"),
        ("name", json!("n".repeat(201)), "200"),
        ("channels", json!([]), "channel"),
        ("channels", json!(["no name"]), "no name"),
        ("channels", json!(many), "100"),
        ("channels", json!(["private-encrypted-a", "b"]), "encrypted"),
        ("data", json!({"id": 17}), "string"),
        ("data", Value::Null, "string"),
        ("socket_id", json!("12"), "socket_id"),
        ("name", json!(7), "string"),
    ] {
        let mut body = event("x");
        body[member] = value;
        let answer = library.post("events", &body).await.expect(400);
        assert!(answer.body.contains(word), "{member}: {}", answer.body);
    }
    let mut body = event("x");
    body["data"] = json!("x".repeat(10_241));
    assert!(library.post("events", &body).await.expect(413).body.contains("10240"));
    for (member, value) in [
        ("data", json!("x".repeat(10_240))),
        ("name", json!("n".repeat(200))),
        ("channels", json!(many[..100])),
        ("channels", json!(["private-encrypted-a"])),
        ("channels", json!(["#server-to-user-7"])),
    ] {
        let mut body = event("x");
        body[member] = value;
        library.post("events", &body).await.expect(200);
    }
}

/// The words and the form are each server's own; libraries show both.
#[tokio::test]
async fn each_profile_refuses_in_its_own_form() {
    let no_name = json!({"channel": "x", "data": ""});
    for (profile, invalid, other_app, json_member) in [
        (Profile::Pusher7, 400, 403, None),
        (Profile::Reverb, 422, 404, Some("name")),
        (Profile::Sockudo, 400, 401, Some("error")),
        (Profile::Soketi, 400, 404, Some("error")),
    ] {
        let server = start(profile).await;
        let library = Library::of(&server);
        let answer = library.post("events", &no_name).await.expect(invalid);
        match json_member {
            Some(member) => assert!(!answer.json()[member].is_null(), "{profile}: {}", answer.body),
            None => assert!(answer.body.contains("name")),
        }
        Library { app_id: "other".to_owned(), ..library.clone() }.post("events", &event("x")).await.expect(other_app);
        let stranger = Library { secret: "wrong".to_owned(), ..library };
        let answer = stranger.post("events", &event("x")).await.expect(401);
        assert!(answer.body.contains("signature"), "{profile}: {}", answer.body);
        assert!(!answer.body.contains(&server.app().secret), "{}", answer.body);
    }
    let reverb = start(Profile::Reverb).await;
    let large = json!({"name": "e", "channel": "x", "data": "x".repeat(10_000)});
    Library::of(&reverb).post("events", &large).await.expect(413);
}

#[tokio::test]
async fn a_request_that_is_not_signed_changes_nothing() {
    let server = start(Profile::Pusher7).await;
    let mut ws = Ws::connect(&server).await;
    ws.subscribe(&server, "x").await;
    let body = event("x").to_string();
    for query in ["", "?auth_key=sandbox-key&auth_timestamp=0&auth_version=1.0&auth_signature=00"] {
        let path = format!("/apps/1000/events{query}");
        assert_eq!(http(server.address(), "POST", &path, &[], &body).await.status, 401);
    }
    ws.round_trip().await;
}

#[tokio::test]
async fn a_signature_is_as_old_as_the_servers_clock_says() {
    let clock = WallClock::from_fn(|| UNIX_EPOCH + Duration::from_secs(1_000_000));
    let status = async |profile, signed_at| {
        let config = ServerConfig { clock: clock.clone(), ..ServerConfig::with_profile(profile) };
        let server = Server::start(config).await.unwrap();
        let library = Library { seconds: signed_at, ..Library::of(&server) };
        library.post("events", &event("x")).await.status
    };
    for profile in [Profile::Pusher7, Profile::Sockudo] {
        assert_eq!(status(profile, 1_000_600).await, 200, "{profile}");
        assert_eq!(status(profile, 999_399).await, 401, "{profile}");
    }
    for profile in [Profile::Reverb, Profile::Soketi] {
        assert_eq!(status(profile, 1).await, 200, "{profile} looks at no clock");
    }
}

#[tokio::test]
async fn channels_are_counted_and_filtered() {
    let server = start(Profile::Pusher7).await;
    let library = Library::of(&server);
    let mut sockets = [Ws::connect(&server).await, Ws::connect(&server).await];
    for ws in &mut sockets {
        ws.subscribe(&server, "news").await;
    }
    sockets[0].subscribe(&server, "private-x").await;

    assert_eq!(library.get("channels", &[]).await.json(), json!({"channels": {"news": {}, "private-x": {}}}));
    let query = [("filter_by_prefix", "private-"), ("info", "subscription_count")];
    let answer = library.get("channels", &query).await.expect(200);
    assert_eq!(answer.json(), json!({"channels": {"private-x": {"subscription_count": 1}}}));
    let query = [("info", "subscription_count")];
    let answer = library.get("channels/news", &query).await.expect(200);
    assert_eq!(answer.json(), json!({"occupied": true, "subscription_count": 2}));
    assert_eq!(library.get("channels/nobody", &[]).await.json(), json!({"occupied": false}));
    let body = json!({"name": "e", "channels": ["news", "nobody"], "data": "", "info": "subscription_count"});
    let answer = library.post("events", &body).await.expect(200);
    let counts = json!({"news": {"subscription_count": 2}, "nobody": {"subscription_count": 0}});
    assert_eq!(answer.json(), json!({"channels": counts}));
}

#[tokio::test]
async fn members_are_counted_once_and_listed() {
    for profile in SIGNED {
        let server = start(profile).await;
        let library = Library::of(&server);
        let mut sockets = [Ws::connect(&server).await, Ws::connect(&server).await, Ws::connect(&server).await];
        for (ws, user) in sockets.iter_mut().zip(["7", "7", "8"]) {
            join(ws, &server, "presence-x", &App::channel_data(user, None)).await;
            assert_eq!(ws.event().await["event"], "pusher_internal:subscription_succeeded");
        }
        let users = library.get("channels/presence-x/users", &[]).await.expect(200);
        assert_eq!(users.json(), json!({"users": [{"id": "7"}, {"id": "8"}]}), "{profile}");
        let query = [("info", "user_count,subscription_count")];
        let answer = library.get("channels/presence-x", &query).await.expect(200);
        assert_eq!(answer.json(), json!({"occupied": true, "user_count": 2, "subscription_count": 3}), "{profile}");
        let query = [("info", "user_count"), ("filter_by_prefix", "presence-")];
        let answer = library.get("channels", &query).await.expect(200);
        assert_eq!(answer.json()["channels"]["presence-x"]["user_count"], 2, "{profile}");
    }
}

#[tokio::test]
async fn users_are_asked_for_where_there_are_members() {
    let server = start(Profile::Pusher7).await;
    let library = Library::of(&server);
    library.get("channels/news/users", &[]).await.expect(400);
    library.get("channels/news", &[("info", "user_count")]).await.expect(400);
    library.get("channels", &[("info", "user_count")]).await.expect(400);
    assert_eq!(library.get("channels/presence-x/users", &[]).await.expect(200).json(), json!({"users": []}));
}

#[tokio::test]
async fn the_connections_of_a_user_are_ended_and_no_others() {
    let server = start(Profile::Pusher7).await;
    let library = Library::of(&server);
    let mut sockets = [Ws::connect(&server).await, Ws::connect(&server).await, Ws::connect(&server).await];
    for (ws, user) in sockets.iter_mut().zip(["a b", "a b", "c"]) {
        sign_in(ws, &server, &json!({"id": user}).to_string()).await;
        assert_eq!(ws.event().await["event"], "pusher:signin_success");
    }
    let answer = library.post("users/a%20b/terminate_connections", &json!({})).await.expect(200);
    assert_eq!(answer.json(), json!({}));
    let [one, two, other] = &mut sockets;
    for ws in [one, two] {
        assert!(matches!(ws.end().await, End::Closed(4009, _)));
    }
    other.round_trip().await;
    library.post("users/nobody/terminate_connections", &json!({})).await.expect(200);
}

#[tokio::test]
async fn an_event_for_a_user_and_the_last_of_a_cache_channel_come_from_the_api_too() {
    let server = start(Profile::Sockudo).await;
    let library = Library::of(&server);
    let mut ws = Ws::connect(&server).await;
    sign_in(&mut ws, &server, r#"{"id":"7"}"#).await;
    assert_eq!(ws.event().await["event"], "pusher:signin_success");
    library.post("events", &event("#server-to-user-7")).await.expect(200);
    let received = ws.event().await;
    assert_eq!((&received["event"], &received["data"]), (&json!("added"), &json!(r#"{"id":17}"#)));

    library.post("events", &event("cache-x")).await.expect(200);
    ws.subscribe(&server, "cache-x").await;
    assert_eq!(ws.event().await["data"], r#"{"id":17}"#);
}

#[tokio::test]
async fn push1st_publishes_whatever_anyone_sends_and_counts_the_sockets() {
    let server = start(Profile::Push1st).await;
    let mut ws = Ws::connect(&server).await;
    ws.subscribe(&server, "x").await;
    let post = async |path: &str, body: &str| http(server.address(), "POST", path, &[], body).await;
    let body = r#"{"name":"e","channels":["x","y"],"data":{"b":1, "a":2},"socket_id":""}"#;
    let answer = post("/apps/1000/events", body).await;
    assert_eq!(answer.json()["channels"], json!({"x": 1, "y": 0}));
    assert!(answer.json()["msg-id"].as_u64().unwrap() > 1 << 53 && answer.json()["time"].is_u64());
    let text = ws.text().await;
    assert!(text.contains(r#""data":{"b":1, "a":2},"event":"e""#), "{text}");
    let event: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(event["#msg-id"], answer.json()["msg-id"]);

    assert_eq!(post("/apps/other/events", body).await.status, 403);
    assert_eq!(post("/apps/1000/events", "no json").await.status, 400);
    assert_eq!(post("/apps/1000/batch_events", "{}").await.status, 404);
    let large = format!(r#"{{"name":"e","channel":"x","data":"{}"}}"#, "x".repeat(64_000));
    assert!(try_http(server.address(), "POST", "/apps/1000/events", &[], &large).await.is_none());
    ws.round_trip().await;
}

#[tokio::test]
async fn an_event_without_data_crashes_push1st() {
    let server = start(Profile::Push1st).await;
    let mut ws = Ws::connect(&server).await;
    let body = r#"{"name":"e","channel":"x"}"#;
    assert!(try_http(server.address(), "POST", "/apps/1000/events", &[], body).await.is_none());
    assert_eq!(ws.end().await, End::Dropped);
    assert_eq!(server.state().crashes, 1);
}

#[tokio::test]
async fn a_server_that_is_told_to_serves_no_api() {
    let config = ServerConfig { http_api: false, ..ServerConfig::default() };
    let server = Server::start(config).await.unwrap();
    Library::of(&server).post("events", &event("x")).await.expect(404);
}
