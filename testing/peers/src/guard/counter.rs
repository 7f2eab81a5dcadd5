//! Runs cases under callgrind. A case runs no times and many times; the difference is what it takes, without the start of
//! the process and whatever is prepared.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::PoisonError;

use anyhow::{Context as _, Result, bail};

use super::cases::names;

pub(super) fn is_available() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Returns the instructions an operation of each case takes.
pub(super) fn count_all() -> Result<BTreeMap<String, u64>> {
    let waiting = Mutex::new(names()?);
    let counted = Mutex::new(Ok(BTreeMap::new()));
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
                    let Some(case) = next else { return };
                    let count = count(&case);
                    let mut counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
                    match (&mut *counted, count) {
                        (Ok(counts), Ok(count)) => {
                            counts.insert(case, count);
                        }
                        (Ok(_), Err(error)) => *counted = Err(error),
                        (Err(_), _) => return,
                    }
                }
            });
        }
    });
    counted.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn count(case: &str) -> Result<u64> {
    let (none, many) = (instructions(case, 0)?, instructions(case, TIMES)?);
    Ok(many.saturating_sub(none) / TIMES)
}

fn instructions(case: &str, times: u64) -> Result<u64> {
    let program = std::env::current_exe()?;
    let (folder, name) = (program.parent().context("no folder")?, program.file_name().context("no name")?);
    // By its short name, so that the heap does not depend on where the project lies.
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(Path::new(".").join(name))
        .current_dir(folder)
        .args(["run", case, &times.to_string()])
        .output()
        .context("cannot start valgrind")?;
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    match collected {
        Some(collected) if output.status.success() => Ok(collected),
        _ => bail!("callgrind does not count {case}: {said}"),
    }
}

const TIMES: u64 = 200;
