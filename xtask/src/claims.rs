//! `cargo xtask claims`: what the documents say about tests is true.
//!
//! Every fault of `testing/faults.txt` is named by a test or listed in `DEVIATIONS.md`, and every test that `README.md`
//! or `SPEC.md` names exists.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::process::say;
use crate::workspace;

/// Fails with every claim that is not true.
pub(crate) fn check() -> Result<()> {
    let root = workspace::root();
    let mut proven = BTreeSet::new();
    let mut functions = BTreeSet::new();
    for file in rust_files(&root.join("crates"))?.into_iter().chain(rust_files(&root.join("testing"))?) {
        let source = read(&file)?;
        proven.extend(ids_above_tests(&source));
        functions.extend(function_names(&source));
    }
    let deviations = ids_of_deviations(&read(&root.join("DEVIATIONS.md"))?);
    let mut complaints = complaints(&read(&root.join("testing/faults.txt"))?, &proven, &deviations);
    for document in ["README.md", "SPEC.md"] {
        let named = test_names(&read(&root.join(document))?);
        let invented = named.difference(&functions);
        complaints.extend(invented.map(|name| format!("{document} names the test {name}, which does not exist")));
    }
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    say(&format!("claims: {} faults are named by tests, {} are in DEVIATIONS.md", proven.len(), deviations.len()));
    Ok(())
}

fn complaints(catalogue: &str, proven: &BTreeSet<String>, deviations: &BTreeSet<String>) -> Vec<String> {
    let faults: Vec<(&str, &str)> =
        catalogue.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' ')).collect();
    let known: BTreeSet<&str> = faults.iter().map(|(id, _)| *id).collect();
    let missing = faults
        .iter()
        .filter(|(id, _)| !proven.contains(*id) && !deviations.contains(*id))
        .map(|(id, fault)| format!("{id} is in no test and not in DEVIATIONS.md: {fault}"));
    let unknown = proven
        .union(deviations)
        .filter(|id| !known.contains(id.as_str()))
        .map(|id| format!("{id} is not in testing/faults.txt"));
    let both = proven.intersection(deviations).map(|id| format!("{id} is in a test and in DEVIATIONS.md as well"));
    missing.chain(unknown).chain(both).collect()
}

/// The ids in the comments that stand directly above a test, other attributes between them allowed.
fn ids_above_tests(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut block = BTreeSet::new();
    for line in source.lines().map(str::trim_start) {
        if line.starts_with("//") {
            block.extend(ids(line));
        } else if is_test_attribute(line) {
            found.append(&mut block);
        } else if !line.starts_with("#[") {
            block.clear();
        }
    }
    found
}

fn is_test_attribute(line: &str) -> bool {
    let Some(attribute) = line.strip_prefix("#[") else { return false };
    let path = attribute.split(['(', ']']).next().unwrap_or_default();
    path == "test" || path == "tokio::test"
}

/// The ids in the first cell of each table row.
fn ids_of_deviations(text: &str) -> BTreeSet<String> {
    text.lines().filter_map(|line| line.strip_prefix('|')?.split('|').next()).flat_map(ids).collect()
}

/// The ids in a text; `C01-C09` stands for all from the first to the last.
fn ids(text: &str) -> Vec<String> {
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

fn function_names(source: &str) -> impl Iterator<Item = String> {
    source.lines().filter_map(|line| {
        let (before, after) = line.split_once("fn ")?;
        let is_item = before.trim_start().split(' ').all(|word| matches!(word, "" | "async" | "pub" | "const"));
        let end = after.find(|letter: char| !letter.is_alphanumeric() && letter != '_')?;
        is_item.then(|| after[..end].to_owned())
    })
}

/// The words in backticks that read like a sentence: three underscores or more.
fn test_names(document: &str) -> BTreeSet<String> {
    document
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| word.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase() || byte.is_ascii_digit()))
        .filter(|word| word.matches('_').count() >= 3)
        .map(str::to_owned)
        .collect()
}

/// The sandbox is left out: its tests prove that it can misbehave, not what the client does about it.
fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() && path.file_name().is_none_or(|name| name != "node_modules" && name != "vms-sandbox") {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        ";

        assert_eq!(ids_above_tests(source), set(&["C01", "C02", "C03", "I16", "I7", "N01", "N02", "P03"]));
    }

    #[test]
    fn deviations_are_the_ids_in_first_cells() {
        let text = "S01 is proven.\n\n| id | why |\n|---|---|\n| S20, Y09 | no presence, see S21 |\n";

        assert_eq!(ids_of_deviations(text), set(&["S20", "Y09"]));
    }

    #[test]
    fn a_fault_that_is_in_neither_is_named_with_its_text() {
        let catalogue = "# Handshake\nP01 silence → drop socket\nP02 another event first\nP03 odd timeout\n";

        let complaints = complaints(catalogue, &set(&["P02"]), &set(&["P03"]));

        assert_eq!(complaints, ["P01 is in no test and not in DEVIATIONS.md: silence → drop socket"]);
    }

    #[test]
    fn an_unknown_id_and_one_in_both_places_are_complaints() {
        let complaints = complaints("P01 silence\n", &set(&["P01", "P99"]), &set(&["P01"]));

        assert_eq!(complaints, ["P99 is not in testing/faults.txt", "P01 is in a test and in DEVIATIONS.md as well"]);
    }

    #[test]
    fn the_names_in_a_document_are_those_of_functions() {
        let document = "`no_event_is_lost` holds, `is_connected` and `client::a_b_c_d` are no tests";
        let source = "    async fn no_event_is_lost() {}\n// a fn in_a_comment_it_is()\nfn other<T>() {}";

        assert_eq!(test_names(document), set(&["no_event_is_lost"]));
        assert_eq!(function_names(source).collect::<BTreeSet<_>>(), set(&["no_event_is_lost", "other"]));
    }

    fn set(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }
}
