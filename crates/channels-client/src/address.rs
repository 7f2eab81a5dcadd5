use std::{fmt, time::Duration};

use channels_proto::AppKey;
use futures_core::future::BoxFuture;
use thiserror::Error;

use crate::SocketUrl;

/// Where a Pusher server listens, and the key of the application on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketAddress {
    /// Where it listens.
    pub url: SocketUrl,
    /// The key of the application.
    pub app_key: AppKey,
}

/// Finds the Pusher server again when the known address no longer works.
///
/// It is asked when the server has refused the client (an HTTP status such as 404, a web page, TLS, close codes 4000
/// to 4099, a close before the connection was established) and after every third consecutive failed attempt. It is
/// asked in the background, one call at a time, and may take 30 s: meanwhile attempts continue at the known address,
/// and the first one that begins after the answer goes to the new address. The first attempt of a client goes to the
/// address in its [`ClientOptions`](crate::ClientOptions).
pub trait SocketAddressProvider: Send + Sync + fmt::Debug + 'static {
    /// Returns the current address, which may be the known one.
    ///
    /// An error, a panic or a timeout takes the place of the next attempt and is reported as its failure
    /// ([`ConnectFailureKind::Address`](channels_proto::ConnectFailureKind::Address)); the attempt after it goes to
    /// the known address.
    fn find(&self) -> BoxFuture<'static, Result<SocketAddress, SocketAddressError>>;
}

/// Why there is no address of the Pusher server.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the address of the Pusher server could not be found: {message}")]
pub struct SocketAddressError {
    /// The provider's explanation; must not contain a secret.
    pub message: String,
    /// How long the provider should not be asked again, if it says so; attempts continue.
    pub retry_after: Option<Duration>,
}
