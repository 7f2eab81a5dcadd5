//! Login, discovery, channel authorization and group sync.

use std::time::Duration;

use serde_json::json;
use vms_sandbox::{GroupSync, Profile, Sandbox, SandboxConfig, TokenStatus};

use crate::{
    clients::{Ws, http},
    support::{authorize, call, first_session, join, start},
};

#[tokio::test]
async fn a_login_opens_a_new_session_whose_token_works() {
    let sandbox = start(Profile::Pusher7).await;
    let login = json!({"login": "demo", "password": "demo", "captcha": null, "key": "k", "session_id": "s"});
    let answer = call(&sandbox, "POST", "token", "", &login.to_string()).await;
    assert_eq!(answer.status, 200);
    let answer = answer.json();
    assert_eq!(answer["user"]["id"], 42);
    let id = answer["user"]["access_token_id"].as_str().unwrap();
    assert_ne!(id, first_session(&sandbox).access_token_id);
    let token = answer["access_token"].as_str().unwrap();
    let wsurl = call(&sandbox, "GET", "wsurl", token, "").await;
    assert_eq!(wsurl.status, 200);
    let auth = authorize(&sandbox, token, "1.2", &format!("private-token.{id}")).await;
    assert_eq!(auth.status, 200, "{auth:?}");
}

#[tokio::test]
async fn a_bad_login_is_refused_in_json() {
    let sandbox = start(Profile::Pusher7).await;
    for (body, status) in [
        (r#"{"login":"demo","password":"wrong"}"#, 422),
        (r#"{"login":"demo"}"#, 422),
        (r#"{"password":"demo"}"#, 422),
        ("login=demo", 400),
    ] {
        let answer = call(&sandbox, "POST", "token", "", body).await;
        assert_eq!(answer.status, status, "{body}");
        assert!(answer.json()["message"].is_string());
    }
    assert_eq!(sandbox.sessions().len(), 1);
}

#[tokio::test]
async fn discovery_names_the_socket_url_and_the_key() {
    let sandbox = start(Profile::Pusher7).await;
    let token = first_session(&sandbox).access_token;
    let answer = call(&sandbox, "GET", "wsurl", &token, "").await;
    assert_eq!(answer.json(), json!({"ws_url": sandbox.socket_url(), "app_key": "sandbox-key"}));
    assert_eq!(call(&sandbox, "GET", "wsurl", "nonsense", "").await.status, 401);
    let config = SandboxConfig { ws_url: Some("ws://elsewhere:1/x".into()), ..SandboxConfig::default() };
    let other = Sandbox::start(config).await.unwrap();
    let answer = call(&other, "GET", "wsurl", &first_session(&other).access_token, "").await;
    assert_eq!(answer.json()["ws_url"], "ws://elsewhere:1/x");
}

/// S01: who gets a signature, and who does not.
#[tokio::test]
async fn authorization_signs_ones_own_channels_and_no_others() {
    let sandbox = start(Profile::Pusher7).await;
    let session = first_session(&sandbox);
    let other = sandbox.open_session(42).unwrap();
    let token = &session.access_token;
    for channel in [session.token_channel(), session.user_channel()] {
        let answer = authorize(&sandbox, token, "12.34", &channel).await;
        assert_eq!(answer.json(), json!({"auth": sandbox.sign("12.34", &channel)}));
    }
    for channel in [other.token_channel().as_str(), "private-user.43", "private-x", "presence-x", "x"] {
        let answer = authorize(&sandbox, token, "12.34", channel).await;
        assert_eq!(answer.status, 403, "{channel}");
        assert!(answer.json()["message"].is_string());
    }
    assert_eq!(authorize(&sandbox, "nonsense", "12.34", &session.user_channel()).await.status, 401);
    let bare = [("Accept", "application/json")];
    let bare = http(sandbox.local_addr(), "POST", "/api/v1/broadcasting/auth", &bare, "").await;
    assert_eq!(bare.status, 401);
}

#[tokio::test]
async fn authorization_wants_a_form_with_a_socket_id_and_a_channel() {
    let sandbox = start(Profile::Pusher7).await;
    let session = first_session(&sandbox);
    let channel = session.user_channel();
    assert_eq!(authorize(&sandbox, &session.access_token, "", &channel).await.status, 422);
    assert_eq!(authorize(&sandbox, &session.access_token, "1.2:x", &channel).await.status, 422);
    assert_eq!(authorize(&sandbox, &session.access_token, "1.2", "").await.status, 422);
    let body = json!({"socket_id": "1.2", "channel_name": channel}).to_string();
    assert_eq!(call(&sandbox, "POST", "broadcasting/auth", &session.access_token, &body).await.status, 422);
}

/// H01: what a client gets that does not ask for JSON is a redirect, and behind it a page with the status 200.
#[tokio::test]
async fn a_guest_that_does_not_ask_for_json_is_sent_to_the_login_page() {
    let sandbox = start(Profile::Pusher7).await;
    let script = ("X-Requested-With", "XMLHttpRequest");
    let browser = ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    for (headers, status) in [
        (vec![], 302),
        (vec![("Accept", "*/*")], 302),
        (vec![browser], 302),
        (vec![browser, script], 302),
        (vec![("Accept", "text/html, application/json")], 302),
        (vec![("Accept", "application/json")], 401),
        (vec![("Accept", "application/problem+json, text/plain")], 401),
        (vec![("Accept", "text/html;q=0.5, application/json")], 401),
        (vec![("Accept", "*/*"), script], 401),
        (vec![script], 401),
    ] {
        for (method, path) in [("GET", "/api/v1/wsurl"), ("POST", "/api/v1/broadcasting/auth")] {
            let answer = http(sandbox.local_addr(), method, path, &headers, "").await;
            let login = format!("{}/login", sandbox.base_url());
            assert_eq!(answer.status, status, "{headers:?}");
            assert_eq!(answer.header("location"), (status == 302).then_some(login.as_str()), "{headers:?}");
        }
    }
    let page = http(sandbox.local_addr(), "GET", "/login", &[], "").await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let token = first_session(&sandbox).access_token;
    let bearer = format!("Bearer {token}");
    let answer = http(sandbox.local_addr(), "GET", "/api/v1/wsurl", &[("Authorization", &bearer)], "").await;
    assert_eq!(answer.status, 200, "a valid token needs no Accept");
}

/// 419 session expired.
#[tokio::test]
async fn an_expired_token_is_worth_419_and_a_revoked_or_rotated_one_401() {
    let sandbox = start(Profile::Pusher7).await;
    let session = first_session(&sandbox);
    let status = async || call(&sandbox, "GET", "wsurl", &session.access_token, "").await.status;
    assert!(sandbox.set_token_status(&session.access_token_id, TokenStatus::Expired));
    assert_eq!(status().await, 419);
    assert!(sandbox.set_token_status(&session.access_token_id, TokenStatus::Revoked));
    assert_eq!(status().await, 401);
    assert!(sandbox.set_token_status(&session.access_token_id, TokenStatus::Valid));
    assert_eq!(status().await, 200);
    let fresh = sandbox.rotate_token(&session.access_token_id).unwrap();
    assert_eq!(status().await, 401);
    assert_eq!(call(&sandbox, "GET", "wsurl", &fresh, "").await.status, 200);
    assert!(!sandbox.set_token_status("nobody", TokenStatus::Valid));
}

#[tokio::test]
async fn channels_opened_to_everyone_are_signed_for_everyone() {
    let config = SandboxConfig { open_channels: vec!["private-news*".into()], ..SandboxConfig::default() };
    let sandbox = Sandbox::start(config).await.unwrap();
    let token = first_session(&sandbox).access_token;
    assert_eq!(authorize(&sandbox, &token, "1.2", "private-news.today").await.status, 200);
    assert_eq!(authorize(&sandbox, &token, "1.2", "private-other").await.status, 403);
}

/// The group sync: whoever called is left out of the broadcast, and hears of the end.
#[tokio::test]
async fn group_sync_leaves_the_caller_out_and_tells_it_when_it_is_done() {
    let config =
        SandboxConfig { group_sync: GroupSync::Async { after: Duration::from_millis(10) }, ..SandboxConfig::default() };
    let sandbox = Sandbox::start(config).await.unwrap();
    let session = first_session(&sandbox);
    let mut caller = Ws::connect(&sandbox).await;
    join(&mut caller, &sandbox, &session).await;
    let other_session = sandbox.open_session(42).unwrap();
    let mut other = Ws::connect(&sandbox).await;
    join(&mut other, &sandbox, &other_session).await;
    let bearer = format!("Bearer {}", session.access_token);
    let headers = [("Authorization", bearer.as_str()), ("X-Socket-ID", caller.socket_id.as_str())];
    let path = "/api/v1/cameras/17/sync-groups";
    let answer = http(sandbox.local_addr(), "POST", path, &headers, r#"{"groups":[1,2]}"#).await;
    assert_eq!(answer.json(), json!({"type": "async"}));
    let first = caller.text().await;
    assert!(first.contains("camera_groups_synced") && first.contains("TokenPush"), "{first}");
    let first = other.text().await;
    assert!(first.contains("groups_updated") && first.contains("UserPush"), "{first}");
    other.round_trip().await;
}

#[tokio::test]
async fn group_sync_may_be_done_at_once_and_refuses_nonsense() {
    let config = SandboxConfig { group_sync: GroupSync::Sync, ..SandboxConfig::default() };
    let sandbox = Sandbox::start(config).await.unwrap();
    let token = first_session(&sandbox).access_token;
    let sync = async |id: &str, token: &str, body: &str| {
        call(&sandbox, "POST", &format!("cameras/{id}/sync-groups"), token, body).await
    };
    assert_eq!(sync("17", &token, r#"{"groups":[]}"#).await.json(), json!({"type": "sync"}));
    assert_eq!(sync("17", "nonsense", r#"{"groups":[]}"#).await.status, 401);
    assert_eq!(sync("10000", &token, r#"{"groups":[]}"#).await.status, 404);
    assert_eq!(sync("x", &token, r#"{"groups":[]}"#).await.status, 404);
    assert_eq!(sync("17", &token, r#"{"groups":"1"}"#).await.status, 422);
}

#[tokio::test]
async fn unknown_routes_and_methods_are_refused_in_json() {
    let sandbox = start(Profile::Pusher7).await;
    for (method, path, status) in [("GET", "nothing", 404), ("GET", "token", 405), ("DELETE", "wsurl", 405)] {
        let answer = call(&sandbox, method, path, "", "").await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert!(answer.json()["message"].is_string());
    }
}

#[tokio::test]
async fn requests_are_recorded_with_their_headers_and_counted_by_place() {
    let sandbox = start(Profile::Pusher7).await;
    let token = first_session(&sandbox).access_token;
    call(&sandbox, "POST", "cameras/17/sync-groups", &token, r#"{"groups":[]}"#).await;
    call(&sandbox, "POST", "cameras/18/sync-groups", &token, r#"{"groups":[]}"#).await;
    let requests = sandbox.requests();
    assert_eq!(requests[1].path, "/api/v1/cameras/18/sync-groups");
    assert_eq!(requests[1].status, 200);
    assert_eq!(requests[1].header("authorization"), Some(format!("Bearer {token}").as_str()));
    assert_eq!(sandbox.state().requests["POST /api/v1/cameras/{id}/sync-groups"], 2);
}
