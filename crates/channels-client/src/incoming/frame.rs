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
}

/// Returns the payload of the frame that `bytes` begin with, and where the next one begins, when it is a whole text message
/// of at most `max` bytes as servers send them: in one frame, with no reserved bit, not masked.
pub(super) fn text_payload(bytes: &[u8], max: usize) -> Option<(&[u8], usize)> {
    let head = Head::parse(bytes).filter(|head| head.first == WHOLE_TEXT && !head.is_masked)?;
    let length = usize::try_from(head.payload).ok().filter(|length| *length <= max)?;
    let end = head.length + length;
    Some((bytes.get(head.length..end)?, end))
}

/// Where the library is in what it has been given. A large frame is given to it as several: it keeps a buffer as large as
/// the largest frame it has seen.
#[derive(Debug)]
pub(super) struct Passing {
    /// The head that is being read.
    head: [u8; LONGEST_HEAD],
    head_length: usize,
    /// The head that it is being given.
    given: [u8; LONGEST_HEAD],
    given_from: usize,
    given_to: usize,
    /// Bytes of the payload behind that head that it has not.
    payload: u64,
    /// Bytes of the same frame behind these, which need a head of their own.
    rest: u64,
    /// That frame is the last of its message.
    is_final: bool,
    /// It has the beginning of a message, and not its last frame.
    is_within_message: bool,
    /// There was a close frame: what comes behind that is no message.
    is_closed: bool,
    /// The library refuses longer frames by their heads.
    max_payload: u64,
}

impl Passing {
    pub(super) fn new(max_payload: usize) -> Self {
        Self {
            head: [0; LONGEST_HEAD],
            head_length: 0,
            given: [0; LONGEST_HEAD],
            given_from: 0,
            given_to: 0,
            payload: 0,
            rest: 0,
            is_final: true,
            is_within_message: false,
            is_closed: false,
            max_payload: u64::try_from(max_payload).unwrap_or(u64::MAX),
        }
    }

    pub(super) const fn is_between_messages(&self) -> bool {
        self.is_between_frames() && !self.is_within_message
    }

    pub(super) const fn is_between_frames(&self) -> bool {
        let is_between = self.head_length == 0 && self.given_from == self.given_to && self.payload == 0;
        is_between && self.rest == 0 && !self.is_closed
    }

    /// Notes that the server has closed.
    pub(super) const fn close(&mut self) {
        self.is_closed = true;
    }

    /// Takes what it may be given of the head that is its turn, up to `room` bytes.
    pub(super) fn take_head(&mut self, room: usize) -> &[u8] {
        if self.given_from == self.given_to && self.payload == 0 && self.rest > 0 {
            self.begin_piece(CONTINUATION, self.rest);
        }
        let from = self.given_from;
        self.given_from = self.given_to.min(from + room);
        self.given.get(from..self.given_from).unwrap_or_default()
    }

    /// Returns how many bytes of the payload it may be given now; none when a head comes first.
    pub(super) fn payload(&self) -> usize {
        usize::try_from(self.payload).unwrap_or(usize::MAX)
    }

    /// It is given `count` bytes of the payload.
    pub(super) fn pass(&mut self, count: usize) {
        self.payload = self.payload.saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// Reads on in the head of the next frame, as far as it is in `bytes`; returns how many of them belong to it.
    pub(super) fn read_head(&mut self, bytes: &[u8]) -> usize {
        for (place, byte) in bytes.iter().enumerate() {
            if let Some(to) = self.head.get_mut(self.head_length) {
                *to = *byte;
            }
            self.head_length += 1;
            if let Some(head) = self.head.get(..self.head_length).and_then(Head::parse) {
                self.head_length = 0;
                self.begin_frame(head);
                return place + 1;
            }
        }
        bytes.len()
    }

    fn begin_frame(&mut self, head: Head) {
        self.is_closed |= head.first & KIND == CLOSE;
        if head.first & CONTROL == 0 {
            self.is_within_message = head.first & FINAL == 0;
        }
        self.is_final = head.first & FINAL != 0;
        let is_data = head.first & !FINAL <= BINARY && !head.is_masked;
        if is_data && head.payload > PIECE && head.payload <= self.max_payload {
            self.begin_piece(head.first & KIND, head.payload);
        } else {
            (self.given, self.given_from, self.given_to) = (self.head, 0, head.length);
            self.payload = head.payload;
        }
    }

    /// Makes the head of the next piece of a frame of which `left` bytes are left.
    fn begin_piece(&mut self, kind: u8, left: u64) {
        (self.payload, self.rest) = (left.min(PIECE), left.saturating_sub(PIECE));
        let first = if self.is_final && self.rest == 0 { FINAL | kind } else { kind };
        let [.., high, low] = self.payload.to_be_bytes();
        for (to, byte) in self.given.iter_mut().zip([first, EXTENDED_BY_TWO, high, low]) {
            *to = byte;
        }
        (self.given_from, self.given_to) = (0, 4);
    }
}

const FINAL: u8 = 0x80;
const KIND: u8 = 0x0F;
const CONTINUATION: u8 = 0x00;
const BINARY: u8 = 0x02;
const CLOSE: u8 = 0x08;
/// The bit that the kinds of control frames have.
const CONTROL: u8 = 0x08;
const WHOLE_TEXT: u8 = FINAL | 0x01;
const EXTENDED_BY_TWO: u8 = 126;
const MASK: usize = 4;
const LONGEST_HEAD: usize = 2 + 8 + MASK;
/// Bytes of a frame that the library is given as one; what it keeps is about as much.
const PIECE: u64 = 4 * 1024;
