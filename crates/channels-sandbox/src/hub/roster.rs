//! The open sockets, their channels, and what is remembered of both.

use std::collections::{BTreeMap, VecDeque};

use tokio::sync::watch;

use super::{
    channel::Channel,
    queue::{Outgoing, Queue, Sender},
    users::Users,
};
use crate::{
    ending::Ending,
    member::{Member, Membership},
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
    pub(super) queue: Sender,
    pub(super) mode: watch::Sender<Mode>,
}

#[derive(Debug)]
struct Entry {
    info: SocketInfo,
    received: VecDeque<ReceivedFrame>,
    reach: Reach,
    user: Option<String>,
}

impl Entry {
    fn info(&self) -> SocketInfo {
        SocketInfo { frames_waiting: self.reach.queue.waiting(), ..self.info.clone() }
    }
}

/// What has changed with a socket, for those who have to be told.
#[derive(Debug, Default)]
pub(super) struct Departure {
    /// The members that have left channels.
    pub(super) members: Vec<(String, Membership)>,
    /// The channels with one subscription less.
    pub(super) channels: Vec<String>,
    /// The user who is not signed in any more, if those who watch are to be told.
    pub(super) user: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Roster {
    open: BTreeMap<u64, Entry>,
    channels: BTreeMap<String, Channel>,
    users: Users,
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
        self.open.insert(self.ever, Entry { info, received: VecDeque::new(), reach, user: None });
        self.ever
    }

    /// Records the end of a socket; only the first call counts.
    pub(super) fn end(&mut self, number: u64, ending: Ending) -> Departure {
        let Some(mut entry) = self.open.remove(&number) else { return Departure::default() };
        let mut departure = Departure { channels: entry.info.channels.clone(), ..Departure::default() };
        for channel in &entry.info.channels {
            if let Some(member) = self.leave(channel, number) {
                departure.members.push((channel.clone(), member));
            }
        }
        departure.user = entry.user.take().filter(|user| self.users.remove(user, number));
        entry.info.ending = Some(ending);
        entry.info.stalled = false;
        self.ended.push_back((entry.info(), entry.received));
        if self.ended.len() > MAX_ENDED {
            self.ended.pop_front();
        }
        departure
    }

    /// Subscribes a socket; true if it was not.
    pub(super) fn subscribe(&mut self, number: u64, channel: &str) -> bool {
        let Some(entry) = self.open.get_mut(&number) else { return false };
        let is_new = self.channels.entry(channel.to_owned()).or_default().join(number);
        if is_new {
            entry.info.channels.push(channel.to_owned());
        }
        is_new
    }

    /// Adds a subscribed socket to the members of the channel; true if its user is a new one.
    pub(super) fn add_member(&mut self, number: u64, channel: &str, membership: &Membership) -> bool {
        self.channels.get_mut(channel).is_some_and(|channel| channel.add(number, membership))
    }

    pub(super) fn unsubscribe(&mut self, number: u64, channel: &str) -> Departure {
        let Some(entry) = self.open.get_mut(&number) else { return Departure::default() };
        let before = entry.info.channels.len();
        entry.info.channels.retain(|kept| kept != channel);
        let channels = if entry.info.channels.len() < before { vec![channel.to_owned()] } else { Vec::new() };
        let members = self.leave(channel, number).map(|member| (channel.to_owned(), member)).into_iter().collect();
        Departure { members, channels, user: None }
    }

    /// Signs a socket in; returns whether those who watch the user are to be told, and the user who left for this one.
    pub(super) fn sign_in(
        &mut self,
        number: u64,
        id: &str,
        watchlist: &[String],
        is_seen: bool,
    ) -> (bool, Option<String>) {
        let Some(entry) = self.open.get_mut(&number) else { return (false, None) };
        let before = entry.user.replace(id.to_owned()).filter(|before| before != id);
        let left = before.filter(|before| self.users.remove(before, number));
        (self.users.add(id, number, watchlist, is_seen), left)
    }

    pub(super) const fn users(&self) -> &Users {
        &self.users
    }

    /// What is told to one that subscribes: the members; `None` if one of them has no id.
    pub(super) fn memberships(&self, channel: &str) -> Option<Vec<Membership>> {
        self.channels.get(channel).map_or_else(|| Some(Vec::new()), Channel::memberships)
    }

    pub(super) fn members(&self, channel: &str) -> Vec<Member> {
        self.channels.get(channel).map(Channel::members).unwrap_or_default()
    }

    /// How many sockets are subscribed.
    pub(super) fn subscribers(&self, channel: &str) -> usize {
        self.channels.get(channel).map_or(0, |channel| channel.sockets().len())
    }

    /// Sends at once to these sockets but one. A socket that takes too little is cut: it would never know the change.
    pub(super) fn notify(&self, numbers: &[u64], what: &Outgoing, except: Option<u64>) {
        for number in numbers.iter().filter(|number| Some(**number) != except) {
            let Some(entry) = self.open.get(number) else { continue };
            if !entry.reach.queue.notify(what.clone()) {
                entry.reach.mode.send_replace(Mode::Cut);
            }
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
        self.queues_except(self.on(channel), except)
    }

    /// The queues of a user's sockets, except the socket with the id `except`.
    pub(super) fn queues_of_user(&self, id: &str, except: Option<&str>) -> Vec<Queue> {
        self.queues_except(self.users.sockets_of(id), except)
    }

    fn queues_except(&self, mut numbers: Vec<u64>, except: Option<&str>) -> Vec<Queue> {
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
            channels: self.channels.iter().map(|(name, channel)| (name.clone(), channel.sockets().len())).collect(),
            members: self.present().collect(),
            users: self.users.all(),
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

    /// The sockets that are subscribed to a channel.
    pub(super) fn on(&self, channel: &str) -> Vec<u64> {
        self.channels.get(channel).into_iter().flat_map(Channel::sockets).copied().collect()
    }

    fn present(&self) -> impl Iterator<Item = (String, Vec<Member>)> {
        let channels = self.channels.iter().map(|(name, channel)| (name.clone(), channel.members()));
        channels.filter(|(_, members)| !members.is_empty())
    }

    /// Takes a socket out of a channel; returns the member that has left with it.
    fn leave(&mut self, name: &str, number: u64) -> Option<Membership> {
        let channel = self.channels.get_mut(name)?;
        let member = channel.leave(number);
        if channel.is_empty() {
            self.channels.remove(name);
        }
        member
    }

    fn queues(&self, numbers: &[u64]) -> Vec<Queue> {
        let entries = numbers.iter().filter_map(|number| self.open.get(number));
        entries.map(|Entry { info, reach, .. }| Queue { sender: reach.queue.clone(), stalled: info.stalled }).collect()
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

const MAX_ENDED: usize = 256;
const MAX_RECEIVED: usize = 256;
const MAX_RECORDED: usize = 4_096;
