//! When a consumer is away so long that its reports would grow without end, their history is folded into a summary of
//! the current state.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, SystemTime},
};

use channels_proto::{ChannelName, ConnectionState, FrameError, GapCause, Members, SubscriptionError};

use super::entry::{Entry, count};
use crate::{Continuity, Item, ServerClock};

/// Folds a queue. Kept events stay, other events are `dropped` and counted; one gap covers all gaps of a channel.
pub(super) fn fold<T>(entries: VecDeque<Entry<T>>, dropped: &mut Vec<Entry<T>>) -> VecDeque<Entry<T>> {
    let mut summary = Summary::new();
    for entry in entries {
        match &entry.event {
            Some(event) if event.keep => summary.kept.push(entry),
            Some(_) if summary.change_members(&entry.item) => {}
            Some(_) => {
                summary.lost += 1;
                dropped.push(entry);
            }
            None => summary.take(entry.item),
        }
    }
    summary.into_entries()
}

struct Summary<T> {
    lost: u64,
    reports: u64,
    /// The place of the report that was taken last.
    place: u64,
    state: Option<(ConnectionState, ConnectionState)>,
    channels: BTreeMap<ChannelName, ChannelSummary>,
    kept: Vec<Entry<T>>,
    server_error: Option<Item<T>>,
    connection_failed: Option<Item<T>>,
    suspended: Option<Item<T>>,
    unreadable: Option<(u64, FrameError)>,
    /// How the last sign-in went.
    sign_in: Option<Item<T>>,
    panicked: Option<Item<T>>,
}

/// The last report of each kind, with its place among all reports.
#[derive(Default)]
struct ChannelSummary {
    subscribed: Option<(u64, Continuity, Option<Members>)>,
    interrupted: Option<(u64, SystemTime, Option<ServerClock>, GapCause)>,
    failed: Option<(u64, Failed)>,
    suspended: Option<(u64, SystemTime)>,
}

struct Failed {
    error: SubscriptionError,
    since: SystemTime,
    failures: u32,
    retry_in: Option<Duration>,
}

impl<T> Summary<T> {
    const fn new() -> Self {
        Self {
            lost: 0,
            reports: 0,
            place: 0,
            state: None,
            channels: BTreeMap::new(),
            kept: Vec::new(),
            server_error: None,
            connection_failed: None,
            suspended: None,
            unreadable: None,
            sign_in: None,
            panicked: None,
        }
    }

    fn take(&mut self, item: Item<T>) {
        self.reports += 1;
        self.place += 1;
        let place = self.place;
        match item {
            Item::StateChanged { from, to } => {
                self.state = Some((self.state.map_or(from, |(first, _)| first), to));
                // There has been a connection since, or none is wanted.
                if matches!(to, ConnectionState::Connected | ConnectionState::Disconnected) {
                    self.suspended = None;
                }
            }
            Item::Subscribed { channel, continuity, members } => {
                let summary = self.channels.entry(channel).or_default();
                let merged = merge(summary.subscribed.take().map(|(_, continuity, _)| continuity), continuity);
                *summary = ChannelSummary { subscribed: Some((place, merged, members)), ..ChannelSummary::default() };
            }
            Item::Interrupted { channel, since, clock, cause } => {
                self.channels.entry(channel).or_default().interrupted = Some((place, since, clock, cause));
            }
            Item::SubscriptionFailed { channel, error, since, failures, retry_in } => {
                let failed = Failed { error, since, failures, retry_in };
                self.channels.entry(channel).or_default().failed = Some((place, failed));
            }
            Item::Lagged { dropped, .. } => {
                self.reports -= 1;
                self.lost = self.lost.saturating_add(dropped);
            }
            Item::Coalesced { reports } => self.reports = (self.reports - 1).saturating_add(reports),
            item @ Item::ServerError { .. } => self.server_error = Some(item),
            item @ Item::ConnectionFailed { .. } => self.connection_failed = Some(item),
            Item::Suspended { channel: Some(channel), since } => {
                self.channels.entry(channel).or_default().suspended = Some((place, since));
            }
            item @ Item::Suspended { channel: None, .. } => self.suspended = Some(item),
            Item::Unreadable { lost, last } => {
                let before = self.unreadable.take().map_or(0, |(before, _)| before);
                self.unreadable = Some((lost.saturating_add(before), last));
            }
            item @ Item::HandlerPanicked { .. } => self.panicked = Some(item),
            item @ (Item::SignedIn { .. } | Item::SignInFailed { .. }) => self.sign_in = Some(item),
            // They are dropped like events.
            Item::CacheMiss { .. }
            | Item::ClientEventFailed { .. }
            | Item::Event(_)
            | Item::MemberAdded { .. }
            | Item::MemberRemoved { .. }
            | Item::Message(_)
            | Item::SubscriptionCount { .. }
            | Item::Undecryptable { .. }
            | Item::Watchlist { .. } => {}
        }
    }

    /// Brings the members up to date that will be told; false when `item` is not about them.
    fn change_members(&mut self, item: &Item<T>) -> bool {
        let (Item::MemberAdded { channel, .. } | Item::MemberRemoved { channel, .. }) = item else { return false };
        let subscribed = self.channels.get_mut(channel).and_then(|summary| summary.subscribed.as_mut());
        let Some((_, _, Some(members))) = subscribed else { return false };
        if let Item::MemberAdded { member, .. } = item {
            members.add(member);
        } else if let Item::MemberRemoved { member, .. } = item {
            members.remove(member.id());
        }
        self.reports += 1;
        true
    }

    fn into_entries(self) -> VecDeque<Entry<T>> {
        let mut first = Vec::new();
        first.extend(self.unreadable.map(|(lost, last)| Item::Unreadable { lost, last }));
        first.extend((self.lost > 0).then_some(Item::Lagged { channel: None, dropped: self.lost }));
        let state = self.state.filter(|(from, to)| from != to).map(|(from, to)| Item::StateChanged { from, to });
        // A channel may have taken the place of one that was interrupted, so what was told before it was subscribed
        // stays before that.
        let mut subscribed = in_order(self.channels);
        let is_subscribed = |item: &Item<T>| matches!(item, Item::Subscribed { .. });
        let mut last = subscribed.split_off(subscribed.iter().rposition(is_subscribed).map_or(0, |place| place + 1));
        let rest = [self.server_error, self.connection_failed, self.suspended, self.sign_in, self.panicked];
        last.extend(rest.into_iter().flatten());
        let left = usize::from(state.is_some()) + subscribed.len() + last.len();
        first.push(Item::Coalesced { reports: self.reports.saturating_sub(count(left)) });
        first.extend(state);
        first.extend(subscribed);
        let first = first.into_iter().map(Entry::report);
        first.chain(self.kept).chain(last.into_iter().map(Entry::report)).collect()
    }
}

/// The reports about the channels, as they came.
fn in_order<T>(channels: BTreeMap<ChannelName, ChannelSummary>) -> Vec<Item<T>> {
    let mut reports = BTreeMap::new();
    for (channel, summary) in channels {
        let ChannelSummary { subscribed, interrupted, failed, suspended } = summary;
        let name = || channel.clone();
        reports
            .extend(subscribed.map(|(place, continuity, members)| {
                (place, Item::Subscribed { channel: name(), continuity, members })
            }));
        reports.extend(
            interrupted.map(|(place, since, clock, cause)| {
                (place, Item::Interrupted { channel: name(), since, clock, cause })
            }),
        );
        reports.extend(failed.map(|(place, Failed { error, since, failures, retry_in })| {
            (place, Item::SubscriptionFailed { channel: name(), error, since, failures, retry_in })
        }));
        reports.extend(suspended.map(|(place, since)| (place, Item::Suspended { channel: Some(name()), since })));
    }
    reports.into_values().collect()
}

/// A gap wins over a first subscription, because it asks for more; of two gaps the whole span counts.
fn merge(old: Option<Continuity>, new: Continuity) -> Continuity {
    match (old, new) {
        (
            Some(Continuity::Gap { since: first, until: before, clock: old, .. }),
            Continuity::Gap { since, until, clock, cause },
        ) => {
            let (first, before) = match (old, clock) {
                // By then there was no estimate of the server's clock.
                (None, Some(clock)) => (clock.earliest(first), until),
                (Some(_) | None, _) => (first, before),
            };
            Continuity::Gap { since: since.min(first), until: until.max(before), clock, cause }
        }
        (Some(gap @ Continuity::Gap { .. }), Continuity::Fresh) => gap,
        (_, new) => new,
    }
}
