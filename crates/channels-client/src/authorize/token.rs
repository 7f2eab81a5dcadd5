use std::{panic::AssertUnwindSafe, pin::Pin, sync::Arc, time::Duration};

use channels_proto::Secret;
use futures_util::FutureExt;
use thiserror::Error;

/// Provides the bearer token for the authorization endpoint.
///
/// Its methods may be written as `async fn`s. A closure that takes `Option<Secret>` is a provider too: it gets `None`
/// when asked for the token to use now, and the rejected token when asked for another one.
///
/// ```
/// use channels_client::{TokenError, TokenProvider, proto::Secret};
///
/// struct Keychain;
///
/// impl TokenProvider for Keychain {
///     async fn token(&self) -> Result<Secret, TokenError> {
///         Ok(Secret::new("from the keychain"))
///     }
///
///     async fn refresh(&self, _rejected: &Secret) -> Result<Secret, TokenError> {
///         Err(TokenError::Denied { message: "the user has to log in again".to_owned() })
///     }
/// }
///
/// fn takes(_: impl TokenProvider) {}
/// takes(Keychain);
/// takes(|rejected: Option<Secret>| async move {
///     Ok(Secret::new(if rejected.is_none() { "the current one" } else { "another one" }))
/// });
/// ```
pub trait TokenProvider: Send + Sync + 'static {
    /// Returns the token to use now. Called before every authorization, so it should be available at once.
    fn token(&self) -> impl Future<Output = Result<Secret, TokenError>> + Send;

    /// Returns another token, because the server refused `rejected`. A provider that already has a newer one returns
    /// that.
    ///
    /// It must be a token for which the server signs the same channels. Where a channel is named after a login
    /// session, as a VMS names the session's channel, that is a renewed token of this session and not the token of
    /// another login: the latter has its own channel, and would be denied this one for good. When only another login
    /// can help, return [`TokenError::Denied`], and give the client the other channel with
    /// [`StreamClient::replace`](crate::StreamClient::replace) (or, with a VMS, with `VmsPusherApi::set_session`).
    ///
    /// There is one call at a time whatever the number of channels; it may take 30 s, and runs to completion even
    /// when nobody waits for it any more. When it returns the rejected token again, or one that is refused as well,
    /// the authorization is denied; when a token that has worked since is refused, this is called again.
    fn refresh(&self, rejected: &Secret) -> impl Future<Output = Result<Secret, TokenError>> + Send;
}

impl<F, A> TokenProvider for F
where
    F: Fn(Option<Secret>) -> A + Send + Sync + 'static,
    A: Future<Output = Result<Secret, TokenError>> + Send,
{
    async fn token(&self) -> Result<Secret, TokenError> {
        self(None).await
    }

    async fn refresh(&self, rejected: &Secret) -> Result<Secret, TokenError> {
        self(Some(rejected.clone())).await
    }
}

/// A [`TokenProvider`] behind a pointer. Every provider implements it, so an `Arc` of one can be used where an
/// `Arc<dyn DynTokenProvider>` is expected.
pub trait DynTokenProvider: Send + Sync + 'static {
    /// Calls [`TokenProvider::token`].
    fn boxed_token(self: Arc<Self>) -> TokenFuture;

    /// Calls [`TokenProvider::refresh`].
    fn boxed_refresh(self: Arc<Self>, rejected: Secret) -> TokenFuture;
}

/// What a [`DynTokenProvider`] returns.
pub type TokenFuture = Pin<Box<dyn Future<Output = Result<Secret, TokenError>> + Send>>;

impl<P: TokenProvider> DynTokenProvider for P {
    fn boxed_token(self: Arc<Self>) -> TokenFuture {
        Box::pin(async move { self.token().await })
    }

    fn boxed_refresh(self: Arc<Self>, rejected: Secret) -> TokenFuture {
        Box::pin(async move { self.refresh(&rejected).await })
    }
}

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TokenError {
    /// There will be none until someone logs in: the channels that need it are given up.
    #[error("there is no token: {message}")]
    Denied {
        /// What the provider says; must not hold a secret.
        message: String,
    },
    /// There is none at the moment: retried after a back-off.
    #[error("the token could not be obtained: {message}")]
    Unavailable {
        /// What the provider says; must not hold a secret.
        message: String,
    },
}

/// A token that never changes.
#[derive(Clone, Debug)]
pub struct StaticToken(Secret);

impl StaticToken {
    /// Creates a provider of `token`.
    #[must_use]
    pub const fn new(token: Secret) -> Self {
        Self(token)
    }
}

impl TokenProvider for StaticToken {
    async fn token(&self) -> Result<Secret, TokenError> {
        Ok(self.0.clone())
    }

    async fn refresh(&self, rejected: &Secret) -> Result<Secret, TokenError> {
        Ok(rejected.clone())
    }
}

/// Asks `provider` for its token like the authorizer does: within 30 s, and with a panic as an error. Needs the time
/// driver of the runtime on which it is awaited.
///
/// # Errors
/// The provider's error; [`TokenError::Unavailable`] when it panics or does not answer in time.
pub async fn current_token(provider: Arc<dyn DynTokenProvider>) -> Result<Secret, TokenError> {
    guarded(async move { provider.boxed_token().await }).await
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
