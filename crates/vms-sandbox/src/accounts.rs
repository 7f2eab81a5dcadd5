//! Users, their sessions and tokens.

use serde::{Deserialize, Serialize};

use crate::config::UserConfig;

/// A login session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The user.
    pub user_id: i64,
    /// The session's id; its channel is `private-token.{access_token_id}`.
    pub access_token_id: String,
    /// The bearer token.
    pub access_token: String,
}

impl Session {
    /// The channel of this session only.
    #[must_use]
    pub fn token_channel(&self) -> String {
        token_channel(&self.access_token_id)
    }

    /// The channel of all sessions of its user.
    #[must_use]
    pub fn user_channel(&self) -> String {
        user_channel(self.user_id)
    }
}

/// The state of a login session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionInfo {
    /// The user.
    pub user_id: i64,
    /// The session's id; its channel is `private-token.{access_token_id}`.
    pub access_token_id: String,
    /// The bearer token.
    pub access_token: String,
    /// Whether the token is accepted.
    pub token_status: TokenStatus,
}

/// Whether a session's token is accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenStatus {
    /// Yes.
    #[default]
    Valid,
    /// No: 419.
    Expired,
    /// No: 401.
    Revoked,
}

pub(crate) fn token_channel(access_token_id: &str) -> String {
    format!("private-token.{access_token_id}")
}

pub(crate) fn user_channel(user_id: i64) -> String {
    format!("private-user.{user_id}")
}

/// What a bearer token is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bearer {
    Valid(Session),
    Expired,
    Unknown,
}

pub(crate) struct Accounts {
    users: Vec<UserConfig>,
    sessions: Vec<SessionInfo>,
    rng: fastrand::Rng,
}

impl Accounts {
    pub(crate) fn new(users: Vec<UserConfig>, seed: u64) -> Self {
        let opened: Vec<i64> = users.iter().flat_map(|user| vec![user.id; user.sessions]).collect();
        let mut accounts = Self { users, sessions: Vec::new(), rng: fastrand::Rng::with_seed(seed) };
        for user_id in opened {
            let _ = accounts.open(user_id);
        }
        accounts
    }

    pub(crate) fn user_ids(&self) -> Vec<i64> {
        self.users.iter().map(|user| user.id).collect()
    }

    pub(crate) fn user(&self, id: i64) -> Option<&UserConfig> {
        self.users.iter().find(|user| user.id == id)
    }

    pub(crate) fn infos(&self) -> Vec<SessionInfo> {
        self.sessions.clone()
    }

    pub(crate) fn sessions(&self) -> Vec<Session> {
        self.sessions.iter().map(session).collect()
    }

    pub(crate) fn session(&self, access_token_id: &str) -> Option<Session> {
        self.sessions.iter().find(|info| info.access_token_id == access_token_id).map(session)
    }

    /// Opens a session of a user; `None` if there is no such user. The oldest sessions beyond
    /// [`MAX_SESSIONS`] are forgotten.
    pub(crate) fn open(&mut self, user_id: i64) -> Option<Session> {
        self.user(user_id)?;
        if self.sessions.len() >= MAX_SESSIONS {
            self.sessions.remove(0);
        }
        let info = SessionInfo {
            user_id,
            access_token_id: hex(&mut self.rng, 40),
            access_token: format!("sandbox.{}", hex(&mut self.rng, 64)),
            token_status: TokenStatus::Valid,
        };
        let opened = session(&info);
        self.sessions.push(info);
        Some(opened)
    }

    pub(crate) fn log_in(&mut self, login: &str, password: &str) -> Option<Session> {
        let id = self.users.iter().find(|user| user.login == login && user.password == password)?.id;
        self.open(id)
    }

    pub(crate) fn set_token_status(&mut self, access_token_id: &str, status: TokenStatus) -> bool {
        let found = self.sessions.iter_mut().find(|info| info.access_token_id == access_token_id);
        found.map(|info| info.token_status = status).is_some()
    }

    /// Gives the session another token; the old one is unknown from now on.
    pub(crate) fn rotate(&mut self, access_token_id: &str) -> Option<String> {
        let token = format!("sandbox.{}", hex(&mut self.rng, 64));
        let info = self.sessions.iter_mut().find(|info| info.access_token_id == access_token_id)?;
        token.clone_into(&mut info.access_token);
        Some(token)
    }

    pub(crate) fn bearer(&self, token: &str) -> Bearer {
        let Some(info) = self.sessions.iter().find(|info| info.access_token == token) else {
            return Bearer::Unknown;
        };
        match info.token_status {
            TokenStatus::Valid => Bearer::Valid(session(info)),
            TokenStatus::Expired => Bearer::Expired,
            TokenStatus::Revoked => Bearer::Unknown,
        }
    }
}

fn session(info: &SessionInfo) -> Session {
    Session {
        user_id: info.user_id,
        access_token_id: info.access_token_id.clone(),
        access_token: info.access_token.clone(),
    }
}

pub(crate) fn hex(rng: &mut fastrand::Rng, digits: usize) -> String {
    (0..digits).map(|_| rng.digit(16)).collect()
}

/// Enough for the ten thousand accounts of a load test, with room for their logging in anew.
const MAX_SESSIONS: usize = 65_536;
