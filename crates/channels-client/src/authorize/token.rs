use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use channels_proto::{Secret, SocketId};
use futures_core::future::BoxFuture;
use futures_util::{FutureExt, future::Shared};
use thiserror::Error;

/// Where the bearer token of the authorization endpoint comes from.
pub trait TokenProvider: Send + Sync + 'static {
    /// Returns the token to use now. Asked before every authorization, so it should be at hand.
    fn token(&self) -> BoxFuture<'static, Result<Secret, TokenError>>;

    /// Returns another token: the server refused `rejected`. A provider that has a newer one already returns that.
    ///
    /// Asked once at a time whatever the number of channels, and answered once for a socket; it may take 30 s. When it
    /// returns the rejected token again, the authorization is denied.
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

type Refresh = Shared<BoxFuture<'static, Result<Secret, TokenError>>>;

/// A provider with the rule "one refresh for a socket, whoever asks" around it.
pub(super) struct Tokens {
    provider: Arc<dyn TokenProvider>,
    last: Mutex<Option<LastRefresh>>,
}

struct LastRefresh {
    socket_id: SocketId,
    refresh: Refresh,
}

impl Tokens {
    pub(super) fn new(provider: Arc<dyn TokenProvider>) -> Self {
        Self { provider, last: Mutex::new(None) }
    }

    pub(super) async fn token(&self) -> Result<Secret, TokenError> {
        current_token(Arc::clone(&self.provider)).await
    }

    /// Returns the token to try after the server has refused `rejected` on `socket_id`; none when the one refresh of this
    /// socket has brought no other one.
    ///
    /// The refresh goes on where it stopped when the request that started it is dropped and another one asks.
    pub(super) async fn after_refusal(
        &self,
        rejected: Secret,
        socket_id: &SocketId,
    ) -> Result<Option<Secret>, TokenError> {
        let refresh = self.refresh_for(rejected.clone(), socket_id);
        let token = refresh.clone().await.inspect_err(|_| self.forget(&refresh))?;
        Ok((token != rejected).then_some(token))
    }

    fn refresh_for(&self, rejected: Secret, socket_id: &SocketId) -> Refresh {
        let mut last = self.last();
        // One that is still under way serves a newer socket too: the provider is asked once at a time.
        let usable = last.as_ref().filter(|last| last.socket_id == *socket_id || last.refresh.peek().is_none());
        if let Some(last) = usable {
            return last.refresh.clone();
        }
        let provider = Arc::clone(&self.provider);
        let ask = guarded(async move { provider.refresh(&rejected).await });
        let refresh = ask.boxed().shared();
        *last = Some(LastRefresh { socket_id: socket_id.clone(), refresh: refresh.clone() });
        refresh
    }

    /// A refresh that failed may be tried again on the same socket.
    fn forget(&self, failed: &Refresh) {
        let mut last = self.last();
        if last.as_ref().is_some_and(|last| last.refresh.ptr_eq(failed)) {
            *last = None;
        }
    }

    fn last(&self) -> MutexGuard<'_, Option<LastRefresh>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
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
async fn guarded(call: impl Future<Output = Result<Secret, TokenError>>) -> Result<Secret, TokenError> {
    let unavailable = |message: &str| TokenError::Unavailable { message: message.to_owned() };
    match tokio::time::timeout(PROVIDER_DEADLINE, AssertUnwindSafe(call).catch_unwind()).await {
        Ok(Ok(token)) => token,
        Ok(Err(_)) => Err(unavailable("the token provider panicked")),
        Err(_) => Err(unavailable("the token provider did not answer within 30 s")),
    }
}

/// Fault A02.
const PROVIDER_DEADLINE: Duration = Duration::from_secs(30);
