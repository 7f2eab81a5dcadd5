//! The delivery contract, checked on what really happened: delivered, or inside an announced gap, or counted as
//! dropped; never twice, never out of order, never invented.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use crate::clock;

/// One item of a consumer's stream, as far as the contract cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The event with this number.
    Event(u64),
    /// The consumer was told that events of this time may be missing.
    Gap {
        /// Nothing is missing from before.
        since: SystemTime,
        /// Nothing is missing from after.
        until: SystemTime,
    },
    /// The consumer was told that its queue lost this many events.
    Lagged(u64),
}

/// A broken promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Delivered, but never published.
    Invented(u64),
    /// Delivered again.
    Duplicate(u64),
    /// Delivered after a later one.
    OutOfOrder(u64),
    /// Neither delivered nor inside a gap nor counted as dropped.
    Lost(u64),
    /// A gap stands where the event is missing, but its time is another.
    OutsideTheGap(u64),
    /// A gap of this length says nothing: no outage of a test takes as long.
    TooWide(Duration),
}

/// More than the longest silence before a loss is noticed (40 s) and the longest outage of a test (90 s) take together.
const WIDEST_GAP: Duration = Duration::from_secs(180);

/// Everything published in one run on one channel.
#[derive(Debug, Default)]
pub struct History {
    published: BTreeMap<u64, Span>,
}

#[derive(Debug, Clone, Copy)]
struct Span {
    began: SystemTime,
    ended: SystemTime,
}

impl History {
    /// An empty history.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs `publish` and notes that event `number` was published while it ran, whether it succeeded or not.
    pub async fn publish<T>(&mut self, number: u64, publish: impl Future<Output = T>) -> T {
        let began = clock::wall_clock();
        let outcome = publish.await;
        self.note_published(number, began, clock::wall_clock());
        outcome
    }

    /// How many events were published.
    #[must_use]
    pub fn published(&self) -> usize {
        self.published.len()
    }

    /// Every broken promise in what a consumer saw, in the order of the stream.
    #[must_use]
    pub fn flaws(&self, seen: &[Seen]) -> Vec<Flaw> {
        let mut audit =
            Audit { history: self, delivered: BTreeSet::new(), announced: Announced::default(), flaws: Vec::new() };
        for item in seen {
            audit.item(*item);
        }
        audit.missing_until(None);
        audit.flaws
    }

    fn note_published(&mut self, number: u64, began: SystemTime, ended: SystemTime) {
        self.published.insert(number, Span { began, ended });
    }
}

/// What was announced since the last event.
#[derive(Debug, Default)]
struct Announced {
    gaps: Vec<Span>,
    dropped: u64,
}

struct Audit<'h> {
    history: &'h History,
    delivered: BTreeSet<u64>,
    announced: Announced,
    flaws: Vec<Flaw>,
}

impl Audit<'_> {
    fn item(&mut self, item: Seen) {
        match item {
            Seen::Gap { since, until } => self.gap(Span { began: since, ended: until }),
            Seen::Lagged(dropped) => self.announced.dropped += dropped,
            Seen::Event(number) => self.event(number),
        }
    }

    fn gap(&mut self, gap: Span) {
        let width = gap.ended.duration_since(gap.began).unwrap_or_default();
        if width > WIDEST_GAP {
            self.flaws.push(Flaw::TooWide(width));
        }
        self.announced.gaps.push(gap);
    }

    fn event(&mut self, number: u64) {
        let late = self.delivered.last().is_some_and(|last| *last > number);
        if !self.history.published.contains_key(&number) {
            self.flaws.push(Flaw::Invented(number));
        } else if !self.delivered.insert(number) {
            self.flaws.push(Flaw::Duplicate(number));
        } else if late {
            self.flaws.push(Flaw::OutOfOrder(number));
        } else {
            self.delivered.remove(&number);
            self.missing_until(Some(number));
            self.delivered.insert(number);
            self.announced = Announced::default();
        }
    }

    /// Judges the events between the last delivered one and `next`, or the end of the run.
    fn missing_until(&mut self, next: Option<u64>) {
        let first = self.delivered.last().map_or(0, |last| last + 1);
        let end = next.unwrap_or(u64::MAX);
        let missing: Vec<(u64, Span)> =
            self.history.published.range(first..end).map(|(number, span)| (*number, *span)).collect();
        let outside: Vec<u64> = missing
            .into_iter()
            .filter(|(_, span)| !self.announced.gaps.iter().any(|gap| gap.overlaps(*span)))
            .map(|(number, _)| number)
            .collect();
        if outside.len() as u64 <= self.announced.dropped {
            return;
        }
        let flaw = if self.announced.gaps.is_empty() { Flaw::Lost } else { Flaw::OutsideTheGap };
        self.flaws.extend(outside.into_iter().map(flaw));
    }
}

impl Span {
    fn overlaps(self, other: Self) -> bool {
        self.began <= other.ended && other.began <= self.ended
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn all_delivered_in_order_is_flawless() {
        assert_eq!(flaws(4, &[event(1), event(2), event(3), event(4)]), []);
    }

    #[test]
    fn an_event_inside_a_gap_is_not_lost() {
        assert_eq!(flaws(4, &[event(1), gap(2, 3), event(4)]), []);
        assert_eq!(flaws(4, &[event(1), event(2), gap(3, 9)]), []);
    }

    #[test]
    fn a_gap_over_all_time_is_no_answer() {
        assert_eq!(flaws(4, &[event(1), gap(0, 180), event(4)]), []);
        assert_eq!(flaws(4, &[event(1), gap(0, 181), event(4)]), [Flaw::TooWide(Duration::from_secs(181))]);
    }

    #[test]
    fn an_event_missing_without_a_gap_is_lost() {
        assert_eq!(flaws(3, &[event(1), event(3)]), [Flaw::Lost(2)]);
        assert_eq!(flaws(3, &[event(1), event(2)]), [Flaw::Lost(3)]);
        assert_eq!(flaws(3, &[event(2), event(3)]), [Flaw::Lost(1)]);
    }

    #[test]
    fn a_gap_elsewhere_in_the_stream_excuses_nothing() {
        assert_eq!(flaws(4, &[event(1), event(3), gap(2, 2), event(4)]), [Flaw::Lost(2)]);
    }

    #[test]
    fn a_gap_of_another_time_excuses_nothing() {
        assert_eq!(flaws(4, &[event(1), gap(2, 2), event(4)]), [Flaw::OutsideTheGap(3)]);
    }

    #[test]
    fn as_many_as_were_counted_may_be_missing() {
        assert_eq!(flaws(4, &[event(1), Seen::Lagged(2), event(4)]), []);
        assert_eq!(flaws(4, &[event(1), Seen::Lagged(1), event(4)]), [Flaw::Lost(2), Flaw::Lost(3)]);
    }

    #[test]
    fn duplicates_swaps_and_inventions_are_found() {
        assert_eq!(flaws(2, &[event(1), event(1), event(2)]), [Flaw::Duplicate(1)]);
        assert_eq!(flaws(2, &[gap(1, 1), event(2), event(1)]), [Flaw::OutOfOrder(1)]);
        assert_eq!(flaws(1, &[event(1), event(7)]), [Flaw::Invented(7)]);
    }

    /// Event n is published in second n.
    fn flaws(published: u64, seen: &[Seen]) -> Vec<Flaw> {
        let mut history = History::new();
        for number in 1..=published {
            history.note_published(number, second(number), second(number));
        }
        history.flaws(seen)
    }

    fn event(number: u64) -> Seen {
        Seen::Event(number)
    }

    fn gap(since: u64, until: u64) -> Seen {
        Seen::Gap { since: second(since), until: second(until) }
    }

    fn second(number: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(number)
    }
}
