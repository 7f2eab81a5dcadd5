//! The client under test, from login to the stream of what it was told.

use std::time::Duration;

use vms_pusher::{
    Secret, Tls, VmsApi, VmsChannel, VmsClientInfo, VmsContinuity, VmsCredentials, VmsEvents, VmsPusherApi,
    VmsPusherConfig, VmsPusherOptions, VmsSocketItem,
};
use vms_sandbox::{Sandbox, Session};

/// How long the next thing that has to happen may take.
const STEP_LIMIT: Duration = Duration::from_secs(90);

/// Logs in at the sandbox as `demo` and asks for the socket, as an app does; the configuration that comes of it.
///
/// `logout` does not end the connection, since it is one event of many here.
pub async fn log_in(sandbox: &Sandbox, tls: Tls) -> VmsPusherConfig {
    let api = VmsApi::new(&sandbox.base_url(), tls.clone(), &VmsClientInfo::default()).expect("a valid base URL");
    let login = api.login(&VmsCredentials::new("demo", Secret::new("demo"))).await.expect("the login succeeds");
    let socket = api.with_token(&login.access_token).expect("a valid token").socket_url().await.expect("a socket URL");
    VmsPusherConfig {
        base_url: sandbox.base_url(),
        socket_url: socket.ws_url,
        app_key: socket.app_key,
        user_token: login.access_token,
        user_id: login.user.id,
        access_token_id: login.user.access_token_id.expect("an access token id"),
        options: VmsPusherOptions { tls, stay_after_logout: true, ..VmsPusherOptions::default() },
    }
}

/// The session that a configuration is for.
#[must_use]
pub fn session(config: &VmsPusherConfig) -> Session {
    Session {
        user_id: config.user_id,
        access_token_id: config.access_token_id.clone(),
        access_token: config.user_token.expose().to_owned(),
    }
}

/// A client and its stream.
#[derive(Debug)]
pub struct Consumer {
    /// The client.
    pub api: VmsPusherApi,
    events: VmsEvents,
}

impl Consumer {
    /// Makes the client and has it connect.
    #[must_use]
    pub fn connect(config: VmsPusherConfig) -> Self {
        let api = VmsPusherApi::new(config).expect("a valid configuration");
        let events = api.events();
        api.connect();
        Self { api, events }
    }

    /// The next thing that the client was told.
    pub async fn next(&mut self) -> VmsSocketItem {
        let next = tokio::time::timeout(STEP_LIMIT, self.events.next());
        next.await.expect("something happens in time").expect("the stream goes on")
    }

    /// The next thing that the client was told, whenever that is.
    pub async fn whenever(&mut self) -> VmsSocketItem {
        self.events.next().await.expect("the stream goes on")
    }

    /// Passes over everything up to the first item for which `wanted` has an answer.
    pub async fn until<T>(&mut self, mut wanted: impl FnMut(&VmsSocketItem) -> Option<T>) -> T {
        let mut passed = Vec::new();
        let deadline = tokio::time::Instant::now() + STEP_LIMIT;
        loop {
            let Ok(item) = tokio::time::timeout_at(deadline, self.events.next()).await else {
                panic!("it did not happen in time; what did: {passed:#?}");
            };
            let item = item.expect("the stream goes on");
            if let Some(answer) = wanted(&item) {
                return answer;
            }
            passed.push(item);
        }
    }

    /// Waits until both channels are subscribed, and returns what each says about its continuity, the token's first.
    pub async fn subscribed(&mut self) -> [VmsContinuity; 2] {
        let mut token = None;
        let mut user = None;
        self.until(|item| {
            let continuity = subscription(item)?;
            match channel_of(&continuity) {
                VmsChannel::Token => token = Some(continuity),
                VmsChannel::User => user = Some(continuity),
            }
            token.clone().zip(user.clone())
        })
        .await
        .into()
    }
}

/// The continuity in an item that says that a channel is subscribed, for the first time or again.
fn subscription(item: &VmsSocketItem) -> Option<VmsContinuity> {
    match item {
        VmsSocketItem::Continuity(continuity @ (VmsContinuity::Fresh { .. } | VmsContinuity::ResyncNeeded { .. })) => {
            Some(continuity.clone())
        }
        _ => None,
    }
}

fn channel_of(continuity: &VmsContinuity) -> VmsChannel {
    match continuity {
        VmsContinuity::Fresh { channel } | VmsContinuity::ResyncNeeded { channel, .. } => *channel,
        other => panic!("{other:?} is no subscription"),
    }
}
