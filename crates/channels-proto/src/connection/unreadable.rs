//! Messages that cannot be read: how many are too many, and when those that may have been events are reported.

use std::time::Duration;

use crate::{FrameError, Report, Time};

/// What could not be read on the current socket.
#[derive(Debug, Default)]
pub(super) struct Unreadable {
    /// When the minute began in which `count` came.
    minute: Time,
    count: u32,
    told: Option<Time>,
    /// Lost since then, and what was wrong with the last one.
    lost: Option<(u64, FrameError)>,
}

impl Unreadable {
    /// Counts one more and returns whether it is one too many.
    pub(super) fn count(&mut self, now: Time) -> bool {
        if now.saturating_since(self.minute) > MINUTE {
            (self.minute, self.count) = (now, 0);
        }
        self.count = self.count.saturating_add(1);
        self.count > MAX_UNREADABLE
    }

    /// Records one that may have been an event, and returns what to report at once.
    pub(super) fn lose(&mut self, now: Time, error: FrameError) -> Option<Report> {
        let lost = self.lost.take().map_or(0, |(lost, _)| lost);
        self.lost = Some((lost.saturating_add(1), error));
        self.deadline().is_none_or(|deadline| now >= deadline).then(|| self.tell(now)).flatten()
    }

    /// Returns when the loss has to be reported.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.lost.as_ref().and(self.told).map(|told| told + MINUTE)
    }

    /// Returns the loss that has not been reported.
    pub(super) fn tell(&mut self, now: Time) -> Option<Report> {
        let (lost, last) = self.lost.take()?;
        self.told = Some(now);
        Some(Report::Unreadable { lost, last })
    }
}

const MINUTE: Duration = Duration::from_secs(60);
/// Fault M01.
const MAX_UNREADABLE: u32 = 100;
