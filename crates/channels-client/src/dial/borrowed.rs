use std::{
    cell::RefCell,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream that is read in large pieces into a buffer borrowed from its thread, and holds one only while there are bytes
/// that nobody has taken yet.
///
/// So an idle session costs no read buffer, and a busy one makes a system call for 32 KiB instead of for each message.
#[derive(Debug)]
pub(crate) struct Borrowing<S> {
    stream: S,
    unread: Option<Unread>,
}

#[derive(Debug)]
struct Unread {
    buffer: Box<[u8]>,
    from: usize,
    to: usize,
}

impl<S> Borrowing<S> {
    pub(crate) const fn new(stream: S) -> Self {
        Self { stream, unread: None }
    }

    /// Returns the stream; bytes that nobody has taken are lost.
    pub(crate) fn into_inner(self) -> S {
        self.stream
    }
}

impl Unread {
    /// Moves what fits into `buf`; returns what is left.
    fn move_into(mut self, buf: &mut ReadBuf<'_>) -> Option<Self> {
        let to = self.to.min(self.from.saturating_add(buf.remaining()));
        buf.put_slice(self.buffer.get(self.from..to).unwrap_or_default());
        self.from = to;
        if self.from < self.to {
            return Some(self);
        }
        give_back(self.buffer);
        None
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Borrowing<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(unread) = self.unread.take() {
            self.unread = unread.move_into(buf);
            return Poll::Ready(Ok(()));
        }
        if buf.remaining() >= BUFFER {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        let mut buffer = borrow();
        let mut read = ReadBuf::new(&mut buffer);
        let polled = Pin::new(&mut self.stream).poll_read(cx, &mut read);
        let to = read.filled().len();
        self.unread = Unread { buffer, from: 0, to }.move_into(buf);
        ready!(polled)?;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Borrowing<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

thread_local! {
    static FREE: RefCell<Vec<Box<[u8]>>> = const { RefCell::new(Vec::new()) };
}

fn borrow() -> Box<[u8]> {
    let free = FREE.try_with(|free| free.borrow_mut().pop()).ok().flatten();
    free.unwrap_or_else(|| vec![0; BUFFER].into_boxed_slice())
}

fn give_back(buffer: Box<[u8]>) {
    // At the end of a thread there is nothing to give it back to.
    let _ = FREE.try_with(|free| {
        let mut free = free.borrow_mut();
        if free.len() < MAX_FREE {
            free.push(buffer);
        }
    });
}

const BUFFER: usize = 32 * 1024;
/// One is in use at a time on a thread, unless sessions are in the middle of a burst.
const MAX_FREE: usize = 4;

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    // N11, Y01
    #[tokio::test]
    async fn bytes_come_out_as_they_came_in_and_a_buffer_is_held_only_for_unread_ones() {
        let (mut near, far) = duplex(100_000);
        let mut stream = Borrowing::new(far);
        let sent: Vec<u8> = (0..90_000_u32).map(|number| number.to_le_bytes()[0] ^ number.to_le_bytes()[1]).collect();
        near.write_all(&sent).await.unwrap();
        let mut received = Vec::new();
        for piece in (1..).map(|step| step * 7 % 1_000 + 1) {
            let mut part = vec![0; piece.min(sent.len() - received.len())];
            stream.read_exact(&mut part).await.unwrap();
            received.extend(part);
            if received.len() == sent.len() {
                break;
            }
        }
        assert_eq!(received, sent);
        assert!(stream.unread.is_none());
        drop(near);
        assert_eq!(stream.read(&mut [0; 10]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn what_is_larger_than_the_buffer_is_read_without_it() {
        let (mut near, far) = duplex(100_000);
        let mut stream = Borrowing::new(far);
        near.write_all(&[7; 60_000]).await.unwrap();
        let mut part = vec![0; 60_000];
        assert_eq!(stream.read(&mut part).await.unwrap(), 60_000);
    }
}
