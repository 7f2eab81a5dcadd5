//! A client that is made of bytes.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{End, Served, soon};

/// A connection of bytes: for requests and frames that no library would send.
pub struct Raw {
    pub tcp: TcpStream,
    buffer: Vec<u8>,
}

impl Raw {
    pub async fn connect(server: &impl Served) -> Self {
        Self { tcp: TcpStream::connect(server.address()).await.unwrap(), buffer: Vec::new() }
    }

    /// Upgrades and takes the greeting off.
    pub async fn greeted(server: &impl Served) -> Self {
        let mut raw = Self::connect(server).await;
        raw.write(upgrade_request(server.key(), "Upgrade").as_bytes()).await;
        let head = raw.head().await;
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        let (opcode, payload) = raw.frame().await.unwrap();
        assert!(opcode == 1 && String::from_utf8_lossy(&payload).contains("connection_established"));
        raw
    }

    pub async fn write(&mut self, bytes: &[u8]) {
        soon(self.tcp.write_all(bytes)).await.unwrap();
    }

    /// Sends a frame: the first byte as it stands, masked unless told otherwise.
    pub async fn send(&mut self, first_byte: u8, payload: &[u8], masked: bool) {
        let mut bytes = vec![first_byte];
        let mask_bit = if masked { 0x80 } else { 0 };
        match payload.len() {
            length @ 0..126 => bytes.push(mask_bit | u8::try_from(length).unwrap()),
            length if length <= 0xffff => {
                bytes.push(mask_bit | 126);
                bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            length => {
                bytes.push(mask_bit | 127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        if masked {
            bytes.extend([1, 2, 3, 4]);
            bytes.extend(payload.iter().zip([1, 2, 3, 4].iter().cycle()).map(|(byte, mask)| byte ^ mask));
        } else {
            bytes.extend(payload);
        }
        self.write(&bytes).await;
    }

    /// The head of the response.
    pub async fn head(&mut self) -> String {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = self.buffer.drain(..end + 4).collect();
                return String::from_utf8(head).unwrap();
            }
            assert!(self.fill().await, "the connection ended in {:?}", String::from_utf8_lossy(&self.buffer));
        }
    }

    /// What has come beyond the head that was read last.
    pub fn buffered(&self) -> &[u8] {
        &self.buffer
    }

    /// Reads once; false at the end.
    pub async fn fill(&mut self) -> bool {
        self.buffer.reserve(65_536);
        soon(self.tcp.read_buf(&mut self.buffer)).await.unwrap_or(0) > 0
    }

    /// The next frame; nothing when the connection ended.
    pub async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if let Some((first, length, start)) = frame_header(&self.buffer)
                && self.buffer.len() >= start + length
            {
                let payload = self.buffer[start..start + length].to_vec();
                self.buffer.drain(..start + length);
                return Some((first & 0x0f, payload));
            }
            if !self.fill().await {
                return None;
            }
        }
    }

    /// The next frame's text.
    pub async fn text(&mut self) -> String {
        let (opcode, payload) = self.frame().await.expect("the connection ended");
        assert_eq!(opcode, 1, "{payload:?}");
        String::from_utf8(payload).unwrap()
    }

    /// Reads on until the connection ends.
    pub async fn end(&mut self) -> End {
        let mut end = End::Dropped;
        while let Some((opcode, payload)) = self.frame().await {
            if opcode == 8 {
                let code = u16::from_be_bytes([payload[0], payload[1]]);
                end = End::Closed(code, String::from_utf8_lossy(&payload[2..]).into_owned());
            }
        }
        end
    }
}

fn frame_header(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    assert_eq!(second & 0x80, 0, "a server must not mask");
    match second {
        126 => Some((first, usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?])), 4)),
        127 => {
            let length: [u8; 8] = bytes.get(2..10)?.try_into().unwrap();
            Some((first, usize::try_from(u64::from_be_bytes(length)).unwrap(), 10))
        }
        length => Some((first, usize::from(length), 2)),
    }
}

pub fn upgrade_request(key: &str, connection: &str) -> String {
    format!(
        "GET /pusher/app/{key}?client=test&version=1.0.0&protocol=7 HTTP/1.1\r\nHost: sandbox\r\n\
         Upgrade: websocket\r\nConnection: {connection}\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}
