//! The sockets of a server, and how to reach them.

pub(crate) mod queue;
pub(crate) mod roster;

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use tokio::sync::{mpsc, watch};

use queue::{Outgoing, offer, queue};
use roster::{Mode, Reach, Roster};

use crate::{
    changes::Changes,
    ending::Ending,
    sockets::{ReceivedFrame, Sockets},
    state::ServerState,
    websocket::{frame::Frame, outbound::Outbound},
};

/// A socket's place in the hub; if no ending is recorded, the ending is [`Ending::Cut`].
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) number: u64,
    pub(crate) id: String,
    pub(crate) queue: mpsc::Receiver<Outgoing>,
    pub(crate) mode: watch::Receiver<Mode>,
    waiting: Arc<AtomicU64>,
    hub: Arc<Hub>,
}

impl Seat {
    /// Reports that this many of the queue's frames have been written.
    pub(crate) fn written(&self, frames: u64) {
        self.waiting.fetch_sub(frames, Ordering::Relaxed);
        self.hub.changes.touch();
    }

    pub(crate) fn end(&self, ending: Ending) {
        self.hub.change(|roster| roster.end(self.number, ending));
    }

    pub(crate) fn subscribe(&self, channel: &str) {
        self.hub.change(|roster| roster.subscribe(self.number, channel));
    }

    pub(crate) fn unsubscribe(&self, channel: &str) {
        self.hub.change(|roster| roster.unsubscribe(self.number, channel));
    }

    pub(crate) fn record_received(&self, frame: &Frame, at_millis: u64) {
        self.hub.change(|roster| roster.record_received(self.number, frame, at_millis));
    }

    pub(crate) fn count_sent(&self, frames: u64) {
        self.hub.change(|roster| roster.count_sent(self.number, frames));
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.end(Ending::Cut);
    }
}

#[derive(Debug)]
pub(crate) struct Hub {
    roster: Mutex<Roster>,
    changes: Changes,
}

impl Hub {
    /// A hub without sockets, which reports to `changes`.
    pub(crate) fn new(changes: Changes) -> Self {
        Self { roster: Mutex::default(), changes }
    }

    pub(crate) fn open(self: &Arc<Self>, id: String) -> Seat {
        let (sender, receiver, waiting) = queue();
        let (mode, mode_end) = watch::channel(Mode::Running);
        let reach = Reach { queue: sender, waiting: Arc::clone(&waiting), mode };
        let number = self.change(|roster| roster.open(id.clone(), reach));
        Seat { number, id, queue: receiver, mode: mode_end, waiting, hub: Arc::clone(self) }
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

    /// Queues frames for a channel's subscribers; returns for how many.
    pub(crate) async fn publish(&self, channel: &str, frames: Bytes, except: Option<&str>) -> usize {
        let queues = self.lock().queues_on(channel, except);
        offer(queues, &Outgoing::Frames(frames)).await
    }

    pub(crate) fn received(&self, number: u64) -> Vec<ReceivedFrame> {
        self.lock().received(number)
    }

    /// The current state, except for the upgrades, which are not known here.
    pub(crate) fn state(&self) -> ServerState {
        self.lock().state()
    }

    fn change<T>(&self, change: impl FnOnce(&mut Roster) -> T) -> T {
        let result = change(&mut self.lock());
        self.changes.touch();
        result
    }

    fn lock(&self) -> MutexGuard<'_, Roster> {
        self.roster.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
