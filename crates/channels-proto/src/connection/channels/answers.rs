//! Which subscribe an answer belongs to.

/// The subscribes of one channel that the server has not answered on the present socket. It answers them in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answers {
    owed: u32,
    /// How many of those, the oldest, are for subscribes that were followed by an unsubscribe.
    void: u32,
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
    pub(super) const NONE: Self = Self { owed: 0, void: 0 };

    pub(super) const fn subscribed(&mut self) {
        self.owed = self.owed.saturating_add(1);
    }

    pub(super) const fn unsubscribed(&mut self) {
        self.void = self.owed;
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

    /// Returns whether a yes may come that stands.
    pub(super) const fn may_be_valid(self) -> bool {
        self.owed > self.void
    }
}
