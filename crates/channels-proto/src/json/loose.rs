//! What is certain of a text that should be one JSON object but is not valid JSON.
//!
//! Servers produce such texts by mistake: with `NaN` or `undefined` as a value, an extra comma, a control character
//! or an unknown escape in a string, endless nesting, or truncated. Those are read here. Where the structure is
//! ambiguous, as after a quote that should have been escaped, reading stops.

/// The members of the object, as far as they can be told apart. It reads in one pass and uses only a few words of
/// memory.
#[derive(Debug)]
pub(crate) struct LooseMembers<'t> {
    text: &'t str,
    at: usize,
    is_open: bool,
    is_closed: bool,
}

/// One member.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LooseMember<'t> {
    /// With its quotes; anything may be between them.
    pub(crate) key: &'t str,
    /// Not necessarily valid; empty when there is none, or when it cannot be told where it ends.
    pub(crate) value: &'t str,
    /// Everything from the value to the end of the text.
    pub(crate) tail: &'t str,
}

impl<'t> LooseMembers<'t> {
    /// Starts behind the brace that opens the object; a text that does not begin with one has no members.
    pub(crate) fn of(text: &'t str) -> Self {
        let at = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
        let mut members = Self { text, at, is_open: false, is_closed: false };
        members.skip_blanks();
        if members.peek() == Some(b'{') {
            members.at += 1;
            members.is_open = true;
        }
        members
    }

    /// Returns the next member, or none at the end of the object and where the reading ends.
    pub(crate) fn next_member(&mut self) -> Option<LooseMember<'t>> {
        if !std::mem::take(&mut self.is_open) {
            return None;
        }
        self.skip_blanks();
        while self.peek() == Some(b',') {
            self.at += 1;
            self.skip_blanks();
        }
        if self.peek() == Some(b'}') {
            self.at += 1;
            self.skip_blanks();
            self.is_closed = true;
            return None;
        }
        let start = self.at;
        let key = self.string()?;
        self.skip_blanks();
        if self.peek() != Some(b':') {
            self.at = start;
            return None;
        }
        self.at += 1;
        self.skip_blanks();
        Some(self.member(key))
    }

    /// Returns whether the text was read to its end, and the object ends there.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_closed && self.rest().is_empty()
    }

    /// Returns what the members do not account for: the text from where the reading ended, or what follows the object.
    pub(crate) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Reads the value at hand. A member counts only when something follows it that may: else a quote in its value that
    /// should have been escaped would end it too early.
    fn member(&mut self, key: &'t str) -> LooseMember<'t> {
        let (start, tail) = (self.at, self.rest());
        let value = self.value();
        self.skip_blanks();
        self.is_open = value.is_some() && matches!(self.peek(), Some(b',' | b'}') | None);
        if !self.is_open {
            self.at = start;
        }
        LooseMember { key, value: value.filter(|_| self.is_open).unwrap_or_default(), tail }
    }

    /// Skips one value, which may be missing. None when it has no end, or its brackets do not match.
    fn value(&mut self) -> Option<&'t str> {
        let start = self.at;
        // The kinds of the outer containers stand in the bits of a word; further in only their number is known.
        let (mut depth, mut objects) = (0_usize, 0_u128);
        // A value may stand here: no other one stands right before it.
        let mut is_free = true;
        loop {
            match self.peek() {
                Some(b'"') if is_free => {
                    self.string()?;
                    is_free = false;
                }
                Some(open @ (b'{' | b'[')) if is_free => {
                    self.at += 1;
                    depth += 1;
                    if depth <= KNOWN_DEPTH {
                        objects = objects << 1 | u128::from(open == b'{');
                    }
                }
                Some(close @ (b'}' | b']')) if depth > 0 => {
                    if depth <= KNOWN_DEPTH {
                        if (objects & 1 == 1) != (close == b'}') {
                            return None;
                        }
                        objects >>= 1;
                    }
                    self.at += 1;
                    depth -= 1;
                    is_free = false;
                }
                Some(b',' | b':') if depth > 0 => {
                    self.at += 1;
                    is_free = true;
                }
                Some(byte) if is_free && is_word(byte) => {
                    while self.peek().is_some_and(is_word) {
                        self.at += 1;
                    }
                    is_free = false;
                }
                Some(_) | None if depth > 0 => return None,
                Some(_) | None => {}
            }
            if depth == 0 {
                return self.text.get(start..self.at);
            }
            self.skip_blanks();
        }
    }

    /// Skips a string, whatever it contains, and returns it with its quotes.
    fn string(&mut self) -> Option<&'t str> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return None;
        }
        let mut at = start + 1;
        loop {
            match self.text.as_bytes().get(at)? {
                b'"' => break,
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
        self.at = at + 1;
        self.text.get(start..self.at)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// White space, and the control characters that got between the tokens, such as the zero at the end of a C string.
    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(..=b' ' | b'\x7f')) {
            self.at += 1;
        }
    }
}

/// What numbers, literals and words like `NaN`, `-Infinity` or `undefined` are made of.
const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_')
}

const BYTE_ORDER_MARK: char = '\u{feff}';
/// What fits the word of bits.
const KNOWN_DEPTH: usize = 128;
