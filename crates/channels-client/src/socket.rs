//! A WebSocket after its upgrade.

use std::{
    pin::{Pin, pin},
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use channels_proto::{Closed, Secret};
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::{
    io::AsyncReadExt,
    time::{Instant, Sleep, sleep, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message, Utf8Bytes,
        error::ProtocolError,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

use crate::{
    Stream,
    dial::io_reason,
    incoming::{Incoming, Next, ServerClose, Texts},
    outgoing::Outgoing,
};

/// What came in.
#[derive(Debug)]
pub(crate) enum Received {
    /// One or more text messages; what is left of them has to be [given back](Socket::give_back).
    Texts(Texts),
    /// A text message that came through the library: in parts, or with its end in a later read.
    Text(Utf8Bytes),
    Binary,
    /// A WebSocket ping or pong, or a part of something.
    Activity,
    /// The socket is gone; nothing more will come.
    Closed(Closed),
}

/// A WebSocket that never blocks on a write and never sends in fragments. Pings are answered by tungstenite, the newest
/// only when there are several to answer.
#[derive(Debug)]
pub(crate) struct Socket {
    web_socket: WebSocketStream<Outgoing<Incoming<Stream>>>,
    /// Messages that wait until the library has nothing left to write, and their masks.
    queued: Vec<(Secret, [u8; 4])>,
    queued_bytes: usize,
    /// More than that may not wait to be sent.
    max_unsent: usize,
    bytes_seen: u64,
    unflushed: bool,
    /// Runs while a write is stuck: since the stream had taken so many bytes.
    stuck: Option<(Pin<Box<Sleep>>, u64)>,
    write_timeout: Duration,
    /// A write failed; told when the socket is asked next.
    broken: Option<Closed>,
    /// The answer to the server's close frame, empty or with a code; nothing comes behind that frame.
    answer: Option<Option<CloseCode>>,
}

impl Socket {
    /// Takes over an upgraded stream and the bytes that came behind the upgrade.
    pub(crate) async fn new(stream: Stream, early: &[u8], max_message_bytes: usize, write_timeout: Duration) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_write_buffer_size(MAX_UNSENT)
            .max_message_size(Some(max_message_bytes))
            .max_frame_size(Some(max_message_bytes));
        let stream = Outgoing::new(Incoming::new(stream, early, max_message_bytes));
        let web_socket = WebSocketStream::from_raw_socket(stream, Role::Client, Some(config));
        // It waits for nothing, and keeps whom to wake: with the job that opens the socket, all of that job would be kept.
        let mut web_socket = pin!(web_socket);
        let poll = |_: &mut Context<'_>| web_socket.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let web_socket = std::future::poll_fn(poll).await;
        Self {
            web_socket,
            queued: Vec::new(),
            queued_bytes: 0,
            max_unsent: MAX_UNSENT,
            bytes_seen: 0,
            unflushed: false,
            stuck: None,
            write_timeout,
            broken: None,
            answer: None,
        }
    }

    /// Makes room for the subscribes to so many channels, which may all be sent at once.
    #[must_use]
    pub(crate) fn for_channels(mut self, channels: usize) -> Self {
        self.max_unsent = channels.saturating_mul(SUBSCRIBE_BYTES).max(MAX_UNSENT);
        self
    }

    /// Queues a text message; it is written, masked by a part of `random`, while the socket is polled.
    pub(crate) fn send(&mut self, text: Secret, random: u64) {
        self.queued_bytes = self.queued_bytes.saturating_add(text.expose().len());
        if self.queued_bytes > self.max_unsent {
            self.broken.get_or_insert_with(|| lost("the server does not read what is sent to it".to_owned()));
            return;
        }
        let [a, b, c, d, ..] = random.to_ne_bytes();
        self.queued.push((text, [a, b, c, d]));
        self.unflushed = true;
    }

    /// Writes what is queued, and returns what came in.
    pub(crate) fn poll_received(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        if self.answer.is_some() {
            return Poll::Ready(Received::Closed(Closed::default()));
        }
        if let Some(closed) = self.broken.take().or_else(|| self.poll_write(cx)) {
            return Poll::Ready(Received::Closed(closed));
        }
        let received = loop {
            break match ready!(self.incoming().poll_next(cx)) {
                Next::Texts(texts) => Received::Texts(texts),
                Next::Close(close) => Received::Closed(self.take_close(close)),
                Next::ForLibrary => match self.web_socket.poll_next_unpin(cx) {
                    Poll::Ready(Some(Ok(message))) => self.take(message),
                    Poll::Ready(Some(Err(error))) => Received::Closed(explain(&error)),
                    Poll::Ready(None) => Received::Closed(Closed::default()),
                    Poll::Pending if self.incoming().is_close_next() => continue,
                    Poll::Pending if self.incoming().bytes() == self.bytes_seen => return Poll::Pending,
                    Poll::Pending => Received::Activity,
                },
            };
        };
        self.bytes_seen = self.incoming().bytes();
        Poll::Ready(received)
    }

    /// Takes what is left of the texts that were received last.
    pub(crate) fn give_back(&mut self, texts: Texts) {
        self.incoming().give_back(texts);
    }

    /// Returns what can be had without waiting. The socket must be polled again before the task sleeps.
    pub(crate) fn try_received(&mut self) -> Option<Received> {
        std::future::poll_fn(|cx| self.poll_received(cx)).now_or_never()
    }

    /// Closes gracefully: sends `frame`, or the answer to the server's close frame, and waits for the server to hang
    /// up; two seconds at most.
    pub(crate) async fn close(mut self: Box<Self>, frame: Option<channels_proto::CloseFrame>) {
        let graceful_close = async move {
            let frame = match (frame, self.answer) {
                (Some(channels_proto::CloseFrame { code, reason }), _) => {
                    Some(Message::Close(Some(CloseFrame { code: code.into(), reason: reason.into() })))
                }
                (None, Some(code)) => {
                    Some(Message::Close(code.map(|code| CloseFrame { code, reason: Utf8Bytes::default() })))
                }
                (None, None) => None,
            };
            let sent = match frame {
                Some(frame) => self.web_socket.send(frame).await,
                None => self.web_socket.flush().await,
            };
            let mut stream = self.web_socket.into_inner().into_inner().into_inner();
            let mut unread = [0; READ_BUFFER];
            while sent.is_ok() && matches!(stream.read(&mut unread).await, Ok(1..)) {}
        };
        // Whether it went well no longer matters.
        let _ = timeout(CLOSE_TIMEOUT, graceful_close).await;
    }

    /// Returns the bytes that have come and gone since the last time.
    pub(crate) fn take_bytes(&mut self) -> (u64, u64) {
        let bytes_in = self.incoming().take_bytes();
        self.bytes_seen = self.bytes_seen.wrapping_sub(bytes_in);
        let bytes_out = self.web_socket.get_mut().take_written();
        if let Some((_, since)) = &mut self.stuck {
            *since = since.wrapping_sub(bytes_out);
        }
        (bytes_in, bytes_out)
    }

    fn incoming(&mut self) -> &mut Incoming<Stream> {
        self.web_socket.get_mut().get_mut()
    }

    fn take(&mut self, message: Message) -> Received {
        match message {
            Message::Text(text) => Received::Text(text),
            Message::Binary(_) => Received::Binary,
            Message::Ping(_) => {
                // The library has its answer ready.
                self.unflushed = true;
                Received::Activity
            }
            Message::Pong(_) | Message::Frame(_) => Received::Activity,
            // The library gets no close frame.
            Message::Close(_) => Received::Closed(Closed::default()),
        }
    }

    fn take_close(&mut self, close: ServerClose) -> Closed {
        let (answer, closed) = match close {
            ServerClose::Frame { code, reason } => {
                let answer = code.map(CloseCode::from);
                let answer = answer.map(|code| if code.is_allowed() { code } else { CloseCode::Protocol });
                (answer, Closed { code, reason, error: None })
            }
            ServerClose::Broken(message) => violation(CloseCode::Protocol, message),
            ServerClose::NotText => {
                violation(CloseCode::Invalid, "the reason in the server's close frame is not UTF-8")
            }
        };
        self.answer = Some(answer);
        closed
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        ready!(self.web_socket.poll_flush_unpin(cx))?;
        if self.queued.is_empty() {
            return Poll::Ready(Ok(()));
        }
        for (text, mask) in std::mem::take(&mut self.queued) {
            self.web_socket.get_mut().push(&text, mask)?;
        }
        self.queued_bytes = 0;
        self.web_socket.poll_flush_unpin(cx)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Option<Closed> {
        if !self.unflushed {
            return None;
        }
        let mut flushed = self.poll_flush(cx);
        if matches!(flushed, Poll::Ready(Ok(()))) && self.stuck.take().is_some() {
            // While its buffer was full the library has kept the newest pong back.
            flushed = self.poll_flush(cx);
        }
        match flushed {
            Poll::Ready(Ok(())) => {
                self.unflushed = false;
                None
            }
            Poll::Ready(Err(error)) => Some(explain(&error)),
            Poll::Pending => {
                let written = self.web_socket.get_ref().written();
                let (timer, since) = self.stuck.get_or_insert_with(|| (Box::pin(sleep(self.write_timeout)), written));
                // Slow is not stuck.
                if *since != written {
                    *since = written;
                    timer.as_mut().reset(Instant::now() + self.write_timeout);
                }
                let is_over = timer.as_mut().poll(cx).is_ready();
                is_over.then(|| lost(format!("the server has not read for {} s", self.write_timeout.as_secs_f32())))
            }
        }
    }
}

/// Returns the close frame that tells the server why the socket is abandoned, when that is the server's fault.
pub(crate) fn reproach(closed: &Closed) -> Option<channels_proto::CloseFrame> {
    let code = closed.code.filter(|_| closed.error.is_some())?;
    Some(channels_proto::CloseFrame { code, reason: "" })
}

/// Who is to blame shows in the result: a code together with an error is the code by which we give the server up.
fn explain(error: &Error) -> Closed {
    let violation = |code: CloseCode| Closed { code: Some(code.into()), ..lost(error.to_string()) };
    match error {
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)
        | Error::ConnectionClosed
        | Error::AlreadyClosed => Closed::default(),
        Error::Protocol(_) | Error::AttackAttempt => violation(CloseCode::Protocol),
        Error::Capacity(_) => violation(CloseCode::Size),
        Error::Utf8(_) => violation(CloseCode::Invalid),
        Error::WriteBufferFull(_) => lost("the server does not read what is sent to it".to_owned()),
        Error::Io(error) => lost(io_reason(error)),
        Error::Tls(_) | Error::Url(_) | Error::Http(_) | Error::HttpFormat(_) => lost(error.to_string()),
    }
}

fn violation(code: CloseCode, message: &str) -> (Option<CloseCode>, Closed) {
    (Some(code), Closed { code: Some(code.into()), ..lost(message.to_owned()) })
}

fn lost(message: String) -> Closed {
    Closed { error: Some(message), ..Closed::default() }
}

/// What the library reads at a time, and keeps, so it is small: it gets few frames.
const READ_BUFFER: usize = 256;
/// Frames written together in one call.
const WRITE_BUFFER: usize = 4 * 1024;
/// What a subscribe takes at most, with its signature: a channel's name has up to 164 bytes.
const SUBSCRIBE_BYTES: usize = 1024;
/// A server that reads nothing cannot make more than this wait, unless the options allow more channels than fit.
const MAX_UNSENT: usize = 1024 * 1024;
/// Fault W19.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;
