//! What the callers want, last word wins. The task compares it with what it has carried out, so there is no queue of
//! commands that could fill up.

use std::collections::BTreeMap;

use channels_proto::{ChannelName, SubscribeError};

/// What the callers want.
#[derive(Clone, Debug, Default)]
pub(crate) struct Intent {
    /// Grows with every change.
    version: u64,
    /// Grows with every disconnect; what belongs to an earlier one is not delivered any more.
    session: u64,
    wanted: bool,
    pub(crate) calls: Calls,
    channels: BTreeMap<ChannelName, Wanted>,
}

/// How often things were called; the task acts when a number has grown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Calls {
    pub(crate) connect: u64,
    pub(crate) network_changed: u64,
    pub(crate) resumed: u64,
    /// The last handle is gone.
    pub(crate) end: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wanted {
    /// The version at which the channel came to be wanted.
    since: u64,
    /// The version at which it was asked for last.
    asked: u64,
}

/// The intent as far as the task has carried it out.
#[derive(Debug, Default)]
pub(crate) struct CarriedOut {
    version: u64,
    pub(crate) session: u64,
    pub(crate) calls: Calls,
    channels: BTreeMap<ChannelName, Wanted>,
}

/// What the task has to do, in this order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Steps {
    pub(crate) version: u64,
    /// A disconnect came in between: end the old session, and go on under this number.
    pub(crate) new_session: Option<u64>,
    pub(crate) wanted: bool,
    pub(crate) unsubscribe: Vec<ChannelName>,
    pub(crate) subscribe: Vec<ChannelName>,
    pub(crate) connect: bool,
    pub(crate) network_changed: bool,
    pub(crate) resumed: bool,
    pub(crate) end: bool,
}

impl Intent {
    pub(crate) const fn session(&self) -> u64 {
        self.session
    }

    pub(crate) const fn is_wanted(&self) -> bool {
        self.wanted
    }

    pub(crate) const fn connect(&mut self) {
        self.version += 1;
        self.wanted = true;
        self.calls.connect += 1;
    }

    pub(crate) const fn end_session(&mut self) {
        self.version += 1;
        self.wanted = false;
        self.session += 1;
    }

    pub(crate) fn subscribe(&mut self, channel: ChannelName, limit: usize) -> Result<(), SubscribeError> {
        if !self.channels.contains_key(&channel) && self.channels.len() >= limit {
            return Err(SubscribeError::TooManyChannels { channel, limit });
        }
        self.version += 1;
        let (since, asked) = (self.version, self.version);
        self.channels.entry(channel).and_modify(|wanted| wanted.asked = asked).or_insert(Wanted { since, asked });
        Ok(())
    }

    /// Returns the version of the change; none when the channel was not wanted.
    pub(crate) fn unsubscribe(&mut self, channel: &ChannelName) -> Option<u64> {
        self.channels.remove(channel)?;
        self.version += 1;
        Some(self.version)
    }

    pub(crate) const fn touch(&mut self) {
        self.version += 1;
    }

    /// Compares with what was carried out, and counts all of it as carried out.
    pub(crate) fn steps(&self, done: &mut CarriedOut) -> Option<Steps> {
        if self.version == done.version {
            return None;
        }
        let gone = |(name, old): (&ChannelName, &Wanted)| {
            let stays = self.channels.get(name).is_some_and(|new| new.since == old.since);
            (!stays).then(|| name.clone())
        };
        let unsubscribe = done.channels.iter().filter_map(gone).collect();
        let asked = |(name, new): (&ChannelName, &Wanted)| {
            let known = done.channels.get(name).is_some_and(|old| old.asked == new.asked);
            (!known).then(|| name.clone())
        };
        let subscribe = self.channels.iter().filter_map(asked).collect();
        let (old, new) = (done.calls, self.calls);
        let steps = Steps {
            version: self.version,
            new_session: (self.session != done.session).then_some(self.session),
            wanted: self.wanted,
            unsubscribe,
            subscribe,
            connect: new.connect != old.connect,
            network_changed: new.network_changed != old.network_changed,
            resumed: new.resumed != old.resumed,
            end: new.end,
        };
        *done =
            CarriedOut { version: self.version, session: self.session, calls: new, channels: self.channels.clone() };
        Some(steps)
    }
}

#[cfg(test)]
mod tests;
