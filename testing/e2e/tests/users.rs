//! One user after another on the same device, and the tokens they come with.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a failure ends the test, and most look for one kind of item"
)]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use e2e::{Consumer, log_in};
use serde_json::json;
use tokio::sync::watch;
use vms_pusher::{
    Secret, Tls, TokenError, TokenProvider, VmsAppSocketData, VmsContinuity, VmsIntercomSocketData, VmsPusherApi,
    VmsPusherConfig, VmsSocketManagerDelegate,
};
use vms_sandbox::{Push, RequestRecord, Sandbox, SandboxConfig, Session, Sockets, Target, UserConfig};

const PATIENCE: Duration = Duration::from_secs(60);

// A04, A10: the app has one delegate for whoever is logged in. The first user leaves while it is busy with their first event
// and the client holds the others; the client itself is still there when the next user comes.
#[tokio::test]
async fn nothing_of_one_user_reaches_the_next() {
    let users = vec![UserConfig::new(42, "demo", "demo"), UserConfig::new(43, "next", "next")];
    let sandbox = Sandbox::start(SandboxConfig { users, ..SandboxConfig::default() }).await.unwrap();
    let [first, next] = [42, 43].map(|user| {
        let session = sandbox.sessions().into_iter().find(|session| session.user_id == user).unwrap();
        (VmsPusherApi::new(config(&sandbox, &session)).unwrap(), session)
    });
    let app = Arc::new(App::default());
    first.0.set_delegate(&app);
    first.0.connect();
    sandbox.wait_subscribed(&first.1, PATIENCE).await.unwrap();
    for number in 1..=10 {
        push_favorite(&sandbox, &first.1, number).await;
    }
    app.wait_for(1).await;
    all_is_read(&sandbox).await;

    let leaving = first.0.clone();
    tokio::task::spawn_blocking(move || leaving.disconnect()).await.unwrap();
    app.let_go();
    let before = sandbox.requests().len();
    next.0.set_delegate(&app);
    next.0.connect();
    first.0.network_changed();
    first.0.resumed();
    let state = sandbox.wait_subscribed(&next.1, PATIENCE).await.unwrap();
    sandbox.push(favorite(&first.1, 11)).await.unwrap();
    push_favorite(&sandbox, &next.1, 12).await;
    app.wait_for(12).await;

    assert_eq!(app.numbers(), [1, 12]);
    let channels: BTreeSet<String> = state.channels.into_keys().collect();
    assert_eq!(channels, BTreeSet::from([next.1.token_channel(), next.1.user_channel()]));
    let bearers: Vec<String> = sandbox.requests()[before..].iter().map(bearer).collect();
    assert_eq!(bearers, vec![format!("Bearer {}", next.1.access_token); 2]);
    assert!(!first.0.is_connected());
}

// A11: the token comes from a backup and has been replaced since.
#[tokio::test]
async fn a_stale_token_is_replaced_once_for_both_channels() {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let mut config = log_in(&sandbox, Tls::platform()).await;
    let fresh = sandbox.rotate_token(&config.access_token_id).unwrap();
    let (stale, fresh) = (config.user_token.clone(), Secret::new(fresh));
    let provider = Arc::new(Restored { stale, fresh, refreshed: AtomicUsize::new(0) });
    config.options.token_provider = Some(Arc::clone(&provider) as _);

    let subscribed = Consumer::connect(config).subscribed().await;

    assert!(subscribed.iter().all(|continuity| matches!(continuity, VmsContinuity::Fresh { .. })), "{subscribed:?}");
    assert_eq!(provider.refreshed.load(Ordering::SeqCst), 1);
}

fn favorite(session: &Session, number: i64) -> Push {
    Push::new("camera.store_favorite").to(Target::User(session.user_id)).data(json!({"camera_id": number}))
}

async fn push_favorite(sandbox: &Sandbox, session: &Session, number: i64) {
    assert_eq!(sandbox.push(favorite(session, number)).await.unwrap().sockets, 1);
}

/// Returns when the one client has read everything that was sent to it: it has answered a ping behind that.
async fn all_is_read(sandbox: &Sandbox) {
    let received = sandbox.state().sockets[0].frames_received;
    sandbox.ping(&Sockets::All).await;
    sandbox.wait_until(PATIENCE, |state| state.sockets[0].frames_received > received).await.unwrap();
}

fn bearer(request: &RequestRecord) -> String {
    request.header("authorization").unwrap_or_default().to_owned()
}

/// What an app is told of its users; it takes its time for the first event.
struct App {
    numbers: watch::Sender<Vec<i64>>,
    gate: Mutex<Option<mpsc::SyncSender<()>>>,
    is_open: Mutex<mpsc::Receiver<()>>,
}

impl Default for App {
    fn default() -> Self {
        let (gate, is_open) = mpsc::sync_channel(0);
        Self { numbers: watch::Sender::default(), gate: Mutex::new(Some(gate)), is_open: Mutex::new(is_open) }
    }
}

impl App {
    fn numbers(&self) -> Vec<i64> {
        self.numbers.borrow().clone()
    }

    /// Waits until it was told this number.
    async fn wait_for(&self, number: i64) {
        let mut numbers = self.numbers.subscribe();
        let told = numbers.wait_for(|numbers| numbers.contains(&number));
        tokio::time::timeout(PATIENCE, told).await.expect("it is told in time").unwrap();
    }

    /// Lets the call that waits, and all after it, go on.
    fn let_go(&self) {
        drop(self.gate.lock().unwrap().take());
    }
}

impl VmsSocketManagerDelegate for App {
    fn received_app_socket(&self, socket: VmsAppSocketData) {
        let VmsAppSocketData::AddFavoriteCamera(push) = socket else { panic!("{socket:?}") };
        self.numbers.send_modify(|numbers| numbers.push(push.camera_id));
        // An error means that the gate is open.
        let _ = self.is_open.lock().unwrap().recv_timeout(PATIENCE);
    }

    fn received_intercom_socket(&self, socket: VmsIntercomSocketData) {
        panic!("{socket:?}");
    }
}

/// Has a token of old until it is asked for another.
struct Restored {
    stale: Secret,
    fresh: Secret,
    refreshed: AtomicUsize,
}

impl TokenProvider for Restored {
    async fn token(&self) -> Result<Secret, TokenError> {
        let is_fresh = self.refreshed.load(Ordering::SeqCst) > 0;
        Ok(if is_fresh { &self.fresh } else { &self.stale }.clone())
    }

    async fn refresh(&self, _: &Secret) -> Result<Secret, TokenError> {
        self.refreshed.fetch_add(1, Ordering::SeqCst);
        Ok(self.fresh.clone())
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
