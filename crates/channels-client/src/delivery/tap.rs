//! Where a client's task hands over to when it is not one consumer's queue.

use super::entry::Entry;

/// Takes everything that a client delivers, in order, in place of the one queue.
///
/// It is called on the client's task, with no lock of the client held, and must not block.
pub(crate) trait Tap<T>: Send + Sync {
    /// Takes what a turn of the task brought, and leaves `entries` empty. `version` is that of the callers' intent that
    /// is carried out with it, `session` the session that it belongs to: one that has been ended meanwhile must not be
    /// delivered any more.
    fn take(&self, session: u64, version: u64, entries: &mut Vec<Entry<T>>);

    /// The task has ended: nothing more will come.
    fn end(&self);
}
