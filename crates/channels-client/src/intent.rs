//! What the callers want; the last call wins. The task compares it with what it has carried out, so there is no queue
//! of commands that could fill up. Of the channels, only those that have changed since are compared.

use std::collections::{BTreeMap, HashMap};

use channels_proto::{ChannelName, SendError, SubscribeError, Time};
use tokio::sync::oneshot;

/// What the callers want.
#[derive(Debug, Default)]
pub(crate) struct Intent {
    /// Grows with every change.
    version: u64,
    /// Grows with every disconnect; what belongs to an earlier one is not delivered any more.
    session: u64,
    wanted: bool,
    /// The version of the last connect; 0 before the first.
    connected: u64,
    /// The version of the last disconnect; 0 before the first.
    ended: u64,
    pub(crate) calls: Calls,
    /// Two channels take less than half of what they do in a tree.
    channels: HashMap<ChannelName, Wanted>,
    /// Those that have changed since the task looked last, as they were then.
    changed: BTreeMap<ChannelName, Option<Wanted>>,
    /// The user is to be signed in.
    signed_in: bool,
    /// None before the first.
    requests: Option<Box<Requests>>,
}

/// What is to be sent once.
#[derive(Debug, Default)]
struct Requests {
    waiting: Vec<Request>,
    /// Of sessions that have ended. Whoever waits for an answer is woken when they are dropped.
    void: Vec<Request>,
    /// The task has ended: nobody takes them any more.
    is_over: bool,
}

/// Why a request is not taken.
#[derive(Debug)]
pub(crate) enum NotTaken {
    /// Too many wait for the task.
    TooMany,
    /// The task has ended.
    Over,
}

/// What is to be sent once, by those of [`Client`](crate::Client) alone. They are bounded, and end with their session.
#[derive(Debug)]
pub(crate) enum Request {
    ClientEvent {
        channel: ChannelName,
        event: Box<str>,
        data: Box<str>,
    },
    Message {
        channel: Option<ChannelName>,
        event: Box<str>,
        data: Box<str>,
        answer: oneshot::Sender<Result<(), SendError>>,
    },
}

/// How often things were called; the task acts when a number has grown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Calls {
    pub(crate) connect: u64,
    pub(crate) network_changed: u64,
    pub(crate) resumed: u64,
    /// Calls to sign in or out.
    pub(crate) sign_in: u64,
    /// The last handle is gone.
    pub(crate) end: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wanted {
    /// The version at which it was asked for last.
    asked: u64,
    /// Its own since it came to be wanted, but for a channel that took over the place of another.
    place: u64,
    /// When the first event of a channel that took the place of another may have been sent.
    begun: Time,
    /// The version at which it was replaced by itself last; 0 when it never was.
    renewed: u64,
}

/// The intent as far as the task has carried it out.
#[derive(Debug, Default)]
pub(crate) struct CarriedOut {
    pub(crate) version: u64,
    pub(crate) session: u64,
    pub(crate) calls: Calls,
}

/// What the task has to do, in this order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Steps {
    pub(crate) version: u64,
    /// A disconnect came in between: end the old session, and go on under this number.
    pub(crate) new_session: Option<u64>,
    pub(crate) wanted: bool,
    pub(crate) unsubscribe: Vec<ChannelName>,
    pub(crate) replace: Vec<Replacement>,
    /// Channels that were replaced by themselves.
    pub(crate) renew: Vec<ChannelName>,
    pub(crate) subscribe: Vec<ChannelName>,
    pub(crate) connect: bool,
    pub(crate) network_changed: bool,
    pub(crate) resumed: bool,
    /// The user is to be signed in, or out.
    pub(crate) sign_in: Option<bool>,
    pub(crate) end: bool,
}

/// One channel in place of another.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Replacement {
    pub(crate) old: ChannelName,
    pub(crate) new: ChannelName,
    /// When the first event of the new one may have been sent.
    pub(crate) since: Time,
}

impl Intent {
    pub(crate) const fn version(&self) -> u64 {
        self.version
    }

    pub(crate) const fn session(&self) -> u64 {
        self.session
    }

    pub(crate) const fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// Returns whether a connection has been asked for that is not there at `version`.
    pub(crate) const fn is_connect_newer(&self, version: u64) -> bool {
        self.wanted && self.connected > version
    }

    /// Returns whether there ever was a connect.
    pub(crate) const fn has_begun(&self) -> bool {
        self.connected > 0
    }

    /// Returns the version of the last disconnect; 0 when there was none.
    pub(crate) const fn ended(&self) -> u64 {
        self.ended
    }

    pub(crate) const fn connect(&mut self) {
        self.version += 1;
        (self.wanted, self.connected) = (true, self.version);
        self.calls.connect += 1;
    }

    pub(crate) fn end_session(&mut self) {
        self.version += 1;
        (self.wanted, self.ended) = (false, self.version);
        self.session += 1;
        if let Some(Requests { waiting, void, .. }) = self.requests.as_deref_mut() {
            void.append(waiting);
        }
    }

    pub(crate) const fn sign_in(&mut self, signed_in: bool) {
        self.version += 1;
        self.signed_in = signed_in;
        self.calls.sign_in += 1;
    }

    /// Takes a request, unless `limit` of them wait for the task, or it has ended.
    pub(crate) fn request(&mut self, request: Request, limit: usize) -> Result<(), (NotTaken, Request)> {
        let Requests { waiting, void, is_over } = &mut **self.requests.get_or_insert_default();
        if *is_over {
            return Err((NotTaken::Over, request));
        }
        if waiting.len() + void.len() >= limit {
            return Err((NotTaken::TooMany, request));
        }
        self.version += 1;
        waiting.push(request);
        Ok(())
    }

    /// Takes the requests out, before the [steps](Self::steps) that they come after, and those that are void: both to be
    /// dropped where foreign code may run.
    pub(crate) fn take_requests(&mut self) -> (Vec<Request>, Vec<Request>) {
        match self.requests.as_deref_mut() {
            Some(requests) => (std::mem::take(&mut requests.waiting), std::mem::take(&mut requests.void)),
            None => (Vec::new(), Vec::new()),
        }
    }

    /// The task has ended. What it has not taken is to be dropped where foreign code may run.
    pub(crate) fn end_requests(&mut self) -> (Vec<Request>, Vec<Request>) {
        self.requests.get_or_insert_default().is_over = true;
        self.take_requests()
    }

    pub(crate) fn subscribe(&mut self, channel: ChannelName, limit: usize) -> Result<(), SubscribeError> {
        if !self.channels.contains_key(&channel) && self.channels.len() >= limit {
            return Err(SubscribeError::TooManyChannels { channel, limit });
        }
        self.remember(&channel);
        self.version += 1;
        let (asked, place) = (self.version, self.version);
        let new = Wanted { asked, place, begun: Time::ZERO, renewed: 0 };
        self.channels.entry(channel).and_modify(|wanted| wanted.asked = asked).or_insert(new);
        Ok(())
    }

    /// Puts `new` in place of `old`, if that is another channel and requested; requests `new` otherwise, and anew if it
    /// is the same.
    pub(crate) fn replace(
        &mut self,
        old: &ChannelName,
        new: ChannelName,
        begun: Time,
        limit: usize,
    ) -> Result<(), SubscribeError> {
        let before = self.channels.get(old).filter(|_| *old != new).copied();
        if let Some(Wanted { place, .. }) = before {
            self.remember(old);
            self.remember(&new);
            self.channels.remove(old);
            self.channels.entry(new.clone()).or_insert(Wanted { asked: 0, place, begun, renewed: 0 });
        } else if self.channels.contains_key(old) {
            self.remember(old);
            let renewed = self.version + 1;
            self.channels.entry(old.clone()).and_modify(|itself| itself.renewed = renewed);
        }
        self.subscribe(new, limit)
    }

    /// Returns the version of the change; none when the channel was not wanted.
    pub(crate) fn unsubscribe(&mut self, channel: &ChannelName) -> Option<u64> {
        if !self.channels.contains_key(channel) {
            return None;
        }
        self.remember(channel);
        self.channels.remove(channel);
        self.version += 1;
        Some(self.version)
    }

    pub(crate) const fn touch(&mut self) {
        self.version += 1;
    }

    /// Compares with what was carried out, and counts all of it as carried out.
    pub(crate) fn steps(&mut self, done: &mut CarriedOut) -> Option<Steps> {
        if self.version == done.version {
            return None;
        }
        let changed = std::mem::take(&mut self.changed);
        let mut places = BTreeMap::new();
        for name in changed.keys() {
            if let Some(wanted) = self.channels.get(name) {
                places.insert(wanted.place, name.clone());
            }
        }
        let (mut unsubscribe, mut replace, mut renew) = (Vec::new(), Vec::new(), Vec::new());
        for (name, old) in changed.iter().filter_map(|(name, old)| Some((name, old.as_ref()?))) {
            // Who has its place now, which may be the channel itself.
            let heir = places.get(&old.place).and_then(|heir| self.channels.get_key_value(heir));
            match heir {
                Some((heir, new)) if heir == name => renew.extend((new.renewed != old.renewed).then(|| name.clone())),
                Some((heir, new)) => {
                    replace.push(Replacement { old: name.clone(), new: heir.clone(), since: new.begun });
                }
                None => unsubscribe.push(name.clone()),
            }
        }
        let replace = in_order(replace);
        let is_asked = |name: &ChannelName, old: &Option<Wanted>| {
            let new = self.channels.get(name);
            let is_known = new.is_none_or(|new| old.is_some_and(|old| old.asked == new.asked));
            !is_known && !replace.iter().any(|replacement| replacement.new == *name)
        };
        let subscribe =
            changed.iter().filter(|(name, old)| is_asked(name, old)).map(|(name, _)| name.clone()).collect();
        let (old, new) = (done.calls, self.calls);
        let steps = Steps {
            version: self.version,
            new_session: (self.session != done.session).then_some(self.session),
            wanted: self.wanted,
            unsubscribe,
            replace,
            renew,
            subscribe,
            connect: new.connect != old.connect,
            network_changed: new.network_changed != old.network_changed,
            resumed: new.resumed != old.resumed,
            sign_in: (new.sign_in != old.sign_in).then_some(self.signed_in),
            end: new.end,
        };
        *done = CarriedOut { version: self.version, session: self.session, calls: new };
        Some(steps)
    }

    /// Remembers how a channel that is about to change was when the task looked last.
    fn remember(&mut self, channel: &ChannelName) {
        if !self.changed.contains_key(channel) {
            self.changed.insert(channel.clone(), self.channels.get(channel).copied());
        }
    }
}

/// Lets a channel go before another one takes its name. Those that have merely changed places are left out: each of them
/// stays wanted.
fn in_order(mut replace: Vec<Replacement>) -> Vec<Replacement> {
    let is_free = |all: &[Replacement], new: &ChannelName| all.iter().all(|other| other.old != *new);
    let mut ordered = Vec::with_capacity(replace.len());
    while let Some(next) = replace.iter().position(|one| is_free(&replace, &one.new)) {
        ordered.push(replace.remove(next));
    }
    ordered
}

#[cfg(test)]
mod tests;
