use std::borrow::Cow;

use super::{
    JsonError,
    block::{self, BLOCK, Masks, escaped},
};

/// Returns the text that the content of a JSON string represents; borrowed when it contains no escape.
///
/// The content comes from the scanner, so its escapes are well formed; what can still fail is a surrogate pair.
pub(crate) fn unescape(content: &str) -> Result<Cow<'_, str>, JsonError> {
    let Some(first) = content.bytes().position(|byte| byte == b'\\') else {
        return Ok(Cow::Borrowed(content));
    };
    if content.len() > SHORT {
        return unescape_blocks(content).map(Cow::Owned);
    }
    let mut text = String::with_capacity(content.len());
    let (mut run, mut escape) = (0, Some(first));
    while let Some(at) = escape {
        text.push_str(content.get(run..at).unwrap_or_default());
        let (character, next) = unescape_at(content, at + 1)?;
        text.push(character);
        run = next;
        escape = content.bytes().skip(run).position(|byte| byte == b'\\').map(|ahead| run + ahead);
    }
    text.push_str(content.get(run..).unwrap_or_default());
    Ok(Cow::Owned(text))
}

/// The same a block at a time.
pub(super) fn unescape_blocks(content: &str) -> Result<String, JsonError> {
    let source = content.as_bytes();
    let mut room = vec![0; source.len() + COPIED];
    let mut writer = Writer { room: &mut room, at: 0 };
    // Where the text begins that has not been copied yet.
    let mut run = 0;
    let mut carried = 0;
    for base in (0..source.len()).step_by(BLOCK) {
        let block = block::at(source, base);
        let Masks { quotes, backslashes, .. } = Masks::of(&block);
        let mut escaped = escaped(backslashes, &mut carried);
        let mut rare = escaped & !quotes & !backslashes;
        if rare != 0 {
            rare &= !block::slashes(&block);
        }
        while escaped != 0 {
            let at = base + escaped.trailing_zeros() as usize;
            if rare == 0 {
                // Stands for itself, so it begins the next run.
                writer.copy(source, run, at - 1);
                run = at;
            } else if at >= run {
                writer.copy(source, run, at - 1);
                let (character, next) = unescape_at(content, at)?;
                writer.push(character);
                run = next;
            }
            escaped &= escaped - 1;
        }
    }
    writer.copy(source, run, source.len());
    let written = writer.at;
    room.truncate(written);
    let text = String::from_utf8(room);
    debug_assert!(text.is_ok(), "escapes begin and end at the borders of characters");
    text.map_err(|_| JsonError::LoneSurrogate)
}

struct Writer<'s> {
    room: &'s mut [u8],
    at: usize,
}

impl Writer<'_> {
    /// Copies `source[start..end]`. Runs between escapes are short: a copy of fixed length, some of which the next one
    /// overwrites, is several times faster than one of exact length.
    fn copy(&mut self, source: &[u8], start: usize, end: usize) {
        let length = end - start;
        if length <= COPIED
            && let Some(from) = source.get(start..start + COPIED)
            && let Some(to) = self.room.get_mut(self.at..self.at + COPIED)
        {
            to.copy_from_slice(from);
        } else if let Some(from) = source.get(start..end)
            && let Some(to) = self.room.get_mut(self.at..self.at + length)
        {
            to.copy_from_slice(from);
        }
        self.at += length;
    }

    fn push(&mut self, character: char) {
        let length = character.len_utf8();
        if let Some(to) = self.room.get_mut(self.at..self.at + length) {
            character.encode_utf8(to);
        }
        self.at += length;
    }
}

/// Returns what the escaped byte at `at` represents, and where the text continues.
fn unescape_at(content: &str, at: usize) -> Result<(char, usize), JsonError> {
    let character = match content.as_bytes().get(at) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => {
            let unicode = unescape_unicode(content.get(at + 1..).unwrap_or_default());
            return unicode.map(|(character, length)| (character, at + 1 + length));
        }
        Some(itself) => char::from(*itself),
        None => return Err(JsonError::LoneSurrogate),
    };
    Ok((character, at + 1))
}

/// Reads what follows `\u`, and a second escape when the first one is the upper half of a pair. Returns the character and
/// how many bytes it took.
fn unescape_unicode(text: &str) -> Result<(char, usize), JsonError> {
    let unit = code_unit(text)?;
    if let Some(character) = char::from_u32(unit) {
        return Ok((character, 4));
    }
    let low = text.get(4..).and_then(|rest| rest.strip_prefix("\\u")).ok_or(JsonError::LoneSurrogate)?;
    let low = code_unit(low)?;
    if !(0xD800..0xDC00).contains(&unit) || !(0xDC00..0xE000).contains(&low) {
        return Err(JsonError::LoneSurrogate);
    }
    let code = 0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    char::from_u32(code).map(|character| (character, 10)).ok_or(JsonError::LoneSurrogate)
}

fn code_unit(text: &str) -> Result<u32, JsonError> {
    text.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok()).ok_or(JsonError::LoneSurrogate)
}

/// Up to here a byte at a time is cheaper than room for blocks.
const SHORT: usize = 64;
/// Bytes copied at a time.
const COPIED: usize = 32;
