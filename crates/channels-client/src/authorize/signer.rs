use std::{fmt, fmt::Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use channels_proto::{AppKey, Authorization, AuthorizationError, ChannelKind, ChannelName, Secret, UserAuthentication};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

use super::{AuthenticationRequest, AuthorizationRequest, Authorizer};

/// Signs with the secret of the application: for servers, and for tests. Nobody else may have that secret: it signs for
/// every channel and every user.
///
/// ```
/// use channels_client::{AuthorizationRequest, Signer, proto::{AppKey, ChannelName, Secret, SocketId}};
///
/// let signer = Signer::new(AppKey::parse("278d425bdf160c739803")?, Secret::new("7ad3773142a6692b25b8"));
/// let request = AuthorizationRequest::new(ChannelName::parse("private-foobar")?, SocketId::parse("1234.1234").unwrap());
/// let signature = "58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4";
/// assert_eq!(signer.sign(&request)?.auth.expose(), format!("278d425bdf160c739803:{signature}"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Signer {
    key: AppKey,
    secret: Secret,
    master_key: Option<Zeroizing<[u8; 32]>>,
    member: Option<Member>,
    user: Option<User>,
}

type Member = Box<dyn Fn(&AuthorizationRequest) -> Result<String, AuthorizationError> + Send + Sync>;
type User = Box<dyn Fn(&AuthenticationRequest) -> Result<String, AuthorizationError> + Send + Sync>;

/// A text is not a master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the master key is not 32 bytes in base64")]
pub struct MasterKeyError;

impl Signer {
    /// Creates a signer for an application, of private channels so far.
    #[must_use]
    pub const fn new(key: AppKey, secret: Secret) -> Self {
        Self { key, secret, master_key: None, member: None, user: None }
    }

    /// Adds encrypted channels: their keys are derived from `master_key`, 32 bytes in base64, as the server libraries
    /// of Pusher do it from their `encryption_master_key_base64`.
    ///
    /// # Errors
    /// When it is not that.
    pub fn with_master_key(mut self, master_key: &Secret) -> Result<Self, MasterKeyError> {
        let bytes = Zeroizing::new(STANDARD.decode(master_key.expose()).map_err(|_| MasterKeyError)?);
        let mut key = Zeroizing::new([0; 32]);
        if bytes.len() != key.len() {
            return Err(MasterKeyError);
        }
        key.copy_from_slice(&bytes);
        self.master_key = Some(key);
        Ok(self)
    }

    /// Adds presence channels: `member` returns the `channel_data` of who subscribes, a JSON object such as
    /// `{"user_id":"7","user_info":{"name":"Ann"}}`.
    #[must_use]
    pub fn with_member<F>(mut self, member: F) -> Self
    where
        F: Fn(&AuthorizationRequest) -> Result<String, AuthorizationError> + Send + Sync + 'static,
    {
        self.member = Some(Box::new(member));
        self
    }

    /// Adds users who sign in: `user` returns the `user_data` of who it is, a JSON object such as `{"id":"7"}`.
    #[must_use]
    pub fn with_user<F>(mut self, user: F) -> Self
    where
        F: Fn(&AuthenticationRequest) -> Result<String, AuthorizationError> + Send + Sync + 'static,
    {
        self.user = Some(Box::new(user));
        self
    }

    /// Signs for a channel.
    ///
    /// # Errors
    /// [`AuthorizationError::Declined`] for a presence channel without a member and for an encrypted channel without a
    /// master key; otherwise what the closure for the member returns.
    pub fn sign(&self, request: &AuthorizationRequest) -> Result<Authorization, AuthorizationError> {
        let AuthorizationRequest { channel, socket_id, .. } = request;
        let text = format!("{socket_id}:{channel}");
        match channel.kind() {
            ChannelKind::Presence => {
                let member = self.member.as_ref().ok_or_else(|| declined("`with_member` for presence channels"))?;
                let channel_data = member(request)?;
                let auth = self.auth(&format!("{text}:{channel_data}"));
                Ok(Authorization::new(auth).with_channel_data(channel_data))
            }
            ChannelKind::PrivateEncrypted => {
                let shared_secret = self.shared_secret(channel)?;
                Ok(Authorization::new(self.auth(&text)).with_shared_secret(shared_secret))
            }
            ChannelKind::Public | ChannelKind::Private | ChannelKind::ServerToUser | _ => {
                Ok(Authorization::new(self.auth(&text)))
            }
        }
    }

    /// Signs for a user who signs in.
    ///
    /// # Errors
    /// [`AuthorizationError::Declined`] without a user; otherwise what the closure for the user returns.
    pub fn sign_user(&self, request: &AuthenticationRequest) -> Result<UserAuthentication, AuthorizationError> {
        let user_data = self.user.as_ref().ok_or_else(|| declined("`with_user` to sign in"))?(request)?;
        let auth = self.auth(&format!("{}::user::{user_data}", request.socket_id));
        Ok(UserAuthentication::new(auth, user_data))
    }

    /// The key as it is, and the signature of `text`.
    fn auth(&self, text: &str) -> Secret {
        let mut auth = String::with_capacity(self.key.as_str().len() + 1 + 2 * Sha256::output_size());
        let _infallible = write!(auth, "{}:", self.key.as_str());
        // HMAC takes a key of any length, so there is nothing to fail.
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.secret.expose().as_bytes()) {
            mac.update(text.as_bytes());
            for byte in mac.finalize().into_bytes() {
                let _infallible = write!(auth, "{byte:02x}");
            }
        }
        Secret::new(auth)
    }

    /// The key of an encrypted channel, in base64.
    fn shared_secret(&self, channel: &ChannelName) -> Result<Secret, AuthorizationError> {
        let master_key =
            self.master_key.as_ref().ok_or_else(|| declined("`with_master_key` for encrypted channels"))?;
        let digest = Sha256::new().chain_update(channel.as_str()).chain_update(**master_key).finalize();
        let key = Zeroizing::new(<[u8; 32]>::from(digest));
        Ok(Secret::new(STANDARD.encode(*key)))
    }
}

impl Authorizer for Signer {
    async fn authorize(&self, request: AuthorizationRequest) -> Result<Authorization, AuthorizationError> {
        self.sign(&request)
    }

    async fn authenticate(&self, request: AuthenticationRequest) -> Result<UserAuthentication, AuthorizationError> {
        self.sign_user(&request)
    }
}

fn declined(what: &str) -> AuthorizationError {
    AuthorizationError::declined(format!("the signer needs {what}"))
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("key", &self.key).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
