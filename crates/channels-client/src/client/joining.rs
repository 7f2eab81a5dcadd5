//! How handles come to a channel and leave it.

use std::sync::{Arc, MutexGuard};

use channels_proto::ChannelName;

use super::{
    callbacks::Callbacks,
    error::SubscribeError,
    event::ChannelEvent,
    hub::{Hub, Inner},
    mailbox::Mailbox,
    subscription::{Subscription, Told},
    wants::Wants,
};
use crate::delivery::Core;

/// What a new handle is made of.
pub(super) type Seat = (Arc<Subscription>, Arc<Mailbox>);

impl Hub {
    /// Subscribes to a channel, or again to one that there is.
    pub(super) fn subscribe(
        &self,
        core: &Core<ChannelEvent>,
        name: &ChannelName,
        limit: usize,
    ) -> Result<Seat, SubscribeError> {
        let mut inner = self.lock();
        if inner.has_ended {
            return Err(SubscribeError::Ended);
        }
        let since = core.change(|intent| {
            let subscribed = intent.subscribe(name.clone(), limit);
            subscribed.map(|()| intent.version())
        })?;
        let session = inner.session;
        let subscription = inner.channels.entry(name.clone()).or_insert_with(|| {
            let (runtime, status, report) = (self.runtime.clone(), Arc::clone(&self.status), Arc::clone(&self.report));
            let callbacks = Callbacks::new(session, self.limits, runtime, status, report);
            Arc::new(Subscription::new(name.clone(), since, callbacks))
        });
        let subscription = Arc::clone(subscription);
        let mut told = Told::default();
        subscription.ask_again(since, &mut told);
        let mailbox = self.add_mailbox(&subscription, Wants::All);
        drop(inner);
        told.tell();
        Ok((subscription, mailbox))
    }

    /// Adds a mailbox for another handle of a channel.
    pub(super) fn add_mailbox(&self, subscription: &Subscription, wants: Wants) -> Arc<Mailbox> {
        let mailbox = Arc::new(Mailbox::new(wants, self.limits, Arc::clone(&self.status)));
        subscription.add(Arc::clone(&mailbox));
        mailbox
    }

    /// A handle is gone; with the last one the channel is unsubscribed.
    pub(super) fn leave(&self, core: &Core<ChannelEvent>, subscription: &Arc<Subscription>, mailbox: &Arc<Mailbox>) {
        let inner = self.lock();
        if subscription.remove(mailbox) {
            self.unsubscribe_locked(inner, core, subscription);
        }
    }

    /// Unsubscribes all handles of a channel.
    pub(super) fn unsubscribe(&self, core: &Core<ChannelEvent>, subscription: &Arc<Subscription>) {
        self.unsubscribe_locked(self.lock(), core, subscription);
    }

    fn unsubscribe_locked(
        &self,
        mut inner: MutexGuard<'_, Inner>,
        core: &Core<ChannelEvent>,
        subscription: &Arc<Subscription>,
    ) {
        // It may have been unsubscribed already, and another one may have its name by now.
        if inner.channels.get(&subscription.name).is_some_and(|known| Arc::ptr_eq(known, subscription)) {
            inner.channels.remove(&subscription.name);
            core.unsubscribe(&subscription.name);
        }
        let mut told = Told::default();
        let unbound = subscription.close(&mut told);
        drop(inner);
        // The state of the connection is as it was, and somebody may be looking at it.
        told.tell();
        drop(unbound);
    }

    pub(super) fn channel(&self, name: &str) -> Option<Arc<Subscription>> {
        self.lock().channels.get(name).map(Arc::clone)
    }

    pub(super) fn channels(&self) -> Vec<Arc<Subscription>> {
        self.lock().channels.values().map(Arc::clone).collect()
    }

    /// Returns another handle's part of a channel.
    pub(super) fn join(&self, name: &str) -> Option<Seat> {
        let inner = self.lock();
        let subscription = inner.channels.get(name)?;
        Some((Arc::clone(subscription), self.add_mailbox(subscription, Wants::All)))
    }

    /// Returns another handle's part of every channel.
    pub(super) fn join_all(&self) -> Vec<Seat> {
        let join = |one: &Arc<Subscription>| (Arc::clone(one), self.add_mailbox(one, Wants::All));
        self.lock().channels.values().map(join).collect()
    }
}
