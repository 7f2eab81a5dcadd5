use std::borrow::Cow;

use super::{
    JsonError,
    block::{self, BLOCK, Masks, escaped, plain_prefix},
    unescape,
};

/// One JSON value, still as text: grammatically valid, not interpreted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value<'t> {
    text: &'t str,
    /// It is a string that stands for itself.
    plain: bool,
}

impl<'t> Value<'t> {
    pub(crate) const NULL: Self = Self { text: "null", plain: false };

    /// Takes a text that is one value and nothing else, without white space around it.
    pub(crate) fn alone(text: &'t str) -> Option<Self> {
        let mut scanner = Scanner { text, bytes: text.as_bytes(), at: 0, max_depth: MAX_DEPTH };
        let value = scanner.value().ok()?;
        (scanner.at == text.len()).then_some(value)
    }

    /// Checks that a text is one value and nothing else, without white space around it.
    pub(crate) fn check(text: &str) -> Result<(), JsonError> {
        let mut scanner = Scanner { text, bytes: text.as_bytes(), at: 0, max_depth: MAX_DEPTH };
        scanner.value()?;
        if scanner.at == text.len() { Ok(()) } else { Err(scanner.syntax()) }
    }

    pub(crate) const fn text(self) -> &'t str {
        self.text
    }

    pub(crate) fn is_null(self) -> bool {
        self.text == "null"
    }

    /// What is between the quotes of a string, and whether that stands for itself; `None` for anything else.
    pub(crate) fn content(self) -> Option<(&'t str, bool)> {
        Some((self.text.strip_prefix('"')?.strip_suffix('"')?, self.plain))
    }

    /// What a string stands for; `None` for anything else.
    pub(crate) fn string(self) -> Option<Result<Cow<'t, str>, JsonError>> {
        let (content, is_plain) = self.content()?;
        Some(if is_plain { Ok(Cow::Borrowed(content)) } else { unescape(content) })
    }

    /// A whole number, also when it is quoted; `None` for anything else.
    pub(crate) fn integer(self) -> Option<i64> {
        match self.string() {
            Some(content) => content.ok()?.trim().parse().ok(),
            None => self.text.parse().ok(),
        }
    }

    /// Any scalar as text: a string's content, a number as it is written.
    pub(crate) fn scalar(self) -> Option<Cow<'t, str>> {
        match self.string() {
            Some(content) => content.ok(),
            None => self.text.starts_with(|c: char| c == '-' || c.is_ascii_digit()).then_some(Cow::Borrowed(self.text)),
        }
    }
}

/// The key of a member.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key<'t> {
    content: &'t str,
    /// It stands for itself.
    plain: bool,
}

impl<'t> Key<'t> {
    #[inline]
    pub(crate) fn name(self) -> Result<Cow<'t, str>, JsonError> {
        if self.plain { Ok(Cow::Borrowed(self.content)) } else { unescape(self.content) }
    }
}

/// The members of the one object a text consists of, in the order of the text.
///
/// The iterator ends after the first error; a text is valid only if it reached the end without one.
#[derive(Debug)]
pub(crate) struct Members<'t> {
    scanner: Scanner<'t>,
    at: At,
}

#[derive(Debug, PartialEq, Eq)]
enum At {
    FirstMember,
    NextMember,
    End,
}

impl<'t> Members<'t> {
    /// Starts at the brace that opens the object.
    ///
    /// # Errors
    /// When the text does not begin with an object.
    pub(crate) fn of(text: &'t str, max_depth: u32) -> Result<Self, JsonError> {
        let mut scanner = Scanner { text, bytes: text.as_bytes(), at: 0, max_depth: max_depth.min(MAX_DEPTH) };
        scanner.skip_whitespace();
        scanner.expect(b'{')?;
        Ok(Self { scanner, at: At::FirstMember })
    }

    /// Returns the next member, or none at the end of the text.
    ///
    /// # Errors
    /// When the text violates the grammar; nothing after that can be read.
    #[inline]
    pub(crate) fn next_member(&mut self) -> Result<Option<(Key<'t>, Value<'t>)>, JsonError> {
        let scanner = &mut self.scanner;
        scanner.skip_whitespace();
        match (scanner.peek(), &self.at) {
            (Some(b','), At::NextMember) => scanner.at += 1,
            (Some(b'}'), At::FirstMember | At::NextMember) => {
                scanner.at += 1;
                scanner.skip_whitespace();
                self.at = At::End;
                return if scanner.peek().is_none() { Ok(None) } else { Err(scanner.syntax()) };
            }
            (Some(_), At::FirstMember) => {}
            (_, At::End) => return Ok(None),
            _ => return Err(scanner.syntax()),
        }
        self.at = At::NextMember;
        let key = scanner.key()?;
        scanner.skip_whitespace();
        Ok(Some((key, scanner.value()?)))
    }
}

impl<'t> Iterator for Members<'t> {
    type Item = Result<(Cow<'t, str>, Value<'t>), JsonError>;

    fn next(&mut self) -> Option<Self::Item> {
        let member = match self.next_member() {
            Ok(member) => member.map(|(key, value)| key.name().map(|key| (key, value))),
            Err(error) => Some(Err(error)),
        };
        if matches!(member, Some(Err(_))) {
            self.at = At::End;
        }
        member
    }
}

/// The elements of the one array a text consists of.
///
/// The iterator ends after the first error; a text is valid only if it reached the end without one.
#[derive(Debug)]
pub(crate) struct Elements<'t> {
    scanner: Scanner<'t>,
    at: At,
}

impl<'t> Elements<'t> {
    /// Starts at the bracket that opens the array.
    ///
    /// # Errors
    /// When the text does not begin with an array.
    pub(crate) fn of(text: &'t str, max_depth: u32) -> Result<Self, JsonError> {
        let mut scanner = Scanner { text, bytes: text.as_bytes(), at: 0, max_depth: max_depth.min(MAX_DEPTH) };
        scanner.skip_whitespace();
        scanner.expect(b'[')?;
        Ok(Self { scanner, at: At::FirstMember })
    }

    fn next_element(&mut self) -> Result<Option<Value<'t>>, JsonError> {
        let scanner = &mut self.scanner;
        scanner.skip_whitespace();
        match (scanner.peek(), &self.at) {
            (Some(b','), At::NextMember) => scanner.at += 1,
            (Some(b']'), At::FirstMember | At::NextMember) => {
                scanner.at += 1;
                scanner.skip_whitespace();
                self.at = At::End;
                return if scanner.peek().is_none() { Ok(None) } else { Err(scanner.syntax()) };
            }
            (Some(_), At::FirstMember) => {}
            (_, At::End) => return Ok(None),
            _ => return Err(scanner.syntax()),
        }
        self.at = At::NextMember;
        scanner.skip_whitespace();
        scanner.value().map(Some)
    }
}

impl<'t> Iterator for Elements<'t> {
    type Item = Result<Value<'t>, JsonError>;

    fn next(&mut self) -> Option<Self::Item> {
        let element = self.next_element().transpose();
        if matches!(element, Some(Err(_))) {
            self.at = At::End;
        }
        element
    }
}

#[derive(Debug)]
struct Scanner<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    max_depth: u32,
}

impl<'t> Scanner<'t> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn slice(&self, start: usize) -> &'t str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    const fn syntax(&self) -> JsonError {
        JsonError::Syntax { offset: self.at }
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.syntax())
        }
    }

    fn skip_whitespace(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// A key and the colon behind it.
    #[inline]
    fn key(&mut self) -> Result<Key<'t>, JsonError> {
        self.skip_whitespace();
        let start = self.at + 1;
        let plain = self.skip_string()?;
        let content = self.text.get(start..self.at - 1).unwrap_or_default();
        self.skip_whitespace();
        self.expect(b':')?;
        Ok(Key { content, plain })
    }

    #[inline]
    fn value(&mut self) -> Result<Value<'t>, JsonError> {
        let start = self.at;
        // Nearly all members are strings.
        let plain = if self.peek() == Some(b'"') {
            self.skip_string()?
        } else {
            self.skip_value()?;
            false
        };
        Ok(Value { text: self.slice(start), plain })
    }

    /// Skips one value without recursion: the kinds of the open containers are kept in the bits of a word.
    fn skip_value(&mut self) -> Result<(), JsonError> {
        // The object that `Members` walks is the first level.
        let (mut depth, mut objects) = (1_u32, 0_u128);
        loop {
            self.skip_whitespace();
            let opened = match self.peek() {
                Some(b'"') => {
                    self.skip_string()?;
                    false
                }
                Some(open @ (b'{' | b'[')) => {
                    if depth >= self.max_depth {
                        return Err(JsonError::TooDeep { limit: self.max_depth, offset: self.at });
                    }
                    depth += 1;
                    objects = objects << 1 | u128::from(open == b'{');
                    self.at += 1;
                    self.skip_whitespace();
                    !matches!((self.peek(), open), (Some(b'}'), b'{') | (Some(b']'), b'['))
                }
                Some(b't') => self.skip_literal("true")?,
                Some(b'f') => self.skip_literal("false")?,
                Some(b'n') => self.skip_literal("null")?,
                _ => self.skip_number()?,
            };
            if opened {
                if objects & 1 == 1 {
                    self.key()?;
                }
                continue;
            }
            loop {
                if depth == 1 {
                    return Ok(());
                }
                self.skip_whitespace();
                match (self.peek(), objects & 1 == 1) {
                    (Some(b','), in_object) => {
                        self.at += 1;
                        if in_object {
                            self.key()?;
                        }
                        break;
                    }
                    (Some(b'}'), true) | (Some(b']'), false) => {
                        self.at += 1;
                        depth -= 1;
                        objects >>= 1;
                    }
                    _ => return Err(self.syntax()),
                }
            }
        }
    }

    /// Skips a string, and returns whether it stands for itself: it contains no escape.
    fn skip_string(&mut self) -> Result<bool, JsonError> {
        self.expect(b'"')?;
        self.at += plain_prefix(self.bytes.get(self.at..).unwrap_or_default());
        match self.peek() {
            Some(b'"') => {
                self.at += 1;
                Ok(true)
            }
            Some(b'\\') => {
                self.skip_escaped_string()?;
                self.expect(b'"').map(|()| false)
            }
            _ => Err(self.syntax()),
        }
    }

    /// Skips the rest of a string that contains escapes, up to its closing quote, a block at a time.
    fn skip_escaped_string(&mut self) -> Result<(), JsonError> {
        let mut carried = 0;
        while self.at < self.bytes.len() {
            let Masks { quotes, backslashes, controls } = Masks::of(&block::at(self.bytes, self.at));
            let escaped = escaped(backslashes, &mut carried);
            let ends = quotes & !escaped;
            let before_end = (ends & ends.wrapping_neg()).wrapping_sub(1);
            if controls & before_end != 0 {
                self.at += (controls & before_end).trailing_zeros() as usize;
                return Err(self.syntax());
            }
            // Quotes and backslashes may be escaped, and are what nearly all escapes are.
            let mut rare = escaped & before_end & !quotes & !backslashes;
            while rare != 0 {
                self.check_escape(self.at + rare.trailing_zeros() as usize)?;
                rare &= rare - 1;
            }
            if ends != 0 {
                self.at += ends.trailing_zeros() as usize;
                return Ok(());
            }
            self.at += BLOCK;
        }
        self.at = self.bytes.len();
        Err(self.syntax())
    }

    fn check_escape(&self, at: usize) -> Result<(), JsonError> {
        let hex = || self.bytes.get(at + 1..at + 5).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        match self.bytes.get(at) {
            Some(b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(()),
            Some(b'u') if hex() => Ok(()),
            _ => Err(JsonError::Syntax { offset: at.min(self.bytes.len()) }),
        }
    }

    fn skip_literal(&mut self, literal: &str) -> Result<bool, JsonError> {
        if self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(literal.as_bytes())) {
            self.at += literal.len();
            Ok(false)
        } else {
            Err(self.syntax())
        }
    }

    fn skip_number(&mut self) -> Result<bool, JsonError> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.skip_digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.skip_digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.skip_digits()?;
        }
        Ok(false)
    }

    fn skip_digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.syntax()) } else { Ok(()) }
    }
}

/// What fits the word of bits in `skip_value`.
const MAX_DEPTH: u32 = 128;
