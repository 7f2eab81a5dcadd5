//! Authorization of private channels.

mod http;
mod shared;
mod token;

use channels_proto::{Authorization, AuthorizationError, ChannelName, SocketId};
use futures_core::future::BoxFuture;

pub use self::{
    http::HttpAuthorizer,
    shared::SharedTokens,
    token::{DynTokenProvider, StaticToken, TokenError, TokenFuture, TokenProvider, current_token},
};

/// What an [`Authorizer`] is asked to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// The channel to sign for.
    pub channel: ChannelName,
    /// The socket to sign for.
    pub socket_id: SocketId,
    /// The current token was refused: get another one first.
    pub refresh_token: bool,
}

/// Signs for private channels.
///
/// Up to [`max_authorizations`](channels_proto::Limits::max_authorizations) requests run at a time, each as its own
/// task. A future that is no longer needed (deadline, disconnect) is dropped. One that panics counts as
/// [`AuthorizationError::Unavailable`].
pub trait Authorizer: Send + Sync + 'static {
    /// Returns the authorization for one channel on one socket.
    fn authorize(&self, request: AuthorizationRequest)
    -> BoxFuture<'static, Result<Authorization, AuthorizationError>>;

    /// Prepares for `channels` authorizations, which follow once the socket that is being opened is established.
    fn prepare(&self, channels: usize) -> BoxFuture<'static, ()> {
        let _ = channels;
        Box::pin(std::future::ready(()))
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
}
