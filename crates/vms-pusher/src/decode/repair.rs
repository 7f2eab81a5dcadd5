//! Repairs two kinds of valid JSON that `serde_json` rejects, so that one such value does not cost the event: an
//! unpaired surrogate in a string, and a number too large for a float.

use std::ops::Range;

/// Returns the text with each unpaired surrogate as U+FFFD and each number that no float can represent as `null`, or
/// `None` when it has neither.
pub(super) fn repair(text: &str) -> Option<String> {
    let mut repaired = String::new();
    let mut kept_to = 0;
    let mut scanner = Scanner { text: text.as_bytes(), at: 0, in_string: false };
    while let Some((fault, replacement)) = scanner.next_fault() {
        repaired.push_str(text.get(kept_to..fault.start)?);
        repaired.push_str(replacement);
        kept_to = fault.end;
    }
    (kept_to > 0).then(|| repaired + text.get(kept_to..).unwrap_or_default())
}

struct Scanner<'t> {
    text: &'t [u8],
    at: usize,
    in_string: bool,
}

impl Scanner<'_> {
    fn next_fault(&mut self) -> Option<(Range<usize>, &'static str)> {
        loop {
            let start = self.at;
            match (self.in_string, *self.text.get(start)?) {
                (true, b'\\') => {
                    if self.skip_escape() {
                        return Some((start..self.at, "\\ufffd"));
                    }
                }
                (false, b'-' | b'0'..=b'9') => {
                    if self.skip_number() {
                        return Some((start..self.at, "null"));
                    }
                }
                (in_string, b'"') => {
                    self.in_string = !in_string;
                    self.at += 1;
                }
                (true | false, _) => self.at += 1,
            }
        }
    }

    /// Returns whether it is half a surrogate pair.
    fn skip_escape(&mut self) -> bool {
        match (self.surrogate_at(self.at), self.surrogate_at(self.at + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => {
                self.at += 12;
                false
            }
            (Some(_), _) => {
                self.at += 6;
                true
            }
            (None, _) => {
                self.at += 2;
                false
            }
        }
    }

    fn surrogate_at(&self, at: usize) -> Option<u16> {
        let digits = self.text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
        u16::from_str_radix(digits, 16).ok().filter(|unit| (0xD800..=0xDFFF).contains(unit))
    }

    /// Returns whether no float can hold it.
    fn skip_number(&mut self) -> bool {
        let start = self.at;
        while let Some(b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E') = self.text.get(self.at) {
            self.at += 1;
        }
        let number = self.text.get(start..self.at).and_then(|number| std::str::from_utf8(number).ok());
        number.and_then(|number| number.parse::<f64>().ok()).is_some_and(f64::is_infinite)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // M05, M06
    #[test]
    fn what_serde_json_refuses_is_replaced_and_nothing_else_is_touched() {
        let cases = [
            (r#"{"a": 1e400, "b": -1e999}"#, Some(r#"{"a": null, "b": null}"#)),
            (r#""\ud800""#, Some(r#""\ufffd""#)),
            (r#""\\ud800""#, None),
            (r#""x\ud800y""#, Some(r#""x\ufffdy""#)),
            (r#""\udc00\ud83d""#, Some(r#""\ufffd\ufffd""#)),
            (r#""\ud83d\ud83d\ude00""#, Some(r#""\ufffd\ud83d\ude00""#)),
            (r#""\ud83d\ude00""#, None),
            (r#"{"1e400": "-1e400", "c": 12, "d": "\""}"#, None),
            (r#""\ud8"#, None),
        ];
        for (text, expected) in cases {
            assert_eq!(repair(text).as_deref(), expected, "{text}");
        }
    }
}
