use std::fmt;

use serde::Serialize;

/// Something measured: the median of several runs, and how far they were apart.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// What a later run finds it by.
    pub id: String,
    /// The median.
    pub value: f64,
    /// The least and the most of the runs.
    pub range: (f64, f64),
    /// What the value counts.
    pub unit: Unit,
}

/// What a value counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Nanoseconds.
    Nanoseconds,
    /// Bytes.
    Bytes,
    /// How many.
    Count,
    /// So many times.
    Ratio,
}

impl Figure {
    /// Makes one of the values that the runs had; none when there was no run.
    #[must_use]
    pub fn of(id: impl Into<String>, unit: Unit, mut runs: Vec<f64>) -> Option<Self> {
        runs.sort_by(f64::total_cmp);
        let (first, last) = (*runs.first()?, *runs.last()?);
        let upper = *runs.get(runs.len() / 2)?;
        let lower = *runs.get((runs.len() - 1) / 2)?;
        Some(Self { id: id.into(), value: f64::midpoint(lower, upper), range: (first, last), unit })
    }

    /// Makes one of a single value.
    #[must_use]
    pub fn single(id: impl Into<String>, unit: Unit, value: f64) -> Self {
        Self { id: id.into(), value, range: (value, value), unit }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.unit.show(self.value))?;
        let (low, high) = self.range;
        let spread = (high - low) / self.value.abs().max(f64::MIN_POSITIVE) * 50.0;
        if spread >= 1.0 { write!(f, " ±{spread:.0} %") } else { Ok(()) }
    }
}

impl Unit {
    /// Writes a value with its unit.
    #[must_use]
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Nanoseconds if value.abs() >= 100_000.0 => format!("{} µs", thousands(value / 1_000.0, 0)),
            Self::Nanoseconds => format!("{} ns", thousands(value, 0)),
            Self::Bytes => format!("{} B", thousands(value, 0)),
            Self::Count if value.fract().abs() < 0.005 => thousands(value, 0),
            Self::Count => thousands(value, 2),
            Self::Ratio => format!("{value:.2} ×"),
        }
    }
}

fn thousands(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), ""), |(whole, fraction)| (whole, fraction));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if value < 0.0 { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{grouped}") } else { format!("{sign}{grouped}.{fraction}") }
}

/// What a figure should be.
#[derive(Debug, Serialize)]
pub struct Goal {
    /// The figure in words.
    pub what: String,
    /// The figure; none when it could not be measured.
    pub value: Option<f64>,
    /// What it counts.
    pub unit: Unit,
    /// What it should be.
    pub bound: Bound,
}

/// A limit of a figure.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// It should not be less.
    AtLeast(f64),
    /// It should not be more.
    AtMost(f64),
}

impl Goal {
    /// Returns whether it is met; none when that could not be measured.
    #[must_use]
    pub fn is_met(&self) -> Option<bool> {
        let value = self.value?;
        Some(match self.bound {
            Bound::AtLeast(bound) => value >= bound,
            Bound::AtMost(bound) => value <= bound,
        })
    }

    pub(super) fn cells(&self) -> [String; 4] {
        let bound = match self.bound {
            Bound::AtLeast(bound) => format!("≥ {}", self.unit.show(bound)),
            Bound::AtMost(bound) => format!("≤ {}", self.unit.show(bound)),
        };
        let value = self.value.map_or_else(|| "not measured".to_owned(), |value| self.unit.show(value));
        let verdict = match self.is_met() {
            Some(true) => "met",
            Some(false) => "missed",
            None => "not measured",
        };
        [self.what.clone(), bound, value, verdict.to_owned()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_the_median_with_its_range() {
        let figure = Figure::of("id", Unit::Nanoseconds, vec![1_300.0, 1_200.0, 1_250.0, 1_210.0]).unwrap();

        assert_eq!(figure.value, 1_230.0);
        assert_eq!(figure.to_string(), "1,230 ns ±4 %");
    }

    #[test]
    fn a_goal_that_was_not_measured_is_neither_met_nor_missed() {
        let goal = |value| Goal { what: String::new(), value, unit: Unit::Ratio, bound: Bound::AtLeast(2.2) };

        assert_eq!(goal(None).is_met(), None);
        assert_eq!(goal(Some(2.2)).is_met(), Some(true));
        assert_eq!(goal(Some(2.1)).cells()[3], "missed");
    }
}
