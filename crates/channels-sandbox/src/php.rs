//! JSON as PHP writes it.

use std::fmt::Write as _;

/// JSON text with its strings escaped as PHP's `json_encode` does: `/` as `\/`, and non-ASCII characters as `\u` and four
/// hexadecimal digits. The text must be JSON without escaped slashes, as `serde_json` writes it.
#[must_use]
pub fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '/' => text.push_str(r"\/"),
            character if character.is_ascii() => text.push(character),
            character => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    // Writing to a string cannot fail.
                    let _ = write!(text, r"\u{unit:04x}");
                }
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn slashes_and_whatever_is_not_ascii_are_escaped_and_nothing_else() {
        assert_eq!(escaped(r#"{"В":"a/b é \" \\ 😀"}"#), r#"{"\u0412":"a\/b \u00e9 \" \\ \ud83d\ude00"}"#);
    }

    #[test]
    fn what_is_escaped_says_the_same() {
        let value = json!({"путь": "https://vms.example/é\u{1f600}\n\"\\", "n": [1.5, -3, null, true]});
        assert_eq!(serde_json::from_str::<Value>(&escaped(&value.to_string())).unwrap(), value);
    }
}
