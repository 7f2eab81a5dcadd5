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

/// Finds the Pusher server anew when the address that is known does not work any more.
///
/// It is asked when the server has refused the client (an HTTP status such as 404, a web page, TLS, close codes 4000 to
/// 4099, a close before the connection was established) and after every third attempt in a row that came to nothing. It
/// is asked in the background, once at a time, and may take 30 s: attempts go on at the known address meanwhile, and the
/// next one that begins after the answer goes to the new address. The first attempt of a client goes to the address in
/// its [`ClientOptions`](crate::ClientOptions).
pub trait SocketAddressProvider: Send + Sync + fmt::Debug + 'static {
    /// Returns the present address; it may be the known one.
    ///
    /// An error, a panic and a time-out take the place of the next attempt and are reported as its failure
    /// ([`ConnectFailureKind::Address`](channels_proto::ConnectFailureKind::Address)); the attempt after it goes to the
    /// known address.
    fn find(&self) -> BoxFuture<'static, Result<SocketAddress, SocketAddressError>>;
}

/// Why there is no address of the Pusher server.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the address of the Pusher server could not be found: {message}")]
pub struct SocketAddressError {
    /// What the provider says; must not hold a secret.
    pub message: String,
    /// How long the provider wants to be left alone, if it says so; attempts go on.
    pub retry_after: Option<Duration>,
}
