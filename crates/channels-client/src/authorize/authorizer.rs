use std::{pin::Pin, sync::Arc};

use channels_proto::{Authorization, AuthorizationError, UserAuthentication};

use super::{AuthenticationRequest, AuthorizationRequest};

/// Signs for channels, and for users who sign in.
///
/// Its methods may be written as `async fn`s. A closure that takes an [`AuthorizationRequest`] and an `Arc` of a
/// [`DynAuthorizer`] are authorizers too. A signature holds for one socket, so it can only be made once the id of that
/// socket is known: a value obtained before is refused by the server. Whoever has such values from elsewhere gives them
/// in a closure, which is asked again on every new socket.
///
/// Up to [`max_authorizations`](channels_proto::Limits::max_authorizations) requests run at a time, each as its own
/// task. A future that is no longer needed (deadline, disconnect, another socket) is dropped. One that panics counts as
/// [`AuthorizationError::Unavailable`]. What an authorizer does may change at any time: each request asks it anew.
///
/// ```
/// use channels_client::{AuthorizationRequest, Authorizer, proto::{Authorization, AuthorizationError}};
///
/// struct Backend;
///
/// impl Authorizer for Backend {
///     async fn authorize(&self, request: AuthorizationRequest) -> Result<Authorization, AuthorizationError> {
///         if request.channel.as_str() == "private-admins" {
///             return Err(AuthorizationError::declined("only admins may listen"));
///         }
///         Ok(Authorization::new(format!("key:{}", ask_for(&request).await?)))
///     }
/// }
/// # async fn ask_for(_: &AuthorizationRequest) -> Result<String, AuthorizationError> { Ok(String::new()) }
///
/// fn takes(_: impl Authorizer) {}
/// takes(Backend);
/// takes(|request: AuthorizationRequest| async move {
///     Ok(Authorization::new(format!("key:{}", ask_for(&request).await?)))
/// });
/// ```
pub trait Authorizer: Send + Sync + 'static {
    /// Returns the authorization for one channel on one socket.
    fn authorize(
        &self,
        request: AuthorizationRequest,
    ) -> impl Future<Output = Result<Authorization, AuthorizationError>> + Send;

    /// Returns what signs the user in on one socket; declines by default.
    fn authenticate(
        &self,
        request: AuthenticationRequest,
    ) -> impl Future<Output = Result<UserAuthentication, AuthorizationError>> + Send {
        let _ = request;
        std::future::ready(Err(AuthorizationError::declined("it authenticates no users")))
    }

    /// Prepares for `channels` authorizations, which follow once the socket that is being opened is established.
    fn prepare(&self, channels: usize) -> impl Future<Output = ()> + Send {
        let _ = channels;
        std::future::ready(())
    }

    /// Returns `text`, received from a server, with the secrets of this authorizer hidden; none when it contains
    /// none. Called before the text goes into an error or a log; [`Secret::hide_in`](channels_proto::Secret::hide_in)
    /// finds a secret in every spelling.
    fn hide_secrets(&self, text: &str) -> Option<String> {
        let _ = text;
        None
    }

    /// Releases what is kept only for the next request: no more authorizations are in progress.
    fn release(&self) {}

    /// Returns this authorizer with another one for users: a closure that takes an [`AuthenticationRequest`].
    fn with_user_authentication<F, A>(self, authenticate: F) -> WithUserAuthentication<Self, F>
    where
        Self: Sized,
        F: Fn(AuthenticationRequest) -> A + Send + Sync + 'static,
        A: Future<Output = Result<UserAuthentication, AuthorizationError>> + Send,
    {
        WithUserAuthentication { channels: self, authenticate }
    }
}

impl<F, A> Authorizer for F
where
    F: Fn(AuthorizationRequest) -> A + Send + Sync + 'static,
    A: Future<Output = Result<Authorization, AuthorizationError>> + Send,
{
    async fn authorize(&self, request: AuthorizationRequest) -> Result<Authorization, AuthorizationError> {
        self(request).await
    }
}

/// An authorizer with a closure for users: see [`Authorizer::with_user_authentication`].
#[derive(Clone, Debug)]
pub struct WithUserAuthentication<C, F> {
    channels: C,
    authenticate: F,
}

impl<C, F, A> Authorizer for WithUserAuthentication<C, F>
where
    C: Authorizer,
    F: Fn(AuthenticationRequest) -> A + Send + Sync + 'static,
    A: Future<Output = Result<UserAuthentication, AuthorizationError>> + Send,
{
    async fn authorize(&self, request: AuthorizationRequest) -> Result<Authorization, AuthorizationError> {
        self.channels.authorize(request).await
    }

    async fn authenticate(&self, request: AuthenticationRequest) -> Result<UserAuthentication, AuthorizationError> {
        (self.authenticate)(request).await
    }

    async fn prepare(&self, channels: usize) {
        self.channels.prepare(channels).await;
    }

    fn hide_secrets(&self, text: &str) -> Option<String> {
        self.channels.hide_secrets(text)
    }

    fn release(&self) {
        self.channels.release();
    }
}

/// An [`Authorizer`] behind a pointer. Every authorizer implements it, so an `Arc` of one can be used where an
/// `Arc<dyn DynAuthorizer>` is expected.
pub trait DynAuthorizer: Send + Sync + 'static {
    /// Calls [`Authorizer::authorize`].
    fn boxed_authorize(
        self: Arc<Self>,
        request: AuthorizationRequest,
    ) -> AuthorizeFuture<Result<Authorization, AuthorizationError>>;

    /// Calls [`Authorizer::authenticate`].
    fn boxed_authenticate(
        self: Arc<Self>,
        request: AuthenticationRequest,
    ) -> AuthorizeFuture<Result<UserAuthentication, AuthorizationError>>;

    /// Calls [`Authorizer::prepare`].
    fn boxed_prepare(self: Arc<Self>, channels: usize) -> AuthorizeFuture<()>;

    /// Calls [`Authorizer::hide_secrets`].
    fn hide_secrets(&self, text: &str) -> Option<String>;

    /// Calls [`Authorizer::release`].
    fn release(&self);
}

/// What the methods of a [`DynAuthorizer`] return.
pub type AuthorizeFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl<A: Authorizer> DynAuthorizer for A {
    fn boxed_authorize(
        self: Arc<Self>,
        request: AuthorizationRequest,
    ) -> AuthorizeFuture<Result<Authorization, AuthorizationError>> {
        Box::pin(async move { self.authorize(request).await })
    }

    fn boxed_authenticate(
        self: Arc<Self>,
        request: AuthenticationRequest,
    ) -> AuthorizeFuture<Result<UserAuthentication, AuthorizationError>> {
        Box::pin(async move { self.authenticate(request).await })
    }

    fn boxed_prepare(self: Arc<Self>, channels: usize) -> AuthorizeFuture<()> {
        Box::pin(async move { self.prepare(channels).await })
    }

    fn hide_secrets(&self, text: &str) -> Option<String> {
        Authorizer::hide_secrets(self, text)
    }

    fn release(&self) {
        Authorizer::release(self);
    }
}

impl Authorizer for Arc<dyn DynAuthorizer> {
    async fn authorize(&self, request: AuthorizationRequest) -> Result<Authorization, AuthorizationError> {
        Self::clone(self).boxed_authorize(request).await
    }

    async fn authenticate(&self, request: AuthenticationRequest) -> Result<UserAuthentication, AuthorizationError> {
        Self::clone(self).boxed_authenticate(request).await
    }

    async fn prepare(&self, channels: usize) {
        Self::clone(self).boxed_prepare(channels).await;
    }

    fn hide_secrets(&self, text: &str) -> Option<String> {
        (**self).hide_secrets(text)
    }

    fn release(&self) {
        (**self).release();
    }
}
