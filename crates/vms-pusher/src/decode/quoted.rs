//! Reads the JSON document inside a JSON string without unescaping it first.
//!
//! Servers encode `data` twice, so every quote of the document stands behind a backslash. Taking that layer off before
//! reading costs as much as the reading itself; here a token begins with `\"` instead of `"`, and a string without
//! escapes of its own is borrowed from the frame.
//!
//! Only what servers write is read here. Whatever else there is (white space other than spaces, characters escaped by the
//! outer layer, numbers beyond 64 bits, faults of any kind) is [`Unfit`], and has to be read the plain way, which
//! also knows what is wrong and where. What is read here reads the same there.

#[cfg(test)]
mod tests;

use std::fmt;

use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use wide::u8x16;

/// The document has to be read the plain way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unfit;

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the document has to be read the plain way")
    }
}

impl std::error::Error for Unfit {}

impl de::Error for Unfit {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl From<serde_json::Error> for Unfit {
    fn from(_: serde_json::Error) -> Self {
        Self
    }
}

/// A document inside a JSON string.
pub(super) struct Quoted<'de> {
    text: &'de str,
    at: usize,
    depth: u32,
    /// The last string that had escapes of its own.
    scratch: String,
}

/// A string of the document: borrowed, or in the scratch.
enum Text<'de> {
    Borrowed(&'de str),
    Unescaped,
}

impl<'de> Quoted<'de> {
    /// `content` is what stands between the quotes of a valid JSON string.
    pub(super) fn new(content: &'de str) -> Self {
        let mut quoted = Self { text: content, at: 0, depth: 0, scratch: String::new() };
        quoted.skip_spaces();
        quoted
    }

    /// Checks that nothing follows the document.
    pub(super) fn end(&mut self) -> Result<(), Unfit> {
        self.skip_spaces();
        if self.at == self.text.len() { Ok(()) } else { Err(Unfit) }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn peek(&self) -> Option<u8> {
        self.byte(self.at)
    }

    fn skip_spaces(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    /// Takes `byte`, with spaces before and behind it.
    fn take(&mut self, byte: u8) -> Result<(), Unfit> {
        self.skip_spaces();
        if self.peek() != Some(byte) {
            return Err(Unfit);
        }
        self.at += 1;
        self.skip_spaces();
        Ok(())
    }

    fn take_literal(&mut self, literal: &str) -> Result<(), Unfit> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if !rest.starts_with(literal.as_bytes()) {
            return Err(Unfit);
        }
        self.at += literal.len();
        Ok(())
    }

    fn string(&mut self) -> Result<Text<'de>, Unfit> {
        let Some([b'\\', b'"', rest @ ..]) = self.text.as_bytes().get(self.at..) else { return Err(Unfit) };
        let start = self.at + 2;
        let end = start + before_backslash(rest);
        if self.byte(end + 1) == Some(b'"') {
            self.at = end + 2;
            return self.text.get(start..end).map(Text::Borrowed).ok_or(Unfit);
        }
        self.unescape(start, end)
    }

    /// Reads on from the first escape of a string that began at `start`.
    fn unescape(&mut self, start: usize, escape: usize) -> Result<Text<'de>, Unfit> {
        self.scratch.clear();
        let (mut run, mut at) = (start, escape);
        loop {
            self.scratch.push_str(self.text.get(run..at).ok_or(Unfit)?);
            // Both layers: what follows the backslash of the outer one, and what that is in the document.
            run = match (self.byte(at + 1), self.byte(at + 2), self.byte(at + 3)) {
                (Some(b'"'), ..) => {
                    self.at = at + 2;
                    return Ok(Text::Unescaped);
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

    /// Reads the digits of a `\\uXXXX`, and the second half of a pair. Returns the character and the length of it all.
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

    fn number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Unfit> {
        let start = self.at;
        let negative = self.peek() == Some(b'-');
        self.at += usize::from(negative);
        let first = self.at;
        let mut value: u64 = 0;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        let digits = self.at - first;
        // Eighteen digits always fit; a zero before another digit is a fault, and a negative zero is a float.
        if digits == 0 || digits > 18 || (self.byte(first) == Some(b'0') && (digits > 1 || negative)) {
            return Err(Unfit);
        }
        if matches!(self.peek(), Some(b'.' | b'e' | b'E')) {
            while matches!(self.peek(), Some(b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) {
                self.at += 1;
            }
            let text = self.text.get(start..self.at).ok_or(Unfit)?;
            return visitor.visit_f64(serde_json::from_str(text).map_err(|_| Unfit)?);
        }
        match (negative, i64::try_from(value)) {
            (true, Ok(value)) => visitor.visit_i64(-value),
            (false, _) => visitor.visit_u64(value),
            (true, Err(_)) => Err(Unfit),
        }
    }

    fn enter(&mut self) -> Result<(), Unfit> {
        self.depth += 1;
        self.at += 1;
        self.skip_spaces();
        if self.depth > MAX_DEPTH { Err(Unfit) } else { Ok(()) }
    }
}

impl<'de> Deserializer<'de> for &mut Quoted<'de> {
    type Error = Unfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.peek() {
            Some(b'\\') => match self.string()? {
                Text::Borrowed(text) => visitor.visit_borrowed_str(text),
                Text::Unescaped => visitor.visit_str(&self.scratch),
            },
            Some(b'0'..=b'9' | b'-') => self.number(visitor),
            Some(b'n') => {
                self.take_literal("null")?;
                visitor.visit_unit()
            }
            Some(b't') => {
                self.take_literal("true")?;
                visitor.visit_bool(true)
            }
            Some(b'f') => {
                self.take_literal("false")?;
                visitor.visit_bool(false)
            }
            Some(b'{') => {
                self.enter()?;
                visitor.visit_map(Items { quoted: self, first: true })
            }
            Some(b'[') => {
                self.enter()?;
                visitor.visit_seq(Items { quoted: self, first: true })
            }
            _ => Err(Unfit),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// The members of an object or the elements of a list.
struct Items<'a, 'de> {
    quoted: &'a mut Quoted<'de>,
    first: bool,
}

impl Items<'_, '_> {
    /// Returns whether there is one more, and stands at it then.
    fn advance(&mut self, close: u8) -> Result<bool, Unfit> {
        let quoted = &mut *self.quoted;
        if !self.first {
            quoted.skip_spaces();
        }
        if quoted.peek() == Some(close) {
            quoted.at += 1;
            quoted.depth -= 1;
            return Ok(false);
        }
        if !std::mem::take(&mut self.first) {
            quoted.take(b',')?;
        }
        Ok(true)
    }
}

impl<'de> MapAccess<'de> for Items<'_, 'de> {
    type Error = Unfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unfit> {
        if !self.advance(b'}')? {
            return Ok(None);
        }
        match self.quoted.string()? {
            Text::Borrowed(key) => seed.deserialize(BorrowedStrDeserializer::new(key)).map(Some),
            Text::Unescaped => seed.deserialize(StrDeserializer::new(&self.quoted.scratch)).map(Some),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unfit> {
        self.quoted.take(b':')?;
        seed.deserialize(&mut *self.quoted)
    }
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Unfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unfit> {
        if self.advance(b']')? { seed.deserialize(&mut *self.quoted).map(Some) } else { Ok(None) }
    }
}

/// Returns how many bytes stand before the first backslash.
#[inline]
fn before_backslash(bytes: &[u8]) -> usize {
    let (lanes, rest) = bytes.as_chunks::<16>();
    for (index, lane) in lanes.iter().enumerate() {
        let backslashes = u8x16::new(*lane).simd_eq(u8x16::splat(b'\\')).to_bitmask();
        if backslashes != 0 {
            return index * 16 + backslashes.trailing_zeros() as usize;
        }
    }
    lanes.len() * 16 + rest.iter().take_while(|&&byte| byte != b'\\').count()
}

/// Well below what the plain way takes.
const MAX_DEPTH: u32 = 64;
