use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use channels_client::{
    ClientOptions, Clock, Connector, Endpoint, Item, MemoryConnector, SocketUrl, Stream,
    http::ConnectError,
    proto::{AppKey, ConnectionState},
};
use futures_core::future::BoxFuture;
use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

use crate::support::{Raw, Under, event_of, public};

/// What the operating system says of the present connection, from now on.
#[derive(Debug, Default)]
struct Fault(Mutex<(Option<io::ErrorKind>, Option<Waker>)>);

impl Fault {
    /// Whoever waits for bytes is told.
    fn occur(&self, kind: io::ErrorKind) {
        let mut fault = self.0.lock().unwrap();
        fault.0 = Some(kind);
        if let Some(waker) = fault.1.take() {
            waker.wake();
        }
    }

    fn check(&self, cx: &Context<'_>) -> io::Result<()> {
        let mut fault = self.0.lock().unwrap();
        fault.1 = Some(cx.waker().clone());
        fault.0.map_or(Ok(()), |kind| Err(kind.into()))
    }
}

/// Connections of which each has a fault of its own.
#[derive(Debug)]
struct Breaking {
    connector: MemoryConnector,
    present: Mutex<Arc<Fault>>,
}

struct Broken {
    stream: Stream,
    fault: Arc<Fault>,
}

impl Connector for Breaking {
    fn connect<'a>(&'a self, endpoint: &'a Endpoint) -> BoxFuture<'a, Result<Stream, ConnectError>> {
        Box::pin(async move {
            let stream = self.connector.connect(endpoint).await?;
            let fault = Arc::<Fault>::default();
            *self.present.lock().unwrap() = Arc::clone(&fault);
            Ok(Stream::new(Broken { stream, fault }))
        })
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.connector.clock()
    }
}

impl AsyncRead for Broken {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.fault.check(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Broken {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.fault.check(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// What a socket has failed with somewhere.
const KINDS: [io::ErrorKind; 14] = [
    io::ErrorKind::AddrNotAvailable,
    io::ErrorKind::BrokenPipe,
    io::ErrorKind::ConnectionAborted,
    io::ErrorKind::ConnectionReset,
    io::ErrorKind::HostUnreachable,
    io::ErrorKind::InvalidData,
    io::ErrorKind::InvalidInput,
    io::ErrorKind::NetworkDown,
    io::ErrorKind::NetworkUnreachable,
    io::ErrorKind::NotConnected,
    io::ErrorKind::Other,
    io::ErrorKind::PermissionDenied,
    io::ErrorKind::TimedOut,
    io::ErrorKind::UnexpectedEof,
];

// N08: whatever the operating system says, that socket is over, is told once, and another one takes its place.
#[tokio::test(start_paused = true)]
async fn every_error_of_a_socket_ends_that_one_alone_and_once() {
    let (connector, mut listener) = MemoryConnector::new(7);
    let connector = Arc::new(Breaking { connector, present: Mutex::default() });
    let url = SocketUrl::parse("wss://example.com").unwrap();
    let mut options = ClientOptions::new(url, AppKey::parse("key").unwrap());
    options.connector = Arc::<Breaking>::clone(&connector);
    let mut under = Under::new(options);
    under.client.subscribe(public("a")).unwrap();
    under.client.connect();
    let mut peers = Vec::new();
    for kind in KINDS {
        let (_, stream) = listener.accept().await.unwrap();
        let mut peer = Raw { stream }.upgrade().await;
        peer.establish("1.1").await;
        peer.acknowledge_all(1).await;
        peer.event("a", "on", json!(0)).await;
        under.until(|item| event_of(item).is_some()).await;
        let began = Instant::now();
        connector.present.lock().unwrap().occur(kind);
        assert!(matches!(under.next().await, Item::StateChanged { to: ConnectionState::Reconnecting, .. }), "{kind}");
        assert!(began.elapsed() < Duration::from_secs(1), "{kind} is noticed by the silence");
        assert!(matches!(under.next().await, Item::ConnectionFailed { retry_in: Some(_), .. }), "{kind}");
        assert!(matches!(under.next().await, Item::Interrupted { .. }), "{kind}");
        let next = under.next().await;
        assert!(matches!(next, Item::StateChanged { to: ConnectionState::Connecting, .. }), "{kind}: {next:?}");
        // It stays open at the server's end, as one does that only the client has given up.
        peers.push(peer);
    }
}
