use vms_pusher::VmsSocketItem;

use crate::{
    clock,
    failure::{Exit, Failure},
    output::{
        Output,
        json::{self, ItemLine},
    },
    settings::{Filter, ListenSettings},
    stop::Stop,
};

/// What all accounts print to: each line stays whole, and those of an account stay in order.
pub(super) struct Lines<'o> {
    output: &'o mut Output,
    /// Lines of JSON that wait to be written together.
    waiting: Vec<u8>,
    json: bool,
    filter: &'o Filter,
    /// How many more events are to be printed, where that is bounded.
    left: Option<u64>,
    stop: &'o Stop,
}

impl<'o> Lines<'o> {
    pub(super) fn new(output: &'o mut Output, settings: &'o ListenSettings, stop: &'o Stop) -> Self {
        let (json, filter, left) = (settings.json, &settings.filter, settings.count);
        Self { output, waiting: Vec::new(), json, filter, left, stop }
    }

    pub(super) const fn are_json(&self) -> bool {
        self.json
    }

    /// Returns how many events are missing, where they are counted.
    pub(super) const fn left(&self) -> u64 {
        match self.left {
            Some(left) => left,
            None => 0,
        }
    }

    /// Returns whether the item is to be printed.
    pub(super) fn want(&self, item: &VmsSocketItem) -> bool {
        self.filter.lets_through(item) && !(self.left == Some(0) && is_event(item))
    }

    /// Prints a line of JSON, perhaps not before the next flush: of many together, each costs a fraction of a write.
    pub(super) fn push(&mut self, line: &ItemLine<'_>) -> Result<(), Failure> {
        let pushed = line.push_to(&mut self.waiting);
        pushed.map_err(|error| Failure::new(Exit::Other, error))?;
        self.count(line.item);
        if self.waiting.len() < WRITTEN_TOGETHER { Ok(()) } else { self.flush() }
    }

    /// Prints an item as a line of text.
    pub(super) fn data(&mut self, item: &VmsSocketItem, line: &str) -> Result<(), Failure> {
        self.output.data(line)?;
        self.count(item);
        Ok(())
    }

    /// Tells something on stderr.
    pub(super) fn note(&mut self, line: &str) {
        self.output.note(line);
    }

    /// Tells how one of several accounts has failed.
    pub(super) fn failure(&mut self, account: Option<&str>, failure: &Failure) -> Result<(), Failure> {
        self.output.failure(failure);
        if !self.json {
            return Ok(());
        }
        let line = failure.to_line_of(clock::now(), account).map(|line| json::line(&line));
        match line.transpose().map_err(|error| Failure::new(Exit::Other, error))? {
            Some(line) => self.output.data(&line),
            None => Ok(()),
        }
    }

    /// Writes what waits to be written.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.output.raw(&self.waiting)?;
        self.waiting.clear();
        self.waiting.shrink_to(2 * WRITTEN_TOGETHER);
        Ok(())
    }

    /// Has the program end with the last event that is wanted.
    fn count(&mut self, item: &VmsSocketItem) {
        let Some(left) = self.left.as_mut().filter(|_| is_event(item)) else { return };
        *left = left.saturating_sub(1);
        if *left == 0 {
            self.stop.ask(Exit::Done);
        }
    }
}

const fn is_event(item: &VmsSocketItem) -> bool {
    matches!(item, VmsSocketItem::AppSocket(_) | VmsSocketItem::IntercomSocket(_))
}

/// Bytes that are written though more wait to be printed: what a pipe holds.
const WRITTEN_TOGETHER: usize = 64 * 1024;
