use std::time::{Duration, SystemTime};

use channels_client::http::{ConnectError, HttpError, HttpUrl};
use channels_proto::Secret;
use http::Response;

use super::error::{of_http, of_status};
use super::{ApiErrorKind as Kind, Tls, VmsApi, VmsClientInfo, VmsCredentials, VmsSocketUrl};
use crate::connection::{PusherError, PusherErrorKind};

/// What the server was shown.
const TOKEN: &str = "12|canary/token";

fn answer(status: u16, body: &'static str) -> super::ApiError {
    let url = HttpUrl::parse("https://example.com/api/v1/token").unwrap();
    let response = Response::builder().status(status).header("retry-after", "7").body(body.into()).unwrap();
    of_status(&url, &response, SystemTime::UNIX_EPOCH, &[&Secret::new(TOKEN)])
}

// Error statuses
#[test]
fn every_status_is_an_error_of_its_kind() {
    let kinds = [
        (400, Kind::IncorrectData, false),
        (401, Kind::Unauthorized, false),
        (403, Kind::Forbidden, false),
        (404, Kind::NotFound, false),
        (409, Kind::ForceUpdate, false),
        (418, Kind::UnexpectedStatus, false),
        (419, Kind::SessionExpired, false),
        (422, Kind::IncorrectData, false),
        (429, Kind::RateLimited, true),
        (500, Kind::ServerError, true),
        (502, Kind::ServerError, true),
        (503, Kind::Maintenance, true),
    ];
    for (status, kind, is_retryable) in kinds {
        let error = answer(status, "");
        assert_eq!((error.kind(), error.status(), error.is_retryable()), (kind, Some(status), is_retryable));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
        assert!(error.to_string().contains("https://example.com:443/api/v1/token"), "{error}");
    }
}

// R10: what is too long for a number is the longest time, here as for authorizations.
#[test]
fn a_wait_without_end_is_five_minutes() {
    let url = HttpUrl::parse("https://example.com/").unwrap();
    let asked = "9".repeat(30);
    let response = Response::builder().status(503).header("retry-after", asked).body("".into()).unwrap();
    let error = of_status(&url, &response, SystemTime::UNIX_EPOCH, &[]);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(300)));
}

// H06, N07: whether the server is slow or silent, it is the caller who tries again.
#[tokio::test(start_paused = true)]
async fn a_call_has_half_a_minute() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", silent.local_addr().unwrap());
    let api = VmsApi::new(&base_url, Tls::platform(), &VmsClientInfo::default()).unwrap();
    let started = tokio::time::Instant::now();
    let error = api.login(&VmsCredentials::new("ada", Secret::new("a password"))).await.unwrap_err();
    assert_eq!((error.kind(), started.elapsed().as_secs()), (Kind::TimedOut, 30));
}

#[test]
fn an_error_is_told_with_what_kept_the_server_from_being_asked() {
    let address = || "example.com:443".to_owned();
    let reason = || "it says so".to_owned();
    let resolve = HttpError::Connect(ConnectError::Resolve { address: address(), reason: reason() });
    let tls = HttpError::Connect(ConnectError::Tls { address: address(), reason: reason() });
    let failed = HttpError::Failed { url: address(), reason: reason() };
    for (error, kind) in
        [(resolve, PusherErrorKind::Resolve), (tls, PusherErrorKind::Tls), (failed, PusherErrorKind::Lost)]
    {
        let told = PusherError::from(&of_http(error.clone(), &[]));
        assert_eq!((told.kind, told.status, told.message), (kind, None, error.to_string()));
    }
    let told = PusherError::from(&answer(503, ""));
    assert_eq!((told.kind, told.status, told.code), (PusherErrorKind::Api, Some(503), None));
}

// M06: what the server says is escaped where it is printed, and bounded
#[test]
fn what_the_server_says_is_kept_for_the_person() {
    let error = answer(422, r#"{"message":"The password\u001b is wrong","errors":{}}"#);
    assert_eq!(error.for_person(), Some("The password\u{1b} is wrong"));
    assert!(error.to_string().ends_with(r"The password\u{1b} is wrong"), "{error}");
    assert_eq!(answer(422, "<html>").for_person(), None);
    assert_eq!(answer(422, r#"{"message":["x"]}"#).for_person(), None);
}

// Q01: a server that puts the token into what it says does not have it printed
#[test]
fn a_token_that_the_server_says_back_is_hidden() {
    for said in ["12|canary/token", "12%7Ccanary%2Ftoken", r"12|canary\\/token", "12|CANARY/TOKEN"] {
        let body = format!(r#"{{"message":"{said} is not valid"}}"#);
        let error = answer(401, body.leak());
        assert_eq!(error.for_person(), Some("*** is not valid"));
        assert!(error.to_string().ends_with(": *** is not valid"), "{error}");
    }
}

// W03: a proxy says it in front of the server
#[test]
fn a_gateway_that_fails_is_told_from_a_server_that_fails() {
    for status in [502, 504] {
        assert!(answer(status, "<html>").to_string().contains("cannot reach it"));
    }
    assert!(answer(500, "<html>").to_string().contains("the server failed"));
    assert!(answer(503, "<html>").to_string().contains("maintenance"));
    assert!(answer(404, "<html>").to_string().contains("nothing was found at this address"));
}

// Q02, Q03: a server may name any address, and it is printed before it is checked.
#[test]
fn an_address_that_was_found_is_printed_without_what_may_be_a_password() {
    for ws_url in ["wss://anna:can/ary@example.com/pusher", "wss://example.com/pusher?token=canary"] {
        let found = VmsSocketUrl { ws_url: ws_url.to_owned(), app_key: "key".to_owned() };
        let shown = format!("{found:?}");
        assert!(shown.contains("example.com/pusher") && shown.contains("key") && !shown.contains("ary"), "{shown}");
    }
}

#[test]
fn the_id_of_the_device_is_a_uuid_and_lasts() {
    let id = VmsClientInfo::default().device_id;
    let shape: Vec<usize> = id.split('-').map(str::len).collect();
    assert_eq!(shape, [8, 4, 4, 4, 12], "{id}");
    assert_eq!(id.as_bytes().get(14), Some(&b'4'), "{id}");
    assert_eq!(VmsClientInfo::default().device_id, id);
}

// The headers of every call
#[test]
fn a_client_tells_who_it_is() {
    let headers =
        VmsClientInfo { name: "app".into(), version: "1.2".into(), ..VmsClientInfo::default() }.headers().unwrap();
    for (name, value) in [
        ("x-client", "app"),
        ("x-version", "1.2"),
        ("hl", "en"),
        ("user-agent", "app/1.2"),
        ("accept", "application/json"),
    ] {
        assert_eq!(headers.get(name).unwrap(), value, "{name}");
    }
    assert!(headers.contains_key("x-uuid"));
}
