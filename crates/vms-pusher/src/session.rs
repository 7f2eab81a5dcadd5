use std::sync::{Mutex, PoisonError};

use channels_client::{Clock as _, SystemClock, TokenError, TokenProvider};
use channels_proto::{ChannelName, ChannelNameError, Secret, Time};

use crate::config_error::ConfigError;
use crate::continuity::{TOKEN_CHANNEL, USER_CHANNEL};

/// One login of one user, whose pushes a client receives: see
/// [`VmsPusherApi::set_session`](crate::VmsPusherApi::set_session).
///
/// A login returns one: [`VmsLogin::session`](crate::VmsLogin::session).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VmsSession {
    pub(crate) user_token: Secret,
    pub(crate) user_id: i64,
    pub(crate) access_token_id: String,
    /// Pushes to it may have been sent since then.
    pub(crate) begun: Time,
}

impl VmsSession {
    /// Creates the session with this access token, of the user with this id; `access_token_id` names the session's
    /// channel.
    ///
    /// Create it as soon as there is a token: what the session's own channel carried before does not count as missed.
    #[must_use]
    pub fn new(user_token: Secret, user_id: i64, access_token_id: impl Into<String>) -> Self {
        Self::begun_at(now(), user_token, user_id, access_token_id.into())
    }

    pub(crate) const fn begun_at(begun: Time, user_token: Secret, user_id: i64, access_token_id: String) -> Self {
        Self { user_token, user_id, access_token_id, begun }
    }

    /// Checks all of it.
    pub(crate) fn channels(&self) -> Result<ChannelNames, ConfigError> {
        check_token(&self.user_token)?;
        ChannelNames::new(self.user_id, &self.access_token_id)
    }
}

/// The clock of sessions, which is that of clients.
pub(crate) fn now() -> Time {
    SystemClock::new().now()
}

/// The names of a session's two channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChannelNames {
    pub(crate) token: ChannelName,
    pub(crate) user: ChannelName,
}

impl ChannelNames {
    pub(crate) fn new(user_id: i64, access_token_id: &str) -> Result<Self, ConfigError> {
        let user = ChannelName::parse(&format!("{USER_CHANNEL}{user_id}")).ok().filter(|_| user_id >= 0);
        let user = user.ok_or(ConfigError::UserId { value: user_id })?;
        Ok(Self { token: token_channel(access_token_id)?, user })
    }
}

/// Returns the channel of the session with this id.
pub(crate) fn token_channel(id: &str) -> Result<ChannelName, ConfigError> {
    let wrong = |error| ConfigError::AccessTokenId { value: id.to_owned(), error };
    if id.is_empty() {
        return Err(wrong(ChannelNameError::Empty));
    }
    ChannelName::parse(&format!("{TOKEN_CHANNEL}{id}")).map_err(wrong)
}

/// A token stands in a header (H05).
pub(crate) fn check_token(token: &Secret) -> Result<(), ConfigError> {
    let text = token.expose();
    if text.is_empty() {
        return Err(ConfigError::UserToken { reason: "the token is empty" });
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        let reason = "the token contains a character that is not allowed in a header, such as a line break";
        return Err(ConfigError::UserToken { reason });
    }
    Ok(())
}

/// The token of the present session, when the app has no provider.
#[derive(Debug)]
pub(crate) struct SessionToken(Mutex<Secret>);

impl SessionToken {
    pub(crate) const fn new(token: Secret) -> Self {
        Self(Mutex::new(token))
    }

    pub(crate) fn set(&self, token: Secret) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = token;
    }

    fn present(&self) -> Secret {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl TokenProvider for SessionToken {
    async fn token(&self) -> Result<Secret, TokenError> {
        Ok(self.present())
    }

    /// There is another one only if the session has changed since.
    async fn refresh(&self, _rejected: &Secret) -> Result<Secret, TokenError> {
        Ok(self.present())
    }
}
