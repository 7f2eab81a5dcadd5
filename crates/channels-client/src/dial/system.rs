//! The connector of the operating system.

use std::{fmt, sync::Arc, sync::OnceLock};

use futures_core::future::BoxFuture;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

#[cfg(feature = "proxy")]
use super::proxy::Proxies;
use super::{ConnectError, Resolver, Stream, race, resolver::SystemResolver};
use crate::{Clock, Connector, SystemClock, Tls, endpoint::Endpoint, entropy};

/// Connects over TCP and TLS: the name is looked up, its addresses are tried side by side (RFC 8305), and the connection is
/// secured by a [`Tls`]. Cheap to clone. Clients that share one (an `Arc` of it) save memory.
#[derive(Clone, Default)]
pub struct SystemConnector {
    tls: Tls,
    /// None is the system's.
    resolver: Option<Arc<dyn Resolver>>,
    /// None is the system's.
    clock: Option<Arc<dyn Clock>>,
    /// None is the system's.
    random: Option<Arc<Random>>,
    #[cfg(feature = "proxy")]
    proxies: Option<Arc<Proxies>>,
}

type Random = dyn Fn() -> u64 + Send + Sync;

impl SystemConnector {
    /// Returns a connector with the default [`Tls`], the operating system's resolver, clock and entropy, and without a proxy.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns what [`new`](Self::new) returns, shared by all who ask.
    #[must_use]
    pub fn shared() -> Arc<Self> {
        static SHARED: OnceLock<Arc<SystemConnector>> = OnceLock::new();
        Arc::clone(SHARED.get_or_init(Arc::default))
    }

    /// Secures connections by `tls`. Use the same `Tls` everywhere: its certificates are loaded once, and its sessions resumed.
    #[must_use]
    pub fn with_tls(self, tls: Tls) -> Self {
        Self { tls, ..self }
    }

    /// Connects through `proxies`.
    #[cfg(feature = "proxy")]
    #[must_use]
    pub fn with_proxies(self, proxies: Proxies) -> Self {
        Self { proxies: Some(Arc::new(proxies)), ..self }
    }

    /// Looks names up by `resolver`.
    #[must_use]
    pub fn with_resolver(self, resolver: Arc<dyn Resolver>) -> Self {
        Self { resolver: Some(resolver), ..self }
    }

    /// Takes the time from `clock`; certificates are judged by [that of the `Tls`](crate::TlsBuilder::clock).
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// Takes numbers from `random` instead of from the operating system. Masks and keys are then as foreseeable as these.
    #[must_use]
    pub fn with_random(self, random: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self { random: Some(Arc::new(random)), ..self }
    }

    async fn open(&self, endpoint: &Endpoint) -> Result<Stream, ConnectError> {
        if endpoint.secure && !self.tls.knows_the_time() {
            return Err(ConnectError::Clock { address: endpoint.to_string() });
        }
        let stream = self.reach(endpoint).await?;
        if endpoint.secure { secure(stream, endpoint, &self.tls).await } else { Ok(stream) }
    }

    /// Returns a stream of bytes to and from `endpoint`.
    async fn reach(&self, endpoint: &Endpoint) -> Result<Stream, ConnectError> {
        #[cfg(feature = "proxy")]
        if let Some(proxy) = self.proxies.as_ref().and_then(|proxies| proxies.for_endpoint(endpoint)) {
            // Boxed: few go through a proxy.
            return Box::pin(proxy.tunnel(endpoint, |to| Box::pin(self.connect_tcp(to)))).await;
        }
        self.connect_tcp(endpoint).await
    }

    async fn connect_tcp(&self, endpoint: &Endpoint) -> Result<Stream, ConnectError> {
        let found = match &self.resolver {
            Some(resolver) => resolver.resolve(&endpoint.host, endpoint.port),
            None => SystemResolver.resolve(&endpoint.host, endpoint.port),
        };
        let addresses = found.await.map_err(|error| ConnectError::resolve(endpoint, &error.to_string()))?;
        if addresses.is_empty() {
            return Err(ConnectError::resolve(endpoint, "the name has no address"));
        }
        let connected = Box::pin(race::first_connected(addresses, TcpStream::connect)).await;
        let tcp = connected.map_err(|(address, error)| ConnectError::tcp(endpoint, address, &error))?;
        // A small frame shall not wait for the acknowledgement of the one before; without it all still works.
        let _ = tcp.set_nodelay(true);
        Ok(Stream::tcp(tcp))
    }
}

/// Secures `stream`, at whose other end `endpoint` is.
pub(super) async fn secure(stream: Stream, endpoint: &Endpoint, tls: &Tls) -> Result<Stream, ConnectError> {
    let config = tls.config().await.map_err(|error| ConnectError::tls(endpoint, &error))?;
    let name = ServerName::try_from(endpoint.host.as_ref().to_owned()).map_err(|_| ConnectError::Tls {
        address: endpoint.to_string(),
        reason: "the host cannot appear in a certificate".into(),
    })?;
    // Boxed: the handshake is large, and most of the life of a client is without one.
    let handshake = Box::pin(TlsConnector::from(config).connect(name, stream));
    let tls = handshake.await.map_err(|error| ConnectError::handshake(endpoint, &error))?;
    Ok(Stream::tls(tls))
}

impl Connector for SystemConnector {
    fn connect<'a>(&'a self, endpoint: &'a Endpoint) -> BoxFuture<'a, Result<Stream, ConnectError>> {
        Box::pin(self.open(endpoint))
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone().unwrap_or_else(SystemClock::shared)
    }

    fn random(&self) -> u64 {
        self.random.as_ref().map_or_else(entropy::random, |random| random())
    }
}

impl fmt::Debug for SystemConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("SystemConnector");
        shown.field("tls", &self.tls);
        #[cfg(feature = "proxy")]
        shown.field("proxies", &self.proxies);
        shown.finish_non_exhaustive()
    }
}
