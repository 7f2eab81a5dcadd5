//! WebSocket frames as a server sees them, with nothing hidden: the profiles disagree on what is
//! allowed, so this reads whatever is well formed and leaves the checks to others.

use bytes::{Buf as _, Bytes, BytesMut};

use super::outbound::{Outbound, RawFrame};

pub(crate) mod opcode {
    pub(crate) const CONTINUATION: u8 = 0;
    pub(crate) const TEXT: u8 = 1;
    pub(crate) const BINARY: u8 = 2;
    pub(crate) const CLOSE: u8 = 8;
    pub(crate) const PING: u8 = 9;
    pub(crate) const PONG: u8 = 10;
}

/// A frame of a client, unmasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) fin: bool,
    pub(crate) rsv: u8,
    pub(crate) opcode: u8,
    pub(crate) masked: bool,
    pub(crate) payload: Bytes,
}

/// What is at the front of the received bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    Frame(Frame),
    /// More bytes are needed.
    Incomplete,
    /// The frame has `limit` bytes of payload or more; it was not read.
    TooLarge,
}

/// Takes one frame off the front of `buffer`. A frame with `limit` bytes of payload or more is
/// noticed by its header alone.
pub(crate) fn parse(buffer: &mut BytesMut, limit: usize) -> Parsed {
    let &[first, second, ..] = &buffer[..] else { return Parsed::Incomplete };
    let extended = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let masked = second & 0x80 != 0;
    let header = 2 + extended + if masked { 4 } else { 0 };
    let Some(extended_bytes) = buffer.get(2..2 + extended) else { return Parsed::Incomplete };
    let length = match extended {
        0 => u64::from(second & 0x7f),
        _ => extended_bytes.iter().fold(0, |length, byte| length << 8 | u64::from(*byte)),
    };
    let length = match usize::try_from(length) {
        Ok(length) if length < limit => length,
        _ => return Parsed::TooLarge,
    };
    if buffer.len() < header + length {
        return Parsed::Incomplete;
    }
    let key: Vec<u8> = if masked { buffer[header - 4..header].to_vec() } else { Vec::new() };
    buffer.advance(header);
    let mut payload = buffer.split_to(length);
    apply_mask(&mut payload, &key);
    Parsed::Frame(Frame {
        fin: first & 0x80 != 0,
        rsv: first >> 4 & 0x07,
        opcode: first & 0x0f,
        masked,
        payload: payload.freeze(),
    })
}

/// A whole, unmasked frame.
pub(crate) fn encode(opcode: u8, payload: &[u8]) -> Vec<u8> {
    encode_raw(&RawFrame { fin: true, opcode, payload: payload.to_vec(), ..RawFrame::default() })
}

/// A frame of which every bit can be chosen.
pub(crate) fn encode_raw(frame: &RawFrame) -> Vec<u8> {
    let length = frame.claimed_length.unwrap_or(frame.payload.len() as u64);
    let mask_bit = if frame.masked { 0x80 } else { 0 };
    let mut bytes = Vec::with_capacity(frame.payload.len() + 14);
    bytes.push(u8::from(frame.fin) << 7 | (frame.rsv & 0x07) << 4 | frame.opcode & 0x0f);
    if let Ok(short) = u8::try_from(length)
        && short < 126
    {
        bytes.push(mask_bit | short);
    } else if let Ok(medium) = u16::try_from(length) {
        bytes.push(mask_bit | 126);
        bytes.extend(medium.to_be_bytes());
    } else {
        bytes.push(mask_bit | 127);
        bytes.extend(length.to_be_bytes());
    }
    if frame.masked {
        let start = bytes.len() + SERVER_MASK.len();
        bytes.extend(SERVER_MASK);
        bytes.extend(&frame.payload);
        apply_mask(&mut bytes[start..], &SERVER_MASK);
    } else {
        bytes.extend(&frame.payload);
    }
    bytes
}

/// What a test wants sent.
pub(crate) fn encode_outbound(outbound: &Outbound) -> Vec<u8> {
    match outbound {
        Outbound::Binary(payload) => encode(opcode::BINARY, payload),
        Outbound::Bytes(bytes) => bytes.clone(),
        Outbound::Close { code, reason } => encode_close(*code, reason),
        Outbound::Frame(raw) => encode_raw(raw),
        Outbound::Ping(payload) => encode(opcode::PING, payload),
        Outbound::Pong(payload) => encode(opcode::PONG, payload),
        Outbound::Text(text) => encode(opcode::TEXT, text.as_bytes()),
    }
}

/// A close frame; the reason is cut to what a control frame holds.
pub(crate) fn encode_close(code: u16, reason: &str) -> Vec<u8> {
    let mut end = reason.len().min(MAX_CLOSE_REASON);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend(&reason.as_bytes()[..end]);
    encode(opcode::CLOSE, &payload)
}

/// The code and the reason of a close frame's payload.
pub(crate) fn parse_close(payload: &[u8]) -> (Option<u16>, String) {
    match payload {
        [high, low, reason @ ..] => {
            (Some(u16::from_be_bytes([*high, *low])), String::from_utf8_lossy(reason).into_owned())
        }
        _ => (None, String::new()),
    }
}

fn apply_mask(bytes: &mut [u8], key: &[u8]) {
    for (byte, mask) in bytes.iter_mut().zip(key.iter().cycle()) {
        *byte ^= mask;
    }
}

/// A control frame holds 125 bytes, two of them the code (RFC 6455, 5.5).
const MAX_CLOSE_REASON: usize = 123;

/// A server must not mask; if a test wants it anyway, any key will do.
const SERVER_MASK: [u8; 4] = [0x12, 0x34, 0x56, 0x78];

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(length: usize, masked: bool) {
        let payload: Vec<u8> = (0..length).map(|i| u8::try_from(i % 251).unwrap()).collect();
        let raw =
            RawFrame { fin: true, opcode: opcode::BINARY, masked, payload: payload.clone(), ..RawFrame::default() };
        let mut buffer = BytesMut::from(&encode_raw(&raw)[..]);
        buffer.extend_from_slice(b"rest");
        let Parsed::Frame(frame) = parse(&mut buffer, 1 << 20) else { panic!("{length}") };
        assert_eq!((frame.fin, frame.rsv, frame.opcode, frame.masked), (true, 0, 2, masked));
        assert_eq!(frame.payload, payload);
        assert_eq!(&buffer[..], b"rest");
    }

    #[test]
    fn frames_of_every_length_form_survive_the_round_trip() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000] {
            round_trip(length, false);
            round_trip(length, true);
        }
    }

    #[test]
    fn a_frame_in_pieces_is_incomplete_until_its_last_byte() {
        let whole = encode(opcode::TEXT, &[b'x'; 300]);
        for cut in 0..whole.len() {
            assert_eq!(parse(&mut BytesMut::from(&whole[..cut]), 1000), Parsed::Incomplete, "{cut}");
        }
    }

    #[test]
    fn a_frame_of_the_limit_is_refused_by_its_header_alone() {
        let claimed = |length| RawFrame { claimed_length: Some(length), ..RawFrame::default() };
        let header = |length| BytesMut::from(&encode_raw(&claimed(length))[..]);
        assert_eq!(parse(&mut header(99), 100), Parsed::Incomplete);
        assert_eq!(parse(&mut header(100), 100), Parsed::TooLarge);
        assert_eq!(parse(&mut header(1 << 63), 100), Parsed::TooLarge);
    }

    #[test]
    fn a_close_reason_is_cut_between_characters() {
        let bytes = encode_close(4200, &"é".repeat(80));
        let (code, reason) = parse_close(&bytes[2..]);
        assert_eq!(code, Some(4200));
        assert_eq!(reason, "é".repeat(61));
        assert_eq!(parse_close(b"x"), (None, String::new()));
    }
}
