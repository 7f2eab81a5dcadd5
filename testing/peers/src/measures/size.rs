use anyhow::Result;

use super::Bench;
use super::memory::exact;
use crate::report::{Bound, Figure, Goal, Section, Table, Unit};

/// How large the programs are.
pub(super) fn section(bench: &Bench) -> Result<Section> {
    let folder = &bench.programs.binaries;
    let size = |file: std::path::PathBuf| std::fs::metadata(file).ok().map(|file| exact(file.len()));
    let program = size(folder.join("vms-pusher"));
    let minimal = size(folder.with_file_name("size").join("peers-minimal"));
    let mut table = Table::new(&["what", "size"]);
    for (label, id, value) in [
        ("the program `vms-pusher`, release profile", "program", program),
        (
            "a program that is nothing but a client: TLS, authorization, typed events; opt-level s, fat LTO, unwinding",
            "minimal",
            minimal,
        ),
    ] {
        table.push(label, vec![value.map(|value| Figure::single(format!("size/{id}"), Unit::Bytes, value))]);
    }
    let what = "size of the minimal client".to_owned();
    let goals = vec![Goal { what, value: minimal, unit: Unit::Bytes, bound: Bound::AtMost(MINIMAL_BUDGET) }];
    let method = "Files as they are on disk, stripped.".to_owned();
    Ok(Section { title: "Size", method, tables: vec![table], goals, ..Section::default() })
}

/// `cargo xtask ci` checks the same budget.
const MINIMAL_BUDGET: f64 = 1_900_000.0;
