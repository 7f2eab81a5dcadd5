use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use vms_pusher::{ConnectionState, VmsChannel, VmsContinuity, VmsPusherApi, VmsResyncScope, VmsSocketItem};
use vms_sandbox::{Profile, Sandbox, SandboxConfig, Sockets};

use crate::support::*;

fn continuities(items: &[VmsSocketItem]) -> Vec<&VmsContinuity> {
    let mut all = Vec::new();
    for item in items {
        if let VmsSocketItem::Continuity(continuity) = item {
            all.push(continuity);
        }
    }
    all
}

// I26, I27: a gap opens once a channel, is closed before any later push, and says what to reload
#[tokio::test]
async fn a_lost_connection_is_a_gap_with_what_to_reload() {
    let (sandbox, session) = sandbox().await;
    let (api, delegate) = (api(&sandbox, &session), Recorder::new());
    api.set_delegate(&delegate);
    api.connect();
    delegate.wait_subscribed(1).await;
    let old = api.socket_id();
    push_number(&sandbox, &session, 1).await;
    delegate.wait(|items| items.iter().any(|item| number_of(item) == Some(1))).await;
    sandbox.cut(&Sockets::All);
    delegate.wait_subscribed(2).await;
    push_number(&sandbox, &session, 2).await;
    let items = delegate.wait(|items| items.iter().any(|item| number_of(item) == Some(2))).await;
    assert_ne!(api.socket_id(), old);
    assert!(items.iter().any(|item| is_state(item, ConnectionState::Reconnecting)), "{items:#?}");
    for channel in [VmsChannel::Token, VmsChannel::User] {
        let all = continuities(&items);
        let opened: Vec<_> = all
            .iter()
            .filter_map(|c| match c {
                VmsContinuity::Interrupted { channel: of, since, cause, .. } if *of == channel => Some((since, cause)),
                _ => None,
            })
            .collect();
        let [(opened_at, cause)] = opened[..] else { panic!("{opened:?}") };
        assert!(!cause.is_empty());
        let closed: Vec<_> = all
            .iter()
            .filter_map(|c| match c {
                VmsContinuity::ResyncNeeded { channel: of, scopes, since, until, .. } if *of == channel => {
                    Some((scopes, since, until))
                }
                _ => None,
            })
            .collect();
        let [(scopes, since, until)] = closed[..] else { panic!("{closed:?}") };
        assert_eq!(scopes.as_slice(), channel.scopes());
        assert!(since.unix_micros().abs_diff(opened_at.unix_micros()) < 60_000_000 && since <= until);
    }
    let last_gap = items.iter().rposition(|item| matches!(item, VmsSocketItem::Continuity(_))).unwrap();
    let second = items.iter().position(|item| number_of(item) == Some(2)).unwrap();
    assert!(last_gap < second, "{items:#?}");
}

#[test]
fn the_users_channel_may_hide_anything_and_the_tokens_what_one_session_is_told() {
    assert_eq!(VmsChannel::User.scopes(), VmsResyncScope::ALL);
    for scope in [VmsResyncScope::Session, VmsResyncScope::Archives, VmsResyncScope::IntercomCalls] {
        assert!(VmsChannel::Token.scopes().contains(&scope), "{scope:?}");
    }
}

#[tokio::test]
async fn a_new_session_starts_fresh() {
    let (sandbox, session) = sandbox().await;
    let (api, delegate) = (api(&sandbox, &session), Recorder::new());
    api.set_delegate(&delegate);
    api.connect();
    delegate.wait_subscribed(1).await;
    api.disconnect();
    delegate.wait(|items| items.last().is_some_and(|last| is_state(last, ConnectionState::Disconnected))).await;
    api.connect();
    delegate.wait_subscribed(2).await;
    let items = delegate.items();
    assert!(continuities(&items).iter().all(|c| matches!(c, VmsContinuity::Fresh { .. })), "{items:#?}");
}

/// Authorizes without saying what time it is, and says that with the answer to everything else.
async fn tell_the_time_elsewhere(listener: TcpListener, sandbox: Arc<Sandbox>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        connections.spawn(answer_requests(stream, Arc::clone(&sandbox)));
    }
}

async fn answer_requests(mut stream: TcpStream, sandbox: Arc<Sandbox>) -> Option<()> {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut form = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        stream.read_exact(&mut form).await.ok()?;
        let form = String::from_utf8(form).unwrap();
        let (date, body) = if head.contains("broadcasting/auth") {
            let mut values = form.split(['=', '&']).skip(1).step_by(2);
            let auth = sandbox.sign(values.next()?, values.next()?);
            (String::new(), serde_json::json!({"auth": auth}))
        } else {
            let found = serde_json::json!({"ws_url": sandbox.socket_url(), "app_key": sandbox.app_key()});
            (format!("Date: {DATE}\r\n"), found)
        };
        let body = body.to_string();
        let answer = format!("HTTP/1.1 200 OK\r\n{date}Content-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
}

const DATE: &str = "Tue, 05 Mar 2024 10:11:12 GMT";
const DATE_MICROS: i64 = 1_709_633_472_000_000;

// Z01, I27: any call of the API says by which clock its records go, and gaps are told by that one
#[tokio::test]
async fn a_call_of_the_api_tells_the_servers_time() {
    let sandbox = Arc::new(Sandbox::start(SandboxConfig::with_profile(Profile::Push1st)).await.unwrap());
    let session = sandbox.sessions().into_iter().next().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = config(&sandbox, &session);
    config.base_url = format!("http://{}", listener.local_addr().unwrap());
    let mut server = JoinSet::new();
    server.spawn(tell_the_time_elsewhere(listener, Arc::clone(&sandbox)));
    let (api, delegate) = (VmsPusherApi::new(config).unwrap(), Recorder::new());
    api.set_delegate(&delegate);
    api.connect();
    delegate.wait_subscribed(1).await;
    // Nobody has said the time yet; then a call of the API does.
    sandbox.cut(&Sockets::All);
    delegate.wait_subscribed(2).await;
    api.rest().socket_url().await.unwrap();
    sandbox.cut(&Sockets::All);
    delegate.wait_subscribed(3).await;
    let items = delegate.items();
    let told = |item: &VmsSocketItem| match item {
        VmsSocketItem::Continuity(
            VmsContinuity::Interrupted { since, clock, .. } | VmsContinuity::ResyncNeeded { since, clock, .. },
        ) => Some((since.unix_micros(), *clock)),
        _ => None,
    };
    let told: Vec<_> = items.iter().filter_map(told).collect();
    let (before, after) = told.split_at(4);
    assert!(before.iter().all(|(_, clock)| clock.is_none()), "{items:#?}");
    assert_eq!(after.len(), 4, "{items:#?}");
    for (since, clock) in after {
        let clock = clock.expect("the API has said the time");
        assert!(since.abs_diff(DATE_MICROS) < 60_000_000, "{items:#?}");
        assert!(clock.ahead_ms < 0 && (500..60_000).contains(&clock.uncertainty_ms), "{clock:?}");
    }
}
