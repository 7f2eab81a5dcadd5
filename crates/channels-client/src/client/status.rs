//! What all consumers of a client have in common.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What all consumers of a client look at and count in.
#[derive(Debug, Default)]
pub(super) struct Status {
    is_at_rest: AtomicBool,
    dropped_events: AtomicU64,
    callback_panics: AtomicU64,
}

impl Status {
    /// Returns whether nothing more will come until the client is opened again: streams end.
    pub(super) fn is_at_rest(&self) -> bool {
        self.is_at_rest.load(Ordering::SeqCst)
    }

    pub(super) fn set_at_rest(&self, is_at_rest: bool) {
        self.is_at_rest.store(is_at_rest, Ordering::SeqCst);
    }

    pub(super) fn count_dropped(&self, events: u64) {
        if events > 0 {
            self.dropped_events.fetch_add(events, Ordering::Relaxed);
        }
    }

    pub(super) fn count_panic(&self) {
        self.callback_panics.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn dropped_events(&self) -> u64 {
        self.dropped_events.load(Ordering::Relaxed)
    }

    pub(super) fn callback_panics(&self) -> u64 {
        self.callback_panics.load(Ordering::Relaxed)
    }
}
