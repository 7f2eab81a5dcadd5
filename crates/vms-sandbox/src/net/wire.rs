//! The bytes of one connection, watched closely enough for the servers that care how they come.

use std::{
    io,
    pin::Pin,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::Notify,
};
use tokio_rustls::server::TlsStream;

use crate::pusher::upgrade::Pending;

use std::sync::Arc;

/// A connection, with TLS or without.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// What the handlers of a connection's requests may ask of the connection.
#[derive(Debug, Default)]
pub(crate) struct Link {
    /// Reads since the last write: a request that came in one piece was one read.
    reads: AtomicU32,
    corked: AtomicBool,
    dropping: Notify,
    pending: Mutex<Option<Pending>>,
}

impl Link {
    pub(crate) fn came_in_one_piece(&self) -> bool {
        self.reads.load(Ordering::Relaxed) <= 1
    }

    /// Keeps back what is written from now on, until [`Wire::uncork`].
    pub(crate) fn cork(&self) {
        self.corked.store(true, Ordering::Relaxed);
    }

    /// Drops the connection, whatever it is about.
    pub(crate) fn drop_connection(&self) {
        self.dropping.notify_one();
    }

    pub(crate) async fn dropping(&self) {
        self.dropping.notified().await;
    }

    /// Leaves an upgrade to be carried out once the response has been sent.
    pub(crate) fn leave(&self, pending: Pending) {
        *self.pending.lock().unwrap_or_else(PoisonError::into_inner) = Some(pending);
    }

    pub(crate) fn take_pending(&self) -> Option<Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A connection that counts its reads and can keep back its writes.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: Stream,
    link: Arc<Link>,
    held: Vec<u8>,
}

impl Wire {
    pub(crate) const fn new(stream: Stream, link: Arc<Link>) -> Self {
        Self { stream, link, held: Vec::new() }
    }

    /// Lets writes through again; returns what was kept back, to be sent first.
    pub(crate) fn uncork(&mut self) -> Vec<u8> {
        self.link.corked.store(false, Ordering::Relaxed);
        std::mem::take(&mut self.held)
    }

    /// Makes dropping the connection a reset.
    pub(crate) fn set_reset(&self) {
        let tcp = match &self.stream {
            Stream::Plain(tcp) => tcp,
            Stream::Tls(tls) => tls.get_ref().0,
        };
        // A connection that is gone already needs no reset.
        let _ = tcp.set_zero_linger();
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = match &mut this.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_read(context, buffer),
            Stream::Tls(tls) => Pin::new(tls.as_mut()).poll_read(context, buffer),
        };
        if buffer.filled().len() > before {
            this.link.reads.fetch_add(1, Ordering::Relaxed);
        }
        read
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.link.reads.store(0, Ordering::Relaxed);
        if this.link.corked.load(Ordering::Relaxed) {
            this.held.extend_from_slice(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        match &mut this.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_write(context, bytes),
            Stream::Tls(tls) => Pin::new(tls.as_mut()).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_flush(context),
            Stream::Tls(tls) => Pin::new(tls.as_mut()).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_shutdown(context),
            Stream::Tls(tls) => Pin::new(tls.as_mut()).poll_shutdown(context),
        }
    }
}
