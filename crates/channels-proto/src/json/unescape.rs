use std::borrow::Cow;

use super::JsonError;

/// Returns what the content of a JSON string stands for; borrowed when it holds no escape.
///
/// The content comes from the scanner, so its escapes are well formed; what can still fail is a surrogate pair.
pub(crate) fn unescape(content: &str) -> Result<Cow<'_, str>, JsonError> {
    let Some(first) = memchr::memchr(b'\\', content.as_bytes()) else {
        return Ok(Cow::Borrowed(content));
    };
    let mut text = String::with_capacity(content.len());
    let (mut rest, mut next) = (content, Some(first));
    while let Some(at) = next {
        text.push_str(rest.get(..at).unwrap_or_default());
        let mut escape = rest.get(at + 1..).unwrap_or_default().chars();
        text.push(match escape.next() {
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let (character, behind) = unescape_unicode(escape.as_str())?;
                escape = behind.chars();
                character
            }
            Some(itself) => itself,
            None => break,
        });
        rest = escape.as_str();
        next = memchr::memchr(b'\\', rest.as_bytes());
    }
    text.push_str(rest);
    Ok(Cow::Owned(text))
}

/// Reads what follows `\u`, and a second escape when the first one is the upper half of a pair.
fn unescape_unicode(text: &str) -> Result<(char, &str), JsonError> {
    let (unit, rest) = code_unit(text)?;
    if let Some(character) = char::from_u32(unit) {
        return Ok((character, rest));
    }
    let (low, rest) = rest.strip_prefix("\\u").ok_or(JsonError::LoneSurrogate).and_then(code_unit)?;
    if !(0xD800..0xDC00).contains(&unit) || !(0xDC00..0xE000).contains(&low) {
        return Err(JsonError::LoneSurrogate);
    }
    let code = 0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    char::from_u32(code).map(|character| (character, rest)).ok_or(JsonError::LoneSurrogate)
}

fn code_unit(text: &str) -> Result<(u32, &str), JsonError> {
    let parsed = text.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    parsed.zip(text.get(4..)).ok_or(JsonError::LoneSurrogate)
}
