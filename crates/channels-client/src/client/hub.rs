//! Where what a client's task hands over is given out to the handles.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use channels_proto::{ChannelName, ConnectionError, ConnectionState};
use tokio::{
    runtime::Handle,
    sync::{Notify, watch},
};

use super::{
    callbacks::{Callbacks, PanicReport},
    error::SubscribeError,
    event::ChannelEvent,
    mailbox::Mailbox,
    status::Status,
    subscription::{Subscription, Told},
    wants::Wants,
};
use crate::{
    Clock, Item, QueueLimits, SystemClock,
    delivery::{Core, Entry, Tap},
};

/// Gives out what happens to every handle that it concerns.
///
/// Its lock is taken before that of the core, of a subscription and of a mailbox, and never after them. What the callers
/// want is changed under it, so that it and the core agree on the session and on the channels.
pub(super) struct Hub {
    inner: Mutex<Inner>,
    pub(super) status: Arc<Status>,
    /// The callbacks that are bound to the client.
    pub(super) callbacks: Arc<Callbacks>,
    /// What [`Outcome`] depends on has changed.
    changed: Notify,
    state: watch::Sender<ConnectionState>,
    runtime: Handle,
    limits: QueueLimits,
    report: Arc<PanicReport>,
    bindings: AtomicU64,
}

struct Inner {
    session: u64,
    /// The version of the intent at which a connection was asked for last; 0 before the first.
    opened: u64,
    state: ConnectionState,
    /// Why the server refused for good, since the connection was asked for.
    refusal: Option<ConnectionError>,
    channels: BTreeMap<ChannelName, Arc<Subscription>>,
    /// The mailboxes of the streams of everything.
    all: Vec<Arc<Mailbox>>,
    has_ended: bool,
}

/// What a new handle is made of.
pub(super) type Seat = (Arc<Subscription>, Arc<Mailbox>);

/// What has become of an attempt to connect.
pub(super) enum Outcome {
    Connected,
    Pending,
    /// There is no connection, and none is being made.
    AtRest(Option<ConnectionError>),
}

impl Hub {
    pub(super) fn new(limits: QueueLimits, runtime: Handle) -> Arc<Self> {
        Arc::new_cyclic(|hub: &Weak<Self>| {
            let (status, hub) = (Arc::<Status>::default(), Weak::clone(hub));
            let report: Arc<PanicReport> = Arc::new(move |session, item| {
                if let Some(hub) = hub.upgrade() {
                    hub.report(session, item);
                }
            });
            let callbacks = Callbacks::new(0, limits, runtime.clone(), Arc::clone(&status), Arc::clone(&report));
            Self {
                inner: Mutex::new(Inner::new()),
                status,
                callbacks: Arc::new(callbacks),
                changed: Notify::new(),
                state: watch::Sender::new(ConnectionState::Disconnected),
                runtime,
                limits,
                report,
                bindings: AtomicU64::new(0),
            }
        })
    }

    pub(super) fn watch(&self) -> watch::Receiver<ConnectionState> {
        self.state.subscribe()
    }

    /// Returns a number for a binding that no other one of this client has.
    pub(super) fn next_binding(&self) -> u64 {
        self.bindings.fetch_add(1, Ordering::Relaxed)
    }

    /// Asks for a connection.
    pub(super) fn open(&self, core: &Core<ChannelEvent>) {
        let mut inner = self.lock();
        self.status.set_at_rest(inner.has_ended);
        inner.refusal = None;
        inner.opened = core.change(|intent| {
            intent.connect();
            intent.version()
        });
    }

    /// Ends the session, and waits a moment for calls in progress.
    pub(super) fn disconnect(&self, core: &Arc<Core<ChannelEvent>>) {
        let clock = SystemClock::new();
        let begun = clock.now();
        for callbacks in self.end_session(core, |core| core.disconnect()) {
            callbacks.wait_for_call(LONGEST_WAIT.saturating_sub(clock.now().saturating_since(begun)));
        }
    }

    /// Ends the session by `end`. Returns all callbacks.
    pub(super) fn end_session(
        &self,
        core: &Arc<Core<ChannelEvent>>,
        end: impl FnOnce(&Arc<Core<ChannelEvent>>),
    ) -> Vec<Arc<Callbacks>> {
        let mut told = Told::default();
        let mut inner = self.lock();
        end(core);
        let session = core.intent(|intent| intent.session());
        let bound = inner.channels.values().map(|subscription| &subscription.callbacks).chain([&self.callbacks]);
        let callbacks = bound.map(Arc::clone).collect();
        if inner.session == session {
            return callbacks;
        }
        (inner.session, inner.state, inner.refusal) = (session, ConnectionState::Disconnected, None);
        self.status.set_at_rest(true);
        for subscription in inner.channels.values() {
            subscription.end_session(session, &mut told);
        }
        told.wakers.extend(inner.all.iter().filter_map(|mailbox| mailbox.end_session()));
        if self.callbacks.end_session(session) {
            told.jobs.push(Arc::clone(&self.callbacks));
        }
        drop(inner);
        self.tell(told);
        callbacks
    }

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
        let mailbox = self.add_mailbox(&subscription, Wants::All);
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
        self.tell(told);
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

    /// Adds a stream of everything. It begins with the state of the connection if there is one.
    pub(super) fn add_stream(&self) -> Arc<Mailbox> {
        let mailbox = Arc::new(Mailbox::new(Wants::All, self.limits, Arc::clone(&self.status)));
        let mut inner = self.lock();
        if inner.state != ConnectionState::Disconnected {
            let known = Item::StateChanged { from: ConnectionState::Disconnected, to: inner.state };
            mailbox.push(&Entry::report(known));
        }
        inner.all.push(Arc::clone(&mailbox));
        mailbox
    }

    pub(super) fn remove_stream(&self, mailbox: &Arc<Mailbox>) {
        self.lock().all.retain(|other| !Arc::ptr_eq(other, mailbox));
    }

    /// Waits until there is a connection, or none is being made any more.
    pub(super) async fn outcome(&self) -> Outcome {
        loop {
            let changed = self.changed.notified();
            let outcome = self.lock().outcome(&self.status);
            if !matches!(outcome, Outcome::Pending) {
                return outcome;
            }
            changed.await;
        }
    }

    /// Returns whether nothing more comes by itself.
    pub(super) fn rest(&self) -> Option<Option<ConnectionError>> {
        match self.lock().outcome(&self.status) {
            Outcome::AtRest(refusal) => Some(refusal),
            Outcome::Connected | Outcome::Pending => None,
        }
    }

    fn report(&self, session: u64, item: Item<ChannelEvent>) {
        let mut told = Told::default();
        let inner = self.lock();
        if inner.session == session {
            self.give_to_all(&inner, &Entry::report(item), &mut told);
        }
        drop(inner);
        told.tell();
    }

    fn give_out(&self, inner: &mut Inner, version: u64, entry: &Entry<ChannelEvent>, told: &mut Told) {
        let channel = entry.event.as_ref().map(|event| &event.channel).or_else(|| entry.item.channel());
        if let Some(channel) = channel {
            let Some(subscription) = inner.channels.get(channel).filter(|known| version >= known.since) else { return };
            subscription.take(entry, told);
        } else {
            match &entry.item {
                Item::StateChanged { to, .. } => {
                    inner.state = *to;
                    if *to == ConnectionState::Disconnected && version >= inner.opened {
                        self.rest_all(inner, told);
                    }
                }
                Item::ConnectionFailed { error, retry_in: None } => inner.refusal = Some(error.clone()),
                Item::Unreadable { .. } | Item::Lagged { .. } => {
                    for subscription in inner.channels.values() {
                        subscription.take(entry, told);
                    }
                }
                Item::Coalesced { .. }
                | Item::ConnectionFailed { .. }
                | Item::Event(_)
                | Item::HandlerPanicked { .. }
                | Item::Interrupted { .. }
                | Item::ServerError { .. }
                | Item::Subscribed { .. }
                | Item::SubscriptionFailed { .. }
                | Item::Suspended { .. } => {}
            }
        }
        self.give_to_all(inner, entry, told);
    }

    /// Gives an entry to those who want everything.
    fn give_to_all(&self, inner: &Inner, entry: &Entry<ChannelEvent>, told: &mut Told) {
        told.wakers.extend(inner.all.iter().filter_map(|mailbox| mailbox.push(entry)));
        if self.callbacks.push(entry) {
            told.jobs.push(Arc::clone(&self.callbacks));
        }
    }

    /// Nothing more will come by itself: streams end.
    fn rest_all(&self, inner: &Inner, told: &mut Told) {
        self.status.set_at_rest(true);
        for subscription in inner.channels.values() {
            subscription.rest(told);
        }
        told.wakers.extend(inner.all.iter().filter_map(|mailbox| mailbox.wake()));
    }

    fn tell(&self, told: Told) {
        self.state.send_if_modified(|state| {
            let before = std::mem::replace(state, self.lock().state);
            before != *state
        });
        self.changed.notify_waiters();
        told.tell();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tap<ChannelEvent> for Hub {
    fn take(&self, session: u64, version: u64, entries: &mut Vec<Entry<ChannelEvent>>) {
        if entries.is_empty() {
            return;
        }
        let mut told = Told::default();
        let mut inner = self.lock();
        let is_current = inner.session == session;
        let mut is_about_the_connection = false;
        for entry in entries.drain(..).filter(|_| is_current) {
            is_about_the_connection |= matches!(entry.item, Item::StateChanged { .. });
            self.give_out(&mut inner, version, &entry, &mut told);
        }
        drop(inner);
        if is_about_the_connection { self.tell(told) } else { told.tell() }
    }

    fn end(&self) {
        let mut told = Told::default();
        let mut inner = self.lock();
        (inner.has_ended, inner.state) = (true, ConnectionState::Disconnected);
        self.rest_all(&inner, &mut told);
        let all = inner.channels.values().map(|subscription| &subscription.callbacks).chain([&self.callbacks]);
        // What they hold may keep the client from being freed.
        let unbound: Vec<_> = all.map(|callbacks| callbacks.close()).collect();
        drop(inner);
        self.tell(told);
        drop(unbound);
    }
}

impl Inner {
    const fn new() -> Self {
        Self {
            session: 0,
            opened: 0,
            state: ConnectionState::Disconnected,
            refusal: None,
            channels: BTreeMap::new(),
            all: Vec::new(),
            has_ended: false,
        }
    }

    fn outcome(&self, status: &Status) -> Outcome {
        match self.state {
            ConnectionState::Connected => Outcome::Connected,
            ConnectionState::Disconnected if status.is_at_rest() => Outcome::AtRest(self.refusal.clone()),
            ConnectionState::Connecting
            | ConnectionState::Disconnected
            | ConnectionState::Disconnecting
            | ConnectionState::Reconnecting => Outcome::Pending,
        }
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").finish_non_exhaustive()
    }
}

/// `disconnect()` waits no longer for a callback.
const LONGEST_WAIT: Duration = Duration::from_millis(50);
