use std::{panic::AssertUnwindSafe, pin::Pin, sync::Arc, time::Duration};

use channels_proto::Secret;
use futures_util::FutureExt;
use thiserror::Error;

/// Where the bearer token of the authorization endpoint comes from.
///
/// Its methods may be written as `async fn`s. A closure that takes `Option<Secret>` is one too: it is given nothing when the
/// token to use now is wanted, and the rejected token when another one is.
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
///     Ok(Secret::new(if rejected.is_none() { "the present one" } else { "another one" }))
/// });
/// ```
pub trait TokenProvider: Send + Sync + 'static {
    /// Returns the token to use now. Asked before every authorization, so it should be at hand.
    fn token(&self) -> impl Future<Output = Result<Secret, TokenError>> + Send;

    /// Returns another token: the server refused `rejected`. A provider that has a newer one already returns that.
    ///
    /// It has to be one for which the server signs the same channels. Where a channel is named after a login session, as the
    /// session's channel of a VMS is, that is a renewed token of this session and not the token of another login: the latter
    /// has a channel of its own, and would be denied this one for good. When only another login can help, return
    /// [`TokenError::Denied`], and give the client the other channel by [`Client::replace`](crate::Client::replace) (or, with a
    /// VMS, by `VmsPusherApi::set_session`).
    ///
    /// Asked once at a time whatever the number of channels; it may take 30 s, and runs to its end also when nobody waits
    /// for it any more. When it returns the rejected token again, or one that is refused as well, the authorization is
    /// denied; when a token is refused that has worked since, it is asked again.
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

/// Any [`TokenProvider`] behind a pointer: every one is one, so an `Arc` of it will do where an `Arc<dyn DynTokenProvider>`
/// is wanted.
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
    async fn token(&self) -> Result<Secret, TokenError> {
        Ok(self.0.clone())
    }

    async fn refresh(&self, rejected: &Secret) -> Result<Secret, TokenError> {
        Ok(rejected.clone())
    }
}

/// Asks `provider` for its token, as the authorizer does: within 30 s, and a panic is an error. Needs the time driver of
/// the runtime it is awaited on.
///
/// # Errors
/// What the provider says; [`TokenError::Unavailable`] when it panics or does not answer in time.
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
