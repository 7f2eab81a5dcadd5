//! Functions that are called with what happens: on the runtime's pool for blocking work, one at a time, and with no
//! thread held while there is nothing to tell.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, ThreadId},
    time::Duration,
};

use channels_proto::ConnectionState;
use tokio::{runtime::Handle, sync::Notify};

use super::{backlog::Backlog, event::ChannelEvent, status::Status, wants::Wants};
use crate::{
    Item, QueueLimits,
    delivery::{Entry, describe_panic, let_go},
};

/// A bound callback, to be given to `unbind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Binding(u64);

pub(super) type Callback = Box<dyn FnMut(&Item<ChannelEvent>) + Send>;

/// Tells that a callback has panicked in a session.
pub(super) type PanicReport = dyn Fn(u64, Item<ChannelEvent>) + Send + Sync;

/// The callbacks of one channel, or of the client, and what they are still to be told.
pub(super) struct Callbacks {
    inner: Mutex<Inner>,
    call_ended: Condvar,
    /// No job is running any more.
    idle: Notify,
    runtime: Handle,
    limits: QueueLimits,
    status: Arc<Status>,
    report: Arc<PanicReport>,
}

struct Inner {
    /// In the order of binding.
    bound: Vec<Bound>,
    /// None as long as there has been nothing to tell anybody.
    backlog: Option<Box<Backlog>>,
    session: u64,
    /// A job is running or about to.
    job: bool,
    /// The call in progress.
    call: Option<(ThreadId, u64)>,
    calls: u64,
    /// How many wait for the end of a call.
    waiting: usize,
}

struct Bound {
    binding: Binding,
    wants: Wants,
    /// Empty during its call.
    callback: Option<Callback>,
    has_panicked: bool,
}

impl Callbacks {
    pub(super) fn new(
        session: u64,
        limits: QueueLimits,
        runtime: Handle,
        status: Arc<Status>,
        report: Arc<PanicReport>,
    ) -> Self {
        let inner = Inner { bound: Vec::new(), backlog: None, session, job: false, call: None, calls: 0, waiting: 0 };
        let (call_ended, idle) = (Condvar::new(), Notify::new());
        Self { inner: Mutex::new(inner), call_ended, idle, runtime, limits, status, report }
    }

    pub(super) fn bind(&self, number: u64, wants: Wants, callback: Callback) -> Binding {
        let binding = Binding(number);
        self.lock().bound.push(Bound { binding, wants, callback: Some(callback), has_panicked: false });
        binding
    }

    /// The same for one of the client, while the state of the connection is `known`.
    pub(super) fn bind_at(&self, known: ConnectionState, number: u64, wants: Wants, callback: Callback) -> Binding {
        let mut inner = self.lock();
        if wants.cover_states() && !inner.bound.iter().any(|bound| bound.wants.cover_states()) {
            inner.backlog.get_or_insert_with(|| Box::new(Backlog::new(self.limits))).know(known);
        }
        drop(inner);
        self.bind(number, wants, callback)
    }

    /// Returns whether it was bound here.
    pub(super) fn unbind(&self, binding: Binding) -> bool {
        !self.unbind_if(|bound| bound.binding == binding).is_empty()
    }

    /// Unbinds the callbacks for one event.
    pub(super) fn unbind_event(&self, name: &str) {
        drop(self.unbind_if(|bound| matches!(&bound.wants, Wants::Named(event) if **event == *name)));
    }

    pub(super) fn unbind_all(&self) {
        drop(self.unbind_if(|_| true));
    }

    fn unbind_if(&self, is: impl FnMut(&mut Bound) -> bool) -> Unbound {
        Unbound(self.lock().bound.extract_if(.., is).collect())
    }

    /// Takes a copy of `entry` if a callback wants it; returns whether a job has to be [started](Self::start).
    pub(super) fn push(&self, entry: &Entry<ChannelEvent>) -> bool {
        let mut inner = self.lock();
        if !inner.bound.iter().any(|bound| bound.wants.cover(&entry.item)) {
            return false;
        }
        let backlog = inner.backlog.get_or_insert_with(|| Box::new(Backlog::new(self.limits)));
        self.status.count_dropped(backlog.push(entry.clone()));
        !std::mem::replace(&mut inner.job, true)
    }

    pub(super) fn start(self: &Arc<Self>) {
        let job = Job { callbacks: Arc::clone(self), done: false };
        // tokio panics when the operating system refuses a first thread; the next item tries again.
        let _ = catch_unwind(AssertUnwindSafe(|| self.runtime.spawn_blocking(move || job.run())));
    }

    /// Drops what is still to be told of a session that has ended. Returns whether a job has to be started, to tell of
    /// the end.
    pub(super) fn end_session(&self, session: u64) -> bool {
        let mut inner = self.lock();
        inner.session = session;
        let Some(backlog) = &mut inner.backlog else { return false };
        backlog.end_session();
        !backlog.is_empty() && !std::mem::replace(&mut inner.job, true)
    }

    /// Drops what is still to be told, and returns the callbacks, to be dropped where foreign code may run.
    pub(super) fn close(&self) -> Unbound {
        let mut inner = self.lock();
        inner.backlog = None;
        Unbound(std::mem::take(&mut inner.bound))
    }

    /// Waits, up to `patience`, for a call in progress on another thread to end.
    pub(super) fn wait_for_call(&self, patience: Duration) {
        let mut inner = self.lock();
        let me = thread::current().id();
        let Some(call) = inner.call.filter(|(thread, _)| *thread != me) else { return };
        inner.waiting += 1;
        let waited = self.call_ended.wait_timeout_while(inner, patience, |inner| inner.call == Some(call));
        let (mut inner, _) = waited.unwrap_or_else(PoisonError::into_inner);
        inner.waiting -= 1;
    }

    /// Returns whether the calling thread is in a call of these.
    pub(super) fn is_called_by_this_thread(&self) -> bool {
        self.lock().call.is_some_and(|(thread, _)| thread == thread::current().id())
    }

    /// Waits until everything has been told.
    pub(super) async fn idle(&self) {
        loop {
            let idle = self.idle.notified();
            if !self.lock().job {
                return;
            }
            idle.await;
        }
    }

    /// Returns what is to be told next, and to whom; none ends the job.
    fn next_round(&self) -> Option<(Item<ChannelEvent>, Vec<Binding>, u64)> {
        let mut inner = self.lock();
        let Some(item) = inner.backlog.as_mut().and_then(|backlog| backlog.pop()) else {
            inner.job = false;
            drop(inner);
            self.idle.notify_waiters();
            return None;
        };
        let wanting = inner.bound.iter().filter(|bound| bound.wants.cover(&item)).map(|bound| bound.binding);
        let wanting = wanting.collect();
        Some((item, wanting, inner.session))
    }

    /// Takes a callback for its call; none when it was unbound, or the session has ended.
    fn begin_call(&self, binding: Binding, session: u64) -> Option<Callback> {
        let mut inner = self.lock();
        if inner.session != session {
            return None;
        }
        let callback = inner.bound.iter_mut().find(|bound| bound.binding == binding)?.callback.take()?;
        inner.calls += 1;
        inner.call = Some((thread::current().id(), inner.calls));
        Some(callback)
    }

    /// Puts a callback back in its place, and returns whether this is its first panic. One that was unbound during its
    /// call is returned.
    fn end_call(&self, binding: Binding, callback: Callback, panicked: bool) -> (Option<Callback>, bool) {
        let mut inner = self.lock();
        inner.call = None;
        if inner.waiting > 0 {
            self.call_ended.notify_all();
        }
        match inner.bound.iter_mut().find(|bound| bound.binding == binding) {
            Some(bound) => {
                bound.callback = Some(callback);
                (None, panicked && !std::mem::replace(&mut bound.has_panicked, true))
            }
            None => (Some(callback), panicked),
        }
    }

    fn call(&self, binding: Binding, session: u64, item: &Item<ChannelEvent>) {
        let Some(mut callback) = self.begin_call(binding, session) else { return };
        let panic = catch_unwind(AssertUnwindSafe(|| callback(item))).err();
        let (unbound, is_first) = self.end_call(binding, callback, panic.is_some());
        let_go(unbound);
        let Some(panic) = panic else { return };
        self.status.count_panic();
        if is_first {
            tracing::warn!("a callback panicked; it is still called");
            (self.report)(session, Item::HandlerPanicked { message: describe_panic(panic.as_ref()) });
        }
        let_go(panic);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Callbacks that are not bound any more. What they hold is foreign, and its `Drop` may panic.
#[must_use = "to be dropped where no lock is held"]
pub(super) struct Unbound(Vec<Bound>);

impl Unbound {
    const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Drop for Unbound {
    fn drop(&mut self) {
        for bound in self.0.drain(..) {
            let_go(bound);
        }
    }
}

struct Job {
    callbacks: Arc<Callbacks>,
    done: bool,
}

impl Job {
    fn run(mut self) {
        while let Some((item, wanting, session)) = self.callbacks.next_round() {
            for binding in wanting {
                self.callbacks.call(binding, session, &item);
            }
        }
        self.done = true;
    }
}

impl Drop for Job {
    /// When the runtime shuts down before the job has run.
    fn drop(&mut self) {
        if !self.done {
            self.callbacks.lock().job = false;
            self.callbacks.idle.notify_waiters();
        }
    }
}

impl fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callbacks").finish_non_exhaustive()
    }
}
