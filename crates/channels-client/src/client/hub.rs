//! What the handles of a client have in common: its session, its channels, and those who are told everything.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use channels_proto::{ChannelName, ConnectionError, ConnectionState, SignInError, User};
use tokio::{
    runtime::Handle,
    sync::{Notify, watch},
};

use super::{
    callbacks::{Binding, Callback, Callbacks, PanicReport},
    event::ChannelEvent,
    mailbox::Mailbox,
    status::Status,
    subscription::{Subscription, Told},
    wants::Wants,
};
use crate::{
    Clock, Item, QueueLimits, SystemClock,
    delivery::{Core, Entry},
};

/// Has a place for everybody who is told something.
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
    pub(super) runtime: Handle,
    pub(super) limits: QueueLimits,
    pub(super) report: Arc<PanicReport>,
    bindings: AtomicU64,
}

pub(super) struct Inner {
    pub(super) session: u64,
    /// The version of the intent at which a connection was asked for last; 0 before the first.
    pub(super) opened: u64,
    pub(super) state: ConnectionState,
    /// Why the server refused for good, since the connection was asked for.
    pub(super) refusal: Option<ConnectionError>,
    pub(super) channels: BTreeMap<ChannelName, Arc<Subscription>>,
    /// The mailboxes of the streams of everything.
    pub(super) all: Vec<Arc<Mailbox>>,
    pub(super) has_ended: bool,
    pub(super) user: SignedIn,
    /// The version of the intent at which the user was to be signed in or out last.
    pub(super) sign_in_asked: u64,
}

/// How far the user is signed in.
#[derive(Clone)]
pub(super) enum SignedIn {
    /// Not yet, or nobody asked for it.
    No,
    Yes(User),
    Failed(SignInError),
}

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

    /// Binds a callback to the client. It counts as told of the state that there is now.
    pub(super) fn bind(&self, wants: Wants, callback: Callback) -> Binding {
        let inner = self.lock();
        self.callbacks.bind_at(inner.state, self.next_binding(), wants, callback)
    }

    /// Asks for a connection.
    pub(super) fn open(&self, core: &Core<ChannelEvent>) {
        let mut inner = self.lock();
        self.status.set_at_rest(inner.has_ended);
        inner.refusal = None;
        let version = core.change(|intent| {
            intent.connect();
            intent.version()
        });
        inner.opened = version;
        let mut told = Told::default();
        if inner.state == ConnectionState::Disconnected {
            for subscription in inner.channels.values() {
                subscription.ask_again(version, &mut told);
            }
        }
        drop(inner);
        told.tell();
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
        inner.user = SignedIn::No;
        for subscription in inner.channels.values() {
            subscription.end_session(session, &mut told);
        }
        told.wakers.extend(inner.all.iter().filter_map(|mailbox| mailbox.end_session()));
        if self.callbacks.end_session(session) {
            told.jobs.push(Arc::clone(&self.callbacks));
        }
        self.rest_all(&inner, &mut told);
        drop(inner);
        self.tell(told);
        callbacks
    }

    /// Adds a stream of everything. It begins with the state of the connection if there is one.
    pub(super) fn add_stream(&self, wants: Wants) -> Arc<Mailbox> {
        let mailbox = Arc::new(Mailbox::new(wants, self.limits, Arc::clone(&self.status)));
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

    /// Returns how far the user is signed in.
    pub(super) fn user(&self) -> SignedIn {
        self.lock().user.clone()
    }

    /// Has the user signed in from now on, or not any more.
    pub(super) fn sign_in(&self, core: &Core<ChannelEvent>, signed_in: bool) {
        let mut inner = self.lock();
        if !signed_in || matches!(inner.user, SignedIn::Failed(_)) {
            inner.user = SignedIn::No;
        }
        inner.sign_in_asked = core.change(|intent| {
            intent.sign_in(signed_in);
            intent.version()
        });
    }

    /// Waits until the user is signed in, or an attempt has failed, or none is made any more.
    pub(super) async fn sign_in_outcome(&self) -> (SignedIn, Option<Option<ConnectionError>>) {
        loop {
            let changed = self.changed.notified();
            let (user, rest) = (self.user(), self.rest());
            if rest.is_some() || !matches!(user, SignedIn::No) {
                return (user, rest);
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

    /// Gives an entry to those who want everything.
    pub(super) fn give_to_all(&self, inner: &Inner, entry: &Entry<ChannelEvent>, told: &mut Told) {
        told.wakers.extend(inner.all.iter().filter_map(|mailbox| mailbox.push(entry)));
        if self.callbacks.push(entry) {
            told.jobs.push(Arc::clone(&self.callbacks));
        }
    }

    /// Nothing more will come by itself: streams end once they have been read.
    pub(super) fn rest_all(&self, inner: &Inner, told: &mut Told) {
        self.status.set_at_rest(true);
        for subscription in inner.channels.values() {
            subscription.rest(told);
        }
        told.wakers.extend(inner.all.iter().filter_map(|mailbox| mailbox.wake()));
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

    pub(super) fn tell(&self, told: Told) {
        self.state.send_if_modified(|state| {
            let before = std::mem::replace(state, self.lock().state);
            before != *state
        });
        self.changed.notify_waiters();
        told.tell();
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
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
            user: SignedIn::No,
            sign_in_asked: 0,
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
