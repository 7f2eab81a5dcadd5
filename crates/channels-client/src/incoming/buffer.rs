//! Read buffers, borrowed from the thread.

use std::{
    cell::RefCell,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, ReadBuf};

use super::frame;

/// Bytes that nobody has taken yet.
#[derive(Debug)]
pub(super) struct Unread {
    buffer: Box<[u8]>,
    from: usize,
    to: usize,
}

impl Unread {
    pub(super) fn empty() -> Self {
        let free = FREE.try_with(|free| free.borrow_mut().pop()).ok().flatten();
        Self { buffer: free.unwrap_or_else(|| vec![0; BUFFER].into_boxed_slice()), from: 0, to: 0 }
    }

    /// Holds a copy of `bytes`.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self { buffer: bytes.into(), from: 0, to: bytes.len() }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.get(self.from..self.to).unwrap_or_default()
    }

    pub(super) fn take(&mut self, count: usize) {
        self.from = self.to.min(self.from + count);
    }

    /// Fills the buffer anew; what was in it is gone. Returns how many bytes came.
    pub(super) fn poll_read(
        &mut self,
        stream: Pin<&mut impl AsyncRead>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let mut read = ReadBuf::new(&mut self.buffer);
        ready!(stream.poll_read(cx, &mut read))?;
        (self.from, self.to) = (0, read.filled().len());
        Poll::Ready(Ok(self.to))
    }

    pub(super) fn unless_empty(self) -> Option<Self> {
        (self.from < self.to).then_some(self)
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        // At the end of a thread there is nothing to give it back to.
        let _ = FREE.try_with(|free| {
            let mut free = free.borrow_mut();
            if buffer.len() == BUFFER && free.len() < MAX_FREE {
                free.push(buffer);
            }
        });
    }
}

/// Text messages that came whole, one behind the other, and what was read behind them.
#[derive(Debug)]
pub(crate) struct Texts {
    unread: Unread,
    max_text: usize,
    is_untouched: bool,
}

impl Texts {
    pub(super) const fn new(unread: Unread, max_text: usize) -> Self {
        Self { unread, max_text, is_untouched: true }
    }

    /// Takes the next text, as long as no other frame comes first, and none that is not UTF-8.
    pub(crate) fn next_text(&mut self) -> Option<&str> {
        let Unread { buffer, from, to } = &mut self.unread;
        let (payload, end) = frame::text_payload(buffer.get(*from..*to)?, self.max_text)?;
        let text = std::str::from_utf8(payload).ok()?;
        *from += end;
        self.is_untouched = false;
        Some(text)
    }

    pub(super) const fn is_untouched(&self) -> bool {
        self.is_untouched
    }

    pub(super) fn into_unread(self) -> Option<Unread> {
        self.unread.unless_empty()
    }
}

thread_local! {
    static FREE: RefCell<Vec<Box<[u8]>>> = const { RefCell::new(Vec::new()) };
}

const BUFFER: usize = 32 * 1024;
/// One is in use at a time on a thread, unless sessions are in the middle of a burst.
const MAX_FREE: usize = 4;
