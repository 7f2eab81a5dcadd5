//! The sockets that are open, the channels they are on, and what is remembered of both.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};

use super::frame::Frame;
use crate::{
    Ending, Outbound, ReceivedFrame, SocketInfo, Sockets,
    accounts::{token_channel, user_channel},
};

/// Something for a socket to send.
#[derive(Clone, Debug)]
pub(crate) enum Outgoing {
    /// Whole frames, encoded.
    Frames(Bytes),
    Raw(Outbound),
}

/// What a socket's connection is to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    #[default]
    Running,
    Stalled,
    Cut,
    Reset,
}

/// A socket's place in the hub; leaving it open to the end makes the ending [`Ending::Cut`].
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
    /// Tells that so many of the queue's frames have been written.
    pub(crate) fn written(&self, frames: u64) {
        self.waiting.fetch_sub(frames, Ordering::Relaxed);
        self.hub.touch();
    }

    pub(crate) fn end(&self, ending: Ending) {
        self.hub.end(self.number, ending);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.end(Ending::Cut);
    }
}

#[derive(Debug)]
struct Entry {
    info: SocketInfo,
    received: VecDeque<ReceivedFrame>,
    queue: mpsc::Sender<Outgoing>,
    waiting: Arc<AtomicU64>,
    mode: watch::Sender<Mode>,
}

impl Entry {
    fn info(&self) -> SocketInfo {
        SocketInfo { frames_waiting: self.waiting.load(Ordering::Relaxed), ..self.info.clone() }
    }
}

#[derive(Debug, Default)]
struct State {
    open: BTreeMap<u64, Entry>,
    channels: BTreeMap<String, BTreeSet<u64>>,
    ended: VecDeque<(SocketInfo, VecDeque<ReceivedFrame>)>,
    ever: u64,
    crashes: u64,
}

/// What the hub tells about itself.
#[derive(Debug)]
pub(crate) struct HubView {
    pub(crate) sockets: Vec<SocketInfo>,
    pub(crate) ended: Vec<SocketInfo>,
    pub(crate) channels: BTreeMap<String, usize>,
    pub(crate) ever: u64,
    pub(crate) crashes: u64,
}

#[derive(Debug)]
pub(crate) struct Hub {
    state: Mutex<State>,
    revision: watch::Sender<u64>,
}

impl Hub {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::default(), revision: watch::Sender::new(0) }
    }

    pub(crate) fn open(self: &Arc<Self>, id: String) -> Seat {
        let (queue, queue_end) = mpsc::channel(QUEUE);
        let (mode, mode_end) = watch::channel(Mode::Running);
        let waiting = Arc::new(AtomicU64::new(0));
        let number = self.change(|state| {
            state.ever += 1;
            let info = SocketInfo {
                number: state.ever,
                id: id.clone(),
                channels: Vec::new(),
                frames_received: 0,
                frames_sent: 0,
                frames_waiting: 0,
                stalled: false,
                ending: None,
            };
            let entry = Entry { info, received: VecDeque::new(), queue, waiting: Arc::clone(&waiting), mode };
            state.open.insert(state.ever, entry);
            state.ever
        });
        Seat { number, id, queue: queue_end, mode: mode_end, waiting, hub: Arc::clone(self) }
    }

    /// Records the end of a socket; only the first call counts.
    fn end(&self, number: u64, ending: Ending) {
        self.change(|state| {
            let Some(mut entry) = state.open.remove(&number) else { return };
            for channel in &entry.info.channels {
                leave(&mut state.channels, channel, number);
            }
            entry.info.ending = Some(ending);
            entry.info.stalled = false;
            state.ended.push_back((entry.info(), entry.received));
            if state.ended.len() > MAX_ENDED {
                state.ended.pop_front();
            }
        });
    }

    pub(crate) fn subscribe(&self, number: u64, channel: &str) {
        self.change(|state| {
            let Some(entry) = state.open.get_mut(&number) else { return };
            if state.channels.entry(channel.to_owned()).or_default().insert(number) {
                entry.info.channels.push(channel.to_owned());
            }
        });
    }

    pub(crate) fn unsubscribe(&self, number: u64, channel: &str) {
        self.change(|state| {
            leave(&mut state.channels, channel, number);
            if let Some(entry) = state.open.get_mut(&number) {
                entry.info.channels.retain(|kept| kept != channel);
            }
        });
    }

    pub(crate) fn record_received(&self, number: u64, frame: &Frame, at_millis: u64) {
        self.change(|state| {
            let Some(entry) = state.open.get_mut(&number) else { return };
            entry.info.frames_received += 1;
            entry.received.push_back(record(frame, at_millis));
            if entry.received.len() > MAX_RECEIVED {
                entry.received.pop_front();
            }
        });
    }

    pub(crate) fn count_sent(&self, number: u64, frames: u64) {
        self.change(|state| {
            if let Some(entry) = state.open.get_mut(&number) {
                entry.info.frames_sent += frames;
            }
        });
    }

    /// Sets the mode of sockets; returns their numbers.
    pub(crate) fn set_mode(&self, sockets: &Sockets, mode: Mode) -> Vec<u64> {
        self.change(|state| {
            let numbers = state.select(sockets);
            for number in &numbers {
                if let Some(entry) = state.open.get_mut(number) {
                    entry.mode.send_replace(mode);
                    entry.info.stalled = mode == Mode::Stalled;
                }
            }
            numbers
        })
    }

    pub(crate) fn crash(&self) {
        self.lock().crashes += 1;
        self.set_mode(&Sockets::All, Mode::Cut);
    }

    /// Puts something into the queues of sockets; returns how many took it.
    pub(crate) async fn send(&self, sockets: &Sockets, what: &Outbound) -> usize {
        let queues = {
            let state = self.lock();
            state.queues(state.select(sockets))
        };
        offer(queues, &Outgoing::Raw(what.clone())).await
    }

    /// Puts frames into the queues of a channel's subscribers; returns how many took them.
    pub(crate) async fn publish(&self, channel: &str, frames: Bytes, except: Option<&str>) -> usize {
        let queues = {
            let state = self.lock();
            let subscribed = state.channels.get(channel).into_iter().flatten().copied();
            let wanted = subscribed
                .filter(|number| state.open.get(number).is_some_and(|entry| Some(entry.info.id.as_str()) != except));
            state.queues(wanted.collect())
        };
        offer(queues, &Outgoing::Frames(frames)).await
    }

    pub(crate) fn received(&self, number: u64) -> Vec<ReceivedFrame> {
        let state = self.lock();
        let ended = || state.ended.iter().find(|(info, _)| info.number == number);
        let frames =
            state.open.get(&number).map(|entry| &entry.received).or_else(|| ended().map(|(_, received)| received));
        frames.into_iter().flatten().cloned().collect()
    }

    pub(crate) fn view(&self) -> HubView {
        let state = self.lock();
        HubView {
            sockets: state.open.values().map(Entry::info).collect(),
            ended: state.ended.iter().map(|(info, _)| info.clone()).collect(),
            channels: state.channels.iter().map(|(name, on)| (name.clone(), on.len())).collect(),
            ever: state.ever,
            crashes: state.crashes,
        }
    }

    /// Changes whenever something in the state does.
    pub(crate) fn revisions(&self) -> watch::Receiver<u64> {
        self.revision.subscribe()
    }

    /// Tells that something outside the hub changed.
    pub(crate) fn touch(&self) {
        self.revision.send_modify(|revision| *revision += 1);
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.lock());
        self.touch();
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of a socket's queue, and whether anybody reads it.
struct Queue {
    sender: mpsc::Sender<Outgoing>,
    waiting: Arc<AtomicU64>,
    stalled: bool,
}

impl State {
    fn select(&self, sockets: &Sockets) -> Vec<u64> {
        let on = |channel: String| self.channels.get(&channel).into_iter().flatten().copied().collect();
        match sockets {
            Sockets::All => self.open.keys().copied().collect(),
            Sockets::Id(id) => {
                self.open.values().filter(|entry| entry.info.id == *id).map(|entry| entry.info.number).collect()
            }
            Sockets::Latest => self.open.keys().next_back().copied().into_iter().collect(),
            Sockets::Session(id) => on(token_channel(id)),
            Sockets::User(id) => on(user_channel(*id)),
        }
    }

    fn queues(&self, numbers: Vec<u64>) -> Vec<Queue> {
        let entries = numbers.into_iter().filter_map(|number| self.open.get(&number));
        entries
            .map(|entry| Queue {
                sender: entry.queue.clone(),
                waiting: Arc::clone(&entry.waiting),
                stalled: entry.info.stalled,
            })
            .collect()
    }
}

/// Waits for room in a queue that is full, but not in that of a stalled socket, which never gets any.
async fn offer(queues: Vec<Queue>, what: &Outgoing) -> usize {
    let mut taken = 0;
    for queue in queues {
        queue.waiting.fetch_add(1, Ordering::Relaxed);
        let took = match queue.sender.try_send(what.clone()) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Full(what)) if !queue.stalled => {
                matches!(timeout(PATIENCE, queue.sender.send(what)).await, Ok(Ok(())))
            }
            Err(_) => false,
        };
        if took {
            taken += 1;
        } else {
            queue.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }
    taken
}

fn record(frame: &Frame, at_millis: u64) -> ReceivedFrame {
    let kept = &frame.payload[..frame.payload.len().min(MAX_RECORDED)];
    ReceivedFrame {
        opcode: frame.opcode,
        fin: frame.fin,
        masked: frame.masked,
        bytes: frame.payload.len(),
        text: String::from_utf8_lossy(kept).into_owned(),
        at_millis,
    }
}

fn leave(channels: &mut BTreeMap<String, BTreeSet<u64>>, channel: &str, number: u64) {
    if let Some(on) = channels.get_mut(channel) {
        on.remove(&number);
        if on.is_empty() {
            channels.remove(channel);
        }
    }
}

/// Messages that wait for a socket to write them.
const QUEUE: usize = 1024;
/// Longer than any profile's write timeout: by then the socket has been cut.
const PATIENCE: Duration = Duration::from_secs(15);
const MAX_ENDED: usize = 256;
const MAX_RECEIVED: usize = 256;
const MAX_RECORDED: usize = 4_096;
