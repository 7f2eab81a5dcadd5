//! One user after another on the same device, and the tokens they come with.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a failure ends the test, and most look for one kind of item"
)]

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use e2e::{Consumer, log_in};
use futures_util::future::{BoxFuture, FutureExt as _};
use vms_pusher::{Secret, Tls, TokenError, TokenProvider, VmsContinuity, VmsPusherConfig, VmsSocketItem};
use vms_sandbox::{Push, Sandbox, SandboxConfig, Session, Target, UserConfig};

const PATIENCE: Duration = Duration::from_secs(60);

// A04, A10: the first user logs out with events still unread.
#[tokio::test]
async fn nothing_of_one_user_reaches_the_next() {
    let users = vec![UserConfig::new(42, "demo", "demo"), UserConfig::new(43, "next", "next")];
    let sandbox = Sandbox::start(SandboxConfig { users, ..SandboxConfig::default() }).await.unwrap();
    let mut first = Consumer::connect(log_in(&sandbox, Tls::platform()).await);
    first.subscribed().await;
    sandbox.push(Push::new("permissions_updated").to(Target::User(42))).await.unwrap();

    first.api.disconnect();
    drop(first);
    let session = sandbox.sessions().into_iter().find(|session| session.user_id == 43).unwrap();
    let mut next = Consumer::connect(config(&sandbox, &session));
    next.subscribed().await;
    let state = sandbox.wait_until(PATIENCE, |state| state.sockets.len() == 1).await.unwrap();
    sandbox.push(Push::new("permissions_updated").to(Target::User(42))).await.unwrap();
    sandbox.push(Push::new("groups_updated").to(Target::User(43))).await.unwrap();

    let mut channels: Vec<&String> = state.channels.keys().collect();
    channels.sort();
    assert_eq!(channels, [&session.token_channel(), &session.user_channel()]);
    let push = next.until(|item| matches!(item, VmsSocketItem::AppSocket(_)).then(|| item.clone())).await;
    assert_eq!(push, VmsSocketItem::AppSocket(vms_pusher::VmsAppSocketData::GroupsUpdate));
}

// A11: the token comes from a backup and has been replaced since.
#[tokio::test]
async fn a_stale_token_is_replaced_once_for_both_channels() {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let mut config = log_in(&sandbox, Tls::platform()).await;
    let fresh = sandbox.rotate_token(&config.access_token_id).unwrap();
    let (stale, fresh) = (config.user_token.clone(), Secret::new(fresh));
    let provider = Arc::new(Restored { stale, fresh, refreshed: AtomicUsize::new(0) });
    config.options.token_provider = Some(Arc::clone(&provider) as Arc<dyn TokenProvider>);

    let subscribed = Consumer::connect(config).subscribed().await;

    assert!(subscribed.iter().all(|continuity| matches!(continuity, VmsContinuity::Fresh { .. })), "{subscribed:?}");
    assert_eq!(provider.refreshed.load(Ordering::SeqCst), 1);
}

/// Has a token of old until it is asked for another.
struct Restored {
    stale: Secret,
    fresh: Secret,
    refreshed: AtomicUsize,
}

impl TokenProvider for Restored {
    fn token(&self) -> BoxFuture<'static, Result<Secret, TokenError>> {
        let is_fresh = self.refreshed.load(Ordering::SeqCst) > 0;
        ready(Ok(if is_fresh { &self.fresh } else { &self.stale }.clone())).boxed()
    }

    fn refresh(&self, _: &Secret) -> BoxFuture<'static, Result<Secret, TokenError>> {
        self.refreshed.fetch_add(1, Ordering::SeqCst);
        ready(Ok(self.fresh.clone())).boxed()
    }
}

fn config(sandbox: &Sandbox, session: &Session) -> VmsPusherConfig {
    VmsPusherConfig {
        base_url: sandbox.base_url(),
        socket_url: sandbox.socket_url(),
        app_key: sandbox.app_key().to_owned(),
        user_token: Secret::new(session.access_token.clone()),
        user_id: session.user_id,
        access_token_id: session.access_token_id.clone(),
        ..VmsPusherConfig::default()
    }
}
