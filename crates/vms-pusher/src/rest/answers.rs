use std::fmt;

use channels_client::presentable_url;
use channels_proto::{Secret, Time};
use serde::{Deserialize, Serialize};

use crate::model::{VmsUser, model};
use crate::session::{VmsSession, check_token, token_channel};

/// What a user logs in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VmsCredentials {
    /// The login name.
    pub login: String,
    /// The password.
    pub password: Secret,
    /// The user's answer to the captcha, if the server asked for one.
    pub captcha: Option<String>,
    /// The key of that captcha.
    pub key: Option<String>,
    /// The session to continue, when the server asked to choose one.
    pub session_id: Option<String>,
}

impl VmsCredentials {
    /// Creates credentials from a name and a password.
    #[must_use]
    pub fn new(login: impl Into<String>, password: Secret) -> Self {
        Self { login: login.into(), password, captcha: None, key: None, session_id: None }
    }
}

/// The result of a login.
#[derive(Debug, Clone, PartialEq)]
pub struct VmsLogin {
    /// Who logged in. `access_token_id` names the session's channel.
    pub user: VmsUser,
    /// The token for all other calls.
    pub access_token: Secret,
    /// When it was asked for.
    asked: Time,
}

/// Where a VMS's Pusher server is. `Debug` prints the address without its query and without anything that may be a
/// user and password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VmsSocketUrl {
    /// Its address, such as `wss://example.com:443/pusher`.
    pub ws_url: String,
    /// The app key on it.
    pub app_key: String,
}

/// Whether a change of a camera's groups is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupSync {
    /// It is done.
    Sync,
    /// It will be done: the push `camera_groups_synced` reports when.
    Async,
}

impl fmt::Debug for VmsSocketUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VmsSocketUrl")
            .field("ws_url", &presentable_url(&self.ws_url))
            .field("app_key", &self.app_key)
            .finish()
    }
}

#[derive(Serialize)]
pub(super) struct LoginBody<'a> {
    login: &'a str,
    password: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    captcha: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<&'a str>,
}

impl<'a> LoginBody<'a> {
    pub(super) fn new(credentials: &'a VmsCredentials) -> Self {
        Self {
            login: &credentials.login,
            password: credentials.password.expose(),
            captcha: credentials.captcha.as_deref(),
            key: credentials.key.as_deref(),
            session_id: credentials.session_id.as_deref(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct SyncGroupsBody<'a> {
    pub(super) groups: &'a [i64],
}

model! {
    pub(super) struct LoginAnswer {
        optional {
            user: VmsUser = "user",
            access_token: String = "access_token",
        }
    }
}

impl LoginAnswer {
    /// Returns the user and the token; none when the answer lacks one of them.
    pub(super) fn into_login(self, asked: Time) -> Option<VmsLogin> {
        let access_token = self.access_token.map(Secret::new).filter(|token| !token.expose().is_empty())?;
        Some(VmsLogin { user: self.user?, access_token, asked })
    }
}

impl VmsLogin {
    /// Returns the session that this login began; none when the server gave its access token no id, without which
    /// there are no pushes.
    #[must_use]
    pub fn session(&self) -> Option<VmsSession> {
        let id = self.user.access_token_id.clone()?;
        Some(VmsSession::begun_at(self.asked, self.access_token.clone(), self.user.id, id))
    }

    /// # Errors
    /// What is wrong with a value in it; the text does not show it.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let Self { user, access_token, .. } = self;
        if check_token(access_token).is_err() {
            return Err("its token contains a character that is not allowed in a header, such as a line break");
        }
        if user.id < 0 {
            return Err("the id of its user is negative");
        }
        let id = user.access_token_id.as_deref();
        if id.is_some_and(|id| token_channel(id).is_err()) {
            return Err("its access_token_id cannot name a channel");
        }
        Ok(())
    }
}

model! {
    pub(super) struct SyncAnswer {
        optional {
            kind: String = "type",
        }
    }
}

impl SyncAnswer {
    pub(super) fn kind(&self) -> Option<GroupSync> {
        let kind = self.kind.as_deref()?;
        let is = |name: &str| kind.eq_ignore_ascii_case(name);
        if is("sync") { Some(GroupSync::Sync) } else { is("async").then_some(GroupSync::Async) }
    }
}
