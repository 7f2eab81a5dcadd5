//! The events of encrypted channels: opened with the key of the authorization, and once more with a fresh one.

use std::{borrow::Cow, time::Duration};

use super::{
    Channels, SocketContext,
    channel::{Channel, Extra, Step},
};
use crate::{
    Authorization, AuthorizationError, AuthorizationId, ChannelName, DecryptionError, Event, Output, Report, Time,
    outputs::Queue, secretbox::Key, wire,
};

/// How the events of one subscribed channel are opened.
#[derive(Debug)]
pub(super) struct Seal {
    key: Key,
    asking: Option<Asking>,
    /// Not before this is the key asked for again.
    not_before: Time,
    /// How long that is, after an answer that brought no other key.
    patience: Duration,
}

/// A request for a fresh key; events wait for it.
#[derive(Debug)]
struct Asking {
    /// None while as many authorizations are in progress as there may be.
    id: Option<AuthorizationId>,
    /// Counts from when it is asked for.
    deadline: Option<Time>,
}

/// Takes the key out of the authorization of an encrypted channel.
///
/// # Errors
/// What is wrong with it.
pub(super) fn extra_of(authorization: Option<&Authorization>) -> Result<Extra, String> {
    let secret = authorization.and_then(|authorization| authorization.shared_secret.as_ref());
    let secret = secret.ok_or_else(|| "an encrypted channel needs a `shared_secret`".to_owned())?;
    let key = Key::parse(secret).map_err(|error| error.to_string())?;
    let seal = Seal { key, asking: None, not_before: Time::ZERO, patience: KEYS_APART };
    Ok(Extra::Sealed(Box::new(seal)))
}

impl Channel {
    pub(super) fn key_deadline(&self) -> Option<Time> {
        self.seal()?.asking.as_ref()?.deadline
    }

    /// Returns whether this is the request for its key.
    pub(super) fn is_key_asked(&self, id: AuthorizationId) -> bool {
        self.seal().and_then(|seal| seal.asking.as_ref()).is_some_and(|asking| asking.id == Some(id))
    }

    /// Ends what its kind has beside its events: the events that wait are lost.
    pub(super) fn end_extra(&mut self, name: &ChannelName, outputs: &mut Queue) {
        if let Extra::Sealed(_) = std::mem::replace(&mut self.extra, Extra::None)
            && let Some(early) = self.early.take()
        {
            if early.dropped > 0 {
                outputs.push_back(Output::Report(Report::Lagged { channel: name.clone(), dropped: early.dropped }));
            }
            for event in early.events {
                let error = DecryptionError::Interrupted;
                outputs.push_back(Output::Report(lost(name, &event, error)));
            }
        }
    }

    fn seal(&self) -> Option<&Seal> {
        if let Extra::Sealed(seal) = &self.extra { Some(seal) } else { None }
    }

    fn seal_mut(&mut self) -> Option<&mut Seal> {
        if let Extra::Sealed(seal) = &mut self.extra { Some(seal) } else { None }
    }
}

impl Channels {
    /// Handles an event of a subscribed encrypted channel. One that cannot be opened waits for another key, and those
    /// after it wait behind it.
    pub(in crate::connection) fn take_sealed(&mut self, event: Event<'static>, socket: &mut SocketContext<'_>) {
        let name = event.channel().clone();
        let none_waits = |channel: &&Channel| channel.early.is_none();
        let channel = self.table.get(name.as_str()).map(|(_, channel)| channel).filter(none_waits);
        if let Some(seal) = channel.and_then(Channel::seal).filter(|seal| seal.asking.is_none()) {
            match seal.key.open(event.data()) {
                Err(error) if error.is_of_key() && socket.now >= seal.not_before => {}
                Ok(text) => return socket.outputs.push_back(delivered(event, &text)),
                Err(error) => return socket.report(lost(&name, &event, error)),
            }
        }
        self.keep_early(event, &socket.options.limits);
        self.open_waiting(&name, socket);
    }

    /// Delivers the events that wait, up to one that needs another key.
    pub(super) fn open_waiting(&mut self, name: &ChannelName, socket: &mut SocketContext<'_>) {
        let Some(mut channel) = self.table.edit(name) else { return };
        let Channel { extra: Extra::Sealed(seal), early: waiting, .. } = &mut *channel else { return };
        if seal.asking.is_some() {
            return;
        }
        let Some(mut early) = waiting.take() else { return };
        let dropped = std::mem::take(&mut early.dropped);
        if dropped > 0 {
            socket.report(Report::Lagged { channel: name.clone(), dropped });
        }
        while let Some(event) = early.events.pop_front() {
            match seal.key.open(event.data()) {
                Err(error) if error.is_of_key() && socket.now >= seal.not_before => {
                    seal.asking = Some(Asking { id: None, deadline: None });
                    early.events.push_front(event);
                    *waiting = Some(early);
                    self.keys_wanted.push_back(name.clone());
                    break;
                }
                opened => {
                    early.bytes = early.bytes.saturating_sub(event.frame_bytes());
                    match opened {
                        Ok(text) => socket.outputs.push_back(delivered(event, &text)),
                        Err(error) => socket.report(lost(name, &event, error)),
                    }
                }
            }
        }
        drop(channel);
        self.ask_keys(socket);
    }

    /// Asks for the keys that are wanted, as many at a time as there may be authorizations.
    pub(super) fn ask_keys(&mut self, socket: &mut SocketContext<'_>) {
        while self.pending.len() < socket.options.limits.max_authorizations {
            let Some(name) = self.keys_wanted.pop_front() else { return };
            let id = AuthorizationId(self.authorizations + 1);
            let Some(mut channel) = self.table.edit(&name) else { continue };
            let deadline = socket.now + channel.authorization_timeout(socket.options);
            let asking = channel.seal_mut().and_then(|seal| seal.asking.as_mut());
            let Some(asking) = asking.filter(|asking| asking.id.is_none()) else { continue };
            (asking.id, asking.deadline) = (Some(id), Some(deadline));
            drop(channel);
            self.authorizations += 1;
            self.pending.insert(id.0, name.clone());
            socket.outputs.push_back(Output::Authorize {
                id,
                channel: name,
                socket_id: socket.socket_id.clone(),
                refresh_token: *socket.refresh_token,
            });
        }
    }

    /// Handles the answer to a request for a key, of which only the key counts.
    pub(super) fn take_key(
        &mut self,
        name: &ChannelName,
        answer: Result<Authorization, AuthorizationError>,
        socket: &mut SocketContext<'_>,
    ) {
        let key = answer.ok().and_then(|answer| Key::parse(&answer.shared_secret?).ok());
        let Some(mut channel) = self.table.edit(name) else { return };
        let Some(seal) = channel.seal_mut() else { return };
        seal.asking = None;
        match key {
            Some(key) if key != seal.key => (seal.key, seal.patience) = (key, KEYS_APART),
            Some(_) | None => seal.patience = (seal.patience * 2).min(LONGEST_PATIENCE),
        }
        seal.not_before = socket.now + seal.patience;
        drop(channel);
        self.open_waiting(name, socket);
    }

    /// Goes on without a key that does not come in time.
    pub(super) fn miss_key(&mut self, name: &ChannelName, socket: &mut SocketContext<'_>) {
        self.cancel_key(name, socket.outputs);
        self.take_key(name, Err(AuthorizationError::TimedOut), socket);
    }

    /// Asks no longer for the key of a channel.
    pub(super) fn cancel_key(&mut self, name: &ChannelName, outputs: &mut Queue) {
        let asking = self.table.edit(name).and_then(|mut channel| channel.seal_mut()?.asking.take());
        if let Some(Asking { id: Some(id), .. }) = asking {
            self.pending.remove(&id.0);
            outputs.push_back(Output::CancelAuthorization { id });
        }
    }

    /// Returns whether the event belongs to an encrypted channel.
    pub(in crate::connection) fn is_sealed(&self, name: &ChannelName) -> bool {
        let is_sealed =
            |channel: &Channel| matches!((&channel.step, &channel.extra), (Step::Subscribed, Extra::Sealed(_)));
        self.table.get(name.as_str()).is_some_and(|(_, channel)| is_sealed(channel))
    }
}

fn delivered(event: Event<'static>, text: &str) -> Output<'static> {
    Output::Event(Event { data: Cow::Owned(wire::quoted(text)), ..event })
}

fn lost(name: &ChannelName, event: &Event<'_>, error: DecryptionError) -> Report {
    Report::Undecryptable { channel: name.clone(), event: event.name().into(), error }
}

/// From one request for a key to the next: events that nothing opens must not become requests without end.
const KEYS_APART: Duration = Duration::from_secs(1);
/// The same while the endpoint keeps giving the same key, or none.
const LONGEST_PATIENCE: Duration = Duration::from_secs(60);
