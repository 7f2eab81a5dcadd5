//! Checks frames and assembles them into messages, the way each server does.

use bytes::Bytes;

use super::frame::{Frame, opcode, parse_close};

/// How strict a server is with frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameStyle {
    /// As RFC 6455 says.
    Rfc,
    /// push1st: no fragments, no pongs, no check of the mask; whatever has data is text.
    Push1st,
}

/// What a frame amounts to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received {
    Close {
        code: Option<u16>,
        reason: String,
    },
    Message(String),
    /// A fragment of a message to come.
    Part,
    Ping(Bytes),
    Pong,
    Violation {
        code: u16,
        reason: &'static str,
    },
}

#[derive(Debug)]
pub(crate) struct Assembly {
    style: FrameStyle,
    max_message_bytes: usize,
    parts: Option<Vec<u8>>,
}

impl Assembly {
    pub(crate) const fn new(style: FrameStyle, max_message_bytes: usize) -> Self {
        Self { style, max_message_bytes, parts: None }
    }

    pub(crate) fn accept(&mut self, frame: &Frame) -> Received {
        match self.style {
            FrameStyle::Rfc => self.accept_rfc(frame),
            FrameStyle::Push1st => accept_push1st(frame),
        }
    }

    fn accept_rfc(&mut self, frame: &Frame) -> Received {
        if !frame.masked {
            return violation(1002, "unmasked frame");
        }
        if frame.rsv != 0 {
            return violation(1002, "reserved bits set");
        }
        let is_control = frame.opcode >= opcode::CLOSE;
        if is_control && (!frame.fin || frame.payload.len() > 125) {
            return violation(1002, "bad control frame");
        }
        match (frame.opcode, self.parts.is_some()) {
            (opcode::CLOSE, _) => close(frame),
            (opcode::PING, _) => Received::Ping(frame.payload.clone()),
            (opcode::PONG, _) => Received::Pong,
            (opcode::CONTINUATION, true) | (opcode::TEXT | opcode::BINARY, false) => self.accept_data(frame),
            _ => violation(1002, "unexpected opcode"),
        }
    }

    fn accept_data(&mut self, frame: &Frame) -> Received {
        let mut message = self.parts.take().unwrap_or_default();
        message.extend_from_slice(&frame.payload);
        if message.len() > self.max_message_bytes {
            return violation(1009, "message too large");
        }
        if !frame.fin {
            self.parts = Some(message);
            return Received::Part;
        }
        String::from_utf8(message).map_or_else(|_| violation(1007, "invalid UTF-8"), Received::Message)
    }
}

/// push1st ignores the mask bit and the fin bit: a first fragment is taken for a whole message,
/// which then is not JSON.
fn accept_push1st(frame: &Frame) -> Received {
    match frame.opcode {
        opcode::TEXT | opcode::BINARY => Received::Message(String::from_utf8_lossy(&frame.payload).into_owned()),
        opcode::CLOSE => close(frame),
        opcode::PING => Received::Ping(Bytes::new()),
        _ => violation(1003, ""),
    }
}

fn close(frame: &Frame) -> Received {
    let (code, reason) = parse_close(&frame.payload);
    Received::Close { code, reason }
}

const fn violation(code: u16, reason: &'static str) -> Received {
    Received::Violation { code, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(opcode: u8, fin: bool, payload: &[u8]) -> Frame {
        Frame { fin, rsv: 0, opcode, masked: true, payload: Bytes::copy_from_slice(payload) }
    }

    fn code(received: &Received) -> Option<u16> {
        if let Received::Violation { code, .. } = received { Some(*code) } else { None }
    }

    #[test]
    fn rfc_fragments_with_a_ping_between_make_one_message() {
        let mut assembly = Assembly::new(FrameStyle::Rfc, 100);
        assert_eq!(assembly.accept(&frame(opcode::TEXT, false, "é".as_bytes().split_at(1).0)), Received::Part);
        assert_eq!(assembly.accept(&frame(opcode::PING, true, b"p")), Received::Ping(Bytes::from_static(b"p")));
        let end = assembly.accept(&frame(opcode::CONTINUATION, true, "é".as_bytes().split_at(1).1));
        assert_eq!(end, Received::Message("é".to_owned()));
    }

    #[test]
    fn rfc_violations_have_their_codes() {
        let accept = |frame: &Frame| code(&Assembly::new(FrameStyle::Rfc, 4).accept(frame));
        let text = frame(opcode::TEXT, true, b"x");
        assert_eq!(accept(&text), None);
        assert_eq!(accept(&Frame { masked: false, ..text.clone() }), Some(1002));
        assert_eq!(accept(&Frame { rsv: 4, ..text }), Some(1002));
        assert_eq!(accept(&frame(opcode::CONTINUATION, true, b"")), Some(1002));
        assert_eq!(accept(&frame(opcode::PING, true, &[0; 126])), Some(1002));
        assert_eq!(accept(&frame(opcode::CLOSE, false, b"")), Some(1002));
        assert_eq!(accept(&frame(3, true, b"")), Some(1002));
        assert_eq!(accept(&frame(opcode::TEXT, true, b"12345")), Some(1009));
        assert_eq!(accept(&frame(opcode::TEXT, true, &[0xff])), Some(1007));
    }

    #[test]
    fn push1st_takes_neither_pongs_nor_continuations_and_answers_pings_without_payload() {
        let mut assembly = Assembly::new(FrameStyle::Push1st, 100);
        assert_eq!(code(&assembly.accept(&frame(opcode::PONG, true, b""))), Some(1003));
        assert_eq!(code(&assembly.accept(&frame(opcode::CONTINUATION, true, b"x"))), Some(1003));
        assert_eq!(assembly.accept(&frame(opcode::PING, true, b"p")), Received::Ping(Bytes::new()));
        let unmasked = Frame { masked: false, ..frame(opcode::BINARY, false, b"part") };
        assert_eq!(assembly.accept(&unmasked), Received::Message("part".to_owned()));
    }
}
