//! Who signs for private channels.

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

/// What an [`Authorizer`] is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// The channel to sign for.
    pub channel: ChannelName,
    /// The socket to sign for.
    pub socket_id: SocketId,
    /// The present token has been refused: get another one first.
    pub refresh_token: bool,
}

/// Signs for private channels.
///
/// Up to [`max_authorizations`](channels_proto::Limits::max_authorizations) requests run at a time, each as a task of
/// its own. A future that is not wanted any more (deadline, disconnect) is dropped. One that panics counts as
/// [`AuthorizationError::Unavailable`].
pub trait Authorizer: Send + Sync + 'static {
    /// Gets the authorization for one channel on one socket.
    fn authorize(&self, request: AuthorizationRequest)
    -> BoxFuture<'static, Result<Authorization, AuthorizationError>>;

    /// A socket is being opened, and `channels` authorizations will be asked for when it is there.
    fn prepare(&self, channels: usize) -> BoxFuture<'static, ()> {
        let _ = channels;
        Box::pin(std::future::ready(()))
    }

    /// Returns `text`, which a server said, without the secrets of this authorizer in it; none when there are none in it.
    /// Asked before the text gets into an error or a log; [`Secret::hide_in`](channels_proto::Secret::hide_in) finds a
    /// secret in every spelling.
    fn hide_secrets(&self, text: &str) -> Option<String> {
        let _ = text;
        None
    }

    /// Nothing more is being authorized: let go of what is only kept for the next request.
    fn release(&self) {}
}
