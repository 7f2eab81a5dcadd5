//! The ids of faults, as comments and documents write them.

use std::fmt;

/// The ids in a text; `C01-C09` stands for all from the first to the last.
pub(super) fn ids(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let text = text.replace('–', "-");
    for word in text.split(|letter: char| !letter.is_alphanumeric() && letter != '-') {
        match word.split_once('-').map(|(first, last)| (Id::parse(first), Id::parse(last))) {
            Some((Some(first), Some(last))) if first.group == last.group => {
                found.extend((first.number..=last.number).map(|number| Id { number, ..first }.to_string()));
            }
            Some(_) => {}
            None => found.extend(Id::parse(word).map(|id| id.to_string())),
        }
    }
    found
}

/// A group's letter and a number of two digits, or for the invariants (`I`) of one or two without a zero in front. A small
/// letter is no group: such numbers are of other lists.
#[derive(Clone, Copy)]
struct Id {
    group: char,
    number: u8,
}

impl Id {
    fn parse(word: &str) -> Option<Self> {
        let group = word.chars().next()?;
        let digits = word.strip_prefix(group)?;
        let length = match group {
            'I' if digits.starts_with('0') => return None,
            'I' => 1..=2,
            'A'..='Z' => 2..=2,
            _ => return None,
        };
        let digits = Some(digits).filter(|digits| length.contains(&digits.len()))?;
        let number = digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok())??;
        Some(Self { group, number })
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.group {
            'I' => write!(f, "I{}", self.number),
            group => write!(f, "{group}{:02}", self.number),
        }
    }
}
