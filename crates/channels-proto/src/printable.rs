//! How text from outside is shown in a message for a person.

use std::{
    borrow::Cow,
    fmt::{self, Write as _},
};

/// Text from outside, made safe to show in a message: on one line, with nothing invisible in it.
///
/// Line breaks, control characters, marks that change the direction of writing, and characters that are invisible or
/// look like a blank are written as Rust escapes (`\n`, `\u{202e}`); everything else is unchanged.
///
/// # Examples
/// ```
/// use channels_proto::Printable;
///
/// assert_eq!(Printable("so\nerror: not so").to_string(), r"so\nerror: not so");
/// assert_eq!(Printable("Ворота №3").to_string(), "Ворота №3");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Printable<'t>(pub &'t str);

impl<'t> Printable<'t> {
    /// Returns the text, borrowed when nothing in it had to be escaped.
    #[must_use]
    pub fn to_text(self) -> Cow<'t, str> {
        if self.0.contains(is_unprintable) { Cow::Owned(self.to_string()) } else { Cow::Borrowed(self.0) }
    }
}

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some((at, character)) = rest.char_indices().find(|(_, character)| is_unprintable(*character)) {
            let (plain, tail) = rest.split_at(at);
            f.write_str(plain)?;
            for escaped in character.escape_default() {
                f.write_char(escaped)?;
            }
            rest = tail.get(character.len_utf8()..).unwrap_or_default();
        }
        f.write_str(rest)
    }
}

/// Returns whether `character` acts on a terminal, starts a line, or hides or reorders what is around it: control
/// characters, line and paragraph separators, what Unicode calls *default ignorable* (which includes direction marks
/// and variation selectors), annotations, and fillers that look like a blank.
#[must_use]
pub const fn is_unprintable(character: char) -> bool {
    matches!(character,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' // C0, DEL, C1
        | '\u{2028}' | '\u{2029}'
        // Default_Ignorable_Code_Point (Unicode 16, DerivedCoreProperties)
        | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
        // Annotations, and a braille pattern without a dot
        | '\u{fff9}'..='\u{fffb}' | '\u{2800}')
}

#[cfg(test)]
mod tests {
    use super::*;

    // M06
    #[test]
    fn nothing_that_forges_a_line_or_cannot_be_seen_is_printed_as_it_is() {
        let nasty = [
            "\n",
            "\r",
            "\t",
            "\0",
            "\u{1b}",
            "\u{7f}",
            "\u{85}",
            "\u{9b}",
            "\u{ad}",
            "\u{34f}",
            "\u{61c}",
            "\u{115f}",
            "\u{1160}",
            "\u{17b5}",
            "\u{180b}",
            "\u{180f}",
            "\u{200b}",
            "\u{200f}",
            "\u{2028}",
            "\u{2029}",
            "\u{202e}",
            "\u{2066}",
            "\u{2800}",
            "\u{3164}",
            "\u{fe00}",
            "\u{fe0f}",
            "\u{feff}",
            "\u{ffa0}",
            "\u{fff5}",
            "\u{fffb}",
            "\u{1d173}",
            "\u{e0001}",
            "\u{e0041}",
            "\u{e0100}",
            "\u{e0fff}",
        ];
        for character in nasty {
            let text = format!("a{character}b{character}");
            let printed = Printable(&text).to_string();
            assert!(!printed.contains(character), "{character:?}");
            assert!(printed.starts_with(r"a\") && printed.contains(r"b\") && printed.is_ascii(), "{printed}");
            assert_eq!(Printable(&text).to_text(), printed);
        }
    }

    #[test]
    fn what_can_be_read_stays_as_it_is_and_an_escaped_text_is_not_escaped_again() {
        let plain = "it's \"so\": C:\\n Ворота №3, 日本 😀 café e\u{301}";
        assert!(matches!(Printable(plain).to_text(), Cow::Borrowed(text) if text == plain));
        let once = Printable("a\n\u{e0041}").to_string();
        assert_eq!((once.as_str(), Printable(&once).to_string().as_str()), (r"a\n\u{e0041}", once.as_str()));
    }
}
