//! Events that a client sends to the other members of a channel: what is allowed, and those that are not sent yet.

use std::{collections::VecDeque, time::Duration};

use thiserror::Error;

use crate::{ChannelKind, ChannelName, JsonError, Limits, Printable, Secret, Time, json::Value, wire};

/// Why a client event was refused before anything was sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TriggerError {
    /// The name does not begin with `client-`, or nothing follows.
    #[error("`{}` is not the name of a client event: it has to begin with `client-`", Printable(.event))]
    Name {
        /// The name.
        event: String,
    },
    /// The name is longer than the protocol allows.
    #[error("the name of the client event has {length} characters; at most {MAX_EVENT_NAME} are allowed")]
    NameTooLong {
        /// Its length in characters.
        length: usize,
    },
    /// Client events are for private and presence channels; on encrypted ones the server could read them.
    #[error("`{channel}` is a channel of kind {kind:?}; client events are for private and presence channels")]
    Kind {
        /// The channel.
        channel: ChannelName,
        /// Its kind.
        kind: ChannelKind,
    },
    /// The channel is not requested, or its subscription failed for good: subscribe first.
    #[error("`{channel}` is not subscribed")]
    NotSubscribed {
        /// The channel.
        channel: ChannelName,
    },
    /// The data is larger than the limit.
    #[error("the data of the client event has {bytes} bytes; the limit is {limit}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// [`Limits::max_client_event_bytes`].
        limit: usize,
    },
    /// The data is not JSON.
    #[error("the data of the client event is {0}")]
    NotJson(#[from] JsonError),
    /// So many client events have been sent within a second.
    #[error("{limit} client events were sent within a second, which is the limit; try again in {} ms", .retry_in.as_millis())]
    TooFast {
        /// [`Limits::max_client_events_per_second`].
        limit: usize,
        /// When the next one may be sent.
        retry_in: Duration,
    },
    /// So many client events wait for the acknowledgement of their channels.
    #[error("{limit} client events are waiting for their channels, which is the limit")]
    QueueFull {
        /// [`Limits::max_waiting_client_events`].
        limit: usize,
    },
    /// The server is push1st, which a client event may bring down.
    #[error("the server is push1st, which has no client events and may exit on one")]
    UnsupportedByServer,
}

/// Why a client event that was accepted has failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ClientEventError {
    /// The server refused it.
    #[error("the server refused the client event: {}", Printable(.message))]
    RejectedByServer {
        /// The server's code: 4301 in the protocol.
        code: u16,
        /// The server's text.
        message: String,
    },
    /// It could not be sent when its turn came: too many had been sent, or the server is one that has no client events.
    #[error("{0}")]
    NotSent(#[from] TriggerError),
    /// The channel was unsubscribed before the event was sent, or its subscription failed for good.
    #[error("the channel was left before the client event was sent")]
    Unsubscribed,
    /// The client was disconnected before the event was sent.
    #[error("the client was disconnected before the client event was sent")]
    Disconnected,
    /// The server turned out to be push1st, which a client event may bring down.
    #[error("the server is push1st, which has no client events and may exit on one")]
    UnsupportedByServer,
}

/// A client event that has been checked.
#[derive(Debug)]
pub(crate) struct ClientEvent {
    pub(crate) channel: ChannelName,
    pub(crate) event: Box<str>,
    pub(crate) text: Secret,
}

impl ClientEvent {
    /// Checks what does not depend on the connection.
    pub(crate) fn new(channel: &ChannelName, event: &str, data: &str, limits: &Limits) -> Result<Self, TriggerError> {
        limits.check_client_event(channel, event, data)?;
        let text = wire::event(event, Some(channel), data.trim_ascii());
        Ok(Self { channel: channel.clone(), event: event.into(), text })
    }
}

impl Limits {
    /// Checks a client event as [`Connection::trigger`](crate::Connection::trigger) does, as far as that does not
    /// depend on the connection.
    ///
    /// # Errors
    /// When the name or the data may not be sent, or not on a channel of this kind.
    pub fn check_client_event(&self, channel: &ChannelName, event: &str, data: &str) -> Result<(), TriggerError> {
        if event.strip_prefix("client-").is_none_or(str::is_empty) {
            return Err(TriggerError::Name { event: event.chars().take(MAX_EVENT_NAME).collect() });
        }
        let length = event.chars().count();
        if length > MAX_EVENT_NAME {
            return Err(TriggerError::NameTooLong { length });
        }
        let kind = channel.kind();
        if !matches!(kind, ChannelKind::Private | ChannelKind::Presence) {
            return Err(TriggerError::Kind { channel: channel.clone(), kind });
        }
        let (data, limit) = (data.trim_ascii(), self.max_client_event_bytes);
        if data.len() > limit {
            return Err(TriggerError::TooLarge { bytes: data.len(), limit });
        }
        Value::check(data)?;
        Ok(())
    }
}

/// The client events of one connection.
#[derive(Debug, Default)]
pub(crate) struct ClientEvents {
    /// For channels that are not acknowledged yet, and those behind them.
    waiting: VecDeque<ClientEvent>,
    /// Those of the last few seconds, the newest last.
    sent: VecDeque<Sent>,
}

#[derive(Debug)]
struct Sent {
    at: Time,
    channel: ChannelName,
    event: Box<str>,
}

/// How far the channel of a client event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    Ready,
    /// It is not acknowledged yet.
    Pending,
    /// It never will be.
    Gone,
}

impl ClientEvents {
    /// Takes one in, behind those of its channel. Returns it when it is to be sent at once.
    pub(crate) fn trigger(
        &mut self,
        now: Time,
        event: ClientEvent,
        readiness: Readiness,
        limits: &Limits,
    ) -> Result<Option<ClientEvent>, TriggerError> {
        self.heed(now);
        let is_first = !self.waiting.iter().any(|waiting| waiting.channel == event.channel);
        if readiness == Readiness::Gone {
            return Err(TriggerError::NotSubscribed { channel: event.channel });
        }
        if readiness == Readiness::Ready && is_first {
            return match self.next_at(limits).filter(|at| *at > now) {
                Some(at) => {
                    let limit = limits.max_client_events_per_second;
                    Err(TriggerError::TooFast { limit, retry_in: at.saturating_since(now) })
                }
                None => Ok(Some(self.sent(now, event, limits))),
            };
        }
        let limit = limits.max_waiting_client_events;
        if self.waiting.len() >= limit {
            return Err(TriggerError::QueueFull { limit });
        }
        self.waiting.push_back(event);
        Ok(None)
    }

    /// Returns the next that may be sent now.
    pub(crate) fn next(
        &mut self,
        now: Time,
        limits: &Limits,
        readiness: impl Fn(&ChannelName) -> Readiness,
    ) -> Option<ClientEvent> {
        self.heed(now);
        if self.next_at(limits).is_some_and(|at| at > now) {
            return None;
        }
        let place = self.waiting.iter().position(|event| readiness(&event.channel) == Readiness::Ready)?;
        let event = self.waiting.remove(place)?;
        Some(self.sent(now, event, limits))
    }

    /// Returns when the next that is ready may be sent; none when nothing is waiting for that alone.
    pub(crate) fn deadline(&self, limits: &Limits, readiness: impl Fn(&ChannelName) -> Readiness) -> Option<Time> {
        let is_waiting = self.waiting.iter().any(|event| readiness(&event.channel) == Readiness::Ready);
        is_waiting.then(|| self.next_at(limits).unwrap_or(Time::ZERO))
    }

    /// Takes out those that will never be sent.
    pub(crate) fn gone(&mut self, readiness: impl Fn(&ChannelName) -> Readiness) -> Vec<ClientEvent> {
        self.take_if(|event| readiness(&event.channel) == Readiness::Gone)
    }

    pub(crate) fn take_all(&mut self) -> Vec<ClientEvent> {
        self.take_if(|_| true)
    }

    fn take_if(&mut self, is_meant: impl Fn(&ClientEvent) -> bool) -> Vec<ClientEvent> {
        let (taken, left) = std::mem::take(&mut self.waiting).into_iter().partition(is_meant);
        self.waiting = left;
        Vec::from(taken)
    }

    /// Forgets what was sent on a socket that is gone.
    pub(crate) fn end_socket(&mut self) {
        self.sent.clear();
    }

    /// Returns whether there is nothing to remember.
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.sent.is_empty()
    }

    /// Attributes a refusal: to the channel that the server names, otherwise to each of those to which something was
    /// sent a short time ago. The event is known when it can only be one.
    pub(crate) fn blame(&self, now: Time, channel: Option<&str>) -> Vec<(ChannelName, Option<Box<str>>)> {
        let mut blamed: Vec<(ChannelName, Option<Box<str>>)> = Vec::new();
        for sent in &self.sent {
            if now.saturating_since(sent.at) > ANSWERED_WITHIN
                || channel.is_some_and(|name| name != sent.channel.as_str())
            {
                continue;
            }
            match blamed.iter_mut().find(|(name, _)| *name == sent.channel) {
                Some((_, event)) => *event = event.take().filter(|event| *event == sent.event),
                None => blamed.push((sent.channel.clone(), Some(sent.event.clone()))),
            }
        }
        if blamed.len() > 1 {
            blamed.iter_mut().for_each(|(_, event)| *event = None);
        }
        blamed
    }

    /// Handles a clock that has stepped back: nothing was sent in the future.
    fn heed(&mut self, now: Time) {
        if self.sent.back().is_some_and(|newest| newest.at > now) {
            self.sent.iter_mut().for_each(|sent| sent.at = sent.at.min(now));
        }
    }

    fn sent(&mut self, now: Time, event: ClientEvent, limits: &Limits) -> ClientEvent {
        let most = limits.max_client_events_per_second;
        while self.sent.len() > most
            && self.sent.front().is_some_and(|sent| now.saturating_since(sent.at) > ANSWERED_WITHIN)
            || self.sent.len() >= most.saturating_mul(KEPT_SECONDS)
        {
            self.sent.pop_front();
        }
        self.sent.push_back(Sent { at: now, channel: event.channel.clone(), event: event.event.clone() });
        event
    }

    /// Returns when the next may be sent: there are never more than so many within any second.
    fn next_at(&self, limits: &Limits) -> Option<Time> {
        let place = self.sent.len().checked_sub(limits.max_client_events_per_second)?;
        self.sent.get(place).map(|sent| sent.at + SECOND)
    }
}

/// Pusher Channels protocol, "Channel client events".
const MAX_EVENT_NAME: usize = 200;
const SECOND: Duration = Duration::from_secs(1);
/// How long a server may take to refuse a client event; it never acknowledges one.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);
const KEPT_SECONDS: usize = 6;

#[cfg(test)]
mod tests;
