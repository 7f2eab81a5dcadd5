//! The one way out of the machine.

use std::{collections::VecDeque, iter::FusedIterator};

use crate::{Event, Output};

/// What the machine has put out and nobody has taken yet.
pub(crate) type Queue = VecDeque<Output<'static>>;

/// What has to be done, reported and delivered after a command or an input, in the order in which it happened.
///
/// It borrows the machine, which therefore cannot change before it is dropped. What has not been taken by then is not
/// lost: it comes out first of the next call.
#[derive(Debug)]
#[must_use = "what is not taken now comes out of the next call, and waits until then"]
pub struct Outputs<'m, 't> {
    queue: &'m mut Queue,
    /// An event that is still in the text of its frame.
    event: Option<Event<'t>>,
    /// How many outputs come before it.
    before: usize,
}

impl<'m, 't> Outputs<'m, 't> {
    pub(crate) const fn new(queue: &'m mut Queue) -> Self {
        Self { queue, event: None, before: 0 }
    }

    /// Puts `event`, if there is one, behind so many of the outputs.
    #[inline]
    pub(crate) const fn with_event(queue: &'m mut Queue, event: Option<Event<'t>>, before: usize) -> Self {
        Self { queue, event, before }
    }
}

impl<'t> Iterator for Outputs<'_, 't> {
    type Item = Output<'t>;

    #[inline]
    fn next(&mut self) -> Option<Output<'t>> {
        if self.event.is_some() {
            if self.before == 0 {
                return self.event.take().map(Output::Event);
            }
            self.before -= 1;
        }
        self.queue.pop_front()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let rest = self.queue.len() + usize::from(self.event.is_some());
        (rest, Some(rest))
    }
}

impl ExactSizeIterator for Outputs<'_, '_> {}

impl FusedIterator for Outputs<'_, '_> {}

impl Drop for Outputs<'_, '_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(event) = self.event.take() {
            self.queue.insert(self.before, Output::Event(event.into_owned()));
        }
    }
}
