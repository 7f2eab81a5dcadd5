//! The channels a caller requested, and how far each is on the current socket.

mod answers;
mod authorizing;
mod channel;
mod presence;
mod refusals;
mod replacing;
#[cfg_attr(not(feature = "encryption"), path = "unsealed.rs")]
mod sealed;
mod table;

use std::collections::{BTreeMap, VecDeque};

use fastrand::Rng;

use self::answers::{Answer, Answers};
use self::channel::{Absence, Blame, Channel, Early, Step, Suspicion};
use self::refusals::blame;
use self::table::{Index, Table, by_place};
use super::SUSPENDED_AFTER;
use crate::{
    AuthorizationError, AuthorizationId, ChannelKind, ChannelName, Counters, Data, Epoch, Event, GapCause, Limits,
    Options, Output, Report, Secret, SocketId, SubscribeError, SubscriptionError, Time, backoff::Class,
    client_event::Readiness, outputs::Queue, wire,
};

/// All channels of one connection.
#[derive(Debug, Default)]
pub(in crate::connection) struct Channels {
    table: Table,
    /// Authorizations in progress on the current socket, by number.
    pending: BTreeMap<u64, ChannelName>,
    /// Channels that wait until they may ask for a fresh key.
    keys_wanted: VecDeque<ChannelName>,
    places: u64,
    authorizations: u64,
    subscribes: u64,
    /// Errors by which the server refused a subscribe on the current socket without saying which.
    rejections: VecDeque<SubscriptionError>,
    /// Channels acknowledged on the current socket although they were not requested; each is unsubscribed once.
    unwanted: Vec<ChannelName>,
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
    /// The server is push1st, and not trusted.
    pub(in crate::connection) is_push1st: bool,
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
    /// It has to be looked at before that.
    Special(ChannelName),
    /// The acknowledgement of its channel is still to come (fault S13).
    Early(ChannelName),
    Nobody,
}

impl Channels {
    pub(in crate::connection) fn deadline(&self) -> Option<Time> {
        self.table.index()?.deadline()
    }

    pub(in crate::connection) fn is_settled(&self) -> bool {
        self.table.index().is_none_or(|index| index.unsettled == 0)
    }

    #[cfg(test)]
    pub(in crate::connection) fn visits(&self) -> u64 {
        self.table.visits.get()
    }

    #[cfg(test)]
    pub(in crate::connection) fn has_index(&self) -> bool {
        self.table.index().is_some()
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

    #[inline]
    pub(in crate::connection) fn delivery(&self, name: &str) -> Delivery {
        let Some((name, channel)) = self.table.get(name) else { return Delivery::Nobody };
        match channel.step {
            Step::Subscribed if channel.is_plain => Delivery::Now(name.clone()),
            Step::Subscribed => Delivery::Special(name.clone()),
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
        let (name, bytes) = (event.channel().clone(), event.frame_bytes());
        let all_bytes = self.table.index().map_or(0, |index| index.early_bytes);
        let Some(mut channel) = self.table.edit(&name) else { return };
        let Early { events, bytes: own_bytes, dropped } = &mut **channel.early.get_or_insert_default();
        let others_bytes = all_bytes.saturating_sub(*own_bytes);
        while events.len() >= limits.max_early_events
            || others_bytes.saturating_add(*own_bytes).saturating_add(bytes) > limits.max_early_bytes
        {
            *dropped += 1;
            let Some(oldest) = events.pop_front() else { return };
            *own_bytes = own_bytes.saturating_sub(oldest.frame_bytes());
        }
        *own_bytes += bytes;
        events.push_back(event);
    }

    pub(in crate::connection) fn want(&mut self, name: ChannelName, limit: usize) -> Result<(), SubscribeError> {
        let kind = name.kind();
        if !kind.is_supported() {
            return Err(SubscribeError::UnsupportedKind { channel: name, kind });
        }
        if self.table.get(name.as_str()).is_some() || self.table.len() < limit {
            self.want_again(name);
            return Ok(());
        }
        Err(SubscribeError::TooManyChannels { channel: name, limit })
    }

    /// Requests a channel whatever its kind is, and however many there are.
    pub(in crate::connection) fn want_again(&mut self, name: ChannelName) {
        if let Some(mut channel) = self.table.edit(&name) {
            if matches!(channel.step, Step::Failed) {
                channel.retry_from_scratch();
            } else if matches!(channel.step, Step::Left) {
                self.places += 1;
                *channel = Channel { answers: channel.answers, ..Channel::new(self.places) };
            } else if matches!(channel.step, Step::Waiting { class, .. } if class.is_slow()) {
                channel.step = Step::Idle;
            } else if matches!(channel.step, Step::Leaving(_))
                && let Step::Leaving(subscribe) = std::mem::replace(&mut channel.step, Step::Idle)
            {
                channel.step = Step::Subscribing(subscribe);
            }
            return;
        }
        self.places += 1;
        self.table.insert(name, Channel::new(self.places));
    }

    /// Returns how far a channel is for a client event.
    pub(in crate::connection) fn readiness(&self, name: &ChannelName) -> Readiness {
        match self.table.get(name.as_str()).map(|(_, channel)| &channel.step) {
            None | Some(Step::Leaving(_) | Step::Left | Step::Failed) => Readiness::Gone,
            Some(Step::Subscribed) => Readiness::Ready,
            Some(Step::Idle | Step::Authorizing { .. } | Step::Waiting { .. } | Step::Subscribing(_)) => {
                Readiness::Pending
            }
        }
    }

    /// Returns the number of the oldest subscribe that is not answered.
    pub(in crate::connection) fn first_unanswered(&self) -> Option<u64> {
        self.table.index()?.unanswered.keys().next().copied()
    }

    /// Returns how many subscribes were sent on this socket.
    pub(in crate::connection) const fn subscribes(&self) -> u64 {
        self.subscribes
    }

    pub(in crate::connection) const fn next_authorization(&mut self) -> AuthorizationId {
        self.authorizations += 1;
        AuthorizationId(self.authorizations)
    }

    /// Returns the channels of signed-in users that are requested.
    pub(in crate::connection) fn of_users(&self) -> Vec<ChannelName> {
        let is_users = |name: &ChannelName| name.kind() == ChannelKind::ServerToUser;
        let wanted = self.table.iter().filter(|(name, channel)| is_users(name) && channel.is_wanted());
        wanted.map(|(name, _)| name.clone()).collect()
    }

    pub(in crate::connection) fn is_wanted(&self, name: &ChannelName) -> bool {
        self.table.get(name.as_str()).is_some_and(|(_, channel)| channel.is_wanted())
    }

    /// Drops a channel while there is no live socket.
    pub(in crate::connection) fn forget(&mut self, name: &ChannelName) {
        self.table.remove(name);
    }

    /// Drops a channel on a live socket.
    pub(in crate::connection) fn leave(&mut self, name: &ChannelName, socket: &mut SocketContext<'_>) {
        self.write_off_answers(name, socket);
        self.cancel_key(name, socket.outputs);
        let Some(mut channel) = self.table.edit(name) else { return };
        let answers = channel.answers;
        let left = Channel { step: Step::Left, answers, ..Channel::new(channel.place) };
        match std::mem::replace(&mut *channel, left).step {
            Step::Authorizing { id, .. } => {
                self.pending.remove(&id.0);
                socket.outputs.push_back(Output::CancelAuthorization { id });
            }
            Step::Subscribing(subscribe) | Step::Leaving(subscribe) => channel.step = Step::Leaving(subscribe),
            Step::Subscribed => channel.unsubscribe(name, socket),
            Step::Idle | Step::Waiting { .. } | Step::Left | Step::Failed => {}
        }
        if matches!(channel.step, Step::Left) && channel.answers.may_be_valid() {
            channel.unsubscribe(name, socket);
        }
        drop(channel);
        self.remove_left(name);
        self.advance(socket);
    }

    /// Forgets the answers that the server never sends: those owed, with no subscribe in flight, for longer than
    /// anyone would wait, while the server has answered later requests and has no other subscribe to answer.
    /// Otherwise they would be missing from later ones.
    fn write_off_answers(&mut self, name: &ChannelName, socket: &SocketContext<'_>) {
        let patience = socket.options.max_answer_timeout;
        if let Some(mut channel) = self.table.edit(name)
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
            .get(name.as_str())
            .is_some_and(|(_, channel)| matches!(channel.step, Step::Left) && channel.answers.is_complete())
        {
            self.table.remove(name);
        }
    }

    /// Gives all channels a new chance.
    pub(in crate::connection) fn forgive(&mut self) {
        self.table.edit_all(Channel::retry_from_scratch);
    }

    /// Starts afresh after the caller disconnected.
    pub(in crate::connection) fn reset(&mut self, outputs: &mut Queue) {
        self.cancel_authorizations(outputs);
        self.table.drop_unwanted();
        self.table.edit_all(|channel| *channel = Channel::new(channel.place));
    }

    /// Prepares for a new socket.
    pub(in crate::connection) fn begin_socket(&mut self, now: Time) {
        self.rejections.clear();
        self.unwanted.clear();
        self.keys_wanted.clear();
        (self.subscribes, self.last_answer) = (0, Time::ZERO);
        let down = now.saturating_since(self.socket_ended);
        for name in self.of_users() {
            if let Some(mut channel) = self.table.edit(&name) {
                // It has to wait until the user is signed in.
                channel.step = Step::Failed;
            }
        }
        self.table.edit_all(|channel| {
            // Only the time with a connection counts.
            if let Absence::Since { tell_at, .. } = &mut channel.absence {
                *tell_at = *tell_at + down;
            }
        });
    }

    /// Handles the end of the socket, and what that interrupts: everything before `since` was received.
    pub(in crate::connection) fn end_socket(&mut self, now: Time, since: Time, cause: GapCause, outputs: &mut Queue) {
        self.socket_ended = now;
        self.cancel_authorizations(outputs);
        self.table.drop_unwanted();
        for name in self.table.in_order() {
            let Some(mut channel) = self.table.edit(&name) else { continue };
            channel.end_extra(&name, outputs);
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
    }

    /// Subscribes whatever can be subscribed now: suspects after the others, and one on which the server closes
    /// alone.
    pub(in crate::connection) fn advance(&mut self, socket: &mut SocketContext<'_>) {
        self.ask_keys(socket);
        let under_way =
            |channels: &Self, suspicion| channels.table.index().map_or(0, |index| index.under_way(suspicion));
        if under_way(self, Suspicion::Closes) > 0 {
            return;
        }
        for suspicion in [Suspicion::None, Suspicion::Mute] {
            while let Some(name) = self.next_idle(suspicion, socket.options) {
                self.start(&name, socket);
            }
            if under_way(self, suspicion) > 0 || self.table.index().is_some_and(|index| index.has_idle(suspicion)) {
                return;
            }
        }
        if let Some(name) = self.next_idle(Suspicion::Closes, socket.options) {
            self.start(&name, socket);
        }
    }

    fn next_idle(&self, suspicion: Suspicion, options: &Options) -> Option<ChannelName> {
        self.table.index()?.next_idle(suspicion, self.pending.len() < options.limits.max_authorizations)
    }

    /// Handles `pusher_internal:subscription_succeeded`. Returns when the subscribe that it answers was sent.
    pub(in crate::connection) fn acknowledge(
        &mut self,
        name: &str,
        data: Data<'_>,
        socket: &mut SocketContext<'_>,
    ) -> Option<Time> {
        let Some((name, _)) = self.table.get(name) else {
            self.refuse_acknowledgement(name, socket);
            return None;
        };
        let name = name.clone();
        if self.table.edit(&name)?.answers.take() == Answer::Void {
            self.last_answer = socket.now;
            self.remove_left(&name);
            return None;
        }
        self.recall(&name, socket);
        let mut channel = self.table.edit(&name)?;
        let mut sent = None;
        match &channel.step {
            Step::Subscribing(subscribe) => {
                sent = Some(subscribe.sent);
                let extra = presence::extra_of(&name, subscribe, data, socket.options.limits.max_members);
                channel.subscribed(&name, extra, socket);
                self.last_answer = socket.now;
            }
            Step::Subscribed => {
                socket.counters.repeated_acknowledgements += 1;
                channel.renew_members(&name, data, socket);
            }
            Step::Leaving(_) => {
                channel.step = Step::Left;
                channel.unsubscribe(&name, socket);
            }
            Step::Idle | Step::Authorizing { .. } | Step::Waiting { .. } | Step::Left | Step::Failed => {
                drop(channel);
                self.refuse_acknowledgement(name.as_str(), socket);
                self.settle_rejections(socket);
                self.advance(socket);
                return None;
            }
        }
        drop(channel);
        self.open_waiting(&name, socket);
        self.remove_left(&name);
        self.settle_rejections(socket);
        self.advance(socket);
        sent
    }

    /// An acknowledgement that arrives after its subscribe was considered failed still counts; the error it was
    /// blamed for was about another subscribe that is still unanswered, if there is one.
    fn recall(&mut self, name: &ChannelName, socket: &mut SocketContext<'_>) {
        let Some(mut channel) = self.table.edit(name) else { return };
        if !matches!(channel.step, Step::Idle | Step::Authorizing { .. } | Step::Waiting { .. } | Step::Failed) {
            return;
        }
        let (Some(subscribe), blame) = (channel.unanswered.take(), channel.blamed.take()) else { return };
        if let Step::Authorizing { id, .. } = std::mem::replace(&mut channel.step, Step::Subscribing(subscribe)) {
            self.pending.remove(&id.0);
            socket.outputs.push_back(Output::CancelAuthorization { id });
        }
        drop(channel);
        let Some(Blame { error, newest }) = blame.map(|blame| *blame) else { return };
        let Some(index) = self.table.index() else { return };
        if index.unanswered.range(..=newest).any(|(_, other)| other != name) {
            self.rejections.push_back(error);
        }
    }

    /// Does what is due.
    ///
    /// # Errors
    /// The channel that was not acknowledged, even after a resend: the socket has to be abandoned.
    pub(in crate::connection) fn handle_timeout(&mut self, socket: &mut SocketContext<'_>) -> Result<(), ChannelName> {
        if self.deadline().is_none_or(|deadline| socket.now < deadline) {
            return Ok(());
        }
        for name in self.due(socket.now, |index| &index.expiring) {
            self.expire(&name, socket)?;
        }
        self.tell_absences(socket);
        self.settle_rejections(socket);
        self.advance(socket);
        Ok(())
    }

    /// Fault R06, for a channel: reported once per outage.
    fn tell_absences(&mut self, socket: &mut SocketContext<'_>) {
        for name in self.due(socket.now, |index| &index.absent) {
            if let Some(mut channel) = self.table.edit(&name)
                && let Absence::Since { since, .. } = std::mem::replace(&mut channel.absence, Absence::Told)
            {
                socket.report(Report::Suspended { channel: Some(name.clone()), since });
            }
        }
    }

    /// Returns what is due in `list`, by place.
    fn due(&self, now: Time, list: impl FnOnce(&Index) -> &BTreeMap<(Time, u64), ChannelName>) -> Vec<ChannelName> {
        let Some(index) = self.table.index() else { return Vec::new() };
        by_place(list(index).range(..=(now, u64::MAX)).map(|((_, place), name)| (*place, name.clone())))
    }

    fn expire(&mut self, name: &ChannelName, socket: &mut SocketContext<'_>) -> Result<(), ChannelName> {
        let Some(mut edit) = self.table.edit(name) else { return Ok(()) };
        let channel = &mut *edit;
        let timeout = channel.acknowledgement_timeout(socket.options);
        match &mut channel.step {
            Step::Waiting { .. } => channel.step = Step::Idle,
            Step::Authorizing { id, .. } => {
                let id = *id;
                self.pending.remove(&id.0);
                drop(edit);
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
                let Some(error) = self.rejections.pop_front() else { return Ok(()) };
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
            Step::Subscribed => {
                drop(edit);
                self.miss_key(name, socket);
            }
            Step::Idle | Step::Left | Step::Failed => {}
        }
        Ok(())
    }

    fn refuse_acknowledgement(&mut self, name: &str, socket: &mut SocketContext<'_>) {
        socket.counters.unexpected_acknowledgements += 1;
        let Ok(name) = ChannelName::parse(name) else { return };
        if self.unwanted.len() < MAX_UNWANTED && !self.unwanted.contains(&name) {
            self.unwanted.push(name.clone());
            socket.send(wire::unsubscribe(&name));
        }
    }
}

fn needs_authorization(name: &ChannelName) -> bool {
    !matches!(name.kind(), ChannelKind::Public | ChannelKind::ServerToUser)
}

/// How many unrequested acknowledgements are answered on one socket; a hostile server could send any number.
const MAX_UNWANTED: usize = 64;
