//! Who is connected, subscribed and signed in, and what they are told.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use tokio::{sync::watch, time::Instant};

use super::{
    cache::Cache,
    queue::{Outgoing, Receiver, offer, queue},
    roster::{Departure, Mode, Reach, Roster},
};
use crate::{
    changes::Changes,
    dialect::habits::{Dialect, USER_CHANNEL},
    member::{Member, Membership},
    sockets::{ReceivedFrame, Sockets},
    state::ServerState,
    websocket::{
        frame::{self, opcode},
        outbound::Outbound,
    },
};

/// What a subscription is answered with.
#[derive(Debug)]
pub(crate) struct Joined {
    /// The members, if it is a presence channel; `None` in it if one of them has no id.
    pub(crate) members: Option<Option<Vec<Membership>>>,
    /// The id of the user who is a member from now on.
    pub(crate) added: Option<String>,
    /// The last event of the channel.
    pub(crate) cached: Option<Bytes>,
    /// How many sockets are subscribed.
    pub(crate) subscribers: usize,
}

pub(crate) struct Hub {
    roster: Mutex<Roster>,
    cache: Mutex<Cache>,
    dialect: &'static dyn Dialect,
    counts_subscriptions: bool,
    changes: Changes,
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub").field("roster", &self.roster).finish_non_exhaustive()
    }
}

impl Hub {
    /// A hub without sockets, which reports to `changes`.
    pub(crate) fn new(
        dialect: &'static dyn Dialect,
        cache_ttl: Duration,
        counts_subscriptions: bool,
        changes: Changes,
    ) -> Self {
        let cache = Mutex::new(Cache::new(cache_ttl));
        Self { roster: Mutex::default(), cache, dialect, counts_subscriptions, changes }
    }

    /// Adds a socket; returns its number, the end of its queue, and its mode.
    pub(super) fn open(&self, id: String) -> (u64, Receiver, watch::Receiver<Mode>) {
        let (sender, receiver) = queue();
        let (mode, mode_end) = watch::channel(Mode::Running);
        let number = self.change(|roster| roster.open(id, Reach { queue: sender, mode }));
        (number, receiver, mode_end)
    }

    /// Sets the mode of sockets; returns their numbers.
    pub(crate) fn set_mode(&self, sockets: &Sockets, mode: Mode) -> Vec<u64> {
        self.change(|roster| roster.set_mode(sockets, mode))
    }

    /// Every connection is dropped.
    pub(crate) fn crash(&self) {
        self.change(|roster| {
            roster.count_crash();
            roster.set_mode(&Sockets::All, Mode::Cut);
        });
    }

    /// Queues something for sockets; returns for how many.
    pub(crate) async fn send(&self, sockets: &Sockets, what: &Outbound) -> usize {
        let queues = self.lock().queues_of(sockets);
        offer(queues, &Outgoing::Raw(what.clone())).await
    }

    /// Queues an event for a channel's subscribers, or for a user's sockets if the channel is that of a user; returns for
    /// how many.
    pub(crate) async fn publish(&self, channel: &str, frame: Bytes, except: Option<&str>) -> usize {
        let queues = {
            let roster = self.lock();
            if self.dialect.is_cache(channel) {
                self.cache().put(channel, frame.clone(), Instant::now());
            }
            match channel.strip_prefix(USER_CHANNEL) {
                Some(user) if !self.dialect.user_channel_needs_subscription() => roster.queues_of_user(user, except),
                _ => roster.queues_on(channel, except),
            }
        };
        offer(queues, &Outgoing::Frames(frame)).await
    }

    /// Queues something for a channel's subscribers, or for a client's, without remembering it.
    pub(crate) async fn relay(&self, channel: &str, frame: Bytes, except: Option<&str>) -> usize {
        let queues = self.lock().queues_on(channel, except);
        offer(queues, &Outgoing::Frames(frame)).await
    }

    /// Ends the connections of a user; returns how many.
    pub(crate) async fn terminate(&self, user: &str) -> usize {
        let mut ended = 0;
        for what in self.dialect.terminate() {
            let queues = self.lock().queues_of_user(user, None);
            ended = offer(queues, &Outgoing::Raw(what)).await;
        }
        ended
    }

    pub(crate) fn received(&self, number: u64) -> Vec<ReceivedFrame> {
        self.lock().received(number)
    }

    /// The members of a presence channel.
    pub(crate) fn members(&self, channel: &str) -> Vec<Member> {
        self.lock().members(channel)
    }

    /// The current state, except for the upgrades, which are not known here.
    pub(crate) fn state(&self) -> ServerState {
        self.lock().state()
    }

    /// Subscribes a socket, and tells the others of the member.
    pub(super) fn join(&self, number: u64, channel: &str, membership: Option<&Membership>) -> Joined {
        self.change(|roster| {
            let is_new = roster.subscribe(number, channel);
            let is_added = membership.is_some_and(|member| is_new && roster.add_member(number, channel, member));
            let added = membership.filter(|_| is_added);
            if let Some(member) = added {
                let text = self.dialect.member_added(channel, member);
                roster.notify(&roster.on(channel), &text_frame(&text), Some(number));
            }
            if is_new {
                self.tell_count(roster, channel, Some(number));
            }
            Joined {
                members: membership.map(|_| roster.memberships(channel)),
                added: added.and_then(Membership::key),
                cached: self.cache().get(channel, Instant::now()),
                subscribers: roster.subscribers(channel),
            }
        })
    }

    /// Tells of those who have left, and returns them.
    pub(super) fn depart(&self, depart: impl FnOnce(&mut Roster) -> Departure) -> Departure {
        self.change(|roster| {
            let departure = depart(roster);
            for (channel, member) in &departure.members {
                let text = self.dialect.member_removed(channel, member);
                roster.notify(&roster.on(channel), &text_frame(&text), None);
            }
            for channel in &departure.channels {
                self.tell_count(roster, channel, None);
            }
            if let Some(user) = &departure.user {
                self.tell_watchers(roster, user, false);
            }
            departure
        })
    }

    /// Signs a socket in; returns what its watchlist amounts to.
    pub(super) fn sign_in(&self, number: u64, id: &str, watchlist: Option<&[String]>) -> Vec<String> {
        let mutual = self.dialect.watchers_are_watched();
        let is_seen = watchlist.is_some() || !mutual;
        let watchlist = watchlist.unwrap_or_default();
        self.change(|roster| {
            let (came, left) = roster.sign_in(number, id, watchlist, is_seen);
            if let Some(left) = left {
                self.tell_watchers(roster, &left, false);
            }
            let mut texts = Vec::new();
            if came {
                self.tell_watchers(roster, id, true);
                let times = if mutual { roster.users().count_watchers(id) } else { 0 };
                let user_ids = [id.to_owned()];
                texts.extend((0..times).flat_map(|_| self.dialect.watchlist(&user_ids, &[])));
            }
            let (online, offline) = roster.users().statuses(watchlist);
            texts.extend(self.dialect.watchlist(&online, &offline));
            texts
        })
    }

    fn tell_watchers(&self, roster: &Roster, user: &str, is_online: bool) {
        let user_ids = [user.to_owned()];
        let (online, offline): (&[String], &[String]) = if is_online { (&user_ids, &[]) } else { (&[], &user_ids) };
        for text in self.dialect.watchlist(online, offline) {
            roster.notify(&roster.users().watchers_of(user), &text_frame(&text), None);
        }
    }

    /// Tells the subscribers how many they are, if the server does.
    fn tell_count(&self, roster: &Roster, channel: &str, except: Option<u64>) {
        let count =
            self.counts_subscriptions.then(|| self.dialect.subscription_count(channel, roster.subscribers(channel)));
        if let Some(Some(text)) = count {
            roster.notify(&roster.on(channel), &text_frame(&text), except);
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reports that something changed that is not kept here.
    pub(super) fn touch(&self) {
        self.changes.touch();
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Roster) -> T) -> T {
        let result = change(&mut self.lock());
        self.changes.touch();
        result
    }

    fn lock(&self) -> MutexGuard<'_, Roster> {
        self.roster.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn text_frame(text: &str) -> Outgoing {
    Outgoing::Frames(frame::encode(opcode::TEXT, text.as_bytes()).into())
}
