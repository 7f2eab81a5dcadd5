//! One channel of a client, shared by all of its handles.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
};

use channels_proto::{ChannelName, Members};
use tokio::sync::Notify;

use super::{
    callbacks::{Callbacks, Unbound},
    event::ChannelEvent,
    item::ChannelState,
    mailbox::Mailbox,
};
use crate::{Continuity, Item, delivery::Entry};

/// What the handles of a channel share.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) name: ChannelName,
    /// The version of the callers' intent at which it was asked for: what the task hands over before it has carried out
    /// that belongs to an earlier subscription.
    pub(super) since: u64,
    pub(super) callbacks: Arc<Callbacks>,
    /// The state has changed.
    pub(super) changed: Notify,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: ChannelState,
    /// It has failed, and is not tried again until somebody asks for it.
    is_given_up: bool,
    /// The version of the callers' intent at which it was asked for last.
    asked: u64,
    /// Who is on a presence channel, as it was told last.
    members: Option<Members>,
    /// How many connections are subscribed to it, as the server said last.
    count: Option<u64>,
    /// One for each handle.
    mailboxes: Vec<Arc<Mailbox>>,
    /// It is kept without a handle.
    is_detached: bool,
}

/// Who has to be told something once no lock is held.
#[derive(Default)]
pub(super) struct Told {
    pub(super) wakers: Vec<Waker>,
    pub(super) jobs: Vec<Arc<Callbacks>>,
    /// Those whose state has changed.
    pub(super) changed: Vec<Arc<Subscription>>,
}

impl Subscription {
    pub(super) fn new(name: ChannelName, since: u64, callbacks: Callbacks) -> Self {
        let inner = Inner {
            state: ChannelState::Pending,
            is_given_up: false,
            asked: since,
            members: None,
            count: None,
            mailboxes: Vec::new(),
            is_detached: false,
        };
        let callbacks = Arc::new(callbacks);
        Self { name, since, callbacks, changed: Notify::new(), inner: Mutex::new(inner) }
    }

    pub(super) fn state(&self) -> ChannelState {
        self.lock().state.clone()
    }

    /// Returns who is on a presence channel that is subscribed.
    pub(super) fn members(&self) -> Option<Members> {
        let inner = self.lock();
        inner.members.clone().filter(|_| inner.state == ChannelState::Subscribed)
    }

    /// Adds the mailbox of a new handle. It begins with the acknowledgement if there has been one.
    pub(super) fn add(&self, mailbox: Arc<Mailbox>) {
        let mut inner = self.lock();
        match inner.state {
            ChannelState::Subscribed => {
                let (channel, continuity) = (self.name.clone(), Continuity::Fresh);
                let members = inner.members.clone();
                mailbox.push(&Entry::report(Item::Subscribed { channel, continuity, members }));
            }
            ChannelState::Unsubscribed => drop(mailbox.close()),
            ChannelState::Failed(_) | ChannelState::Pending => {}
        }
        inner.mailboxes.push(mailbox);
    }

    /// Removes the mailbox of a handle that is gone; returns whether nobody is left.
    pub(super) fn remove(&self, mailbox: &Arc<Mailbox>) -> bool {
        let mut inner = self.lock();
        inner.mailboxes.retain(|other| !Arc::ptr_eq(other, mailbox));
        inner.mailboxes.is_empty() && !inner.is_detached
    }

    /// Returns how many connections are subscribed to the channel, as far as the server said.
    pub(super) fn count(&self) -> Option<u64> {
        self.lock().count
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().state == ChannelState::Unsubscribed
    }

    pub(super) fn detach(&self) {
        self.lock().is_detached = true;
    }

    /// It is asked for again, at `version` of the callers' intent: that it was given up before is over.
    pub(super) fn ask_again(self: &Arc<Self>, version: u64, told: &mut Told) {
        let mut inner = self.lock();
        inner.asked = version;
        if std::mem::take(&mut inner.is_given_up) {
            inner.state = ChannelState::Pending;
            told.changed.push(Arc::clone(self));
        }
    }

    /// Takes what is about this channel, and was handed over with `version` of the callers' intent carried out.
    pub(super) fn take(self: &Arc<Self>, version: u64, entry: &Entry<ChannelEvent>, told: &mut Told) {
        let mut inner = self.lock();
        let is_outdated = version < inner.asked && matches!(entry.item, Item::SubscriptionFailed { .. });
        if let Some(state) = state_after(&entry.item).filter(|_| !is_outdated) {
            inner.state = state;
            inner.is_given_up = matches!(entry.item, Item::SubscriptionFailed { retry_in: None, .. });
            told.changed.push(Arc::clone(self));
        }
        match (&entry.item, &mut inner.members) {
            (Item::Subscribed { members, .. }, known) => known.clone_from(members),
            (Item::SubscriptionCount { count, .. }, _) => inner.count = Some(*count),
            (Item::MemberAdded { member, .. }, Some(members)) => members.add(member),
            (Item::MemberRemoved { member, .. }, Some(members)) => drop(members.remove(member.id())),
            _ => {}
        }
        told.wakers.extend(inner.mailboxes.iter().filter_map(|mailbox| mailbox.push(entry)));
        drop(inner);
        if self.callbacks.push(entry) {
            told.jobs.push(Arc::clone(&self.callbacks));
        }
    }

    /// The connection has ended, and none is being made.
    pub(super) fn rest(self: &Arc<Self>, told: &mut Told) {
        let mut inner = self.lock();
        if inner.state == ChannelState::Subscribed {
            inner.state = ChannelState::Pending;
        }
        told.wakers.extend(inner.mailboxes.iter().filter_map(|mailbox| mailbox.wake()));
        told.changed.push(Arc::clone(self));
    }

    /// Drops what is still to be told of a session that has ended.
    pub(super) fn end_session(self: &Arc<Self>, session: u64, told: &mut Told) {
        let mut inner = self.lock();
        (inner.state, inner.is_given_up) = (ChannelState::Pending, false);
        told.wakers.extend(inner.mailboxes.iter().filter_map(|mailbox| mailbox.end_session()));
        told.changed.push(Arc::clone(self));
        drop(inner);
        if self.callbacks.end_session(session) {
            told.jobs.push(Arc::clone(&self.callbacks));
        }
    }

    /// Nothing more is told of it.
    pub(super) fn close(self: &Arc<Self>, told: &mut Told) -> Unbound {
        let mut inner = self.lock();
        inner.state = ChannelState::Unsubscribed;
        told.wakers.extend(inner.mailboxes.iter().filter_map(|mailbox| mailbox.close()));
        told.changed.push(Arc::clone(self));
        drop(inner);
        self.callbacks.close()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the state of a channel after a report about it; none when it stays as it is.
fn state_after(item: &Item<ChannelEvent>) -> Option<ChannelState> {
    match item {
        Item::Subscribed { .. } => Some(ChannelState::Subscribed),
        Item::Interrupted { .. } => Some(ChannelState::Pending),
        Item::SubscriptionFailed { error, .. } => Some(ChannelState::Failed(error.clone())),
        Item::CacheMiss { .. }
        | Item::ClientEventFailed { .. }
        | Item::Coalesced { .. }
        | Item::ConnectionFailed { .. }
        | Item::Event(_)
        | Item::HandlerPanicked { .. }
        | Item::Lagged { .. }
        | Item::MemberAdded { .. }
        | Item::MemberRemoved { .. }
        | Item::Message(_)
        | Item::ServerError { .. }
        | Item::SignedIn { .. }
        | Item::SignInFailed { .. }
        | Item::StateChanged { .. }
        | Item::SubscriptionCount { .. }
        | Item::Suspended { .. }
        | Item::Undecryptable { .. }
        | Item::Unreadable { .. }
        | Item::Watchlist { .. } => None,
    }
}

impl Told {
    pub(super) fn tell(self) {
        for waker in self.wakers {
            waker.wake();
        }
        for callbacks in self.jobs {
            callbacks.start();
        }
        for subscription in self.changed {
            subscription.changed.notify_waiters();
        }
    }
}
