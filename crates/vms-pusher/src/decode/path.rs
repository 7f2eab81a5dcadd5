//! Where in a JSON text an error is, as a JSON path.

use std::fmt::Write as _;

/// Returns the byte offset of a line and column, both counted from 1, in bytes, as `serde_json` counts them.
pub(super) fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    before + column.saturating_sub(1)
}

/// Returns the path of the value that the byte at `offset` belongs to: `$` is the whole, `$.data[3].id` a member.
///
/// The text up to there need not be JSON.
pub(super) fn at(text: &str, offset: usize) -> String {
    let text = text.as_bytes();
    let mut open = Open::default();
    let mut at = 0;
    while at < offset.min(text.len()) {
        match text.get(at) {
            Some(b'"') => {
                let end = string_end(text, at + 1);
                if let Some(Container::Object { key, in_key: true }) = open.innermost() {
                    *key = text.get(at + 1..end).unwrap_or_default();
                }
                at = end;
            }
            Some(b'{') => open.push(Container::Object { key: b"", in_key: true }),
            Some(b'[') => open.push(Container::Array { index: 0 }),
            Some(b'}' | b']') => open.pop(),
            Some(b':') => {
                if let Some(Container::Object { in_key, .. }) = open.innermost() {
                    *in_key = false;
                }
            }
            Some(b',') => match open.innermost() {
                Some(Container::Array { index }) => *index += 1,
                Some(Container::Object { key, in_key }) => (*key, *in_key) = (b"", true),
                None => {}
            },
            Some(_) | None => {}
        }
        at += 1;
    }
    write_path(&open)
}

enum Container<'t> {
    Object { key: &'t [u8], in_key: bool },
    Array { index: usize },
}

/// The containers that are open, of which the outer ones are written.
#[derive(Default)]
struct Open<'t> {
    outer: Vec<Container<'t>>,
    /// How many are open inside those.
    deeper: usize,
}

impl<'t> Open<'t> {
    fn push(&mut self, container: Container<'t>) {
        if self.outer.len() < MAX_DEPTH {
            self.outer.push(container);
        } else {
            self.deeper += 1;
        }
    }

    fn pop(&mut self) {
        match self.deeper.checked_sub(1) {
            Some(deeper) => self.deeper = deeper,
            None => drop(self.outer.pop()),
        }
    }

    /// Returns the innermost one, if it is one that is written.
    fn innermost(&mut self) -> Option<&mut Container<'t>> {
        if self.deeper == 0 { self.outer.last_mut() } else { None }
    }
}

/// Returns the position of the quote that ends a string, or of the end of the text.
fn string_end(text: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

fn write_path(open: &Open<'_>) -> String {
    let mut path = "$".to_owned();
    for container in &open.outer {
        let written = match container {
            Container::Object { key: b"", .. } => Ok(()),
            Container::Object { key, .. } => {
                let key = key.get(..MAX_KEY_BYTES).unwrap_or(key);
                write!(path, ".{}", String::from_utf8_lossy(key))
            }
            Container::Array { index } => write!(path, "[{index}]"),
        };
        debug_assert!(written.is_ok(), "writing to a string cannot fail");
    }
    if open.deeper > 0 {
        path.push('…');
    }
    path
}

/// A path is for a person to read; hostile text must not make it long.
const MAX_DEPTH: usize = 16;
const MAX_KEY_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_leads_to_the_value_at_the_offset() {
        let text = r#"{"a": 1, "b": [true, {"c\"}": "x,[{", "d": !}]}"#;
        assert_eq!(at(text, text.find('!').unwrap()), "$.b[1].d");
        assert_eq!(at(text, text.find("true").unwrap()), "$.b[0]");
        assert_eq!(at(text, text.find('1').unwrap()), "$.a");
        assert_eq!(at(text, 0), "$");
        assert_eq!(at(text, text.len()), "$");
        assert_eq!(at("}}]],,::\"", 9), "$");
    }

    // M03: depth and length of a path are bounded
    #[test]
    fn a_hostile_text_does_not_make_a_long_path() {
        assert!(at(&"[".repeat(100_000), 100_000).len() < 100);
        let long_key = format!("{{\"{}\":!", "ж".repeat(10_000));
        assert!(at(&long_key, long_key.len()).len() < 100);
        let there_and_back = format!("{}{},!", r#"{"a":[0,"#.repeat(1_000), "]}".repeat(999));
        assert_eq!(at(&there_and_back, there_and_back.len()), "$.a[2]");
    }

    #[test]
    fn an_offset_is_counted_through_the_lines() {
        assert_eq!(offset("{\n  \"ж\": !", 2, 8), 9);
        assert_eq!(offset("", 1, 0), 0);
    }
}
