//! Incoming frames. A text message that arrives whole is taken where it was read, and so is a close frame; everything
//! else (parts of messages, other control frames, faults) goes through the WebSocket library, which gets one frame at
//! a time and so never holds what comes after it.
//!
//! What has been read is kept in a buffer borrowed from the thread as long as it has unread bytes: an idle session
//! costs no read buffer, and a busy one makes a system call for 32 KiB instead of for each message.

mod buffer;
mod close;
mod frame;
#[cfg(test)]
mod tests;

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, ReadBuf};

pub(crate) use self::{buffer::Texts, close::ServerClose};
use self::{buffer::Unread, close::Closing, frame::Passing};
use crate::dial::write_through;

/// What comes next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Text messages that came whole.
    Texts(Texts),
    /// The server's close frame. What it sends behind that is nothing.
    Close(ServerClose),
    /// Something for the library to read.
    ForLibrary,
}

/// A stream that is read by whole text messages, and as bytes by the library.
#[derive(Debug)]
pub(crate) struct Incoming<S> {
    stream: S,
    unread: Option<Unread>,
    /// How the stream ended, for whoever reads next.
    end: Option<io::Result<()>>,
    /// The frame that the library is being given.
    passing: Passing,
    /// What is unread begins with a frame for the library, whatever it looks like.
    is_for_library: bool,
    /// The server's close frame, while it is not complete.
    closing: Option<Box<Closing>>,
    bytes: u64,
    max_text: usize,
}

impl<S> Incoming<S> {
    /// `early` has been read from the stream already. Texts of more than `max_text` bytes are left to the library.
    pub(crate) fn new(stream: S, early: &[u8], max_text: usize) -> Self {
        let unread = (!early.is_empty()).then(|| Unread::of(early));
        Self {
            stream,
            unread,
            end: None,
            passing: Passing::new(max_text),
            is_for_library: false,
            closing: None,
            bytes: u64::try_from(early.len()).unwrap_or_default(),
            max_text,
        }
    }

    /// Returns the bytes that have come since [`take_bytes`](Self::take_bytes).
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the same, and counts from zero again.
    pub(crate) const fn take_bytes(&mut self) -> u64 {
        std::mem::replace(&mut self.bytes, 0)
    }

    /// Returns the stream; bytes that nobody has taken are lost.
    pub(crate) fn into_inner(self) -> S {
        self.stream
    }

    /// Puts back what is left of the texts that were taken last.
    pub(crate) fn give_back(&mut self, texts: Texts) {
        self.is_for_library = texts.is_untouched();
        self.unread = texts.into_unread();
    }
}

impl<S: AsyncRead + Unpin> Incoming<S> {
    /// Returns what comes next.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        if self.is_for_library || !self.passing.is_between_frames() {
            return Poll::Ready(Next::ForLibrary);
        }
        ready!(self.poll_fill(cx));
        if self.is_close_next() {
            return self.poll_close(cx);
        }
        if !self.passing.is_between_messages() {
            return Poll::Ready(Next::ForLibrary);
        }
        let max = self.max_text;
        let unread = self.unread.take_if(|unread| frame::text_payload(unread.bytes(), max).is_some());
        Poll::Ready(unread.map_or(Next::ForLibrary, |unread| Next::Texts(Texts::new(unread, max))))
    }

    /// Returns whether the next frame is a close frame; the library waits for ever for it.
    pub(crate) fn is_close_next(&self) -> bool {
        let begins = || self.unread.as_ref().is_some_and(|unread| Closing::begins(unread.bytes()));
        self.closing.is_some() || self.passing.is_between_frames() && begins()
    }

    /// Reads the close frame; when the stream ends before that, it is for the library to tell.
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        loop {
            ready!(self.poll_fill(cx));
            let Some(mut unread) = self.unread.take() else {
                self.closing = None;
                return Poll::Ready(Next::ForLibrary);
            };
            let (taken, close) = self.closing.get_or_insert_default().take(unread.bytes());
            unread.take(taken);
            self.unread = unread.unless_empty();
            if let Some(close) = close {
                self.closing = None;
                self.passing.close();
                return Poll::Ready(Next::Close(close));
            }
        }
    }

    /// Waits until there are unread bytes, or an end.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.unread.is_some() || self.end.is_some() {
            return Poll::Ready(());
        }
        let mut unread = Unread::empty();
        match ready!(unread.poll_read(Pin::new(&mut self.stream), cx)) {
            Ok(0) => self.end = Some(Ok(())),
            Ok(count) => {
                self.bytes += u64::try_from(count).unwrap_or_default();
                self.unread = Some(unread);
            }
            Err(error) => self.end = Some(Err(error)),
        }
        Poll::Ready(())
    }
}

/// Gives no more than the rest of one frame.
impl<S: AsyncRead + Unpin> AsyncRead for Incoming<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            let head = self.passing.take_head(buf.remaining());
            if !head.is_empty() {
                buf.put_slice(head);
                return Poll::Ready(Ok(()));
            }
            ready!(self.poll_fill(cx));
            if self.is_close_next() {
                return Poll::Pending;
            }
            let Some(mut unread) = self.unread.take() else {
                return Poll::Ready(self.end.take().unwrap_or(Ok(())));
            };
            self.is_for_library = false;
            let wanted = self.passing.payload();
            if wanted == 0 {
                let length = self.passing.read_head(unread.bytes());
                unread.take(length);
                self.unread = unread.unless_empty();
                continue;
            }
            let count = unread.bytes().len().min(buf.remaining()).min(wanted);
            buf.put_slice(unread.bytes().get(..count).unwrap_or_default());
            self.passing.pass(count);
            unread.take(count);
            self.unread = unread.unless_empty();
            return Poll::Ready(Ok(()));
        }
    }
}

write_through!(Incoming);
