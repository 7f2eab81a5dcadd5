use std::{borrow::Cow, fmt};

use zeroize::Zeroizing;

use crate::spelling;

/// A text that no log, error or `Debug` output may show: it prints as `***` and is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps `text`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// Returns the text itself, to be sent on the wire and used nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns `text` with every occurrence of this secret replaced by `***`, however it is spelled there: as it is,
    /// in a different case, percent-encoded, or escaped as in JSON, HTML or Rust. A prefix of it at the end of a
    /// truncated text counts too.
    ///
    /// For text from outside that goes into an error or a log: its sender may repeat the secret it was given. A
    /// secret of fewer than four characters is not searched for; it would be found in any text.
    ///
    /// # Examples
    /// ```
    /// use channels_proto::Secret;
    ///
    /// let token = Secret::new("12|abc/def");
    /// assert_eq!(token.hide_in("bad token 12|abc/def!"), "bad token ***!");
    /// assert_eq!(token.hide_in("/login?t=12%7Cabc%2Fdef"), "/login?t=***");
    /// ```
    #[must_use]
    pub fn hide_in<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let secret = self.expose();
        if secret.chars().nth(SHORTEST_HIDDEN - 1).is_none() {
            return Cow::Borrowed(text);
        }
        let mut hidden: Option<String> = None;
        let (mut at, mut kept) = (0, 0);
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            match spelling::length_of(secret, rest) {
                Some(length) => {
                    let hidden = hidden.get_or_insert_default();
                    hidden.push_str(text.get(kept..at).unwrap_or_default());
                    hidden.push_str("***");
                    at += length;
                    kept = at;
                }
                None => at += rest.chars().next().map_or(1, char::len_utf8),
            }
        }
        match hidden {
            Some(hidden) => Cow::Owned(hidden + text.get(kept..).unwrap_or_default()),
            None => Cow::Borrowed(text),
        }
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

const SHORTEST_HIDDEN: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "12|aB/c+d=\"é\\";

    fn hidden(text: &str) -> String {
        Secret::new(TOKEN).hide_in(text).into_owned()
    }

    // Q01: whoever was given the token may write it in any way
    #[test]
    fn a_secret_is_found_in_every_spelling() {
        let percent = "%31%32%7C%61%42%2F%63%2B%64%3D%22%C3%A9%5C";
        let spellings = [
            TOKEN.to_owned(),
            TOKEN.to_uppercase(),
            "12%7CaB%2Fc%2Bd%3D%22%C3%A9%5C".to_owned(),
            "12%7caB%2fc%2bd%3d%22%c3%a9%5c".to_owned(),
            percent.to_owned(),
            percent.replace('%', "%25"),
            percent.replace('%', "%2525"),
            r#"12|aB\/c+d=\"é\\"#.to_owned(),
            r"12\u007caB\u002fc\u002bd\u003d\u0022\u00e9\u005c".to_owned(),
            r"12\\u007caB\\/c\\u002bd=\\u0022\\u00e9\\u005c".to_owned(),
            r"12\u{7c}aB\u{2f}c+d=\u{22}\u{e9}\u{5c}".to_owned(),
            r"12\x7caB\x2fc+d=\x22\xe9\x5c".to_owned(),
            "12&#124;aB&#x2F;c&#43;d&#61;&quot;&#233;&#92;".to_owned(),
        ];
        for spelling in spellings {
            assert_eq!(hidden(&format!("no: {spelling}.")), "no: ***.", "{spelling}");
            assert_eq!(hidden(&spelling.repeat(2)), "******", "{spelling}");
        }
    }

    // Q01: a password may look like a text that is escaped
    #[test]
    fn a_secret_that_holds_what_looks_like_an_escape_is_found_in_every_spelling() {
        for password in
            [r"ab%25cd", r"ab\\cd", "ab&amp;cd", r"ab\u0041cd", r"\\\\\\", "%2525%25", "<a>\\\\b", r"100%\n&#37;"]
        {
            let html = password.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let json = serde_json::Value::from(password).to_string();
            let percent: String = password.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let common = password.replace('%', "%25").replace('\\', "%5C").replace('<', "%3C").replace('>', "%3E");
            for spelling in [password, &html, json.trim_matches('"'), &percent, &common] {
                let text = format!("no: {spelling}.");
                assert_eq!(Secret::new(password).hide_in(&text), "no: ***.", "{password}");
            }
        }
    }

    // Q01: a text for a person is cut, and the cut may fall into the token
    #[test]
    fn the_beginning_of_a_secret_at_the_end_of_a_text_is_hidden() {
        let secret = Secret::new("0123456789abcdef");
        for cut in 6..16 {
            assert_eq!(secret.hide_in(&format!("no: {}", &secret.expose()[..cut])), "no: ***");
            assert_eq!(secret.hide_in(&format!("no: {}…", &secret.expose()[..cut])), "no: ***…");
        }
        assert_eq!(Secret::new("12|abcdef").hide_in("t=12%7Cabc%"), "t=***%");
        assert_eq!(secret.hide_in("no: 01234567 is"), "no: 01234567 is");
        assert_eq!(secret.hide_in("no: 01"), "no: 01");
    }

    #[test]
    fn a_text_without_the_secret_is_left_as_it_is() {
        for text in ["", "plain", "12|aB", "%", "%2", "\\", "\\u", "&", "&#", "&#x;", "100 %é", "12|aB/c+d= and more"]
        {
            assert!(matches!(Secret::new(TOKEN).hide_in(text), Cow::Borrowed(same) if same == text), "{text}");
        }
        assert_eq!(Secret::new("").hide_in("a text"), "a text");
        assert_eq!(Secret::new("the").hide_in("the text"), "the text");
    }

    // The cost is bounded whatever the text is.
    #[test]
    fn a_text_made_to_be_searched_slowly_ends_too() {
        let secret = Secret::new("a".repeat(2_000) + "b");
        let text = "%25".repeat(700) + &"a".repeat(2_000) + &"\\".repeat(2_000);
        assert_eq!(secret.hide_in(&text), text);
        let token = Secret::new(TOKEN);
        for atom in ["\\", "\\u{", "%", "%25", "&", "&#", "1\\"] {
            let text = atom.repeat(1_000_000 / atom.len());
            assert_eq!(token.hide_in(&text), text);
        }
    }
}
