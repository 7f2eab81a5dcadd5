//! Another session on a running client.

use std::sync::Arc;

use channels_client::{Clock as _, SystemClock};
use vms_pusher::{
    ConfigError, ConnectionState, DynTokenProvider, PusherError, PusherErrorKind, Secret, TokenError, TokenProvider,
    VmsApi, VmsChannel, VmsClientInfo, VmsContinuity, VmsCredentials, VmsEvents, VmsGapKind, VmsPusherApi, VmsSession,
    VmsSocketItem, VmsTime,
};
use vms_sandbox::{Push, Sandbox, SandboxConfig, Session, Target, TokenStatus, UserConfig};

use crate::support::*;

const FRESH_TOKEN: VmsSocketItem = VmsSocketItem::Continuity(VmsContinuity::Fresh { channel: VmsChannel::Token });
const FRESH_USER: VmsSocketItem = VmsSocketItem::Continuity(VmsContinuity::Fresh { channel: VmsChannel::User });

fn session_of(session: &Session) -> VmsSession {
    VmsSession::new(Secret::new(session.access_token.clone()), session.user_id, session.access_token_id.clone())
}

/// Pushes a number to one session alone.
async fn push_to(sandbox: &Sandbox, session: &Session, number: i64) -> usize {
    let target = Target::Session(session.access_token_id.clone());
    let push = Push::new("groups_deleted").to(target).data(serde_json::json!({"ids": [number]}));
    sandbox.push(push).await.unwrap().sockets
}

/// From when to when the gap of a channel was.
fn gap_of(items: &[VmsSocketItem], of: VmsChannel) -> Option<(VmsTime, VmsTime)> {
    items.iter().find_map(|item| match item {
        VmsSocketItem::Continuity(VmsContinuity::ResyncNeeded { channel, since, until, .. }) if *channel == of => {
            Some((*since, *until))
        }
        _ => None,
    })
}

fn now() -> VmsTime {
    let since_epoch = SystemClock::new().wall().duration_since(std::time::UNIX_EPOCH).unwrap();
    VmsTime::from_unix_micros(since_epoch.as_micros().try_into().unwrap()).unwrap()
}

async fn wait_number(delegate: &Arc<Recorder>, number: i64) -> Vec<VmsSocketItem> {
    delegate.wait(move |items| items.iter().any(|item| number_of(item) == Some(number))).await
}

// I26, I27: the gap of the session's channel reaches from what was certain of the old one, and from before the new one was
// there, to the new one; the user's has none
#[tokio::test]
async fn another_session_of_the_same_user_is_a_gap_on_its_own_channel_alone() {
    let (sandbox, old) = sandbox().await;
    let (api, delegate) = (api(&sandbox, &old), Recorder::new());
    api.set_delegate(&delegate);
    api.connect();
    delegate.wait_subscribed(1).await;
    push_to(&sandbox, &old, 1).await;
    wait_number(&delegate, 1).await;
    let rest = VmsApi::new(&sandbox.base_url(), vms_pusher::Tls::platform(), &VmsClientInfo::default()).unwrap();
    let login = rest.login(&VmsCredentials::new("demo", Secret::new("demo"))).await.unwrap();
    let new =
        sandbox.sessions().into_iter().find(|session| session.access_token == login.access_token.expose()).unwrap();
    // Nobody gets these: the first is for the new session before there is a listener, the second for the old one.
    let missed_at = now();
    assert_eq!(push_to(&sandbox, &new, 2).await, 0);
    api.set_session(login.session().unwrap()).unwrap();
    sandbox.wait_subscribed(&new, PATIENCE).await.unwrap();
    assert_eq!(push_to(&sandbox, &old, 3).await, 0);
    assert_eq!(push_to(&sandbox, &new, 4).await, 1);
    push_number(&sandbox, &new, 5).await;
    let items = wait_number(&delegate, 5).await;
    assert_eq!(delegate.numbers(), [1, 4, 5]);
    let lost = |item: &&VmsSocketItem| {
        let VmsSocketItem::Continuity(continuity) = item else { return false };
        matches!(
            continuity,
            VmsContinuity::Interrupted { channel: VmsChannel::Token, kind: VmsGapKind::SessionChanged, .. }
        )
    };
    assert_eq!(items.iter().filter(lost).count(), 1, "{items:#?}");
    let (since, until) = gap_of(&items, VmsChannel::Token).expect("the gap is announced");
    assert!(since <= missed_at && missed_at <= until, "{since} {missed_at} {until}");
    assert_eq!(gap_of(&items, VmsChannel::User), None, "{items:#?}");
    assert_eq!(sandbox.state().sockets_ever, 1, "the connection stays");
    assert!(sandbox.state().subscribers(&old.token_channel()) == 0, "the old session is left");
    api.rest().socket_url().await.unwrap();
    let bearer = sandbox.requests().last().unwrap().header("authorization").unwrap().to_owned();
    assert_eq!(bearer, format!("Bearer {}", new.access_token));
}

// A03, A08: a token that is not valid any more makes way for a new login, once, though both channels were refused
#[tokio::test]
async fn a_session_that_has_expired_makes_way_for_another_and_both_gaps_are_told() {
    let (sandbox, old) = sandbox().await;
    let api = api(&sandbox, &old);
    let mut events = api.events();
    api.connect();
    sandbox.wait_subscribed(&old, PATIENCE).await.unwrap();
    let mut items = Vec::new();
    let subscribed = |items: &[VmsSocketItem], times: usize| {
        let is = |item: &&VmsSocketItem| {
            matches!(item, VmsSocketItem::Continuity(VmsContinuity::Fresh { .. } | VmsContinuity::ResyncNeeded { .. }))
        };
        items.iter().filter(is).count() >= 2 * times
    };
    let (mut logins, mut is_revoked) = (0, false);
    let reading = async {
        while let Some(item) = events.next().await {
            let is_over = |c: &VmsContinuity| {
                matches!(c, VmsContinuity::Unavailable { is_final: true, session_is_invalid: true, .. })
            };
            if matches!(&item, VmsSocketItem::Continuity(continuity) if is_over(continuity)) {
                logins += 1;
                let new = sandbox.open_session(old.user_id).unwrap();
                api.set_session(session_of(&new)).unwrap();
            }
            items.push(item);
            if !is_revoked && subscribed(&items, 1) {
                is_revoked = true;
                sandbox.set_token_status(&old.access_token_id, TokenStatus::Revoked);
                sandbox.cut(&vms_sandbox::Sockets::All);
            }
            if subscribed(&items, 2) {
                return;
            }
        }
        panic!("the stream has ended: {items:#?}");
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("it does not come to that");
    for channel in [VmsChannel::Token, VmsChannel::User] {
        let opened = items.iter().find_map(|item| match item {
            VmsSocketItem::Continuity(VmsContinuity::Interrupted { channel: of, since, .. }) if *of == channel => {
                Some(*since)
            }
            _ => None,
        });
        let (since, until) = gap_of(&items, channel).unwrap_or_else(|| panic!("{channel}: {items:#?}"));
        assert!(since <= opened.unwrap() && since < until, "{channel}");
    }
    assert!((1..=2).contains(&logins), "{logins}");
}

// A04, I25: nothing of one user is delivered to another
#[tokio::test]
async fn another_user_begins_afresh_and_nothing_of_the_first_is_delivered_any_more() {
    let users = vec![UserConfig::new(42, "demo", "demo"), UserConfig::new(43, "other", "other")];
    let sandbox = Sandbox::start(SandboxConfig { users, ..SandboxConfig::default() }).await.unwrap();
    let first = sandbox.sessions().into_iter().find(|session| session.user_id == 42).unwrap();
    let second = sandbox.sessions().into_iter().find(|session| session.user_id == 43).unwrap();
    let api = api(&sandbox, &first);
    let mut events = api.events();
    api.connect();
    sandbox.wait_subscribed(&first, PATIENCE).await.unwrap();
    push_number(&sandbox, &first, 1).await;
    push_to(&sandbox, &first, 2).await;
    api.set_session(session_of(&second)).unwrap();
    sandbox.wait_subscribed(&second, PATIENCE).await.unwrap();
    push_number(&sandbox, &second, 3).await;
    let mut items = Vec::new();
    while !items.iter().any(|item| number_of(item) == Some(3)) {
        items.push(tokio::time::timeout(PATIENCE, events.next()).await.expect("nothing comes").unwrap());
    }
    let numbers: Vec<i64> = items.iter().filter_map(number_of).collect();
    assert_eq!(numbers, [3], "{items:#?}");
    for fresh in [FRESH_TOKEN, FRESH_USER] {
        assert!(items.iter().filter(|item| **item == fresh).count() >= 1, "{items:#?}");
    }
    assert!(gap_of(&items, VmsChannel::Token).is_none() && gap_of(&items, VmsChannel::User).is_none());
    let subscribers = |channel: String| sandbox.state().subscribers(&channel);
    assert_eq!((subscribers(first.token_channel()), subscribers(first.user_channel())), (0, 0));
}

// A04, A08: both channels are refused; what is still to be told of the second is not taken for the new session's
#[tokio::test]
async fn refusals_of_the_session_before_are_not_told_once_another_has_begun() {
    let users = vec![UserConfig::new(42, "demo", "demo"), UserConfig::new(43, "other", "other")];
    for is_same_user in [true, false] {
        let sandbox = Sandbox::start(SandboxConfig { users: users.clone(), ..SandboxConfig::default() }).await.unwrap();
        let old = sandbox.sessions().into_iter().find(|session| session.user_id == 42).unwrap();
        let new = sandbox.open_session(if is_same_user { 42 } else { 43 }).unwrap();
        sandbox.set_token_status(&old.access_token_id, TokenStatus::Revoked);
        let api = api(&sandbox, &old);
        let mut events = api.events();
        api.connect();
        let is_refusal = |item: &VmsSocketItem| {
            matches!(item, VmsSocketItem::Error(PusherError { kind: PusherErrorKind::Denied, .. }))
        };
        while !is_refusal(&next(&mut events).await) {}
        api.set_session(session_of(&new)).unwrap();
        let mut fresh = 0;
        while fresh < 2 {
            let item = next(&mut events).await;
            let is_unavailable = matches!(&item, VmsSocketItem::Continuity(VmsContinuity::Unavailable { .. }));
            assert!(!is_refusal(&item) && !is_unavailable, "{is_same_user}: {item:?}");
            fresh += usize::from(item == FRESH_TOKEN || item == FRESH_USER);
        }
    }
}

/// Its refresh is another login, which gives the client another session.
struct LoggingIn {
    api: std::sync::OnceLock<VmsPusherApi>,
    new: Session,
    token: std::sync::Mutex<Secret>,
}

impl TokenProvider for LoggingIn {
    async fn token(&self) -> Result<Secret, TokenError> {
        Ok(self.token.lock().unwrap().clone())
    }

    async fn refresh(&self, _rejected: &Secret) -> Result<Secret, TokenError> {
        *self.token.lock().unwrap() = Secret::new(self.new.access_token.clone());
        self.api.get().unwrap().set_session(session_of(&self.new)).unwrap();
        Err(TokenError::Denied { message: "another login".to_owned() })
    }
}

// A08: the user's channel was waiting for the refresh, and is asked for anew with the new token
#[tokio::test]
async fn a_provider_may_set_another_session_and_deny_the_one_before() {
    let (sandbox, old) = sandbox().await;
    let new = sandbox.open_session(old.user_id).unwrap();
    sandbox.set_token_status(&old.access_token_id, TokenStatus::Revoked);
    let token = std::sync::Mutex::new(Secret::new(old.access_token.clone()));
    let provider = Arc::new(LoggingIn { api: std::sync::OnceLock::new(), new: new.clone(), token });
    let mut config = config(&sandbox, &old);
    config.options.token_provider = Some(Arc::clone(&provider) as _);
    let api = VmsPusherApi::new(config).unwrap();
    assert!(provider.api.set(api.clone()).is_ok());
    let mut events = api.events();
    api.connect();
    let mut fresh = 0;
    while fresh < 2 {
        let item = next(&mut events).await;
        let is_unavailable = matches!(&item, VmsSocketItem::Continuity(VmsContinuity::Unavailable { .. }));
        assert!(!is_unavailable, "{item:?}");
        fresh += usize::from(item == FRESH_TOKEN || item == FRESH_USER);
    }
}

async fn next(events: &mut VmsEvents) -> VmsSocketItem {
    tokio::time::timeout(PATIENCE, events.next()).await.expect("nothing comes").expect("the stream has ended")
}

// A07: after a logout the client is disconnected; it begins the new session when it is told to
#[tokio::test]
async fn a_session_set_after_a_logout_begins_with_the_next_connect() {
    let (sandbox, old) = sandbox().await;
    let api = api(&sandbox, &old);
    let mut events = api.events();
    api.connect();
    sandbox.wait_subscribed(&old, PATIENCE).await.unwrap();
    sandbox.log_out(&old.access_token_id, None).await;
    while let Some(item) = tokio::time::timeout(PATIENCE, events.next()).await.expect("the stream does not end") {
        drop(item);
    }
    let new = sandbox.open_session(old.user_id).unwrap();
    api.set_session(session_of(&new)).unwrap();
    assert_eq!(api.state(), ConnectionState::Disconnected);
    api.connect();
    sandbox.wait_subscribed(&new, PATIENCE).await.unwrap();
    let mut items = Vec::new();
    while !(items.contains(&FRESH_TOKEN) && items.contains(&FRESH_USER)) {
        items.push(tokio::time::timeout(PATIENCE, events.next()).await.expect("nothing comes").unwrap());
    }
}

// H05
#[tokio::test]
async fn a_session_that_cannot_be_one_is_refused_and_changes_nothing() {
    let (sandbox, session) = sandbox().await;
    let (api, delegate) = (api(&sandbox, &session), Recorder::new());
    api.set_delegate(&delegate);
    api.connect();
    delegate.wait_subscribed(1).await;
    let token = || Secret::new(session.access_token.clone());
    let refused = |session: VmsSession| api.set_session(session).unwrap_err();
    assert!(matches!(refused(VmsSession::new(token(), -1, "id")), ConfigError::UserId { value: -1 }));
    assert!(matches!(refused(VmsSession::new(token(), 1, "")), ConfigError::AccessTokenId { .. }));
    assert!(matches!(refused(VmsSession::new(token(), 1, "a b")), ConfigError::AccessTokenId { .. }));
    assert!(matches!(refused(VmsSession::new(Secret::new("a\nb"), 1, "id")), ConfigError::UserToken { .. }));
    push_number(&sandbox, &session, 1).await;
    push_to(&sandbox, &session, 2).await;
    let items = wait_number(&delegate, 2).await;
    assert!(gap_of(&items, VmsChannel::Token).is_none(), "{items:#?}");
}

/// Has a token of its own, as an app's keychain does; a refresh is another token of the same login session.
struct Keychain {
    sandbox: Arc<Sandbox>,
    access_token_id: String,
}

impl TokenProvider for Keychain {
    async fn token(&self) -> Result<Secret, TokenError> {
        let session =
            self.sandbox.sessions().into_iter().find(|session| session.access_token_id == self.access_token_id);
        let session = session.ok_or_else(|| TokenError::Denied { message: "signed out".to_owned() })?;
        Ok(Secret::new(session.access_token))
    }

    async fn refresh(&self, _rejected: &Secret) -> Result<Secret, TokenError> {
        self.token().await
    }
}

// A01: written as an `async fn`, and as a closure
#[tokio::test]
async fn a_token_provider_may_be_an_async_fn_or_a_closure() {
    let (sandbox, session) = sandbox().await;
    let sandbox = Arc::new(sandbox);
    let keychain = Keychain { sandbox: Arc::clone(&sandbox), access_token_id: session.access_token_id.clone() };
    let token = session.access_token.clone();
    let closure = move |rejected: Option<Secret>| {
        let token = token.clone();
        async move { Ok(Secret::new(if rejected.is_none() { "outdated" } else { token.as_str() })) }
    };
    for provider in [Arc::new(keychain) as Arc<dyn DynTokenProvider>, Arc::new(closure)] {
        let mut config = config(&sandbox, &session);
        config.user_token = Secret::new("unused");
        config.options.token_provider = Some(provider);
        let (api, delegate) = (VmsPusherApi::new(config).unwrap(), Recorder::new());
        api.set_delegate(&delegate);
        api.connect();
        delegate.wait_subscribed(1).await;
        assert!(api.close(PATIENCE).await);
    }
}
