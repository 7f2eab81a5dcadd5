use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use channels_proto::Secret;
use futures_core::future::BoxFuture;
use futures_util::FutureExt;
use thiserror::Error;

/// Where the bearer token of the authorization endpoint comes from.
pub trait TokenProvider: Send + Sync + 'static {
    /// Returns the token to use now. Asked before every authorization, so it should be at hand.
    fn token(&self) -> BoxFuture<'static, Result<Secret, TokenError>>;

    /// Returns another token: the server refused `rejected`. A provider that has a newer one already returns that.
    ///
    /// Asked once at a time whatever the number of channels; it may take 30 s, and runs to its end also when nobody waits
    /// for it any more. When it returns the rejected token again, or one that is refused as well, the authorization is
    /// denied; when a token is refused that has worked since, it is asked again.
    fn refresh(&self, rejected: &Secret) -> BoxFuture<'static, Result<Secret, TokenError>>;
}

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TokenError {
    /// There will be none until someone signs in: the channels that need it are given up.
    #[error("there is no token: {message}")]
    Denied {
        /// What the provider says; must not hold a secret.
        message: String,
    },
    /// There is none at present: tried again after a back-off.
    #[error("the token could not be got: {message}")]
    Unavailable {
        /// What the provider says; must not hold a secret.
        message: String,
    },
}

/// A token that never changes.
#[derive(Clone, Debug)]
pub struct StaticToken(Secret);

impl StaticToken {
    /// Returns a provider of `token`.
    #[must_use]
    pub const fn new(token: Secret) -> Self {
        Self(token)
    }
}

impl TokenProvider for StaticToken {
    fn token(&self) -> BoxFuture<'static, Result<Secret, TokenError>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }

    fn refresh(&self, rejected: &Secret) -> BoxFuture<'static, Result<Secret, TokenError>> {
        Box::pin(std::future::ready(Ok(rejected.clone())))
    }
}

/// Asks `provider` for its token, as the authorizer does: within 30 s, and a panic is an error. Needs the time driver of
/// the runtime it is awaited on.
///
/// # Errors
/// What the provider says; [`TokenError::Unavailable`] when it panics or does not answer in time.
pub async fn current_token(provider: Arc<dyn TokenProvider>) -> Result<Secret, TokenError> {
    guarded(async move { provider.token().await }).await
}

/// Runs a call of the provider with its deadline; a panic in it is an error like another.
pub(super) async fn guarded(call: impl Future<Output = Result<Secret, TokenError>>) -> Result<Secret, TokenError> {
    let unavailable = |message: &str| TokenError::Unavailable { message: message.to_owned() };
    match tokio::time::timeout(PROVIDER_DEADLINE, AssertUnwindSafe(call).catch_unwind()).await {
        Ok(Ok(token)) => token,
        Ok(Err(_)) => Err(unavailable("the token provider panicked")),
        Err(_) => Err(unavailable("the token provider did not answer within 30 s")),
    }
}

/// Fault A02.
const PROVIDER_DEADLINE: Duration = Duration::from_secs(30);
