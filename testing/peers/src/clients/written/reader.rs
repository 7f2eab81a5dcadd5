use wide::u8x16;

/// Reads JSON without spaces, member by member. `None` is a message that was not expected.
pub(super) struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self) -> Option<u8> {
        let byte = self.peek();
        self.at += 1;
        byte
    }

    /// Calls `member` with the key of each member, which has to read the value.
    pub(super) fn object(&mut self, mut member: impl FnMut(&mut Self, &'t str) -> Option<()>) -> Option<()> {
        if self.take()? != b'{' {
            return None;
        }
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            let key = self.borrowed()?;
            self.at += 1;
            member(self, key)?;
            if self.take()? != b',' {
                return Some(());
            }
        }
    }

    fn list<T>(&mut self, mut element: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.at += 1;
        let mut list = Vec::new();
        if self.peek()? == b']' {
            self.at += 1;
            return Some(list);
        }
        loop {
            list.push(element(self)?);
            if self.take()? != b',' {
                return Some(list);
            }
        }
    }

    /// Reads a string that has no escapes, sixteen bytes at a time.
    pub(super) fn borrowed(&mut self) -> Option<&'t str> {
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let mut at = start;
        while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<LANE>()) {
            let lane = u8x16::new(*chunk);
            let special =
                lane.simd_eq(u8x16::splat(b'"')).to_bitmask() | lane.simd_eq(u8x16::splat(b'\\')).to_bitmask();
            if special != 0 {
                at += special.trailing_zeros() as usize;
                break;
            }
            at += LANE;
        }
        while !matches!(bytes.get(at)?, b'"' | b'\\') {
            at += 1;
        }
        if *bytes.get(at)? == b'\\' {
            return None;
        }
        self.at = at + 1;
        self.text.get(start..at)
    }

    pub(super) fn skip(&mut self) -> Option<()> {
        match self.peek()? {
            b'{' => self.object(|reader, _| reader.skip()),
            b'[' => self.list(Self::skip).map(|_| ()),
            b'"' => self.borrowed().map(|_| ()),
            _ => {
                while !matches!(self.peek()?, b',' | b'}' | b']') {
                    self.at += 1;
                }
                Some(())
            }
        }
    }
}

/// What can be read.
pub(super) trait Read: Sized {
    fn read(reader: &mut Reader<'_>) -> Option<Self>;
}

impl Read for String {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.borrowed().map(str::to_owned)
    }
}

impl Read for i64 {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (start, mut number) = (reader.at, 0_i64);
        while let Some(digit @ b'0'..=b'9') = reader.peek() {
            number = number.wrapping_mul(10).wrapping_add(Self::from(digit - b'0'));
            reader.at += 1;
        }
        (reader.at > start).then_some(number)
    }
}

impl Read for bool {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let value = reader.peek()? == b't';
        reader.at += if value { 4 } else { 5 };
        Some(value)
    }
}

impl<T: Read> Read for Option<T> {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        if reader.peek()? == b'n' {
            reader.at += 4;
            return Some(None);
        }
        T::read(reader).map(Some)
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.list(T::read)
    }
}

impl<T: Read> Read for Box<T> {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        T::read(reader).map(Self::new)
    }
}

const LANE: usize = 16;
