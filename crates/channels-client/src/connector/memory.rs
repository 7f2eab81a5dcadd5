//! Connections within the process.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_core::future::BoxFuture;
use tokio::{
    io::{DuplexStream, duplex},
    sync::mpsc,
};

use super::Connector;
use crate::{Clock, Stream, TokioClock, endpoint::Endpoint, http::ConnectError};

/// A connector whose servers are in the same process, for tests: no port, no TLS, tokio's clock, which `tokio::time::pause`
/// stops, and numbers that a seed determines. The same inputs give the same run.
///
/// # Examples
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use channels_client::{Connector, MemoryConnector, SocketUrl};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// let (connector, mut listener) = MemoryConnector::new(7);
/// let url = SocketUrl::parse("wss://example.com")?;
/// let mut client = connector.connect(url.endpoint()).await?;
/// let (endpoint, mut server) = listener.accept().await.unwrap();
/// assert_eq!(endpoint.host(), "example.com");
/// server.write_all(b"hello").await?;
/// assert_eq!(client.read_u8().await?, b'h');
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct MemoryConnector {
    dialed: mpsc::Sender<(Endpoint, DuplexStream)>,
    clock: Arc<TokioClock>,
    drawn: AtomicU64,
}

/// The servers' end of a [`MemoryConnector`]. When it is dropped, connections are refused.
#[derive(Debug)]
pub struct MemoryListener(mpsc::Receiver<(Endpoint, DuplexStream)>);

impl MemoryConnector {
    /// Creates a connector and the servers' end of it. Up to 64 connections may wait there to be accepted; more wait to be
    /// opened.
    #[must_use]
    pub fn new(seed: u64) -> (Self, MemoryListener) {
        let (dialed, listener) = mpsc::channel(BACKLOG);
        (Self { dialed, clock: Arc::new(TokioClock::new()), drawn: AtomicU64::new(seed) }, MemoryListener(listener))
    }
}

impl MemoryListener {
    /// Returns the next connection and whom it is meant for; none when the connector is gone.
    ///
    /// # Cancel safety
    /// No connection is lost.
    pub async fn accept(&mut self) -> Option<(Endpoint, DuplexStream)> {
        self.0.recv().await
    }
}

impl Connector for MemoryConnector {
    fn connect<'a>(&'a self, endpoint: &'a Endpoint) -> BoxFuture<'a, Result<Stream, ConnectError>> {
        Box::pin(async move {
            let (near, far) = duplex(BUFFER);
            let accepted = self.dialed.send((endpoint.clone(), far)).await;
            accepted.map_err(|_| ConnectError::Tcp {
                address: endpoint.to_string(),
                kind: io::ErrorKind::ConnectionRefused,
                reason: "nobody accepts connections any more".to_owned(),
            })?;
            Ok(Stream::new(near))
        })
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::<TokioClock>::clone(&self.clock)
    }

    /// The generator is `SplitMix64`.
    fn random(&self) -> u64 {
        let drawn = self.drawn.fetch_add(GOLDEN_GAMMA, Ordering::Relaxed).wrapping_add(GOLDEN_GAMMA);
        let mixed = (drawn ^ (drawn >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

const BACKLOG: usize = 64;
/// Bytes on their way in one direction: what a socket of an operating system has room for, roughly.
const BUFFER: usize = 64 * 1024;
const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
