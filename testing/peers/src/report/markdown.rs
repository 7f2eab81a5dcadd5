//! For the documentation.

use super::{Report, Section};

impl Report {
    /// Writes the page; `profiles` says what the figures are made of.
    #[must_use]
    pub fn markdown(&self, introduction: &str, profiles: &str) -> String {
        let mut text = introduction.trim_end().to_owned();
        text.push_str("\n\n## Machine and versions\n\n");
        let facts: Vec<Vec<String>> =
            self.facts.iter().map(|(name, value)| vec![name.clone(), value.clone()]).collect();
        text.push_str(&table(&[vec!["what".to_owned(), "which".to_owned()]], &facts));
        text.push_str("\n## Goals\n\n");
        let goals: Vec<Vec<String>> =
            self.sections.iter().flat_map(|section| &section.goals).map(|goal| goal.cells().to_vec()).collect();
        text.push_str(&table(&[["goal", "should be", "is", ""].map(str::to_owned).to_vec()], &goals));
        for section in &self.sections {
            text.push_str(&section.markdown());
        }
        if !self.omissions.is_empty() {
            text.push_str("\n## Left out\n\n");
            for omission in &self.omissions {
                text.push_str(&format!("- {omission}\n"));
            }
        }
        text.push('\n');
        text.push_str(profiles);
        text
    }
}

impl Section {
    fn markdown(&self) -> String {
        let mut text = format!("\n## {}\n\n{}\n", self.title, self.method.trim());
        for rows in &self.tables {
            let lines = rows.lines();
            text.push('\n');
            let (head, rows) = lines.split_at(1.min(lines.len()));
            text.push_str(&table(head, rows));
        }
        for plot in &self.plots {
            text.push_str(&format!("\n![{}]({}.svg)\n", plot.title, plot.name));
        }
        if !self.notes.is_empty() {
            text.push('\n');
            for note in &self.notes {
                text.push_str(&format!("- {note}\n"));
            }
        }
        text
    }
}

fn table(head: &[Vec<String>], rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    for line in head {
        text.push_str(&format!("| {} |\n|---|{}\n", line.join(" | "), "---:|".repeat(line.len().saturating_sub(1))));
    }
    for row in rows {
        text.push_str(&format!("| {} |\n", row.join(" | ")));
    }
    text
}
