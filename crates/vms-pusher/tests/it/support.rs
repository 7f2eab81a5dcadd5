//! A sandbox, an API for its first session, and a delegate that keeps what it is told.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use vms_pusher::{
    ConnectionState, PusherError, Secret, VmsAppSocketData, VmsContinuity, VmsIntercomSocketData, VmsPusherApi,
    VmsPusherConfig, VmsSocketItem, VmsSocketManagerDelegate,
};
use vms_sandbox::{Push, Sandbox, SandboxConfig, Session, Target};

/// Long enough for any machine; nothing waits that long unless something is broken.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub async fn sandbox() -> (Sandbox, Session) {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let session = sandbox.sessions().into_iter().next().unwrap();
    (sandbox, session)
}

pub fn config(sandbox: &Sandbox, session: &Session) -> VmsPusherConfig {
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

pub fn api(sandbox: &Sandbox, session: &Session) -> VmsPusherApi {
    VmsPusherApi::new(config(sandbox, session)).unwrap()
}

/// Pushes `groups_deleted` with one id, for an order to check.
pub async fn push_number(sandbox: &Sandbox, session: &Session, number: i64) {
    let push = Push::new("groups_deleted").to(Target::User(session.user_id)).data(serde_json::json!({"ids": [number]}));
    assert_eq!(sandbox.push(push).await.unwrap().sockets, 1, "nobody is subscribed");
}

pub fn number_of(item: &VmsSocketItem) -> Option<i64> {
    match item {
        VmsSocketItem::AppSocket(VmsAppSocketData::GroupsDeleted(ids)) => ids.first().copied(),
        _ => None,
    }
}

pub fn is_state(item: &VmsSocketItem, state: ConnectionState) -> bool {
    matches!(item, VmsSocketItem::ConnectionState { to, .. } if *to == state)
}

type Reaction = Box<dyn FnMut(&VmsSocketItem) + Send>;

/// Keeps what it is told, and can do something about each item.
#[derive(Default)]
pub struct Recorder {
    items: Mutex<Vec<VmsSocketItem>>,
    came: Condvar,
    reaction: Mutex<Option<Reaction>>,
}

impl Recorder {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    pub fn reacting(reaction: impl FnMut(&VmsSocketItem) + Send + 'static) -> Arc<Self> {
        Arc::new(Self { reaction: Mutex::new(Some(Box::new(reaction))), ..Self::default() })
    }

    pub fn items(&self) -> Vec<VmsSocketItem> {
        self.items.lock().unwrap().clone()
    }

    pub fn numbers(&self) -> Vec<i64> {
        self.items().iter().filter_map(number_of).collect()
    }

    /// Waits until the items so far are as wanted.
    pub async fn wait(
        self: &Arc<Self>,
        wanted: impl Fn(&[VmsSocketItem]) -> bool + Send + 'static,
    ) -> Vec<VmsSocketItem> {
        let this = Arc::clone(self);
        tokio::task::spawn_blocking(move || this.wait_blocking(wanted)).await.unwrap()
    }

    pub fn wait_blocking(&self, wanted: impl Fn(&[VmsSocketItem]) -> bool) -> Vec<VmsSocketItem> {
        let items = self.items.lock().unwrap();
        let (items, timeout) = self.came.wait_timeout_while(items, PATIENCE, |items| !wanted(items)).unwrap();
        assert!(!timeout.timed_out(), "it did not come to that: {items:#?}");
        items.clone()
    }

    /// Waits until both channels are subscribed, this often.
    pub async fn wait_subscribed(self: &Arc<Self>, times: usize) {
        let is_subscribed = |item: &&VmsSocketItem| {
            matches!(item, VmsSocketItem::Continuity(VmsContinuity::Fresh { .. } | VmsContinuity::ResyncNeeded { .. }))
        };
        self.wait(move |items| items.iter().filter(is_subscribed).count() >= 2 * times).await;
    }

    fn take(&self, item: &VmsSocketItem) {
        self.items.lock().unwrap().push(item.clone());
        self.came.notify_all();
        if let Some(reaction) = self.reaction.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).as_mut() {
            reaction(item);
        }
    }
}

impl VmsSocketManagerDelegate for Recorder {
    fn changed_connection_state(&self, from: ConnectionState, to: ConnectionState) {
        self.take(&VmsSocketItem::ConnectionState { from, to });
    }

    fn received_error(&self, error: PusherError) {
        self.take(&VmsSocketItem::Error(error));
    }

    fn received_app_socket(&self, socket: VmsAppSocketData) {
        self.take(&VmsSocketItem::AppSocket(socket));
    }

    fn received_intercom_socket(&self, socket: VmsIntercomSocketData) {
        self.take(&VmsSocketItem::IntercomSocket(socket));
    }

    fn received_info(&self, message: String) {
        self.take(&VmsSocketItem::Info { message });
    }

    fn continuity_changed(&self, continuity: VmsContinuity) {
        self.take(&VmsSocketItem::Continuity(continuity));
    }
}

/// Waits until `holds`.
pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let held = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, held).await.unwrap_or_else(|_| panic!("it did not come to {what}"));
}

/// Runs something that may block, such as `disconnect()`, off the runtime.
pub async fn off_the_runtime<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(work)).await.expect("it does not return").unwrap()
}
