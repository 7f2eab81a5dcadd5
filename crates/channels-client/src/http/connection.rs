use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use ::http::{Request, Response, response::Parts};
use bytes::{Bytes, BytesMut};
use channels_proto::Time;
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;

use crate::dial::{Counted, Stream, io_reason};

/// A kept-alive connection, polled only while it is in use.
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    mover: Mover,
    bytes_in: Arc<AtomicU64>,
    kept_at: Option<Time>,
}

/// The half of hyper that moves the bytes; empty when the connection has ended.
struct Mover(Option<Pin<Box<Inner>>>);

type Inner = http1::Connection<TokioIo<Counted<Stream>>, Full<Bytes>>;

/// How an exchange failed.
#[derive(Debug)]
pub(super) enum ExchangeError {
    /// A kept-alive connection had been closed before any byte of the answer: safe to try on a new one.
    Stale,
    TooLarge,
    Failed(String),
}

impl Connection {
    pub(super) async fn new(stream: Stream) -> Result<Self, ExchangeError> {
        let stream = Counted::new(stream);
        let bytes_in = stream.counter();
        let mut builder = http1::Builder::new();
        builder.max_buf_size(MAX_HEADER).max_headers(MAX_FIELDS).title_case_headers(true);
        let (sender, mover) = builder.handshake(TokioIo::new(stream)).await.map_err(|error| failed(&error))?;
        Ok(Self { sender, mover: Mover(Some(Box::pin(mover))), bytes_in, kept_at: None })
    }

    /// Returns whether the connection can take a request: the server has not closed it so far.
    pub(super) fn is_alive(&mut self) -> bool {
        self.mover.poll(&mut Context::from_waker(Waker::noop()));
        self.mover.0.is_some() && self.sender.is_ready()
    }

    /// Notes that the connection waits for its next request from `now` on, so that the server may close it meanwhile.
    pub(super) const fn keep(&mut self, now: Time) {
        self.kept_at = Some(now);
    }

    /// Returns for how long it has waited for its next request.
    pub(super) fn age(&self, now: Time) -> Duration {
        self.kept_at.map_or(Duration::ZERO, |at| now.saturating_since(at))
    }

    /// Sends `request` and reads the whole answer, of at most `limit` bytes; its header is `seen` as soon as it is there.
    pub(super) async fn exchange(
        &mut self,
        request: Request<Bytes>,
        limit: usize,
        seen: impl FnOnce(&Parts),
    ) -> Result<Response<Bytes>, ExchangeError> {
        let received_before = self.bytes_in.load(Ordering::Relaxed);
        let answer = self.sender.send_request(request.map(Full::new));
        let response = self.mover.drive(answer).await.map_err(|error| {
            let untouched = self.bytes_in.load(Ordering::Relaxed) == received_before;
            if self.kept_at.is_some() && untouched { ExchangeError::Stale } else { failed(&error) }
        })?;
        let (parts, body) = response.into_parts();
        seen(&parts);
        let body = self.mover.drive(read_body(body, limit)).await?;
        Ok(Response::from_parts(parts, body))
    }
}

impl Mover {
    fn poll(&mut self, cx: &mut Context<'_>) {
        if self.0.as_mut().is_some_and(|connection| connection.as_mut().poll(cx).is_ready()) {
            // How it ended reaches the request through hyper's channel between the two halves.
            self.0 = None;
        }
    }

    /// Polls `work` and the connection it needs until `work` is done.
    async fn drive<F: Future>(&mut self, work: F) -> F::Output {
        let mut work = std::pin::pin!(work);
        std::future::poll_fn(|cx| match work.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(output),
            Poll::Pending => {
                self.poll(cx);
                work.as_mut().poll(cx)
            }
        })
        .await
    }
}

async fn read_body(mut body: Incoming, limit: usize) -> Result<Bytes, ExchangeError> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| failed(&error))?;
        if let Some(data) = frame.data_ref() {
            if read.len() + data.len() > limit {
                return Err(ExchangeError::TooLarge);
            }
            read.extend_from_slice(data);
        }
    }
    Ok(read.freeze())
}

fn failed(error: &hyper::Error) -> ExchangeError {
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        let cause = error.downcast_ref().map_or_else(|| error.to_string(), io_reason);
        reason = format!("{reason}: {cause}");
        source = error.source();
    }
    ExchangeError::Failed(reason)
}

const MAX_HEADER: usize = 16 * 1024;
const MAX_FIELDS: usize = 100;
