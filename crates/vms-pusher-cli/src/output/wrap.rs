//! Lines that fit a terminal, broken between words.

/// Breaks text into lines: the first is up to `first` characters long, the others up to `others`. A word that is longer has a
/// line of its own.
pub(crate) fn wrap(text: &str, first: usize, others: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let (mut used, mut width) = (0, first);
    for word in text.split(' ') {
        let length = word.chars().count();
        let is_first = used == 0;
        // A word that fits no better on the next line stays.
        if !is_first && used + 1 + length > width || is_first && length > width && width < others {
            lines.push(String::new());
            (used, width) = (0, others);
        }
        if let Some(line) = lines.last_mut() {
            if used > 0 {
                line.push(' ');
                used += 1;
            }
            line.push_str(word);
            used += length;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_between_words_only() {
        assert_eq!(wrap("one two three", 7, 5), ["one two", "three"]);
        assert_eq!(wrap("one two three", 80, 80), ["one two three"]);
        assert_eq!(wrap("→ é ü", 3, 3), ["→ é", "ü"]);
        assert_eq!(wrap("", 5, 5), [""]);
    }

    #[test]
    fn a_word_that_is_too_long_has_a_line_of_its_own() {
        assert_eq!(wrap("a incomprehensible b", 5, 8), ["a", "incomprehensible", "b"]);
        assert_eq!(wrap("incomprehensible b", 5, 20), ["", "incomprehensible b"]);
    }
}
