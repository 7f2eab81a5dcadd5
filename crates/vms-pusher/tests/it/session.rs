use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use vms_pusher::{
    ConnectionState, Secret, TokenError, TokenProvider, VmsAppSocketData, VmsChannel, VmsContinuity, VmsPusherApi,
    VmsSocketItem,
};
use vms_sandbox::{SandboxConfig, SandboxState, Sockets, TokenStatus, UserConfig};

use crate::support::*;

fn is_logout(item: &VmsSocketItem) -> bool {
    *item == VmsSocketItem::AppSocket(VmsAppSocketData::Logout(Some("Signed out elsewhere".into())))
}

// A07: delivered with its reason, then disconnected for good
#[tokio::test]
async fn a_logout_is_delivered_and_then_the_client_stays_away() {
    let (sandbox, session) = sandbox().await;
    let (api, delegate) = (api(&sandbox, &session), Recorder::new());
    api.set_delegate(&delegate);
    api.connect();
    delegate.wait_subscribed(1).await;
    sandbox.log_out(&session.access_token_id, Some("Signed out elsewhere")).await;
    let items =
        delegate.wait(|items| items.last().is_some_and(|last| is_state(last, ConnectionState::Disconnected))).await;
    assert!(items.iter().any(is_logout), "{items:#?}");
    assert_eq!((api.is_connected(), api.socket_id()), (false, None));
    let state = sandbox.wait_until(PATIENCE, |state| state.sockets.is_empty()).await.unwrap();
    assert_eq!(state.sockets_ever, 1);
}

#[tokio::test]
async fn a_client_may_stay_after_a_logout() {
    let (sandbox, session) = sandbox().await;
    let mut config = config(&sandbox, &session);
    config.options.stay_after_logout = true;
    let (api, delegate) = (VmsPusherApi::new(config).unwrap(), Recorder::new());
    api.set_delegate(&delegate);
    api.connect();
    delegate.wait_subscribed(1).await;
    sandbox.log_out(&session.access_token_id, Some("Signed out elsewhere")).await;
    push_number(&sandbox, &session, 1).await;
    let items = delegate.wait(|items| items.iter().any(|item| number_of(item) == Some(1))).await;
    assert!(items.iter().any(is_logout) && api.is_connected(), "{items:#?}");
}

fn unavailable(items: &[VmsSocketItem]) -> Vec<(VmsChannel, bool)> {
    let of = |item: &VmsSocketItem| match item {
        VmsSocketItem::Continuity(VmsContinuity::Unavailable { channel, session_is_invalid, .. }) => {
            Some((*channel, *session_is_invalid))
        }
        _ => None,
    };
    items.iter().filter_map(of).collect()
}

// A08, S01: state and error say which, and no secret in either (Q01, I38); asked for again when the caller connects, and not
// before, also not on a new socket, on which everything else is
#[tokio::test]
async fn a_token_that_is_not_valid_is_reported_for_both_channels_and_not_tried_again() {
    for (token_status, status) in [(TokenStatus::Revoked, "401"), (TokenStatus::Expired, "419")] {
        let (sandbox, session) = sandbox().await;
        sandbox.set_token_status(&session.access_token_id, token_status);
        let (api, delegate) = (api(&sandbox, &session), Recorder::new());
        api.set_delegate(&delegate);
        api.connect();
        let items = delegate.wait(|items| unavailable(items).len() == 2).await;
        assert!(unavailable(&items).iter().all(|(_, is_invalid)| *is_invalid));
        assert!(api.is_connected(), "the connection itself is fine");
        let said = format!("{items:?} {api:?}");
        assert!(said.contains(status) && said.contains("private-user.42") && !said.contains(&session.access_token));
        let asked = || sandbox.requests().iter().filter(|request| request.path.ends_with("broadcasting/auth")).count();
        assert_eq!((asked(), sandbox.state().sockets_ever), (2, 1));

        sandbox.close(&Sockets::All, 4200, "").await;
        let is_connected = |item: &&VmsSocketItem| is_state(item, ConnectionState::Connected);
        delegate.wait(move |items| items.iter().filter(is_connected).count() == 2).await;
        // Whatever the client does because it is connected, it has begun before it answers this.
        sandbox.ping(&Sockets::All).await;
        let has_answered = |state: &SandboxState| state.sockets.iter().any(|socket| socket.frames_received > 0);
        sandbox.wait_until(PATIENCE, has_answered).await.unwrap();
        assert!(api.rest().socket_url().await.is_err(), "the token is not valid here either");
        assert_eq!((asked(), sandbox.state().sockets_ever), (2, 2));

        let off = api.clone();
        off_the_runtime(move || off.disconnect()).await;
        api.connect();
        delegate.wait(|items| unavailable(items).len() == 4).await;
        assert_eq!((asked(), sandbox.state().sockets_ever), (4, 3));
    }
}

// S01, I23: the token of someone else: the channel of the session works, the one of the other user does not
#[tokio::test]
async fn a_refused_channel_does_not_harm_the_other() {
    let users = vec![UserConfig::new(42, "demo", "demo"), UserConfig::new(43, "other", "other")];
    let sandbox = vms_sandbox::Sandbox::start(SandboxConfig { users, ..SandboxConfig::default() }).await.unwrap();
    let session = sandbox.sessions().into_iter().next().unwrap();
    let mut config = config(&sandbox, &session);
    config.user_id = 43;
    let (api, delegate) = (VmsPusherApi::new(config).unwrap(), Recorder::new());
    api.set_delegate(&delegate);
    api.connect();
    let fresh = VmsSocketItem::Continuity(VmsContinuity::Fresh { channel: VmsChannel::Token });
    let items = delegate.wait(move |items| !unavailable(items).is_empty() && items.contains(&fresh)).await;
    assert_eq!(unavailable(&items), [(VmsChannel::User, false)], "the session is fine");
    let push = vms_sandbox::Push::new("camera_groups_synced")
        .to(vms_sandbox::Target::Session(session.access_token_id.clone()))
        .data(serde_json::Value::Null);
    sandbox.push(push).await.unwrap();
    let synced = VmsSocketItem::AppSocket(VmsAppSocketData::CameraGroupsSynced);
    delegate.wait(move |items| items.contains(&synced)).await;
}

struct Rotating {
    fresh: String,
    asked: AtomicUsize,
}

impl TokenProvider for Rotating {
    async fn token(&self) -> Result<Secret, TokenError> {
        let token = if self.asked.load(Ordering::SeqCst) == 0 { "outdated" } else { self.fresh.as_str() };
        Ok(Secret::new(token))
    }

    async fn refresh(&self, rejected: &Secret) -> Result<Secret, TokenError> {
        assert_eq!(rejected.expose(), "outdated");
        self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(Secret::new(self.fresh.clone()))
    }
}

// A01, A06: the provider is asked once for both channels, and the API uses the new token too
#[tokio::test]
async fn a_fresh_token_is_got_once_for_both_channels() {
    let (sandbox, session) = sandbox().await;
    let provider = Arc::new(Rotating { fresh: session.access_token.clone(), asked: AtomicUsize::new(0) });
    let mut config = config(&sandbox, &session);
    config.options.token_provider = Some(Arc::clone(&provider) as _);
    let (api, delegate) = (VmsPusherApi::new(config).unwrap(), Recorder::new());
    api.set_delegate(&delegate);
    api.connect();
    delegate.wait_subscribed(1).await;
    assert_eq!(provider.asked.load(Ordering::SeqCst), 1);
    assert_eq!(api.rest().socket_url().await.unwrap().app_key, sandbox.app_key());
}

// Wrong app key: the state and the error say so, no loop
#[tokio::test]
async fn a_wrong_app_key_is_reported_and_the_client_stops() {
    let (sandbox, session) = sandbox().await;
    let mut config = config(&sandbox, &session);
    config.app_key = "another".into();
    let (api, delegate) = (VmsPusherApi::new(config).unwrap(), Recorder::new());
    api.set_delegate(&delegate);
    api.connect();
    let is_down = |item: &VmsSocketItem| is_state(item, ConnectionState::Disconnected);
    let items = delegate.wait(move |items| items.iter().any(is_down)).await;
    let code = items.iter().find_map(|item| if let VmsSocketItem::Error(error) = item { error.code } else { None });
    assert_eq!(code, Some(4001), "{items:#?}");
}

// I13: a report of two items is cut in the middle by a disconnect in between, on either way out
#[tokio::test]
async fn nothing_of_a_report_comes_after_a_disconnect_in_the_middle_of_it() {
    let (sandbox, session) = sandbox().await;
    sandbox.set_token_status(&session.access_token_id, TokenStatus::Revoked);
    let api = api(&sandbox, &session);
    let inner = api.clone();
    let delegate = Recorder::reacting(move |item| {
        if matches!(item, VmsSocketItem::Error(_)) {
            inner.disconnect();
        }
    });
    api.set_delegate(&delegate);
    api.connect();
    let is_down = |item: &VmsSocketItem| is_state(item, ConnectionState::Disconnected);
    let items = delegate.wait(move |items| items.iter().any(is_down)).await;
    assert_eq!(unavailable(&items), [], "{items:#?}");

    api.remove_delegate();
    let mut events = api.events();
    api.connect();
    while !matches!(events.next().await, Some(VmsSocketItem::Error(_))) {}
    api.disconnect();
    assert!(is_down(&events.next().await.unwrap()));
    assert_eq!(events.try_next(), None);
}

// H05: before anything is sent, and by the name of the option
#[tokio::test]
async fn an_option_that_cannot_work_is_refused_by_its_name() {
    type Change = fn(&mut vms_pusher::VmsPusherOptions);
    let changes: [(&str, Change); 6] = [
        ("options.activity_timeout: 0ns is not between 1ms and 86400s", |options| {
            options.activity_timeout = Duration::ZERO;
        }),
        ("options.activity_timeout: ", |options| options.activity_timeout = Duration::MAX),
        ("options.pong_timeout: 0ns is not between 1ms and 86400s", |options| options.pong_timeout = Duration::ZERO),
        ("options.pong_timeout: ", |options| options.pong_timeout = Duration::MAX),
        ("options.queue.max_items: 0 is not", |options| options.queue.max_items = 0),
        ("options.queue.max_bytes: 0 is not", |options| options.queue.max_bytes = 0),
    ];
    let (sandbox, session) = sandbox().await;
    for (said, change) in changes {
        let mut config = config(&sandbox, &session);
        change(&mut config.options);
        let error = VmsPusherApi::new(config).unwrap_err();
        assert!(matches!(error, vms_pusher::ConfigError::Option(_)), "{error:?}");
        assert!(error.to_string().starts_with(said), "{error}");
    }
    assert!(sandbox.requests().is_empty());
}
