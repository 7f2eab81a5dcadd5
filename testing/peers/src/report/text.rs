//! For the terminal.

use super::{Baseline, Report, Section, Table};

impl Report {
    /// Writes what stands below the sections: what was left out, and what has changed since `baseline`.
    #[must_use]
    pub fn closing(&self, baseline: Option<&Baseline>) -> String {
        let mut text = String::from("\n");
        for omission in &self.omissions {
            text.push_str(&format!("left out: {omission}\n"));
        }
        if let Some(baseline) = baseline {
            text.push_str(&baseline.text(self));
        }
        text
    }
}

impl Section {
    /// Writes one section for a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("\n== {} ({}) ==\n", self.title, self.name);
        for table in &self.tables {
            text.push('\n');
            text.push_str(&aligned(&table.lines()));
        }
        if !self.goals.is_empty() {
            let head = ["goal", "should be", "is", ""].map(str::to_owned).to_vec();
            let rows = self.goals.iter().map(|goal| goal.cells().to_vec());
            text.push('\n');
            text.push_str(&aligned(&std::iter::once(head).chain(rows).collect::<Vec<_>>()));
        }
        for note in &self.notes {
            text.push_str(&format!("note: {note}\n"));
        }
        text
    }
}

impl Table {
    /// The head and the rows as texts.
    pub(super) fn lines(&self) -> Vec<Vec<String>> {
        let rows = self.rows.iter().map(|row| {
            let cells = row.cells.iter().map(|cell| cell.as_ref().map_or_else(|| "–".to_owned(), ToString::to_string));
            std::iter::once(row.label.clone()).chain(cells).collect()
        });
        std::iter::once(self.head.clone()).chain(rows).collect()
    }
}

/// The first column flush left, the others flush right.
pub(super) fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for line in lines {
        let cells = line.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}
