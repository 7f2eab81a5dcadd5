//! The users who are signed in, and whom they watch.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
struct User {
    sockets: BTreeSet<u64>,
    watchlist: BTreeSet<String>,
}

#[derive(Debug, Default)]
pub(super) struct Users(BTreeMap<String, User>);

impl Users {
    /// Signs a socket in; true if it is the first of its user. The last watchlist of a user counts.
    pub(super) fn add(&mut self, id: &str, socket: u64, watchlist: &[String]) -> bool {
        let user = self.0.entry(id.to_owned()).or_default();
        user.watchlist = watchlist.iter().cloned().collect();
        user.sockets.insert(socket) && user.sockets.len() == 1
    }

    /// Signs a socket out; true if it was the last of its user.
    pub(super) fn remove(&mut self, id: &str, socket: u64) -> bool {
        let Some(user) = self.0.get_mut(id) else { return false };
        user.sockets.remove(&socket);
        let is_gone = user.sockets.is_empty();
        if is_gone {
            self.0.remove(id);
        }
        is_gone
    }

    pub(super) fn sockets_of(&self, id: &str) -> Vec<u64> {
        self.0.get(id).map(|user| user.sockets.iter().copied().collect()).unwrap_or_default()
    }

    /// The sockets of those who watch a user.
    pub(super) fn watchers_of(&self, id: &str) -> Vec<u64> {
        let watchers = self.0.values().filter(|user| user.watchlist.contains(id));
        watchers.flat_map(|user| user.sockets.iter().copied()).collect()
    }

    /// The watchlist, divided into those who are signed in and those who are not.
    pub(super) fn statuses(&self, watchlist: &[String]) -> (Vec<String>, Vec<String>) {
        watchlist.iter().cloned().partition(|id| self.0.contains_key(id))
    }

    pub(super) fn all(&self) -> BTreeMap<String, Vec<u64>> {
        self.0.iter().map(|(id, user)| (id.clone(), user.sockets.iter().copied().collect())).collect()
    }
}
