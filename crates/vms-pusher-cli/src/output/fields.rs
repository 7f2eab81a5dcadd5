//! `name=value` pairs, safe to print.

use std::fmt::{Display, Write as _};

use super::escape;

/// A list of fields in the making; what is absent is left out.
#[derive(Debug, Default)]
pub(crate) struct Fields(String);

impl Fields {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a number, or something else that needs no quotes.
    #[must_use]
    pub(crate) fn plain(mut self, name: &str, value: Option<impl Display>) -> Self {
        if let Some(value) = value {
            self.push(name, &value.to_string());
        }
        self
    }

    /// Adds text, in quotes when it could be mistaken for more than one word, and cut when it is long.
    #[must_use]
    pub(crate) fn text(mut self, name: &str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            self.push(name, &quoted(value));
        }
        self
    }

    /// Adds numbers with commas between them.
    #[must_use]
    pub(crate) fn list(self, name: &str, values: Option<&[i64]>) -> Self {
        let join = |values: &[i64]| values.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
        self.plain(name, values.filter(|values| !values.is_empty()).map(|values| cut(&join(values))))
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }

    fn push(&mut self, name: &str, value: &str) {
        let space = if self.0.is_empty() { "" } else { " " };
        let _ = write!(self.0, "{space}{name}={}", escape::line(value));
    }
}

fn quoted(text: &str) -> String {
    let plain = |character: char| !character.is_whitespace() && !matches!(character, '"' | '=' | '\\');
    if !text.is_empty() && text.chars().all(plain) {
        return cut(text);
    }
    let mut quoted = String::new();
    let mut length = 0;
    for character in text.chars() {
        let is_escaped = matches!(character, '"' | '\\');
        length += 1 + usize::from(is_escaped);
        if length > MAX_CHARACTERS {
            quoted.push('…');
            break;
        }
        if is_escaped {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    format!("\"{quoted}\"")
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// About half a line; `--json` has it all.
const MAX_CHARACTERS: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_is_left_out_and_what_has_spaces_is_quoted() {
        let fields = Fields::new()
            .plain("id", Some(7))
            .plain("camera", None::<i64>)
            .text("title", Some("a \"b\" \\"))
            .text("name", Some("x"))
            .text("empty", Some(""))
            .list("ids", Some(&[1, 2]))
            .list("none", Some(&[]));
        assert_eq!(fields.finish(), r#"id=7 title="a \"b\" \\" name=x empty="" ids=1,2"#);
    }

    // M06
    #[test]
    fn long_text_is_cut_and_control_characters_are_escaped() {
        let long = "ä".repeat(100);
        assert_eq!(Fields::new().text("t", Some(&long)).finish(), format!("t={}…", "ä".repeat(60)));
        assert_eq!(Fields::new().text("t", Some("\u{1b}[2J")).finish(), r"t=\u{1b}[2J");
    }
}
