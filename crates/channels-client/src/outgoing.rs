//! Outgoing text messages, which bypass the WebSocket library: it logs every frame it writes, and a subscribe carries
//! a signature (fault Q08).

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use channels_proto::Secret;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::protocol::frame::{
    Frame,
    coding::{Data, OpCode},
};

/// A stream that finishes the frames given to it before it writes anything else, so that no two frames mix.
#[derive(Debug)]
pub(crate) struct Outgoing<S> {
    stream: S,
    unsent: Vec<u8>,
    sent: usize,
    /// Bytes that the stream has taken since they were asked for.
    written: u64,
}

impl<S> Outgoing<S> {
    pub(crate) const fn new(stream: S) -> Self {
        Self { stream, unsent: Vec::new(), sent: 0, written: 0 }
    }

    /// Adds one text message. Only between two frames of the library: when it has nothing left to flush.
    pub(crate) fn push(&mut self, text: &Secret, mask: [u8; 4]) -> Result<(), tokio_tungstenite::tungstenite::Error> {
        let mut frame = Frame::message(text.expose().to_owned(), OpCode::Data(Data::Text), true);
        frame.header_mut().mask = Some(mask);
        frame.format(&mut self.unsent)
    }

    /// Returns how many bytes the stream has taken since [`take_written`](Self::take_written): it grows as long as there is
    /// progress.
    pub(crate) const fn written(&self) -> u64 {
        self.written
    }

    /// Returns the same, and counts from zero again.
    pub(crate) const fn take_written(&mut self) -> u64 {
        std::mem::replace(&mut self.written, 0)
    }

    pub(crate) const fn get_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    pub(crate) fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: AsyncWrite + Unpin> Outgoing<S> {
    fn poll_unsent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, unsent, sent, written } = self;
        while let Some(rest) = unsent.get(*sent..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut *stream).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => {
                    *sent += count;
                    *written = written.wrapping_add(u64::try_from(count).unwrap_or(u64::MAX));
                }
            }
        }
        (self.unsent, self.sent) = (Vec::new(), 0);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Outgoing<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Outgoing<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_unsent(cx))?;
        let count = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        self.written = self.written.wrapping_add(u64::try_from(count).unwrap_or(u64::MAX));
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_unsent(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_unsent(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    // W18
    #[tokio::test]
    async fn a_frame_is_finished_before_anything_else_is_written_however_slow_the_reader() {
        let (near, mut far) = duplex(3);
        let mut stream = Outgoing::new(near);
        let text = "x".repeat(200);
        stream.push(&Secret::new(text.clone()), [1, 2, 3, 4]).unwrap();
        let writing = async {
            stream.write_all(b"behind").await.unwrap();
            stream.shutdown().await.unwrap();
        };
        let mut bytes = Vec::new();
        let (_, read) = tokio::join!(writing, far.read_to_end(&mut bytes));
        // Final text frame; masked, a 16-bit length of 200; the mask; the masked text.
        assert_eq!(read.unwrap(), 8 + 200 + 6);
        assert_eq!(bytes[..4], [0x81, 0x80 | 126, 0, 200]);
        let mask = &bytes[4..8];
        let unmasked: Vec<u8> = bytes[8..208].iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        assert_eq!(unmasked, text.as_bytes());
        assert_eq!(&bytes[208..], b"behind");
    }
}
