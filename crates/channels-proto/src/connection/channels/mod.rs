//! The channels a caller requested, and how far each is on the current socket.

mod answers;
mod authorizing;
mod channel;
mod refusals;
mod replacing;

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;

use self::answers::{Answer, Answers};
use self::channel::{Absence, Blame, Channel, Step, Suspicion};
use self::refusals::blame;
use super::SUSPENDED_AFTER;
use crate::{
    AuthorizationError, AuthorizationId, ChannelKind, ChannelName, Counters, Epoch, Event, GapCause, Limits, Options,
    Output, Report, Secret, SocketId, SubscribeError, SubscriptionError, Time, backoff::Class, outputs::Queue, wire,
};

/// All channels of one connection.
#[derive(Debug, Default)]
pub(in crate::connection) struct Channels {
    /// Boxed, since a map of few entries has room for many.
    table: BTreeMap<ChannelName, Box<Channel>>,
    /// Authorizations in progress on the current socket.
    pending: BTreeMap<AuthorizationId, ChannelName>,
    places: u64,
    authorizations: u64,
    subscribes: u64,
    /// Errors by which the server refused a subscribe on the current socket without saying which.
    rejections: Vec<SubscriptionError>,
    /// Bytes of the events that came before their acknowledgement.
    early_bytes: usize,
    /// Channels acknowledged on the current socket although they were not requested; each is unsubscribed once.
    unwanted: BTreeSet<ChannelName>,
    deadline: Option<Time>,
    /// Channels that may change soon.
    unsettled: usize,
    /// When the server last answered a subscribe on the current socket: it answers in order, so the others wait for
    /// it.
    last_answer: Time,
    /// When the last socket ended.
    socket_ended: Time,
}

/// What the channels need of the live socket.
pub(in crate::connection) struct SocketContext<'a> {
    pub(in crate::connection) now: Time,
    pub(in crate::connection) epoch: Epoch,
    pub(in crate::connection) socket_id: &'a SocketId,
    /// Everything the server sent before this time was received.
    pub(in crate::connection) certain_until: Time,
    pub(in crate::connection) refresh_token: &'a mut bool,
    pub(in crate::connection) options: &'a Options,
    pub(in crate::connection) rng: &'a mut Rng,
    pub(in crate::connection) outputs: &'a mut Queue,
    pub(in crate::connection) counters: &'a mut Counters,
}

impl SocketContext<'_> {
    fn send(&mut self, text: Secret) {
        self.outputs.push_back(Output::SendText { epoch: self.epoch, text });
    }

    fn report(&mut self, report: Report) {
        self.outputs.push_back(Output::Report(report));
    }
}

/// Who an event is for.
pub(in crate::connection) enum Delivery {
    Now(ChannelName),
    /// The acknowledgement of its channel is still to come (fault S13).
    Early(ChannelName),
    Nobody,
}

impl Channels {
    pub(in crate::connection) const fn deadline(&self) -> Option<Time> {
        self.deadline
    }

    pub(in crate::connection) const fn is_settled(&self) -> bool {
        self.unsettled == 0
    }

    pub(in crate::connection) fn shrink(&mut self) {
        // An empty map keeps the room of its last entries.
        if self.pending.is_empty() {
            self.pending = BTreeMap::new();
        }
    }

    pub(in crate::connection) fn authorizations_needed(&self) -> usize {
        let is_due =
            |channel: &Channel| channel.is_wanted() && !matches!(channel.step, Step::Failed | Step::Waiting { .. });
        let wanted = self.table.iter().filter(|(_, channel)| is_due(channel));
        wanted.filter(|(name, _)| needs_authorization(name)).count()
    }

    pub(in crate::connection) fn delivery(&self, name: &str) -> Delivery {
        let Some((name, channel)) = self.table.get_key_value(name) else { return Delivery::Nobody };
        match channel.step {
            Step::Subscribed => Delivery::Now(name.clone()),
            Step::Subscribing(_) => Delivery::Early(name.clone()),
            Step::Idle | Step::Authorizing { .. } | Step::Waiting { .. } | Step::Failed
                if channel.unanswered.is_some() =>
            {
                Delivery::Early(name.clone())
            }
            Step::Idle
            | Step::Authorizing { .. }
            | Step::Waiting { .. }
            | Step::Leaving(_)
            | Step::Left
            | Step::Failed => Delivery::Nobody,
        }
    }

    /// Keeps an event whose channel is not acknowledged yet. What does not fit is counted: the oldest of the channel
    /// first, and the event itself when all that is left belongs to others.
    pub(in crate::connection) fn keep_early(&mut self, event: Event<'static>, limits: &Limits) {
        let bytes = event.frame_bytes();
        let Some(channel) = self.table.get_mut(event.channel()) else { return };
        while channel.early.len() >= limits.max_early_events
            || self.early_bytes.saturating_add(bytes) > limits.max_early_bytes
        {
            channel.early_dropped += 1;
            let Some(oldest) = channel.early.pop_front() else { return };
            self.early_bytes = self.early_bytes.saturating_sub(oldest.frame_bytes());
        }
        self.early_bytes += bytes;
        channel.early.push_back(event);
    }

    pub(in crate::connection) fn want(&mut self, name: ChannelName, limit: usize) -> Result<(), SubscribeError> {
        let kind = name.kind();
        if !kind.is_supported() {
            return Err(SubscribeError::UnsupportedKind { channel: name, kind });
        }
        if let Some(channel) = self.table.get_mut(&name) {
            if matches!(channel.step, Step::Failed) {
                channel.retry_from_scratch();
            } else if matches!(channel.step, Step::Left) {
                self.places += 1;
                **channel = Channel { answers: channel.answers, ..Channel::new(self.places) };
            } else if matches!(channel.step, Step::Waiting { class, .. } if class.is_slow()) {
                channel.step = Step::Idle;
            } else if matches!(channel.step, Step::Leaving(_))
                && let Step::Leaving(subscribe) = std::mem::replace(&mut channel.step, Step::Idle)
            {
                channel.step = Step::Subscribing(subscribe);
            }
            return Ok(());
        }
        if self.table.len() >= limit {
            return Err(SubscribeError::TooManyChannels { channel: name, limit });
        }
        self.places += 1;
        self.table.insert(name, Box::new(Channel::new(self.places)));
        Ok(())
    }

    pub(in crate::connection) fn is_wanted(&self, name: &ChannelName) -> bool {
        self.table.get(name).is_some_and(|channel| channel.is_wanted())
    }

    /// Drops a channel while there is no live socket.
    pub(in crate::connection) fn forget(&mut self, name: &ChannelName) {
        self.table.remove(name);
    }

    /// Drops a channel on a live socket.
    pub(in crate::connection) fn leave(&mut self, name: &ChannelName, socket: &mut SocketContext<'_>) {
        self.write_off_answers(name, socket);
        let Some(channel) = self.table.get_mut(name) else { return };
        let answers = channel.answers;
        let left = Channel { step: Step::Left, answers, ..Channel::new(channel.place) };
        match std::mem::replace(&mut **channel, left).step {
            Step::Authorizing { id, .. } => {
                self.pending.remove(&id);
                socket.outputs.push_back(Output::CancelAuthorization { id });
            }
            Step::Subscribing(subscribe) | Step::Leaving(subscribe) => channel.step = Step::Leaving(subscribe),
            Step::Subscribed => channel.unsubscribe(name, socket),
            Step::Idle | Step::Waiting { .. } | Step::Left | Step::Failed => {}
        }
        if matches!(channel.step, Step::Left) && channel.answers.may_be_valid() {
            channel.unsubscribe(name, socket);
        }
        self.remove_left(name);
        self.advance(socket);
    }

    /// Forgets the answers that the server never sends: those owed, with no subscribe in flight, for longer than
    /// anyone would wait, while the server has answered later requests and has no other subscribe to answer.
    /// Otherwise they would be missing from later ones.
    fn write_off_answers(&mut self, name: &ChannelName, socket: &SocketContext<'_>) {
        let patience = socket.options.max_answer_timeout;
        if let Some(channel) = self.table.get_mut(name)
            && channel.subscribe_number().is_none()
            && socket.now >= self.last_answer + patience
        {
            channel.answers.write_off(socket.certain_until, patience);
        }
    }

    /// Forgets a channel that was left when all its answers are in.
    fn remove_left(&mut self, name: &ChannelName) {
        if self
            .table
            .get(name)
            .is_some_and(|channel| matches!(channel.step, Step::Left) && channel.answers.is_complete())
        {
            self.table.remove(name);
        }
    }

    /// Gives all channels a new chance.
    pub(in crate::connection) fn forgive(&mut self) {
        for channel in self.table.values_mut() {
            channel.retry_from_scratch();
        }
    }

    /// Starts afresh after the caller disconnected.
    pub(in crate::connection) fn reset(&mut self, outputs: &mut Queue) {
        self.cancel_authorizations(outputs);
        self.table.retain(|_, channel| channel.is_wanted());
        for channel in self.table.values_mut() {
            **channel = Channel::new(channel.place);
        }
        (self.deadline, self.early_bytes) = (None, 0);
    }

    /// Prepares for a new socket.
    pub(in crate::connection) fn begin_socket(&mut self, now: Time) {
        self.rejections.clear();
        self.unwanted.clear();
        (self.subscribes, self.last_answer) = (0, Time::ZERO);
        let down = now.saturating_since(self.socket_ended);
        for channel in self.table.values_mut() {
            // Only the time with a connection counts.
            if let Absence::Since { tell_at, .. } = &mut channel.absence {
                *tell_at = *tell_at + down;
            }
        }
    }

    /// Handles the end of the socket, and what that interrupts: everything before `since` was received.
    pub(in crate::connection) fn end_socket(&mut self, now: Time, since: Time, cause: GapCause, outputs: &mut Queue) {
        self.socket_ended = now;
        self.cancel_authorizations(outputs);
        self.table.retain(|_, channel| channel.is_wanted());
        for name in self.in_order(|_| true) {
            let Some(channel) = self.table.get_mut(&name) else { continue };
            channel.drop_early();
            (channel.answers, channel.unanswered, channel.blamed) = (Answers::NONE, None, None);
            match channel.step {
                Step::Idle | Step::Failed | Step::Waiting { class: Class::Normal | Class::Rare, .. } => {}
                Step::Authorizing { .. }
                | Step::Subscribing(_)
                | Step::Leaving(_)
                | Step::Left
                | Step::Waiting { .. } => {
                    channel.step = Step::Idle;
                }
                Step::Subscribed => {
                    channel.step = Step::Idle;
                    channel.lost(&name, since, cause, outputs);
                }
            }
        }
        self.deadline = None;
    }

    /// Subscribes whatever can be subscribed now: suspects after the others, and one on which the server closes
    /// alone.
    pub(in crate::connection) fn advance(&mut self, socket: &mut SocketContext<'_>) {
        let is_at = |suspicion| move |channel: &Channel| channel.suspicion == suspicion;
        if !self.any(|channel| channel.suspicion == Suspicion::Closes && channel.is_under_way()) {
            for suspicion in [Suspicion::None, Suspicion::Mute] {
                for name in self.in_order(|channel| is_at(suspicion)(channel) && channel.is_idle()) {
                    self.start(&name, socket);
                }
                if self.any(|channel| is_at(suspicion)(channel) && (channel.is_idle() || channel.is_under_way())) {
                    break;
                }
            }
            if !self
                .any(|channel| channel.is_under_way() || channel.is_idle() && channel.suspicion != Suspicion::Closes)
            {
                let suspects = self.in_order(|channel| channel.is_idle());
                if let Some(name) = suspects.first() {
                    self.start(name, socket);
                }
            }
        }
        self.deadline = self.table.values().filter_map(|channel| channel.deadline()).min();
        self.count();
    }

    fn count(&mut self) {
        self.unsettled = self.table.values().filter(|channel| !channel.is_settled()).count();
        self.early_bytes = self.table.values().map(|channel| channel.early_bytes()).sum();
    }

    fn any(&self, is: impl Fn(&Channel) -> bool) -> bool {
        self.table.values().any(|channel| is(channel))
    }

    /// Handles `pusher_internal:subscription_succeeded`. Returns when the subscribe that it answers was sent.
    pub(in crate::connection) fn acknowledge(&mut self, name: &str, socket: &mut SocketContext<'_>) -> Option<Time> {
        let Some((name, _)) = self.table.get_key_value(name) else {
            self.refuse_acknowledgement(name, socket);
            return None;
        };
        let name = name.clone();
        let channel = self.table.get_mut(&name)?;
        if channel.answers.take() == Answer::Void {
            self.last_answer = socket.now;
            self.remove_left(&name);
            return None;
        }
        self.recall(&name, socket);
        let channel = self.table.get_mut(&name)?;
        let mut sent = None;
        match &channel.step {
            Step::Subscribing(subscribe) => {
                sent = Some(subscribe.sent);
                channel.subscribed(&name, socket);
                self.last_answer = socket.now;
            }
            Step::Subscribed => socket.counters.repeated_acknowledgements += 1,
            Step::Leaving(_) => {
                channel.step = Step::Left;
                channel.unsubscribe(&name, socket);
                self.remove_left(&name);
            }
            Step::Idle | Step::Authorizing { .. } | Step::Waiting { .. } | Step::Left | Step::Failed => {
                self.refuse_acknowledgement(name.as_str(), socket);
            }
        }
        self.settle_rejections(socket);
        self.advance(socket);
        sent
    }

    /// An acknowledgement that arrives after its subscribe was considered failed still counts; the error it was
    /// blamed for was about another subscribe that is still unanswered, if there is one.
    fn recall(&mut self, name: &ChannelName, socket: &mut SocketContext<'_>) {
        let Some(channel) = self.table.get_mut(name) else { return };
        if !matches!(channel.step, Step::Idle | Step::Authorizing { .. } | Step::Waiting { .. } | Step::Failed) {
            return;
        }
        let (Some(subscribe), blame) = (channel.unanswered.take(), channel.blamed.take()) else { return };
        if let Step::Authorizing { id, .. } = std::mem::replace(&mut channel.step, Step::Subscribing(subscribe)) {
            self.pending.remove(&id);
            socket.outputs.push_back(Output::CancelAuthorization { id });
        }
        let Some(Blame { error, newest }) = blame.map(|blame| *blame) else { return };
        let may_be_meant = |other: &ChannelName, channel: &Channel| {
            other != name && channel.subscribe_number().is_some_and(|number| number <= newest)
        };
        if self.table.iter().any(|(other, channel)| may_be_meant(other, channel)) {
            self.rejections.push(error);
        }
    }

    /// Does what is due.
    ///
    /// # Errors
    /// The channel that was not acknowledged, even after a resend: the socket has to be abandoned.
    pub(in crate::connection) fn handle_timeout(&mut self, socket: &mut SocketContext<'_>) -> Result<(), ChannelName> {
        if self.deadline.is_none_or(|deadline| socket.now < deadline) {
            return Ok(());
        }
        let now = socket.now;
        for name in self.in_order(|channel| channel.step_deadline().is_some_and(|deadline| now >= deadline)) {
            self.expire(&name, socket)?;
        }
        self.tell_absences(socket);
        self.settle_rejections(socket);
        self.advance(socket);
        Ok(())
    }

    /// Fault R06, for a channel: reported once per outage.
    fn tell_absences(&mut self, socket: &mut SocketContext<'_>) {
        for (name, channel) in &mut self.table {
            if channel.tell_at().is_some_and(|at| socket.now >= at)
                && let Absence::Since { since, .. } = std::mem::replace(&mut channel.absence, Absence::Told)
            {
                socket.report(Report::Suspended { channel: Some(name.clone()), since });
            }
        }
    }

    fn expire(&mut self, name: &ChannelName, socket: &mut SocketContext<'_>) -> Result<(), ChannelName> {
        let Some(channel) = self.table.get_mut(name) else { return Ok(()) };
        let timeout = channel.acknowledgement_timeout(socket.options);
        match &mut channel.step {
            Step::Waiting { .. } => channel.step = Step::Idle,
            Step::Authorizing { id, .. } => {
                let id = *id;
                self.pending.remove(&id);
                socket.outputs.push_back(Output::CancelAuthorization { id });
                self.take_authorization_error(name, AuthorizationError::TimedOut, socket);
            }
            Step::Subscribing(subscribe) | Step::Leaving(subscribe) if socket.now < self.last_answer + timeout => {
                subscribe.deadline = self.last_answer + timeout;
            }
            Step::Leaving(_) => {
                channel.step = Step::Left;
                channel.unsubscribe(name, socket);
            }
            Step::Subscribing(_) if !self.rejections.is_empty() => {
                let error = self.rejections.remove(0);
                blame(channel, name, error, self.subscribes, socket);
            }
            Step::Subscribing(subscribe) if !subscribe.resent => {
                if let Step::Subscribing(subscribe) = std::mem::replace(&mut channel.step, Step::Idle) {
                    channel.resend(name, subscribe, socket);
                }
            }
            Step::Subscribing(_) => {
                channel.count_silence(socket.now);
                if channel.suspicion == Suspicion::None {
                    channel.suspicion = Suspicion::Mute;
                    return Err(name.clone());
                }
                channel.fail(name, SubscriptionError::Unacknowledged, Class::Slow, None, socket);
            }
            Step::Idle | Step::Subscribed | Step::Left | Step::Failed => {}
        }
        Ok(())
    }

    fn refuse_acknowledgement(&mut self, name: &str, socket: &mut SocketContext<'_>) {
        socket.counters.unexpected_acknowledgements += 1;
        let Ok(name) = ChannelName::parse(name) else { return };
        if self.unwanted.len() < MAX_UNWANTED && self.unwanted.insert(name.clone()) {
            socket.send(wire::unsubscribe(&name));
        }
    }

    fn in_order(&self, takes: impl Fn(&Channel) -> bool) -> Vec<ChannelName> {
        let mut names: Vec<_> = self.table.iter().filter(|(_, channel)| takes(channel)).collect();
        names.sort_unstable_by_key(|(_, channel)| channel.place);
        names.into_iter().map(|(name, _)| name.clone()).collect()
    }
}

fn needs_authorization(name: &ChannelName) -> bool {
    name.kind() != ChannelKind::Public
}

/// How many unrequested acknowledgements are answered on one socket; a hostile server could send any number.
const MAX_UNWANTED: usize = 64;
