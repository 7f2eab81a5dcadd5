//! The users who are signed in, and whom they watch.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
struct User {
    sockets: BTreeSet<u64>,
    watchlist: BTreeSet<String>,
    /// Whether those who watch the user are told.
    is_seen: bool,
}

#[derive(Debug, Default)]
pub(super) struct Users(BTreeMap<String, User>);

impl Users {
    /// Signs a socket in; true if those who watch the user are to be told. The last watchlist of a user counts.
    pub(super) fn add(&mut self, id: &str, socket: u64, watchlist: &[String], is_seen: bool) -> bool {
        let user = self.0.entry(id.to_owned()).or_default();
        user.watchlist = watchlist.iter().cloned().collect();
        user.sockets.insert(socket);
        let comes = is_seen && !user.is_seen;
        user.is_seen |= is_seen;
        comes
    }

    /// Signs a socket out; true if those who watch the user are to be told.
    pub(super) fn remove(&mut self, id: &str, socket: u64) -> bool {
        let Some(user) = self.0.get_mut(id) else { return false };
        user.sockets.remove(&socket);
        if !user.sockets.is_empty() {
            return false;
        }
        self.0.remove(id).is_some_and(|user| user.is_seen)
    }

    pub(super) fn sockets_of(&self, id: &str) -> Vec<u64> {
        self.0.get(id).map(|user| user.sockets.iter().copied().collect()).unwrap_or_default()
    }

    /// The sockets of those who watch a user.
    pub(super) fn watchers_of(&self, id: &str) -> Vec<u64> {
        self.watching(id).flat_map(|user| user.sockets.iter().copied()).collect()
    }

    /// How many users watch a user.
    pub(super) fn count_watchers(&self, id: &str) -> usize {
        self.watching(id).count()
    }

    fn watching(&self, id: &str) -> impl Iterator<Item = &User> {
        self.0.values().filter(move |user| user.watchlist.contains(id))
    }

    /// The watchlist, divided into those who are signed in and those who are not.
    pub(super) fn statuses(&self, watchlist: &[String]) -> (Vec<String>, Vec<String>) {
        watchlist.iter().cloned().partition(|id| self.0.get(id).is_some_and(|user| user.is_seen))
    }

    pub(super) fn all(&self) -> BTreeMap<String, Vec<u64>> {
        self.0.iter().map(|(id, user)| (id.clone(), user.sockets.iter().copied().collect())).collect()
    }
}
