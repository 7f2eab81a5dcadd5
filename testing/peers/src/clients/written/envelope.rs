use wide::u8x16;

/// What is around a message.
pub(super) struct Envelope<'t> {
    /// Still escaped: the names of the messages are compared as they stand on the wire.
    pub(super) event: &'t str,
    /// The document inside, unescaped once.
    pub(super) data: &'t str,
}

impl<'t> Envelope<'t> {
    /// One pass: the end of each string is looked for sixteen bytes at a time, and `data` is unescaped meanwhile.
    pub(super) fn scan(text: &'t str, room: &'t mut Vec<u8>) -> Option<Self> {
        let bytes = text.as_bytes();
        let (mut at, mut event, mut data) = (0, "", 0);
        loop {
            let key_end = plain_end(bytes, at + 2)?;
            let key = bytes.get(at + 2..key_end)?;
            // Behind `":"`; the values are strings.
            let value = key_end + 3;
            let value_end = if key == b"data" {
                let (end, length) = unescape(bytes, value, room)?;
                data = length;
                end
            } else {
                let end = string_end(bytes, value)?;
                if key == b"event" {
                    event = text.get(value..end)?;
                }
                end
            };
            match bytes.get(value_end + 1)? {
                b',' => at = value_end + 1,
                _ => break,
            }
        }
        let data = std::str::from_utf8(room.get(..data)?).ok()?;
        Some(Self { event, data })
    }
}

/// Returns where the quote stands that ends a string without escapes.
fn plain_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    while *bytes.get(at)? != b'"' {
        at += 1;
    }
    Some(at)
}

fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Unescapes the string at `at` into `room`; returns where its closing quote stands and how long it has become.
///
/// One look at sixteen bytes finds all its escapes; what stands between two is copied sixteen bytes at a time, more than is
/// needed, and written over by what follows.
fn unescape(bytes: &[u8], mut at: usize, room: &mut Vec<u8>) -> Option<(usize, usize)> {
    if room.len() < bytes.len() + 2 * LANE {
        room.resize(bytes.len() + 2 * LANE, 0);
    }
    let mut to = 0;
    loop {
        let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<LANE>()) else {
            return unescape_rest(bytes, at, room, to);
        };
        let lane = u8x16::new(*chunk);
        let mut special =
            lane.simd_eq(u8x16::splat(b'\\')).to_bitmask() | lane.simd_eq(u8x16::splat(b'"')).to_bitmask();
        let mut from = 0;
        while special != 0 {
            let plain = special.trailing_zeros() as usize;
            copy(bytes, at + from, room, to)?;
            to += plain - from;
            if *bytes.get(at + plain)? == b'"' {
                return Some((at + plain, to));
            }
            *room.get_mut(to)? = character(*bytes.get(at + plain + 1)?)?;
            (from, to) = (plain + 2, to + 1);
            // The escaped byte may be special itself.
            special &= !(3 << plain);
        }
        if from < LANE {
            copy(bytes, at + from, room, to)?;
            to += LANE - from;
            from = LANE;
        }
        at += from;
    }
}

fn copy(bytes: &[u8], from: usize, room: &mut [u8], to: usize) -> Option<()> {
    let room = room.get_mut(to..to + LANE)?;
    match bytes.get(from..from + LANE) {
        Some(chunk) => room.copy_from_slice(chunk),
        None => room.get_mut(..bytes.len() - from)?.copy_from_slice(bytes.get(from..)?),
    }
    Some(())
}

fn unescape_rest(bytes: &[u8], mut at: usize, room: &mut [u8], mut to: usize) -> Option<(usize, usize)> {
    loop {
        let byte = match *bytes.get(at)? {
            b'"' => return Some((at, to)),
            b'\\' => {
                at += 1;
                character(*bytes.get(at)?)?
            }
            byte => byte,
        };
        *room.get_mut(to)? = byte;
        (at, to) = (at + 1, to + 1);
    }
}

/// The workload has no `\u`.
const fn character(escape: u8) -> Option<u8> {
    match escape {
        b'"' | b'\\' | b'/' => Some(escape),
        b'n' => Some(b'\n'),
        b't' => Some(b'\t'),
        b'r' => Some(b'\r'),
        _ => None,
    }
}

const LANE: usize = 16;
