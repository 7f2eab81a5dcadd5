//! A channel: who is subscribed, and who of them is a member.

use std::collections::{BTreeMap, BTreeSet};

use crate::member::{Member, Membership};

/// A user of a presence channel.
#[derive(Debug)]
struct Present {
    first: Membership,
    sockets: BTreeSet<u64>,
}

#[derive(Debug, Default)]
pub(super) struct Channel {
    sockets: BTreeSet<u64>,
    members: BTreeMap<String, Present>,
    /// The user of each socket that is a member.
    users: BTreeMap<u64, String>,
    /// Members without an id, which Reverb admits.
    anonymous: BTreeSet<u64>,
}

impl Channel {
    pub(super) fn sockets(&self) -> &BTreeSet<u64> {
        &self.sockets
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sockets.is_empty()
    }

    /// Subscribes a socket; true if it was not.
    pub(super) fn join(&mut self, socket: u64) -> bool {
        self.sockets.insert(socket)
    }

    /// Adds a subscribed socket to the members; true if its user is a new one.
    pub(super) fn add(&mut self, socket: u64, membership: &Membership) -> bool {
        let Some(user) = membership.key() else { return self.anonymous.insert(socket) };
        self.users.insert(socket, user.clone());
        let first = || Present { first: membership.clone(), sockets: BTreeSet::new() };
        let present = self.members.entry(user).or_insert_with(first);
        present.sockets.insert(socket) && present.sockets.len() == 1
    }

    /// Unsubscribes a socket; returns the member that has left with it, if any.
    pub(super) fn leave(&mut self, socket: u64) -> Option<Membership> {
        self.sockets.remove(&socket);
        self.anonymous.remove(&socket);
        let user = self.users.remove(&socket)?;
        let present = self.members.get_mut(&user)?;
        present.sockets.remove(&socket);
        if !present.sockets.is_empty() {
            return None;
        }
        self.members.remove(&user).map(|present| present.first)
    }

    /// What is told to one that subscribes: the members; `None` if one of them has no id.
    pub(super) fn memberships(&self) -> Option<Vec<Membership>> {
        self.anonymous.is_empty().then(|| self.members.values().map(|present| present.first.clone()).collect())
    }

    pub(super) fn members(&self) -> Vec<Member> {
        let member = |(key, present): (&String, &Present)| Member {
            user_id: key.clone(),
            user_info: present.first.info().cloned(),
            connections: present.sockets.len(),
        };
        self.members.iter().map(member).collect()
    }
}
