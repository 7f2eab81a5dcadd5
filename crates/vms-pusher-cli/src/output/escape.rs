//! What a server sends must not drive the terminal (M06): neither by escape sequences, nor by the marks that turn the
//! direction of writing, nor by characters that nobody sees.

use std::{borrow::Cow, fmt::Write as _};

use vms_pusher::is_unprintable;

/// Makes text safe for one line of a terminal.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    replace(text, is_unprintable)
}

/// Makes text of several lines safe; none of it may come from a server, which could forge a line.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    replace(text, |character| character != '\n' && is_unprintable(character))
}

fn replace(text: &str, unsafe_: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&unsafe_) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if unsafe_(character) {
            safe.extend(character.escape_default());
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// Makes JSON safe without changing what it says: in JSON such characters stand in strings alone.
pub(crate) fn json(text: String) -> String {
    if !text.contains(is_unprintable) {
        return text;
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_unprintable(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(character);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    const NASTY: &str = "a\u{1b}[31mred\u{9b}2J\u{202e}flip\u{200b}\u{7f}\u{e0041}\0é😀";

    // M06
    #[test]
    fn nothing_that_acts_on_a_terminal_gets_through() {
        let safe = line(NASTY);
        assert!(!safe.contains(is_unprintable), "{safe}");
        assert_eq!(safe, r"a\u{1b}[31mred\u{9b}2J\u{202e}flip\u{200b}\u{7f}\u{e0041}\u{0}é😀");
        assert_eq!(line("one\r\ntwo"), r"one\r\ntwo");
        assert_eq!(lines("one\r\ntwo"), "one\\r\ntwo");
    }

    // M06
    #[test]
    fn what_nobody_sees_is_shown() {
        for hidden in
            ['\u{34f}', '\u{115f}', '\u{1160}', '\u{17b4}', '\u{180b}', '\u{3164}', '\u{fe0f}', '\u{ffa0}', '\u{e0100}']
        {
            let text = format!("a{hidden}b");
            let shown = format!("a{}b", hidden.escape_unicode());
            assert_eq!(line(&text), shown);
            assert_eq!(lines(&text), shown);
            assert!(json(format!("\"{text}\"")).is_ascii(), "{shown}");
        }
    }

    #[test]
    fn plain_text_is_left_as_it_is() {
        assert!(matches!(line("Ворота №3, 日本"), Cow::Borrowed(_)));
    }

    // M06
    #[test]
    fn escaped_json_says_the_same() {
        let plain = serde_json::to_string(&serde_json::json!({"k\u{202e}": [NASTY, 1]})).unwrap();
        let safe = json(plain.clone());
        assert!(!safe.contains(is_unprintable), "{safe}");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&safe), read(&plain));
    }
}
