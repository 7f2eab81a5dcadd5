//! The channels by name, and in the orders in which they are asked for, so that no acknowledgement, failure or timer looks
//! at all of them.

use std::{
    collections::BTreeMap,
    ops::{Deref, DerefMut},
};

use super::{
    channel::{Channel, Suspicion},
    needs_authorization,
};
use crate::{ChannelName, Time};

/// The channels by name, with an index over them.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Boxed, since a map of few entries has room for many.
    channels: BTreeMap<ChannelName, Box<Channel>>,
    /// None while every channel is settled, as most are most of the time.
    index: Option<Box<Index>>,
    /// How many channels were looked at so far.
    #[cfg(test)]
    pub(super) visits: std::cell::Cell<u64>,
}

/// The channels that something has still to be done about.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Channels to be subscribed, by place, for each suspicion.
    pub(super) idle: [BTreeMap<u64, ChannelName>; 3],
    /// Those of them that wait for an authorization, of which only so many are requested at a time.
    pub(super) in_line: [BTreeMap<u64, ChannelName>; 3],
    /// How many are being subscribed or left, for each suspicion.
    pub(super) under_way: [usize; 3],
    /// By the number of the subscribe that has not been answered.
    pub(super) unanswered: BTreeMap<u64, ChannelName>,
    /// By the time at which their step expires, and by place.
    pub(super) expiring: BTreeMap<(Time, u64), ChannelName>,
    /// By the time at which their absence has to be reported, and by place.
    pub(super) absent: BTreeMap<(Time, u64), ChannelName>,
    /// How many may change soon.
    pub(super) unsettled: usize,
    /// How many are left or being left.
    pub(super) unwanted: usize,
    /// Bytes of the events that came before their acknowledgement.
    pub(super) early_bytes: usize,
}

/// Where a channel stands in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Keys {
    place: u64,
    suspicion: usize,
    is_idle: bool,
    is_in_line: bool,
    is_under_way: bool,
    subscribe: Option<u64>,
    expires: Option<Time>,
    tell_at: Option<Time>,
    is_unsettled: bool,
    is_unwanted: bool,
    early_bytes: usize,
}

impl Keys {
    fn of(name: &ChannelName, channel: &Channel) -> Self {
        let is_in_line = channel.is_idle() && channel.has_started() && needs_authorization(name);
        Self {
            place: channel.place,
            suspicion: channel.suspicion as usize,
            is_idle: channel.is_idle() && !is_in_line,
            is_in_line,
            is_under_way: channel.is_under_way(),
            subscribe: channel.subscribe_number(),
            expires: channel.step_deadline(),
            tell_at: channel.tell_at(),
            is_unsettled: !channel.is_settled(),
            is_unwanted: !channel.is_wanted(),
            early_bytes: channel.early_bytes(),
        }
    }

    /// Returns whether the index has nothing about it.
    const fn is_nothing(&self) -> bool {
        !(self.is_idle || self.is_in_line || self.is_under_way || self.is_unsettled || self.is_unwanted)
            && self.subscribe.is_none()
            && self.expires.is_none()
            && self.tell_at.is_none()
            && self.early_bytes == 0
    }
}

impl Index {
    fn add(&mut self, name: &ChannelName, keys: &Keys) {
        let put = |list: &mut [BTreeMap<u64, ChannelName>; 3]| {
            list.get_mut(keys.suspicion).and_then(|list| list.insert(keys.place, name.clone()));
        };
        if keys.is_idle {
            put(&mut self.idle);
        }
        if keys.is_in_line {
            put(&mut self.in_line);
        }
        if let Some(count) = self.under_way.get_mut(keys.suspicion) {
            *count += usize::from(keys.is_under_way);
        }
        if let Some(number) = keys.subscribe {
            self.unanswered.insert(number, name.clone());
        }
        if let Some(at) = keys.expires {
            self.expiring.insert((at, keys.place), name.clone());
        }
        if let Some(at) = keys.tell_at {
            self.absent.insert((at, keys.place), name.clone());
        }
        self.unsettled += usize::from(keys.is_unsettled);
        self.unwanted += usize::from(keys.is_unwanted);
        self.early_bytes += keys.early_bytes;
    }

    fn remove(&mut self, keys: &Keys) {
        let take = |list: &mut [BTreeMap<u64, ChannelName>; 3]| {
            list.get_mut(keys.suspicion).and_then(|list| list.remove(&keys.place));
        };
        if keys.is_idle {
            take(&mut self.idle);
        }
        if keys.is_in_line {
            take(&mut self.in_line);
        }
        if let Some(count) = self.under_way.get_mut(keys.suspicion) {
            *count -= usize::from(keys.is_under_way);
        }
        if let Some(number) = keys.subscribe {
            self.unanswered.remove(&number);
        }
        if let Some(at) = keys.expires {
            self.expiring.remove(&(at, keys.place));
        }
        if let Some(at) = keys.tell_at {
            self.absent.remove(&(at, keys.place));
        }
        self.unsettled -= usize::from(keys.is_unsettled);
        self.unwanted -= usize::from(keys.is_unwanted);
        self.early_bytes -= keys.early_bytes;
    }

    /// Returns whether no channel is in it.
    fn is_empty(&self) -> bool {
        let lists = self.idle.iter().chain(&self.in_line);
        lists.map(BTreeMap::len).sum::<usize>() == 0
            && self.under_way == [0; 3]
            && self.unanswered.is_empty()
            && self.expiring.is_empty()
            && self.absent.is_empty()
            && (self.unsettled, self.unwanted, self.early_bytes) == (0, 0, 0)
    }

    /// Returns when something expires or has to be reported.
    pub(super) fn deadline(&self) -> Option<Time> {
        let first = |(at, _): &(Time, u64)| *at;
        let deadlines = [self.expiring.keys().next().map(first), self.absent.keys().next().map(first)];
        deadlines.into_iter().flatten().min()
    }

    /// Returns the first channel that is to be subscribed; of those in line only when one `may_authorize`.
    pub(super) fn next_idle(&self, suspicion: Suspicion, may_authorize: bool) -> Option<ChannelName> {
        let first = |list: &[BTreeMap<u64, ChannelName>; 3]| {
            list.get(suspicion as usize)?.first_key_value().map(|(place, name)| (*place, name.clone()))
        };
        let in_line = first(&self.in_line).filter(|_| may_authorize);
        [first(&self.idle), in_line].into_iter().flatten().min_by_key(|(place, _)| *place).map(|(_, name)| name)
    }

    /// Returns whether any of them is to be subscribed.
    pub(super) fn has_idle(&self, suspicion: Suspicion) -> bool {
        let mut lists = [&self.idle, &self.in_line].into_iter().filter_map(|list| list.get(suspicion as usize));
        lists.any(|list| !list.is_empty())
    }

    /// Returns how many of them are being subscribed or left.
    pub(super) fn under_way(&self, suspicion: Suspicion) -> usize {
        self.under_way.get(suspicion as usize).copied().unwrap_or_default()
    }
}

/// A channel that is being changed; the index follows when it is dropped.
pub(super) struct Edit<'a> {
    name: &'a ChannelName,
    channel: &'a mut Channel,
    before: Keys,
    index: &'a mut Option<Box<Index>>,
}

impl Deref for Edit<'_> {
    type Target = Channel;

    fn deref(&self) -> &Channel {
        self.channel
    }
}

impl DerefMut for Edit<'_> {
    fn deref_mut(&mut self) -> &mut Channel {
        self.channel
    }
}

impl Drop for Edit<'_> {
    fn drop(&mut self) {
        let after = Keys::of(self.name, self.channel);
        if after != self.before {
            change(self.index, self.name, Some(&self.before), Some(&after));
        }
    }
}

/// Brings the index up to date with one channel.
fn change(index: &mut Option<Box<Index>>, name: &ChannelName, before: Option<&Keys>, after: Option<&Keys>) {
    let after = after.filter(|keys| !keys.is_nothing());
    if let (Some(index), Some(before)) = (&mut *index, before) {
        index.remove(before);
    }
    if let Some(after) = after {
        index.get_or_insert_default().add(name, after);
    } else if index.as_ref().is_some_and(|index| index.is_empty()) {
        *index = None;
    }
}

/// Returns names by place. They go into a map of the kind that the index has: to sort them, or to collect them into a
/// map, which sorts them too, would take several kilobytes of code more.
pub(super) fn by_place(names: impl Iterator<Item = (u64, ChannelName)>) -> Vec<ChannelName> {
    let mut places = BTreeMap::new();
    for (place, name) in names {
        places.insert(place, name);
    }
    places.into_values().collect()
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.channels.len()
    }

    pub(super) fn index(&self) -> Option<&Index> {
        self.index.as_deref()
    }

    #[inline]
    pub(super) fn get(&self, name: &str) -> Option<(&ChannelName, &Channel)> {
        self.visited(1);
        self.channels.get_key_value(name).map(|(name, channel)| (name, &**channel))
    }

    /// Returns the channel to change it.
    pub(super) fn edit<'a>(&'a mut self, name: &'a ChannelName) -> Option<Edit<'a>> {
        self.visited(1);
        let Self { channels, index, .. } = self;
        let channel = &mut **channels.get_mut(name)?;
        let before = Keys::of(name, channel);
        Some(Edit { name, channel, before, index })
    }

    pub(super) fn insert(&mut self, name: ChannelName, channel: Channel) {
        self.visited(1);
        change(&mut self.index, &name, None, Some(&Keys::of(&name, &channel)));
        self.channels.insert(name, Box::new(channel));
    }

    pub(super) fn remove(&mut self, name: &ChannelName) {
        self.visited(1);
        if let Some(channel) = self.channels.remove(name) {
            change(&mut self.index, name, Some(&Keys::of(name, &channel)), None);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&ChannelName, &Channel)> {
        self.visited(self.channels.len());
        self.channels.iter().map(|(name, channel)| (name, &**channel))
    }

    /// Returns all names by place.
    pub(super) fn in_order(&self) -> Vec<ChannelName> {
        by_place(self.iter().map(|(name, channel)| (channel.place, name.clone())))
    }

    /// Drops the channels that nobody wants any more.
    pub(super) fn drop_unwanted(&mut self) {
        if self.index().is_some_and(|index| index.unwanted > 0) {
            let unwanted = self.iter().filter(|(_, channel)| !channel.is_wanted()).map(|(name, _)| name.clone());
            for name in unwanted.collect::<Vec<_>>() {
                self.remove(&name);
            }
        }
    }

    /// Changes every channel.
    pub(super) fn edit_all(&mut self, mut change: impl FnMut(&mut Channel)) {
        for name in self.channels.keys().cloned().collect::<Vec<_>>() {
            if let Some(mut channel) = self.edit(&name) {
                change(&mut channel);
            }
        }
    }

    #[cfg_attr(not(test), expect(clippy::unused_self, reason = "only tests count"))]
    #[inline]
    fn visited(&self, channels: usize) {
        #[cfg(test)]
        self.visits.set(self.visits.get() + channels as u64);
        #[cfg(not(test))]
        let _ = channels;
    }
}
