use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::text::aligned;
use super::{Report, Unit};

/// The figures of an earlier run, as they are committed.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Baseline {
    /// Machine and versions.
    pub facts: BTreeMap<String, String>,
    /// The figures by id.
    pub figures: BTreeMap<String, f64>,
}

impl Baseline {
    /// Takes the figures out of a report.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        Self {
            facts: report.facts.iter().cloned().collect(),
            figures: report.figures().map(|figure| (figure.id.clone(), rounded(figure.value))).collect(),
        }
    }

    /// Reads them from a file; none when there is no such file.
    ///
    /// # Errors
    /// When the file is not one that [`Baseline::write`] wrote.
    pub fn read(file: &Path) -> Result<Option<Self>> {
        let Ok(text) = std::fs::read(file) else { return Ok(None) };
        let read = serde_json::from_slice(&text);
        read.map(Some).with_context(|| format!("{} is not a file of figures", file.display()))
    }

    /// Writes them to a file.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, file: &Path) -> Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
    }

    /// Writes what has changed, for a terminal.
    pub(super) fn text(&self, report: &Report) -> String {
        let mut lines = vec![["figure", "then", "now", "now / then"].map(str::to_owned).to_vec()];
        for figure in report.figures() {
            let Some(&then) = self.figures.get(&figure.id) else { continue };
            let ratio = if then == 0.0 { "–".to_owned() } else { Unit::Ratio.show(figure.value / then) };
            lines.push(vec![figure.id.clone(), figure.unit.show(then), figure.unit.show(figure.value), ratio]);
        }
        if lines.len() == 1 {
            return String::new();
        }
        let machine = self.facts.get("machine").map_or("another machine", String::as_str);
        format!("\n== Compared with docs/performance.json ({machine}) ==\n\n{}", aligned(&lines))
    }
}

/// Digits beyond these are noise, and would change with every run.
fn rounded(value: f64) -> f64 {
    if value.abs() >= 100.0 { value.round() } else { (value * 1_000.0).round() / 1_000.0 }
}
