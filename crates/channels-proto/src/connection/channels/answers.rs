//! Which subscribe an answer belongs to.

use std::time::Duration;

use crate::Time;

/// The subscribes of one channel that the server has not answered on the current socket. It answers them in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answers {
    owed: u32,
    /// How many of those, the oldest, are for subscribes that were followed by an unsubscribe.
    void: u32,
    /// When the newest of them was sent.
    newest: Time,
}

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The server does what it says.
    Valid,
    /// An unsubscribe is behind the subscribe that it answers.
    Void,
    /// Nothing was asked.
    Unasked,
}

impl Answers {
    pub(super) const NONE: Self = Self { owed: 0, void: 0, newest: Time::ZERO };

    pub(super) const fn subscribed(&mut self, now: Time) {
        self.owed = self.owed.saturating_add(1);
        self.newest = now;
    }

    pub(super) const fn unsubscribed(&mut self) {
        self.void = self.owed;
    }

    /// Expects no more answers to what was asked so far, if it was asked `patience` before `certain_until`.
    pub(super) fn write_off(&mut self, certain_until: Time, patience: Duration) {
        if certain_until.saturating_since(self.newest) >= patience {
            *self = Self::NONE;
        }
    }

    /// Takes one answer, which belongs to the oldest subscribe.
    pub(super) const fn take(&mut self) -> Answer {
        if self.owed == 0 {
            return Answer::Unasked;
        }
        self.owed -= 1;
        if self.void == 0 {
            return Answer::Valid;
        }
        self.void -= 1;
        Answer::Void
    }

    /// Returns whether all subscribes were answered.
    pub(super) const fn is_complete(self) -> bool {
        self.owed == 0
    }

    /// Returns whether a valid acknowledgement may still come.
    pub(super) const fn may_be_valid(self) -> bool {
        self.owed > self.void
    }
}
