use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

/// The committed counts.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Ledger {
    /// The compiler and the processor that they hold for.
    pub(super) toolchain: String,
    /// Why they last changed.
    pub(super) reason: String,
    /// Instructions an operation, by case.
    pub(super) instructions: BTreeMap<String, u64>,
}

impl Ledger {
    pub(super) fn read(file: &Path) -> Result<Self> {
        let text = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(serde_json::from_slice(&text)?)
    }

    pub(super) fn write(&self, file: &Path) -> Result<()> {
        Ok(std::fs::write(file, serde_json::to_string_pretty(self)? + "\n")?)
    }

    /// What is wrong with `counts`.
    pub(super) fn complaints(&self, counts: &BTreeMap<String, u64>) -> Vec<String> {
        let grown = counts.iter().filter_map(|(case, &now)| {
            let Some(&then) = self.instructions.get(case) else {
                return Some(format!("{case} takes {now} instructions and is not in testing/peers/instructions.json"));
            };
            let is_over = now * 100 > then * (100 + TOLERATED_PERCENT);
            is_over.then(|| format!("{case} takes {now} instructions, {} more than {then}", percent(then, now)))
        });
        let gone = self.instructions.keys().filter(|case| !counts.contains_key(*case));
        grown.chain(gone.map(|case| format!("{case} is in testing/peers/instructions.json and nowhere else"))).collect()
    }

    pub(super) fn changes_since(&self, old: &Self) -> String {
        let lines = self.instructions.iter().map(|(case, &now)| match old.instructions.get(case) {
            Some(&then) => format!("{case}: {then} -> {now} ({})", percent(then, now)),
            None => format!("{case}: {now}"),
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn percent(then: u64, now: u64) -> String {
    format!("{:+.1} %", (now as f64 / then.max(1) as f64 - 1.0) * 100.0)
}

/// The compiler's version and the kind of processor.
pub(super) fn toolchain() -> Result<String> {
    let output = Command::new("rustc").arg("--version").output().context("cannot start rustc")?;
    let version = String::from_utf8_lossy(&output.stdout);
    let Some(version) = version.split_whitespace().nth(1) else { bail!("rustc does not tell its version") };
    Ok(format!("rustc {version}, {} {}", std::env::consts::OS, std::env::consts::ARCH))
}

const TOLERATED_PERCENT: u64 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_percent_more_is_tolerated_and_what_is_more_is_a_complaint() {
        let ledger = Ledger { instructions: counts(&[("a", 1_000), ("b", 1_000)]), ..Ledger::default() };

        assert_eq!(ledger.complaints(&counts(&[("a", 1_030), ("b", 10)])), [""; 0]);
        assert_eq!(
            ledger.complaints(&counts(&[("a", 1_031), ("b", 1_000)])),
            ["a takes 1031 instructions, +3.1 % more than 1000"]
        );
    }

    #[test]
    fn a_case_that_is_on_one_side_alone_is_a_complaint() {
        let ledger = Ledger { instructions: counts(&[("a", 1)]), ..Ledger::default() };

        assert_eq!(ledger.complaints(&counts(&[("b", 1)])).len(), 2);
    }

    fn counts(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
        counts.iter().map(|(case, count)| ((*case).to_owned(), *count)).collect()
    }
}
