//! The heads of frames: RFC 6455, section 5.2.

/// The head of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Bytes of the head itself.
    length: usize,
    /// Bytes that follow it.
    payload: u64,
    /// The first byte: whether it is the last of its message, the reserved bits, the kind.
    first: u8,
    is_masked: bool,
}

impl Head {
    /// Reads a head; none while it is not complete.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (&[first, second], rest) = bytes.split_first_chunk()?;
        let (extended, payload) = match second & 0x7F {
            126 => (2, u64::from(u16::from_be_bytes(*rest.first_chunk()?))),
            127 => (8, u64::from_be_bytes(*rest.first_chunk()?)),
            short => (0, u64::from(short)),
        };
        let is_masked = second & 0x80 != 0;
        let length = 2 + extended + if is_masked { MASK } else { 0 };
        (bytes.len() >= length).then_some(Self { length, payload, first, is_masked })
    }

    /// Returns how many bytes of a head that begins with `bytes` are certain to be missing.
    fn missing(bytes: &[u8]) -> usize {
        let length = match bytes {
            [] | [_] => 2,
            [_, second, ..] => {
                let extended = match second & 0x7F {
                    126 => 2,
                    127 => 8,
                    _ => 0,
                };
                2 + extended + if second & 0x80 == 0 { 0 } else { MASK }
            }
        };
        length.saturating_sub(bytes.len())
    }
}

/// Returns the payload of the frame that `bytes` begin with, and where the next one begins, when it is a whole text message
/// of at most `max` bytes as servers send them: in one frame, with no reserved bit, not masked.
pub(super) fn text_payload(bytes: &[u8], max: usize) -> Option<(&[u8], usize)> {
    let head = Head::parse(bytes).filter(|head| head.first == WHOLE_TEXT && !head.is_masked)?;
    let length = usize::try_from(head.payload).ok().filter(|length| *length <= max)?;
    let end = head.length + length;
    Some((bytes.get(head.length..end)?, end))
}

/// Where the library is in what it has been given.
#[derive(Debug)]
pub(super) struct Passing {
    head: [u8; LONGEST_HEAD],
    /// Bytes of the head that it has.
    head_length: usize,
    /// Bytes of the payload that it has not.
    payload: u64,
    /// It has the beginning of a message, and not its last frame.
    is_within_message: bool,
    /// It has a close frame: what comes behind that is no message.
    is_closed: bool,
}

impl Default for Passing {
    fn default() -> Self {
        Self { head: [0; LONGEST_HEAD], head_length: 0, payload: 0, is_within_message: false, is_closed: false }
    }
}

impl Passing {
    pub(super) const fn is_between_messages(&self) -> bool {
        !self.is_closed && !self.is_within_message && self.head_length == 0 && self.payload == 0
    }

    /// Returns how many bytes it may be given now without any of the next frame.
    pub(super) fn wanted(&self) -> usize {
        if self.payload > 0 {
            return usize::try_from(self.payload).unwrap_or(usize::MAX);
        }
        Head::missing(self.head.get(..self.head_length).unwrap_or_default())
    }

    /// Notes what it is given: at most what is [`wanted`](Self::wanted).
    pub(super) fn pass(&mut self, piece: &[u8]) {
        if self.payload > 0 {
            self.payload = self.payload.saturating_sub(u64::try_from(piece.len()).unwrap_or(u64::MAX));
            return;
        }
        for (to, from) in self.head.iter_mut().skip(self.head_length).zip(piece) {
            *to = *from;
        }
        self.head_length = (self.head_length + piece.len()).min(LONGEST_HEAD);
        let Some(head) = self.head.get(..self.head_length).and_then(Head::parse) else { return };
        (self.payload, self.head_length) = (head.payload, 0);
        self.is_closed |= head.first & KIND == CLOSE;
        if head.first & CONTROL == 0 {
            self.is_within_message = head.first & FINAL == 0;
        }
    }
}

const FINAL: u8 = 0x80;
const KIND: u8 = 0x0F;
const CLOSE: u8 = 0x08;
/// The bit that the kinds of control frames have.
const CONTROL: u8 = 0x08;
const WHOLE_TEXT: u8 = FINAL | 0x01;
const MASK: usize = 4;
const LONGEST_HEAD: usize = 2 + 8 + MASK;
