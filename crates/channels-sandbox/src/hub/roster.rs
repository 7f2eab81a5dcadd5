//! The open sockets, their channels, and what is remembered of both.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::{mpsc, watch};

use super::queue::{Outgoing, Queue};
use crate::{
    ending::Ending,
    sockets::{ReceivedFrame, SocketInfo, Sockets},
    state::ServerState,
    websocket::frame::Frame,
};

/// What a socket's connection should do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    #[default]
    Running,
    Stalled,
    Cut,
    Reset,
}

/// How an open socket is reached.
#[derive(Debug)]
pub(super) struct Reach {
    pub(super) queue: mpsc::Sender<Outgoing>,
    pub(super) waiting: Arc<AtomicU64>,
    pub(super) mode: watch::Sender<Mode>,
}

#[derive(Debug)]
struct Entry {
    info: SocketInfo,
    received: VecDeque<ReceivedFrame>,
    reach: Reach,
}

impl Entry {
    fn info(&self) -> SocketInfo {
        SocketInfo { frames_waiting: self.reach.waiting.load(Ordering::Relaxed), ..self.info.clone() }
    }
}

#[derive(Debug, Default)]
pub(super) struct Roster {
    open: BTreeMap<u64, Entry>,
    channels: BTreeMap<String, BTreeSet<u64>>,
    ended: VecDeque<(SocketInfo, VecDeque<ReceivedFrame>)>,
    ever: u64,
    crashes: u64,
}

impl Roster {
    /// Adds a socket; returns its number.
    pub(super) fn open(&mut self, id: String, reach: Reach) -> u64 {
        self.ever += 1;
        let info = SocketInfo {
            number: self.ever,
            id,
            channels: Vec::new(),
            frames_received: 0,
            frames_sent: 0,
            frames_waiting: 0,
            stalled: false,
            ending: None,
        };
        self.open.insert(self.ever, Entry { info, received: VecDeque::new(), reach });
        self.ever
    }

    /// Records the end of a socket; only the first call counts.
    pub(super) fn end(&mut self, number: u64, ending: Ending) {
        let Some(mut entry) = self.open.remove(&number) else { return };
        for channel in &entry.info.channels {
            leave(&mut self.channels, channel, number);
        }
        entry.info.ending = Some(ending);
        entry.info.stalled = false;
        self.ended.push_back((entry.info(), entry.received));
        if self.ended.len() > MAX_ENDED {
            self.ended.pop_front();
        }
    }

    pub(super) fn subscribe(&mut self, number: u64, channel: &str) {
        let Some(entry) = self.open.get_mut(&number) else { return };
        if self.channels.entry(channel.to_owned()).or_default().insert(number) {
            entry.info.channels.push(channel.to_owned());
        }
    }

    pub(super) fn unsubscribe(&mut self, number: u64, channel: &str) {
        leave(&mut self.channels, channel, number);
        if let Some(entry) = self.open.get_mut(&number) {
            entry.info.channels.retain(|kept| kept != channel);
        }
    }

    pub(super) fn record_received(&mut self, number: u64, frame: &Frame, at_millis: u64) {
        let Some(entry) = self.open.get_mut(&number) else { return };
        entry.info.frames_received += 1;
        entry.received.push_back(record(frame, at_millis));
        if entry.received.len() > MAX_RECEIVED {
            entry.received.pop_front();
        }
    }

    pub(super) fn count_sent(&mut self, number: u64, frames: u64) {
        if let Some(entry) = self.open.get_mut(&number) {
            entry.info.frames_sent += frames;
        }
    }

    pub(super) fn count_crash(&mut self) {
        self.crashes += 1;
    }

    /// Sets the mode of sockets; returns their numbers.
    pub(super) fn set_mode(&mut self, sockets: &Sockets, mode: Mode) -> Vec<u64> {
        let numbers = self.select(sockets);
        for number in &numbers {
            if let Some(entry) = self.open.get_mut(number) {
                entry.reach.mode.send_replace(mode);
                entry.info.stalled = mode == Mode::Stalled;
            }
        }
        numbers
    }

    pub(super) fn queues_of(&self, sockets: &Sockets) -> Vec<Queue> {
        self.queues(&self.select(sockets))
    }

    /// The queues of a channel's subscribers, except the socket with the id `except`.
    pub(super) fn queues_on(&self, channel: &str, except: Option<&str>) -> Vec<Queue> {
        let mut numbers = self.on(channel);
        numbers.retain(|number| self.open.get(number).is_some_and(|entry| Some(entry.info.id.as_str()) != except));
        self.queues(&numbers)
    }

    pub(super) fn received(&self, number: u64) -> Vec<ReceivedFrame> {
        let ended = || self.ended.iter().find(|(info, _)| info.number == number);
        let frames =
            self.open.get(&number).map(|entry| &entry.received).or_else(|| ended().map(|(_, received)| received));
        frames.into_iter().flatten().cloned().collect()
    }

    /// The current state, except for the upgrades, which are not known here.
    pub(super) fn state(&self) -> ServerState {
        ServerState {
            sockets: self.open.values().map(Entry::info).collect(),
            ended: self.ended.iter().map(|(info, _)| info.clone()).collect(),
            sockets_ever: self.ever,
            upgrades_ever: 0,
            channels: self.channels.iter().map(|(name, on)| (name.clone(), on.len())).collect(),
            crashes: self.crashes,
        }
    }

    fn select(&self, sockets: &Sockets) -> Vec<u64> {
        match sockets {
            Sockets::All => self.open.keys().copied().collect(),
            Sockets::Channel(name) => self.on(name),
            Sockets::Id(id) => {
                self.open.values().filter(|entry| entry.info.id == *id).map(|entry| entry.info.number).collect()
            }
            Sockets::Latest => self.open.keys().next_back().copied().into_iter().collect(),
        }
    }

    fn on(&self, channel: &str) -> Vec<u64> {
        self.channels.get(channel).into_iter().flatten().copied().collect()
    }

    fn queues(&self, numbers: &[u64]) -> Vec<Queue> {
        let entries = numbers.iter().filter_map(|number| self.open.get(number));
        entries
            .map(|Entry { info, reach, .. }| Queue {
                sender: reach.queue.clone(),
                waiting: Arc::clone(&reach.waiting),
                stalled: info.stalled,
            })
            .collect()
    }
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

const MAX_ENDED: usize = 256;
const MAX_RECEIVED: usize = 256;
const MAX_RECORDED: usize = 4_096;
