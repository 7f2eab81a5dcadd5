//! How many instructions the hot paths take, counted by callgrind and committed in `instructions.json`. Unlike times,
//! counts hardly depend on what else the machine does, so a check may fail on them.

mod cases;
mod counter;
mod delivery;
mod ledger;

use std::path::PathBuf;

use anyhow::{Result, bail};

pub use cases::{names, run};
use counter::count_all;
use ledger::Ledger;

/// Compares the counts with those that are committed. Returns what there is to say.
///
/// # Errors
/// When one has grown by more than 3 %, or cases are missing.
pub fn check() -> Result<String> {
    let ledger = Ledger::read(&file())?;
    let toolchain = ledger::toolchain()?;
    if ledger.toolchain != toolchain {
        return Ok(format!("instructions: skipped: they were counted with {}, this is {toolchain}", ledger.toolchain));
    }
    if !counter::is_available() {
        return Ok("instructions: skipped: valgrind is not installed".to_owned());
    }
    let counts = count_all()?;
    let complaints = ledger.complaints(&counts);
    if !complaints.is_empty() {
        bail!(
            "{}\nMake it cheaper again, or: cargo xtask bench --count-instructions \"the reason\"",
            complaints.join("\n")
        );
    }
    Ok(format!("instructions: {} counts, none more than 3 % over testing/peers/instructions.json", counts.len()))
}

/// Counts anew and writes the counts, with the reason why they are to change. Returns what has changed.
///
/// # Errors
/// When callgrind does not run, or the file cannot be written.
pub fn write(reason: &str) -> Result<String> {
    if reason.trim().is_empty() {
        bail!("say why the counts are to change");
    }
    let old = Ledger::read(&file()).unwrap_or_default();
    let new = Ledger { toolchain: ledger::toolchain()?, reason: reason.trim().to_owned(), instructions: count_all()? };
    new.write(&file())?;
    Ok(new.changes_since(&old))
}

fn file() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.json"))
}
