//! As much of WebSocket (RFC 6455) as the server and the baselines need: no fragments, no extensions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// A message of text.
    Text,
    /// The end of the connection.
    Close,
    /// A question whether the other side is there.
    Ping,
    /// Its answer.
    Pong,
}

impl Opcode {
    const fn bits(self) -> u8 {
        match self {
            Self::Text => 0x1,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xa,
        }
    }

    const fn of(bits: u8) -> Option<Self> {
        match bits {
            0x1 => Some(Self::Text),
            0x8 => Some(Self::Close),
            0x9 => Some(Self::Ping),
            0xa => Some(Self::Pong),
            _ => None,
        }
    }
}

/// Returns a whole frame as a server sends it, unmasked.
#[must_use]
pub fn server_frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode.bits()];
    push_length(&mut frame, payload.len(), 0);
    frame.extend_from_slice(payload);
    frame
}

/// Returns a whole frame as a client sends it, masked with zeros.
#[must_use]
pub fn client_frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode.bits()];
    push_length(&mut frame, payload.len(), 0x80);
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}

fn push_length(frame: &mut Vec<u8>, length: usize, mask_bit: u8) {
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length @ 0..=125), _) => frame.push(mask_bit | length),
        (_, Ok(length)) => {
            frame.push(mask_bit | 126);
            frame.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            frame.push(mask_bit | 127);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

/// A frame that a client has sent.
#[derive(Debug, PartialEq, Eq)]
pub struct ClientFrame {
    /// What it is; none for one that this server does not know.
    pub opcode: Option<Opcode>,
    /// Its content, unmasked.
    pub payload: Vec<u8>,
}

/// Takes the first frame out of `buffer`, if it is complete.
pub fn take_client_frame(buffer: &mut Vec<u8>) -> Option<ClientFrame> {
    let (&first, &second) = (buffer.first()?, buffer.get(1)?);
    let (length, start) = match second & 0x7f {
        126 => (usize::from(u16::from_be_bytes(*buffer.get(2..)?.first_chunk()?)), 4),
        127 => (usize::try_from(u64::from_be_bytes(*buffer.get(2..)?.first_chunk()?)).ok()?, 10),
        length => (usize::from(length), 2),
    };
    let is_masked = second & 0x80 != 0;
    let mask: [u8; 4] = if is_masked { *buffer.get(start..)?.first_chunk()? } else { [0; 4] };
    let start = if is_masked { start + 4 } else { start };
    let content = buffer.get(start..start + length)?;
    let payload = content.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    buffer.drain(..start + length);
    Some(ClientFrame { opcode: Opcode::of(first & 0xf), payload })
}

/// Returns the answer to an upgrade request with this `Sec-WebSocket-Key`.
#[must_use]
pub fn switching_protocols(key: &str) -> String {
    let digest = Sha1::new().chain_update(key).chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11").finalize();
    let accept = STANDARD.encode(digest);
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_of_every_length_class_comes_out_as_it_went_in() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            let payload = vec![7; length];
            let mut buffer = client_frame(Opcode::Text, &payload);
            let last = buffer.pop().unwrap();

            assert_eq!(take_client_frame(&mut buffer), None);
            buffer.push(last);
            assert_eq!(take_client_frame(&mut buffer), Some(ClientFrame { opcode: Some(Opcode::Text), payload }));
            assert!(buffer.is_empty());
        }
    }

    #[test]
    fn the_answer_to_an_upgrade_is_that_of_rfc_6455() {
        assert!(switching_protocols("dGhlIHNhbXBsZSBub25jZQ==").contains("Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    }
}
