//! Reads the JSON document inside a JSON string without unescaping it first.
//!
//! Servers encode `data` twice, so every quote of the document follows a backslash. Removing that layer before
//! reading costs as much as the reading itself; here a token begins with `\"` instead of `"`, and text without
//! escapes of its own is taken from the frame as it is.
//!
//! Only what servers write is read here. Whatever else there is (white space other than spaces, characters escaped by the
//! outer layer, numbers beyond 64 bits, values of another type than the field's, faults of any kind) is [`Unfit`], and
//! has to be read the lenient way, which also knows what is wrong and where. What is read here reads the same there.

#[cfg(test)]
mod tests;

use wide::u8x16;

/// The document has to be read the lenient way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unfit;

/// A value that is read when it is exactly of its type.
pub(crate) trait Strict: Sized {
    fn strict(reader: &mut Reader<'_>) -> Result<Self, Unfit>;
}

/// An object that is filled in place, so that a boxed one is never moved.
pub(crate) trait StrictModel: Default {
    fn fill_strictly(&mut self, reader: &mut Reader<'_>) -> Result<(), Unfit>;
}

/// A key and the colon behind it, as they stand in a document without spaces.
pub(crate) struct Token {
    text: [u8; Self::WIDTH],
    length: usize,
    /// A bit for each byte of it.
    mask: u32,
}

impl Token {
    const WIDTH: usize = 2 * LANE;

    /// `key` needs no escapes. A very long one is read the general way: nothing begins with its token.
    pub(crate) const fn of(key: &str) -> Self {
        let mut token = Self { text: [0; Self::WIDTH], length: 0, mask: u32::MAX };
        if key.len() + 5 >= Self::WIDTH {
            return token;
        }
        token.push(b"\\\"");
        token.push(key.as_bytes());
        token.push(b"\\\":");
        token.mask = (1 << token.length) - 1;
        token
    }

    const fn push(&mut self, bytes: &[u8]) {
        let mut at = 0;
        while at < bytes.len() {
            self.text[self.length] = bytes[at];
            self.length += 1;
            at += 1;
        }
    }

    /// Returns whether `window` begins with the token and its value follows at once.
    #[inline]
    fn begins(&self, window: &[u8; Self::WIDTH]) -> bool {
        let ([low, high], [text_low, text_high]) = (halves(window), halves(&self.text));
        let same = low.simd_eq(text_low).to_bitmask() | high.simd_eq(text_high).to_bitmask() << LANE;
        same & self.mask == self.mask && window.get(self.length) != Some(&b' ')
    }
}

/// A document inside a JSON string.
pub(crate) struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: u32,
    /// The last string that had escapes of its own.
    scratch: String,
}

impl<'t> Reader<'t> {
    /// `content` is what stands between the quotes of a valid JSON string.
    pub(crate) fn new(content: &'t str) -> Self {
        let mut reader = Self { text: content, at: 0, depth: 0, scratch: String::new() };
        reader.skip_spaces();
        reader
    }

    /// Checks that nothing follows the document.
    pub(crate) fn end(&mut self) -> Result<(), Unfit> {
        self.skip_spaces();
        if self.at == self.text.len() { Ok(()) } else { Err(Unfit) }
    }

    /// Enters an object and returns whether it has members; the reader then stands at the first key.
    #[inline]
    pub(crate) fn open_object(&mut self) -> Result<bool, Unfit> {
        self.open(b'{', b'}')
    }

    /// Enters a list and returns whether it has elements; the reader then stands at the first.
    #[inline]
    pub(crate) fn open_list(&mut self) -> Result<bool, Unfit> {
        self.open(b'[', b']')
    }

    /// Returns whether the object goes on behind a member; the reader then stands at the next key.
    #[inline]
    pub(crate) fn next_member(&mut self) -> Result<bool, Unfit> {
        self.next(b'}')
    }

    /// Returns whether the list goes on behind an element; the reader then stands at the next.
    #[inline]
    pub(crate) fn next_element(&mut self) -> Result<bool, Unfit> {
        self.next(b']')
    }

    /// Takes the key and the colon if they are those at `next` in `keys`, or those after: servers write members in one
    /// order, and leave some out. Returns the place; the reader then stands at the value.
    #[inline]
    pub(crate) fn next_key(&mut self, keys: &[Token], next: usize) -> Option<usize> {
        let window = self.rest().first_chunk()?;
        let mut place = next;
        let mut key = keys.get(place)?;
        if !key.begins(window) {
            place += 1;
            key = keys.get(place).filter(|key| key.begins(window))?;
        }
        self.at += key.length;
        Some(place)
    }

    /// Takes a key and its colon; the reader then stands at the value.
    #[inline]
    pub(crate) fn key(&mut self) -> Result<&'t str, Unfit> {
        let Some([b'\\', b'"', rest @ ..]) = self.text.as_bytes().get(self.at..) else { return Err(Unfit) };
        let (start, length) = (self.at + 2, before_backslash(rest));
        let Some(key) = self.text.get(start..start + length) else { return Err(Unfit) };
        let behind = rest.get(length..).unwrap_or_default();
        self.at = start + length + 2;
        match behind {
            // The usual way, without a space anywhere.
            [b'\\', b'"', b':', next, ..] if *next != b' ' => self.at += 1,
            [b'\\', b'"', ..] => {
                self.skip_spaces();
                self.take(b':')?;
                self.skip_spaces();
            }
            _ => return Err(Unfit),
        }
        Ok(key)
    }

    /// Takes a string.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<&str, Unfit> {
        let Some([b'\\', b'"', rest @ ..]) = self.text.as_bytes().get(self.at..) else { return Err(Unfit) };
        let length = before_backslash(rest);
        let start = self.at + 2;
        if rest.get(length + 1) == Some(&b'"') {
            self.at = start + length + 2;
            return self.text.get(start..start + length).ok_or(Unfit);
        }
        self.unescape(start, start + length)
    }

    /// Takes `null` if it is there.
    #[inline]
    pub(crate) fn null(&mut self) -> bool {
        let is_null = self.peek() == Some(b'n') && self.rest().starts_with(b"null");
        if is_null {
            self.at += 4;
        }
        is_null
    }

    /// Passes over any value.
    pub(crate) fn skip(&mut self) -> Result<(), Unfit> {
        match self.peek() {
            Some(b'\\') => self.string().map(drop),
            Some(b'{') => {
                let mut more = self.open_object()?;
                while more {
                    self.key()?;
                    self.skip()?;
                    more = self.next_member()?;
                }
                Ok(())
            }
            Some(b'[') => {
                let mut more = self.open_list()?;
                while more {
                    self.skip()?;
                    more = self.next_element()?;
                }
                Ok(())
            }
            Some(b't' | b'f') => bool::strict(self).map(drop),
            Some(b'n') => self.null().then_some(()).ok_or(Unfit),
            _ => f64::strict(self).map(drop),
        }
    }

    /// Takes the digits of a whole number that always fits.
    fn integer(&mut self) -> Result<i64, Unfit> {
        let negative = self.peek() == Some(b'-');
        self.at += usize::from(negative);
        let first = self.peek();
        let digits = self.rest();
        let mut value: i64 = 0;
        let mut count = 0;
        for digit in digits.iter().map_while(|byte| byte.is_ascii_digit().then(|| byte - b'0')) {
            // Nineteen digits may not fit.
            if count == 18 {
                return Err(Unfit);
            }
            value = value * 10 + i64::from(digit);
            count += 1;
        }
        // A zero before another digit is a fault, and a negative zero is a float.
        if count == 0 || (first == Some(b'0') && (count > 1 || negative)) {
            return Err(Unfit);
        }
        self.at += count;
        Ok(if negative { -value } else { value })
    }

    #[inline]
    fn rest(&self) -> &'t [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    #[inline]
    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.byte(self.at)
    }

    #[inline]
    fn skip_spaces(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    #[inline]
    fn take(&mut self, byte: u8) -> Result<(), Unfit> {
        if self.peek() != Some(byte) {
            return Err(Unfit);
        }
        self.at += 1;
        Ok(())
    }

    #[inline]
    fn open(&mut self, open: u8, close: u8) -> Result<bool, Unfit> {
        self.take(open)?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Unfit);
        }
        self.skip_spaces();
        let is_empty = self.peek() == Some(close);
        if is_empty {
            self.at += 1;
            self.depth -= 1;
        }
        Ok(!is_empty)
    }

    #[inline]
    fn next(&mut self, close: u8) -> Result<bool, Unfit> {
        self.skip_spaces();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.skip_spaces();
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                self.depth -= 1;
                Ok(false)
            }
            _ => Err(Unfit),
        }
    }

    /// Reads on from the first escape of a string that began at `start`.
    #[cold]
    fn unescape(&mut self, start: usize, escape: usize) -> Result<&str, Unfit> {
        self.scratch.clear();
        let (mut run, mut at) = (start, escape);
        loop {
            self.scratch.push_str(self.text.get(run..at).ok_or(Unfit)?);
            // Both layers: what follows the backslash of the outer one, and what that is in the document.
            run = match (self.byte(at + 1), self.byte(at + 2), self.byte(at + 3)) {
                (Some(b'"'), ..) => {
                    self.at = at + 2;
                    return Ok(&self.scratch);
                }
                (Some(b'/'), ..) => {
                    self.scratch.push('/');
                    at + 2
                }
                (Some(b'\\'), Some(b'\\'), Some(character @ (b'"' | b'\\' | b'/'))) => {
                    self.scratch.push(char::from(character));
                    at + 4
                }
                (Some(b'\\'), Some(character), _) => {
                    let (character, length) = match character {
                        b'/' => ('/', 3),
                        b'n' => ('\n', 3),
                        b'r' => ('\r', 3),
                        b't' => ('\t', 3),
                        b'b' => ('\u{8}', 3),
                        b'f' => ('\u{c}', 3),
                        b'u' => self.unicode(at + 3)?,
                        _ => return Err(Unfit),
                    };
                    self.scratch.push(character);
                    at + length
                }
                _ => return Err(Unfit),
            };
            at = run + before_backslash(self.text.as_bytes().get(run..).unwrap_or_default());
        }
    }

    /// Reads the four digits behind a `\\u`, and the second half of a pair. Returns the character and the length of it all.
    fn unicode(&self, at: usize) -> Result<(char, usize), Unfit> {
        let unit = self.code_unit(at)?;
        if let Some(character) = char::from_u32(unit) {
            return Ok((character, 7));
        }
        if self.text.get(at + 4..at + 7) != Some("\\\\u") {
            return Err(Unfit);
        }
        let low = self.code_unit(at + 7)?;
        if !(0xD800..0xDC00).contains(&unit) || !(0xDC00..0xE000).contains(&low) {
            return Err(Unfit);
        }
        let code = 0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
        char::from_u32(code).map(|character| (character, 14)).ok_or(Unfit)
    }

    fn code_unit(&self, at: usize) -> Result<u32, Unfit> {
        let digits = self.text.get(at..at + 4).ok_or(Unfit)?;
        let hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        if hexadecimal { u32::from_str_radix(digits, 16).map_err(|_| Unfit) } else { Err(Unfit) }
    }
}

/// Reads a value that may be `null`.
#[inline]
pub(crate) fn optional<T: Strict>(reader: &mut Reader<'_>) -> Result<Option<T>, Unfit> {
    if reader.null() { Ok(None) } else { T::strict(reader).map(Some) }
}

impl Strict for i64 {
    #[inline]
    fn strict(reader: &mut Reader<'_>) -> Result<Self, Unfit> {
        let value = reader.integer()?;
        if matches!(reader.peek(), Some(b'.' | b'e' | b'E')) { Err(Unfit) } else { Ok(value) }
    }
}

impl Strict for f64 {
    fn strict(reader: &mut Reader<'_>) -> Result<Self, Unfit> {
        let start = reader.at;
        reader.integer()?;
        while matches!(reader.peek(), Some(b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) {
            reader.at += 1;
        }
        let text = reader.text.get(start..reader.at).ok_or(Unfit)?;
        serde_json::from_str(text).map_err(|_| Unfit)
    }
}

impl Strict for bool {
    #[inline]
    fn strict(reader: &mut Reader<'_>) -> Result<Self, Unfit> {
        let rest = reader.rest();
        let value = rest.starts_with(b"true");
        if !value && !rest.starts_with(b"false") {
            return Err(Unfit);
        }
        reader.at += if value { 4 } else { 5 };
        Ok(value)
    }
}

impl Strict for String {
    #[inline]
    fn strict(reader: &mut Reader<'_>) -> Result<Self, Unfit> {
        reader.string().map(str::to_owned)
    }
}

impl<T: Strict> Strict for Vec<T> {
    fn strict(reader: &mut Reader<'_>) -> Result<Self, Unfit> {
        let mut list = Self::new();
        let mut more = reader.open_list()?;
        while more {
            list.push(T::strict(reader)?);
            more = reader.next_element()?;
        }
        Ok(list)
    }
}

impl<T: StrictModel> Strict for Box<T> {
    #[inline]
    fn strict(reader: &mut Reader<'_>) -> Result<Self, Unfit> {
        let mut model = Self::default();
        model.fill_strictly(reader)?;
        Ok(model)
    }
}

/// Returns how many bytes stand before the first backslash.
#[inline]
fn before_backslash(bytes: &[u8]) -> usize {
    // Keys and most values end within sixteen bytes.
    match bytes.first_chunk().map(backslash_in) {
        Some(Some(at)) => at,
        Some(None) | None => before_backslash_far(bytes),
    }
}

fn before_backslash_far(bytes: &[u8]) -> usize {
    let (lanes, rest) = bytes.as_chunks();
    // The first lane was looked at.
    for (index, lane) in lanes.iter().enumerate().skip(1) {
        if let Some(at) = backslash_in(lane) {
            return index * LANE + at;
        }
    }
    lanes.len() * LANE + rest.iter().take_while(|&&byte| byte != b'\\').count()
}

#[inline]
fn backslash_in(lane: &[u8; LANE]) -> Option<usize> {
    let backslashes = u8x16::new(*lane).simd_eq(u8x16::splat(b'\\')).to_bitmask();
    (backslashes != 0).then(|| backslashes.trailing_zeros() as usize)
}

#[inline]
fn halves(window: &[u8; Token::WIDTH]) -> [u8x16; 2] {
    let (lanes, _) = window.as_chunks();
    [0, 1].map(|half| u8x16::new(lanes.get(half).copied().unwrap_or_default()))
}

const LANE: usize = 16;
/// Well below what the lenient way takes.
const MAX_DEPTH: u32 = 64;
