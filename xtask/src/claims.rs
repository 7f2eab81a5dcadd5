//! `cargo xtask claims`: what the documents say about tests is true.
//!
//! Every fault of `testing/faults.txt` is named by a test or listed in `DEVIATIONS.md`; every defect of `docs/defects.md`
//! and every feature of `docs/parity.md` has a test or a reason; and every test that these, `README.md` or `SPEC.md` name
//! exists.

mod ids;
mod source;
mod tables;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::process::say;
use crate::workspace;
use ids::ids;
use source::{Test, tests};

/// Fails with every claim that is not true.
pub(crate) fn check() -> Result<()> {
    let root = workspace::root();
    let mut proven = BTreeSet::new();
    let mut names = BTreeSet::new();
    for file in rust_files(&root.join("crates"))?.into_iter().chain(rust_files(&root.join("testing"))?) {
        for Test { name, ids } in tests(&read(&file)?) {
            proven.extend(ids);
            names.insert(name);
        }
    }
    let deviations = ids_of_deviations(&read(&root.join("DEVIATIONS.md"))?);
    let mut complaints = complaints(&read(&root.join("testing/faults.txt"))?, &proven, &deviations);
    for document in ["README.md", "SPEC.md", DEFECTS, PARITY] {
        complaints.extend(invented(document, &read(&root.join(document))?, &names));
    }
    complaints.extend(tables::defects(&read(&root.join(DEFECTS))?, LAST_DEFECT));
    complaints.extend(tables::parity(&read(&root.join(PARITY))?));
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    say(&format!("claims: {} faults are named by tests, {} are in DEVIATIONS.md", proven.len(), deviations.len()));
    Ok(())
}

/// A complaint of each test that the document names and that is none.
fn invented(document: &str, text: &str, tests: &BTreeSet<String>) -> Vec<String> {
    let named = test_names(text);
    named.difference(tests).map(|name| format!("{document} names the test {name}, which does not exist")).collect()
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

/// The ids in the first cell of each table row.
fn ids_of_deviations(text: &str) -> BTreeSet<String> {
    text.lines().filter_map(|line| line.strip_prefix('|')?.split('|').next()).flat_map(ids).collect()
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

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() && path.file_name().is_none_or(|name| !LEFT_OUT.iter().any(|left_out| name == *left_out)) {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}

const DEFECTS: &str = "docs/defects.md";
const PARITY: &str = "docs/parity.md";
/// As many defects of other clients are known.
const LAST_DEFECT: u32 = 108;

/// Folders without claims. The tests of the sandboxes prove that they can misbehave, not what the client does about it.
const LEFT_OUT: [&str; 3] = ["channels-sandbox", "node_modules", "vms-sandbox"];

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_document_that_names_a_function_which_is_no_test_is_a_complaint() {
        let document =
            "`no_event_is_lost`, `this_is_a_helper` hold; `is_connected` and `client::a_b_c_d` are no names of tests";
        let source = "#[test]\nfn no_event_is_lost() {}\n\nfn this_is_a_helper() {}\n";
        let tests = tests(source).into_iter().map(|test| test.name).collect();

        let complaints = invented("SPEC.md", document, &tests);

        assert_eq!(complaints, ["SPEC.md names the test this_is_a_helper, which does not exist"]);
    }

    fn set(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }
}
