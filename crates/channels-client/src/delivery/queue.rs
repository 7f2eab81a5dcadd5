//! The bounded queue of one consumer. It knows no threads, no locks and no time.

use std::collections::VecDeque;

use super::{
    entry::{Entry, count, is_failure_of},
    fold,
};
use crate::{Item, QueueLimits};

/// Events over the limits are dropped, the oldest first, and an [`Item::Lagged`] takes their place; a kept event is
/// dropped only when there is no other. Reports are never dropped: they are merged with their like, and folded when
/// they outgrow their own limit.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    entries: VecDeque<Entry<T>>,
    limits: QueueLimits,
    /// Events in `entries`, kept ones too, and their bytes.
    events: usize,
    bytes: usize,
    /// No event that may be dropped stands before this place.
    droppable_from: usize,
    /// Entries that are neither events nor [`Item::Lagged`].
    reports: usize,
    fold_above: usize,
    /// Bytes of the lists of members in them.
    lists: usize,
    fold_lists_above: usize,
}

impl<T> Queue<T> {
    pub(crate) fn new(limits: QueueLimits) -> Self {
        Self {
            entries: VecDeque::new(),
            limits,
            events: 0,
            bytes: 0,
            droppable_from: 0,
            reports: 0,
            fold_above: limits.max_items.max(MIN_REPORTS),
            lists: 0,
            fold_lists_above: limits.max_bytes,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Appends an entry; what had to be dropped goes to `dropped`, to be released where foreign code may run. Returns
    /// the number of events dropped.
    pub(crate) fn push(&mut self, entry: Entry<T>, dropped: &mut Vec<Entry<T>>) -> u64 {
        let before = dropped.len();
        match &entry.event {
            Some(event) => {
                self.events += 1;
                self.bytes = self.bytes.saturating_add(event.bytes);
                self.entries.push_back(entry);
                while self.is_over() && self.drop_oldest(dropped) {}
            }
            None => self.push_report(entry.item, dropped),
        }
        dropped.get(before..).map_or(0, |new| count(new.iter().filter(|entry| entry.event.is_some()).count()))
    }

    pub(crate) fn pop(&mut self) -> Option<Entry<T>> {
        let entry = self.entries.pop_front()?;
        self.droppable_from = self.droppable_from.saturating_sub(1);
        self.forget(&entry);
        if self.entries.is_empty() {
            let capacity = self.entries.capacity();
            // Few places are had again at once; an idle session shall not keep them.
            if capacity <= FEW {
                self.entries = VecDeque::new();
            } else if capacity > KEPT_CAPACITY {
                self.entries.shrink_to(KEPT_CAPACITY);
            }
        }
        Some(entry)
    }

    /// Puts the entry that was popped last back in its place; otherwise like [`push`](Self::push).
    pub(super) fn put_back(&mut self, entry: Entry<T>, dropped: &mut Vec<Entry<T>>) -> u64 {
        let before = dropped.len();
        self.remember(&entry);
        let is_lag = matches!(entry.item, Item::Lagged { .. });
        self.entries.push_front(entry);
        self.droppable_from = 0;
        if is_lag {
            self.merge_lags(0);
        }
        while self.is_over() && self.drop_oldest(dropped) {}
        dropped.get(before..).map_or(0, |new| count(new.len()))
    }

    /// Empties the queue; the caller drops the entries.
    pub(crate) fn take_all(&mut self) -> VecDeque<Entry<T>> {
        let entries = std::mem::take(&mut self.entries);
        *self = Self::new(self.limits);
        entries
    }

    /// Takes the entries out that `is` true of.
    pub(super) fn take_if(&mut self, is: impl Fn(&Entry<T>) -> bool) -> VecDeque<Entry<T>> {
        if !self.entries.iter().any(&is) {
            return VecDeque::new();
        }
        let (taken, left): (VecDeque<_>, VecDeque<_>) = self.take_all().into_iter().partition(is);
        self.restore(left);
        taken
    }

    fn push_report(&mut self, item: Item<T>, dropped: &mut Vec<Entry<T>>) {
        match (self.entries.back_mut().map(|last| &mut last.item), &item) {
            (Some(last), Item::SubscriptionFailed { channel, .. }) if is_failure_of(last, channel) => *last = item,
            (Some(Item::Lagged { channel, dropped }), Item::Lagged { channel: other, dropped: more }) => {
                *dropped = dropped.saturating_add(*more);
                if channel != other {
                    *channel = None;
                }
            }
            (Some(last @ Item::ConnectionFailed { .. }), Item::ConnectionFailed { .. })
            | (Some(last @ Item::SignInFailed { .. }), Item::SignInFailed { .. }) => *last = item,
            (
                Some(Item::ServerError { code, message }),
                Item::ServerError { code: same_code, message: same_message },
            ) if code == same_code && message == same_message => {}
            _ => {
                let (lists, has_older) = (list_bytes(&item), self.has_older_list(&item));
                self.lists = self.lists.saturating_add(lists);
                if !matches!(item, Item::Lagged { .. }) {
                    self.reports += 1;
                }
                self.entries.push_back(Entry::report(item));
                if self.reports > self.fold_above || has_older && self.lists > self.fold_lists_above {
                    self.fold(dropped);
                }
            }
        }
    }

    /// Returns whether `item` has the members of a channel of which an older list waits. It is not looked for while all
    /// lists are small.
    fn has_older_list(&self, item: &Item<T>) -> bool {
        let bytes = list_bytes(item);
        let is_older = |entry: &Entry<T>| list_bytes(&entry.item) > 0 && entry.item.channel() == item.channel();
        bytes > 0 && self.lists.saturating_add(bytes) > self.fold_lists_above && self.entries.iter().any(is_older)
    }

    /// Returns whether a quarter of the room is taken.
    pub(super) fn is_filling_up(&self) -> bool {
        self.events > self.limits.max_items / 4 || self.bytes > self.limits.max_bytes / 4
    }

    fn is_over(&self) -> bool {
        self.events > self.limits.max_items || self.bytes > self.limits.max_bytes
    }

    /// Drops one event; false when there is none.
    fn drop_oldest(&mut self, dropped: &mut Vec<Entry<T>>) -> bool {
        let may_go = |entry: &Entry<T>| entry.event.as_ref().is_some_and(|event| !event.keep);
        let mut from = self.droppable_from..self.entries.len();
        let place = from.find(|&place| self.entries.get(place).is_some_and(may_go));
        self.droppable_from = place.unwrap_or(self.entries.len());
        // A server that sends nothing but events to be kept cannot make the queue grow either.
        let place = place.or_else(|| self.entries.iter().position(|entry| entry.event.is_some()));
        let Some(entry) = place.and_then(|place| self.entries.get_mut(place)) else {
            return false;
        };
        let lost = std::mem::replace(entry, Entry::report(Item::Lagged { channel: None, dropped: 1 }));
        self.forget(&lost);
        dropped.push(lost);
        self.merge_lags(place.unwrap_or_default());
        true
    }

    /// Merges the `Lagged` at `place` with its neighbours.
    fn merge_lags(&mut self, mut place: usize) {
        let lag = |entry: Option<&Entry<T>>| match entry.map(|entry| &entry.item) {
            Some(Item::Lagged { dropped, .. }) => *dropped,
            _ => 0,
        };
        let (before, after) =
            (place.checked_sub(1).map_or(0, |p| lag(self.entries.get(p))), lag(self.entries.get(place + 1)));
        if after > 0 {
            self.remove(place + 1);
        }
        if before > 0 {
            self.remove(place - 1);
            place -= 1;
        }
        if let Some(Item::Lagged { channel, dropped }) = self.entries.get_mut(place).map(|entry| &mut entry.item)
            && before.saturating_add(after) > 0
        {
            *channel = None;
            *dropped = dropped.saturating_add(before).saturating_add(after);
        }
    }

    /// Takes an entry out that is not an event.
    fn remove(&mut self, place: usize) {
        self.entries.remove(place);
        if place < self.droppable_from {
            self.droppable_from -= 1;
        }
    }

    fn fold(&mut self, dropped: &mut Vec<Entry<T>>) {
        let folded = fold::fold(self.take_all(), dropped);
        self.restore(folded);
        // What is left after folding is bounded by the number of channels; folding again too soon would be quadratic.
        self.fold_above = self.fold_above.max(self.reports.saturating_mul(2));
        self.fold_lists_above = self.fold_lists_above.max(self.lists.saturating_mul(2));
    }

    /// Takes over entries after [`take_all`](Self::take_all), and counts them anew.
    fn restore(&mut self, entries: VecDeque<Entry<T>>) {
        for entry in &entries {
            self.remember(entry);
        }
        self.entries = entries;
    }

    fn remember(&mut self, entry: &Entry<T>) {
        match &entry.event {
            Some(event) => {
                self.events += 1;
                self.bytes = self.bytes.saturating_add(event.bytes);
            }
            None => {
                self.reports += usize::from(!matches!(entry.item, Item::Lagged { .. }));
                self.lists = self.lists.saturating_add(list_bytes(&entry.item));
            }
        }
    }

    fn forget(&mut self, entry: &Entry<T>) {
        match &entry.event {
            Some(event) => {
                self.events -= 1;
                self.bytes = self.bytes.saturating_sub(event.bytes);
            }
            None => {
                self.reports -= usize::from(!matches!(entry.item, Item::Lagged { .. }));
                self.lists = self.lists.saturating_sub(list_bytes(&entry.item));
            }
        }
    }
}

fn list_bytes<T>(item: &Item<T>) -> usize {
    if let Item::Subscribed { members: Some(members), .. } = item { members.size() } else { 0 }
}

/// Reports are few and small: even the smallest queue has room for these.
const MIN_REPORTS: usize = 256;
/// Places an empty queue keeps; a burst shall not cost its memory for ever.
const KEPT_CAPACITY: usize = 16;
const FEW: usize = 8;

#[cfg(test)]
mod tests;
