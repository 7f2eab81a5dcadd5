//! A VMS: its accounts, its pushes, its faults, and the Pusher server that it has.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use channels_sandbox::{Delivered, FaultBook, Hooks, RawData, RawPush, Server, Tasks, matches_pattern, php};

use crate::{
    accounts::{self, Accounts, Session, TokenStatus},
    config::{GroupSync, SandboxConfig},
    early::EarlyEvents,
    error::SandboxError,
    fault::{Fault, RestFault, Side},
    push::{Broadcast, Encoding, Push, PushError, Target, envelope},
    requests::Requests,
    state::SandboxState,
};

pub(crate) struct Vms {
    pub(crate) server: Server,
    pub(crate) requests: Requests,
    pub(crate) rest_faults: FaultBook<RestFault>,
    /// Pushes that come later than the request that caused them.
    pub(crate) later: Tasks,
    pub(crate) group_sync: GroupSync,
    pub(crate) serves_control: bool,
    ws_url: Option<String>,
    open_channels: Vec<String>,
    accounts: Mutex<Accounts>,
    notification_ids: Mutex<fastrand::Rng>,
}

impl Vms {
    pub(crate) fn new(config: SandboxConfig) -> Result<Self, SandboxError> {
        check_users(&config)?;
        let hooks: Arc<dyn Hooks> =
            if config.event_before_acknowledgement { Arc::new(EarlyEvents) } else { Arc::new(()) };
        Ok(Self {
            server: Server::bind(config.server(), hooks)?,
            requests: Requests::default(),
            rest_faults: FaultBook::default(),
            later: Tasks::default(),
            group_sync: config.group_sync,
            serves_control: config.control,
            ws_url: config.ws_url,
            open_channels: config.open_channels,
            accounts: Mutex::new(Accounts::new(config.users, config.seed)),
            notification_ids: Mutex::new(fastrand::Rng::with_seed(config.seed.wrapping_add(2))),
        })
    }

    /// What `GET wsurl` answers.
    pub(crate) fn announced_socket_url(&self) -> String {
        self.ws_url.clone().unwrap_or_else(|| self.server.socket_url())
    }

    // People and their channels.

    pub(crate) fn accounts(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn may_join(&self, session: &Session, channel: &str) -> bool {
        channel == session.token_channel()
            || channel == session.user_channel()
            || self.open_channels.iter().any(|pattern| matches_pattern(pattern, channel))
    }

    pub(crate) fn open_session(&self, user_id: i64) -> Option<Session> {
        let session = self.accounts().open(user_id);
        self.server.changes().touch();
        session
    }

    pub(crate) fn set_token_status(&self, access_token_id: &str, status: TokenStatus) -> bool {
        let found = self.accounts().set_token_status(access_token_id, status);
        self.server.changes().touch();
        found
    }

    pub(crate) fn rotate_token(&self, access_token_id: &str) -> Option<String> {
        let token = self.accounts().rotate(access_token_id);
        self.server.changes().touch();
        token
    }

    /// Pushes `logout` to a session, then revokes its token; false if there is no such session.
    pub(crate) async fn log_out(&self, access_token_id: &str, subject: Option<&str>) -> bool {
        let push = Push {
            subject: subject.map(str::to_owned),
            ..Push::new("logout").to(Target::Session(access_token_id.to_owned()))
        };
        let pushed = self.push(&push).await.is_ok();
        let revoked = self.set_token_status(access_token_id, TokenStatus::Revoked);
        pushed && revoked
    }

    // Events.

    pub(crate) fn broadcasts(&self, push: &Push) -> Result<Vec<Broadcast>, PushError> {
        let id = uuid(&mut self.notification_ids.lock().unwrap_or_else(PoisonError::into_inner));
        envelope::broadcasts(push, &self.accounts(), &id)
    }

    pub(crate) async fn push(&self, push: &Push) -> Result<Delivered, PushError> {
        let mut delivered = Delivered::default();
        for Broadcast { channel, event, data } in self.broadcasts(push)? {
            // A VMS is written in PHP.
            let json = php::escaped(&data.to_string());
            let data = match push.encoding {
                Encoding::Bare => RawData::Bare(json),
                Encoding::Text => RawData::Text(json),
            };
            let raw = RawPush { channel, event, data, except: push.except.clone() };
            delivered.sockets += self.server.publish_as(push.type_.clone(), raw).await.sockets;
        }
        Ok(delivered)
    }

    // Faults.

    pub(crate) fn inject(&self, fault: Fault) {
        let times = fault.times;
        match Side::from(fault.kind) {
            Side::Rest(kind) => self.rest_faults.add(channels_sandbox::Fault { kind, times }),
            Side::Socket(kind) => self.server.inject(channels_sandbox::Fault { kind, times }),
        }
    }

    pub(crate) fn clear_faults(&self) {
        self.rest_faults.clear();
        self.server.clear_faults();
    }

    // Looking.

    pub(crate) fn state(&self) -> SandboxState {
        let server = self.server.state();
        SandboxState {
            base_url: self.server.base_url(),
            socket_url: self.server.socket_url(),
            app_key: self.server.app().key.clone(),
            profile: self.server.profile(),
            sessions: self.accounts().infos(),
            sockets: server.sockets,
            ended: server.ended,
            sockets_ever: server.sockets_ever,
            upgrades_ever: server.upgrades_ever,
            channels: server.channels,
            requests: self.requests.counts(),
            crashes: server.crashes,
        }
    }
}

fn check_users(config: &SandboxConfig) -> Result<(), SandboxError> {
    let mut ids: Vec<_> = config.users.iter().map(|user| user.id).collect();
    ids.sort_unstable();
    if ids.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(SandboxError::Config { setting: "users", problem: "two users have the same id".to_owned() });
    }
    let mut logins: Vec<_> = config.users.iter().map(|user| &user.login).collect();
    logins.sort_unstable();
    if logins.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(SandboxError::Config { setting: "users", problem: "two users have the same login".to_owned() });
    }
    Ok(())
}

/// A random UUID of version 4.
fn uuid(rng: &mut fastrand::Rng) -> String {
    let mut part = |digits| accounts::hex(rng, digits);
    format!("{}-{}-4{}-8{}-{}", part(8), part(4), part(3), part(3), part(12))
}
