//! The tests in a source file, read line by line as `rustfmt` leaves them.

use std::collections::BTreeSet;
use std::mem;

use super::ids::ids;

/// A function that the test runner calls, with the ids in the comment above it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Test {
    pub(super) name: String,
    pub(super) ids: BTreeSet<String>,
}

/// The functions with `#[test]` or `#[tokio::test]` that are not ignored. Comment and attributes count when they stand
/// directly above the function, in any order.
pub(super) fn tests(source: &str) -> Vec<Test> {
    let mut found = Vec::new();
    let mut above = Above::default();
    for line in source.lines().map(str::trim) {
        if above.is_in_attribute() {
            above.attribute.push_str(line);
        } else if line.starts_with("//") {
            above.ids.extend(ids(line));
        } else if line.starts_with("#[") {
            line.clone_into(&mut above.attribute);
        } else {
            let Above { ids, is_test, is_ignored, .. } = mem::take(&mut above);
            let name = function_name(line).filter(|_| is_test && !is_ignored);
            found.extend(name.map(|name| Test { name: name.to_owned(), ids }));
        }
        above.note_attribute();
    }
    found
}

/// What stands above the line that is read.
#[derive(Default)]
struct Above {
    ids: BTreeSet<String>,
    is_test: bool,
    is_ignored: bool,
    /// An attribute as far as it was read; empty when there is none, or it has ended.
    attribute: String,
}

impl Above {
    fn is_in_attribute(&self) -> bool {
        !self.attribute.is_empty()
    }

    /// Takes note of the attribute if that is read to its end.
    fn note_attribute(&mut self) {
        if !is_balanced(&self.attribute) {
            return;
        }
        let attribute = mem::take(&mut self.attribute);
        let path = attribute.trim_start_matches("#[").split(['(', ']', '=', ' ']).next();
        self.is_test |= matches!(path, Some("test" | "tokio::test"));
        self.is_ignored |= path == Some("ignore");
    }
}

/// Whether every bracket is closed; brackets in string literals are none.
fn is_balanced(attribute: &str) -> bool {
    let mut depth = 0;
    let mut letters = attribute.chars();
    let mut is_text = false;
    while let Some(letter) = letters.next() {
        match letter {
            '"' => is_text = !is_text,
            '\\' if is_text => drop(letters.next()),
            '[' if !is_text => depth += 1,
            ']' if !is_text => depth -= 1,
            _ => {}
        }
    }
    depth == 0
}

/// The name of the function that begins on this line.
fn function_name(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("fn ")?;
    let is_item = before.split(' ').all(|word| matches!(word, "" | "async" | "pub" | "pub(crate)" | "const"));
    let end = after.find(|letter: char| !letter.is_alphanumeric() && letter != '_')?;
    is_item.then(|| &after[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_functions_that_the_runner_calls_are_tests() {
        let source = "
            fn a_function() {}
            #[test]
            fn a_test() { fn a_function_in_a_test() {} }
            #[tokio::test(flavor = \"multi_thread\")]
            async fn an_asynchronous_test() {}
            #[tokio::main]
            async fn a_main_function() {}
            #[foreign::test]
            fn a_foreign_test() {}
            #[cfg(test)]
            fn a_helper_of_tests() {}
            #[test]
            #[ignore = \"slow\"]
            fn an_ignored_test() {}
            #[ignore]
            #[test]
            fn another_ignored_test() {}
            // #[test]
            fn a_test_that_was_switched_off() {}
            #[test]
            mod tests {
                fn a_function_in_a_module() {}
            }
        ";

        assert_eq!(names(source), ["a_test", "an_asynchronous_test"]);
    }

    #[test]
    fn other_attributes_may_stand_between_and_take_several_lines() {
        let source = "
            #[test]
            #[expect(
                clippy::panic,
                reason = \"a quote \\\" and a bracket ]\"
            )]
            fn below() {}
            #[cfg(unix)]
            #[tokio::test(
                start_paused = true
            )]
            async fn above() {}
        ";

        assert_eq!(names(source), ["below", "above"]);
    }

    #[test]
    fn ids_count_above_a_test_and_nowhere_else() {
        let source = "
            // P01: of a function
            fn helper() {}

            /// P03, I16, C01–C03, N01-N02: ids; H264, M1, I01, i18, p04, a5, 104, e2e and N01-based are none.
            #[tokio::test(start_paused = true)]
            #[expect(clippy::panic, reason = \"P04\")]
            async fn a_test() {
                // S01
            }

            // I7
            #[cfg(unix)]
            #[test]
            fn another() {}

            // L01: a blank line lies between

            #[test]
            fn a_third() {}

            // L02: no attribute of a test
            #[foreign::test]
            fn a_fourth() {}

            // L03: not run
            #[test]
            #[ignore]
            fn a_fifth() {}
        ";

        let expected: [(&str, &[&str]); 3] =
            [("a_test", &["C01", "C02", "C03", "I16", "N01", "N02", "P03"]), ("another", &["I7"]), ("a_third", &[])];
        let expected = expected
            .map(|(name, ids)| Test { name: name.to_owned(), ids: ids.iter().map(|id| (*id).to_owned()).collect() });
        assert_eq!(tests(source), expected);
    }

    fn names(source: &str) -> Vec<String> {
        tests(source).into_iter().map(|test| test.name).collect()
    }
}
