//! The task that owns one client: the machine, the socket, and the dial and authorizations in progress.
//!
//! A turn is one input (or a batch of messages), everything the machine wants done about it, and one hand-over to the
//! consumer's queue. The machine is beside the driver, which does what it wants: its outputs borrow it.

mod address;
mod driver;
mod gap_times;
mod hiding;
mod inputs;
mod job_set;
mod jobs;
mod outputs;
mod requests;
mod turnstile;

use std::{
    collections::BTreeMap,
    future::ready,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use channels_proto::{ChannelName, Connection, Time};
use tokio::time::{Instant, Sleep, sleep, timeout};
use tracing::Instrument as _;

use self::{
    address::AddressSearch,
    driver::{Driver, FromSocket, SocketState},
    gap_times::GapTimes,
    job_set::JobSet,
    jobs::{Done, Opener},
};
use crate::{
    ClientOptions, Decoder, DynAuthorizer, ServerTime,
    delivery::{Core, Tally, Turn},
    intent::CarriedOut,
};

/// Starts the task on the runtime of `core`.
pub(crate) fn start<D: Decoder>(
    options: ClientOptions,
    authorizer: Arc<dyn DynAuthorizer>,
    decoder: D,
    core: &Arc<Core<D::Item>>,
) {
    let (clock, seed) = (options.connector.clock(), options.connector.random());
    let server_time = options.server_time.clone().unwrap_or_else(|| ServerTime::new(Arc::clone(&clock)));
    let opener = Arc::new(Opener::new(&options, server_time.clone()));
    let span = tracing::error_span!("channels_client", id = next_id(), name = options.name.as_deref());
    let ClientOptions { mut protocol, address_provider, .. } = options;
    // The handles keep to the limit; the machine also counts channels that it is still leaving.
    protocol.limits.max_channels = protocol.limits.max_channels.saturating_mul(2);
    let machine = Connection::new(protocol, seed);
    let driver = Driver {
        clock,
        gap_times: GapTimes::new(server_time),
        opener,
        search: AddressSearch::new(address_provider),
        core: Arc::clone(core),
        decoder,
        authorizer,
        socket: SocketState::Down,
        jobs: JobSet::new(),
        closing: JobSet::new(),
        authorizations: BTreeMap::new(),
        signatures: Vec::new(),
        authorizations_needed: 0,
        prepared: false,
        preparing: None,
        connecting: None,
        new_app_key: None,
        turn: Turn::default(),
        leave: false,
        lost: false,
        messages: [0; 2],
    };
    let mut task = Task {
        machine,
        driver,
        carried_out: CarriedOut::default(),
        told_closed: 0,
        wake_is_due: false,
        postponed: Vec::new(),
        timer: None,
        timer_at: None,
        watched_call: None,
    };
    core.spawn(async move { task.run().await }.instrument(span));
}

/// Returns the number of the next client whose span is wanted.
fn next_id() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

struct Task<D: Decoder> {
    machine: Connection,
    driver: Driver<D>,
    carried_out: CarriedOut,
    /// The version of the intent up to which the callers know that sockets are closed.
    told_closed: u64,
    /// The consumer is left to sleep while there is more to take at once.
    wake_is_due: bool,
    /// Channels that the machine has no place for until it has left others.
    postponed: Vec<ChannelName>,
    timer: Option<Pin<Box<Sleep>>>,
    /// When the timer fires; the machine may want to be called later than that, never earlier.
    timer_at: Option<Time>,
    /// The call of the handler that the watchdog saw last, and how often.
    watched_call: Option<(u64, u32)>,
}

/// The one thing that starts a turn.
enum Input {
    Intent,
    Socket(FromSocket),
    Done(Done),
    Timer,
}

/// What the task does after a turn.
enum Next {
    /// It waits for the next input.
    Input,
    /// There is more to read already.
    More,
    End,
}

impl<D: Decoder> Task<D> {
    async fn run(&mut self) {
        loop {
            let input = self.next_input().await;
            let mut now = self.driver.clock.now();
            let next = match input {
                Input::Intent => self.take_intent(now),
                Input::Socket(FromSocket::Received(received)) => self.take_messages(&mut now, received),
                Input::Socket(FromSocket::Opening(done)) => self.take_done(now, done),
                Input::Done(done) => self.take_done(now, done),
                Input::Timer => self.take_timer(now),
            };
            self.end_turn(now, matches!(next, Next::More));
            match next {
                Next::End => break,
                Next::Input => {}
                // The consumer may live on this very thread.
                Next::More => tokio::task::yield_now().await,
            }
        }
        self.driver.jobs.abort_all();
        let closing = async { while self.driver.closing.join_next().await.is_some() {} };
        let _ = timeout(LAST_CLOSE_TIMEOUT, closing).await;
    }

    async fn next_input(&mut self) -> Input {
        loop {
            let Self { driver: Driver { core, socket, jobs, closing, .. }, timer, timer_at, .. } = self;
            tokio::select! {
                biased;
                () = core.changed() => return Input::Intent,
                // Before what is received, which may never let up; jobs are few.
                Some(done) = jobs.join_next() => match done {
                    Ok(done) => return Input::Done(done),
                    Err(_aborted) => {}
                },
                // Before the timer: what was received may make it void.
                input = socket.next() => return Input::Socket(input),
                Some(_) = closing.join_next() => self.tell_if_closed(),
                () = fired(timer), if timer_at.is_some() => return Input::Timer,
                // There is nothing else to do.
                () = ready(()), if self.wake_is_due => {
                    self.wake_is_due = false;
                    let handler_at_work = self.driver.core.wake_consumer();
                    self.watch_handler_if(handler_at_work);
                }
            }
        }
    }

    fn end_turn(&mut self, now: Time, more: bool) {
        self.subscribe_postponed(now);
        let needs_nothing = self.machine.is_settled() || self.machine.epoch().is_none();
        let released = needs_nothing && self.driver.release();
        let tally = Tally {
            protocol: *self.machine.counters(),
            traffic: self.driver.take_traffic(),
            round_trip: self.machine.round_trip(),
        };
        let handler_at_work = self.driver.core.hand_over(&mut self.driver.turn, &tally, more);
        self.wake_is_due = more;
        if released {
            // What connecting took is given back: most sessions are idle most of the time.
            self.driver.turn.entries = Vec::new();
            self.driver.authorizations = BTreeMap::new();
            self.machine.shrink();
        }
        self.watch_handler_if(handler_at_work);
        self.tell_if_closed();
        let due = self.machine.poll_timeout();
        if let Some(at) = due.filter(|at| self.timer_at.is_none_or(|armed| *at < armed)) {
            // When it comes too early it is set again.
            let wait = at.saturating_since(now).min(LONGEST_SLEEP);
            match &mut self.timer {
                Some(timer) => timer.as_mut().reset(Instant::now() + wait),
                None => self.timer = Some(Box::pin(sleep(wait))),
            }
            self.timer_at = Some(at);
        }
    }
}

impl<D: Decoder> Task<D> {
    /// Tells whoever waits for it that the sockets of the sessions that were ended are closed.
    fn tell_if_closed(&mut self) {
        let version = self.carried_out.version;
        if self.told_closed != version && self.driver.closing.is_empty() {
            self.told_closed = version;
            self.driver.core.tell_closed(version);
        }
    }
}

impl<D: Decoder> Drop for Task<D> {
    /// Also when the runtime is shut down under the task.
    fn drop(&mut self) {
        self.driver.core.end();
    }
}

async fn fired(timer: &mut Option<Pin<Box<Sleep>>>) {
    match timer {
        Some(timer) => timer.as_mut().await,
        None => std::future::pending().await,
    }
}

/// Not every number of nanoseconds can be added to an `Instant`.
const LONGEST_SLEEP: Duration = Duration::from_secs(24 * 60 * 60);
/// Fault K10: the socket of a dropped client is closed within a second.
const LAST_CLOSE_TIMEOUT: Duration = Duration::from_millis(500);
