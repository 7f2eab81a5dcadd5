//! The seam between a client and the world: connections, time and chance.

mod memory;

use std::fmt;

use channels_proto::ConnectFailure;
use futures_core::future::BoxFuture;
use http::HeaderMap;
use std::sync::Arc;

pub use self::memory::{MemoryConnector, MemoryListener};
use crate::{Clock, Stream, endpoint::Endpoint, entropy, http::ConnectError, upgrade::upgrade};

/// Everything that a client needs of the world: connections, time and chance. With one of your own, a whole client runs in
/// a simulation; [`SystemConnector`](crate::SystemConnector) is the default, and [`MemoryConnector`] is for tests.
///
/// Many clients may share one. The methods are called on the client's runtime, and must not block.
pub trait Connector: fmt::Debug + Send + Sync + 'static {
    /// Opens a connection to `endpoint`, secured by TLS when the endpoint [says so](Endpoint::is_secure).
    ///
    /// It has no deadline of its own: whoever needs the connection drops the future in time.
    ///
    /// # Errors
    /// What the caller is to be told; the client tries again.
    fn connect<'a>(&'a self, endpoint: &'a Endpoint) -> BoxFuture<'a, Result<Stream, ConnectError>>;

    /// Makes a WebSocket of `stream`, which is fresh from [`connect`](Self::connect). By default, that is the upgrade of
    /// RFC 6455, section 4.
    ///
    /// # Errors
    /// What the caller is to be told, and how the client goes on.
    fn upgrade<'a>(
        &'a self,
        stream: &'a mut Stream,
        request: &'a UpgradeRequest,
    ) -> BoxFuture<'a, Result<Upgraded, ConnectFailure>> {
        let nonce = [self.random(), self.random()];
        Box::pin(async move {
            let upgraded = upgrade(stream, request, nonce).await;
            upgraded.map_err(|error| error.into_failure(&request.endpoint.to_string(), self.clock().wall()))
        })
    }

    /// Returns the clock, the same one each time.
    fn clock(&self) -> Arc<dyn Clock>;

    /// Returns a number that nobody can foretell: the seed of the jitter comes from here, the key of an upgrade, and the masks
    /// of messages. By default, it comes from the operating system.
    fn random(&self) -> u64 {
        entropy::random()
    }
}

/// What a WebSocket upgrade asks for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UpgradeRequest {
    /// The server.
    pub endpoint: Endpoint,
    /// The path and the query.
    pub target: String,
    /// What the client calls itself.
    pub user_agent: String,
}

/// What came of an upgrade.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Upgraded {
    /// The headers of the answer. Its `Date` is learned from.
    pub headers: HeaderMap,
    /// The bytes that have been read behind the answer.
    pub early: Vec<u8>,
}
