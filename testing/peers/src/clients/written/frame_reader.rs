use std::io::Read as _;
use std::net::TcpStream;

use anyhow::{Result, bail};

/// Tells the frames of a server apart in one large buffer.
pub(crate) struct FrameReader {
    stream: TcpStream,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl FrameReader {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, buffer: vec![0; 64 * 1024], start: 0, end: 0 }
    }

    /// Returns the content of the next frame.
    pub(crate) fn next(&mut self) -> Result<&[u8]> {
        loop {
            if let Some((header, length)) = self.header()
                && self.end - self.start >= header + length
            {
                let from = self.start + header;
                self.start = from + length;
                return Ok(self.buffer.get(from..from + length).unwrap_or_default());
            }
            self.fill()?;
        }
    }

    /// Returns the lengths of the header and of the content.
    fn header(&self) -> Option<(usize, usize)> {
        let bytes = self.buffer.get(self.start..self.end)?;
        match bytes.get(1)? & 0x7f {
            126 => Some((4, usize::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?)))),
            127 => Some((10, usize::try_from(u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?)).ok()?)),
            length => Some((2, usize::from(length))),
        }
    }

    fn fill(&mut self) -> Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let read = self.stream.read(self.buffer.get_mut(self.end..).unwrap_or_default())?;
        if read == 0 {
            bail!("the server closed the connection before the end");
        }
        self.end += read;
        Ok(())
    }
}
