//! From a host name to a secured byte stream: resolve, race the addresses, TLS.

mod error;
mod race;
mod resolver;
mod stream;

use std::sync::Arc;

use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

pub use self::error::{CertificateProblem, ConnectError};
pub(crate) use self::error::{io_reason, tls_error};
pub(crate) use self::resolver::Resolve;
use self::resolver::SystemResolver;
pub(crate) use self::stream::{Counted, Stream, write_through};
use crate::{Tls, endpoint::Endpoint};

/// Opens byte streams; used for the WebSocket and for HTTP.
#[derive(Clone)]
pub(crate) struct Dialer {
    tls: Tls,
    resolver: Arc<dyn Resolve>,
}

impl Dialer {
    pub(crate) fn new(tls: Tls) -> Self {
        Self { tls, resolver: Arc::new(SystemResolver) }
    }

    #[cfg(test)]
    pub(crate) fn with_resolver(tls: Tls, resolver: Arc<dyn Resolve>) -> Self {
        Self { tls, resolver }
    }

    /// Connects to `endpoint`. There is no deadline here: the caller drops the future.
    pub(crate) async fn connect(&self, endpoint: &Endpoint) -> Result<Stream, ConnectError> {
        if endpoint.secure && !self.tls.knows_the_time() {
            return Err(ConnectError::Clock { address: endpoint.to_string() });
        }
        let tcp = self.connect_tcp(endpoint).await?;
        if !endpoint.secure {
            return Ok(Stream::Plain(tcp));
        }
        let config = self.tls.config().await.map_err(|error| ConnectError::tls(endpoint, &error))?;
        let name = ServerName::try_from(endpoint.host.as_ref().to_owned()).map_err(|_| ConnectError::Tls {
            address: endpoint.to_string(),
            reason: "the host cannot appear in a certificate".into(),
        })?;
        // Boxed: the handshake is large, and most of the life of a client is without one.
        let handshake = Box::pin(TlsConnector::from(config).connect(name, tcp));
        let tls = handshake.await.map_err(|error| ConnectError::handshake(endpoint, &error))?;
        Ok(Stream::Tls(Box::new(tls)))
    }

    async fn connect_tcp(&self, endpoint: &Endpoint) -> Result<TcpStream, ConnectError> {
        let found = self.resolver.resolve(&endpoint.host, endpoint.port).await;
        let addresses = found.map_err(|error| ConnectError::resolve(endpoint, &error.to_string()))?;
        if addresses.is_empty() {
            return Err(ConnectError::resolve(endpoint, "the name has no address"));
        }
        let connected = Box::pin(race::first_connected(addresses, TcpStream::connect)).await;
        let tcp = connected.map_err(|(address, error)| ConnectError::tcp(endpoint, address, &error))?;
        // A small frame shall not wait for the acknowledgement of the one before; without it all still works.
        let _ = tcp.set_nodelay(true);
        Ok(tcp)
    }
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialer").field("tls", &self.tls).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
