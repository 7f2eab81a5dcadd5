//! What was measured, and how it is written down.

mod baseline;
mod figure;
mod markdown;
mod plot;
mod text;

use serde::Serialize;

pub use baseline::Baseline;
pub use figure::{Bound, Figure, Goal, Unit};
pub use plot::{Line, Plot, Scale};

/// A whole run.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Machine and versions.
    pub facts: Vec<(String, String)>,
    /// What was measured.
    pub sections: Vec<Section>,
    /// What could not be measured, and why.
    pub omissions: Vec<String>,
}

/// One subject.
#[derive(Debug, Default, Serialize)]
pub struct Section {
    /// What `--only` calls it.
    pub name: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// How it was measured.
    pub method: String,
    /// The figures.
    pub tables: Vec<Table>,
    /// What they should be.
    pub goals: Vec<Goal>,
    /// The same as pictures.
    #[serde(skip)]
    pub plots: Vec<Plot>,
    /// What a reader has to know beside.
    pub notes: Vec<String>,
}

/// Figures side by side.
#[derive(Debug, Default, Serialize)]
pub struct Table {
    /// The heading of each column, that of the rows' labels first.
    pub head: Vec<String>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A row of a table.
#[derive(Debug, Serialize)]
pub struct Row {
    /// What it is about.
    pub label: String,
    /// A figure a column; none where there is nothing to measure.
    pub cells: Vec<Option<Figure>>,
}

impl Table {
    /// Makes an empty table.
    #[must_use]
    pub fn new(head: &[&str]) -> Self {
        Self { head: head.iter().map(|&text| text.to_owned()).collect(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn push(&mut self, label: impl Into<String>, cells: Vec<Option<Figure>>) {
        self.rows.push(Row { label: label.into(), cells });
    }
}

impl Report {
    /// Returns every figure.
    pub fn figures(&self) -> impl Iterator<Item = &Figure> {
        let tables = self.sections.iter().flat_map(|section| &section.tables);
        tables.flat_map(|table| &table.rows).flat_map(|row| &row.cells).flatten()
    }
}
