//! The channels a caller wants, and how far each is on the present socket.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use fastrand::Rng;

use crate::{
    Authorization, AuthorizationError, AuthorizationId, ChannelKind, ChannelName, Continuity, Counters, Epoch,
    GapCause, Options, Output, OwnedEvent, Report, SocketId, SubscribeError, SubscriptionError, Time,
    backoff::{Backoff, Class},
    wire::{self, Rejection, ServerError},
};

/// All channels of one connection.
#[derive(Debug, Default)]
pub(super) struct Channels {
    table: BTreeMap<ChannelName, Channel>,
    /// Authorizations under way on the present socket.
    pending: BTreeMap<AuthorizationId, ChannelName>,
    places: u64,
    authorizations: u64,
    subscribes: u64,
    /// Subscribes the server refused without saying which, on the present socket.
    rejections: Vec<SubscriptionError>,
    /// Channels acknowledged though nobody wants them, on the present socket; each is unsubscribed once.
    unwanted: BTreeSet<ChannelName>,
    deadline: Option<Time>,
    /// Channels that are neither subscribed nor given up.
    unsettled: usize,
}

#[derive(Debug)]
struct Channel {
    /// Channels are asked for in the order in which they were wanted.
    place: u64,
    step: Step,
    track: Track,
    /// The server closed the socket on this subscribe: it comes last and alone (fault S07).
    suspected: bool,
    /// Unusable authorizations in a row.
    malformed: u8,
    backoff: Option<Box<Backoff>>,
    early: VecDeque<OwnedEvent>,
    early_dropped: u64,
}

#[derive(Debug)]
enum Step {
    /// Nothing was asked for on this socket.
    Idle,
    Authorizing {
        id: AuthorizationId,
        deadline: Time,
    },
    /// The authorization or the server was not available; the next try comes at `until`, on whichever socket.
    Waiting {
        until: Time,
    },
    Subscribing(Box<Subscribe>),
    Subscribed,
    /// Unsubscribed while the subscribe was on its way: its answer is awaited first (fault S17).
    Leaving(Box<Subscribe>),
    Failed,
}

/// A subscribe on its way.
#[derive(Debug)]
struct Subscribe {
    /// The server answers in this order.
    number: u64,
    sent: Time,
    deadline: Time,
    resent: bool,
    authorization: Option<Authorization>,
}

/// What was received of a channel so far.
#[derive(Clone, Copy, Debug)]
enum Track {
    /// Nothing since the caller connected.
    Fresh,
    /// All of it, on the present socket.
    Live,
    /// Nothing since `since`.
    Lost { since: Time, cause: GapCause },
}

/// The live socket, for what the channels do on it.
pub(super) struct Link<'a> {
    pub(super) now: Time,
    pub(super) epoch: Epoch,
    pub(super) socket_id: &'a SocketId,
    pub(super) refresh_token: &'a mut bool,
    pub(super) options: &'a Options,
    pub(super) rng: &'a mut Rng,
    pub(super) outputs: &'a mut VecDeque<Output>,
    pub(super) counters: &'a mut Counters,
}

impl Link<'_> {
    fn send(&mut self, text: String) {
        self.outputs.push_back(Output::SendText { epoch: self.epoch, text });
    }

    fn report(&mut self, report: Report) {
        self.outputs.push_back(Output::Report(report));
    }
}

/// Who an event is for.
pub(super) enum Delivery {
    Now(ChannelName),
    /// The acknowledgement of its channel is still to come (fault S13).
    Early(ChannelName),
    Nobody,
}

impl Channels {
    pub(super) const fn deadline(&self) -> Option<Time> {
        self.deadline
    }

    pub(super) const fn is_settled(&self) -> bool {
        self.unsettled == 0
    }

    pub(super) fn authorizations_needed(&self) -> usize {
        let needs = |(name, channel): &(&ChannelName, &Channel)| {
            needs_authorization(name) && !matches!(channel.step, Step::Failed | Step::Leaving(_))
        };
        self.table.iter().filter(needs).count()
    }

    pub(super) fn delivery(&self, name: &str) -> Delivery {
        match self.table.get_key_value(name) {
            Some((name, Channel { step: Step::Subscribed, .. })) => Delivery::Now(name.clone()),
            Some((name, Channel { step: Step::Subscribing(_), .. })) => Delivery::Early(name.clone()),
            _ => Delivery::Nobody,
        }
    }

    pub(super) fn keep_early(&mut self, event: OwnedEvent, limit: usize) {
        let Some(channel) = self.table.get_mut(event.as_event().channel()) else { return };
        channel.early.push_back(event);
        if channel.early.len() > limit {
            channel.early.pop_front();
            channel.early_dropped += 1;
        }
    }

    pub(super) fn want(&mut self, name: ChannelName, limit: usize) -> Result<(), SubscribeError> {
        let kind = name.kind();
        if !kind.is_supported() {
            return Err(SubscribeError::UnsupportedKind { channel: name, kind });
        }
        if let Some(channel) = self.table.get_mut(&name) {
            if matches!(channel.step, Step::Failed) {
                channel.retry_from_scratch();
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
        self.table.insert(name, Channel::new(self.places));
        Ok(())
    }

    /// Drops a channel while there is no live socket.
    pub(super) fn forget(&mut self, name: &ChannelName) {
        self.table.remove(name);
    }

    /// Drops a channel on a live socket.
    pub(super) fn leave(&mut self, name: &ChannelName, link: &mut Link<'_>) {
        let Some(mut channel) = self.table.remove(name) else { return };
        match std::mem::replace(&mut channel.step, Step::Idle) {
            Step::Authorizing { id, .. } => {
                self.pending.remove(&id);
                link.outputs.push_back(Output::CancelAuthorization { id });
            }
            Step::Subscribing(subscribe) | Step::Leaving(subscribe) => {
                self.table
                    .insert(name.clone(), Channel { step: Step::Leaving(subscribe), ..Channel::new(channel.place) });
            }
            Step::Subscribed => link.send(wire::unsubscribe(name)),
            Step::Idle | Step::Waiting { .. } | Step::Failed => {}
        }
        self.advance(link);
    }

    /// Gives channels that were given up another chance.
    pub(super) fn forgive(&mut self) {
        for channel in self.table.values_mut().filter(|channel| matches!(channel.step, Step::Failed)) {
            channel.retry_from_scratch();
        }
    }

    /// Starts anew after the caller disconnected.
    pub(super) fn reset(&mut self, outputs: &mut VecDeque<Output>) {
        self.cancel_authorizations(outputs);
        self.table.retain(|_, channel| !matches!(channel.step, Step::Leaving(_)));
        for channel in self.table.values_mut() {
            *channel = Channel::new(channel.place);
        }
        self.deadline = None;
    }

    /// Prepares for a new socket.
    pub(super) fn begin_socket(&mut self) {
        self.rejections.clear();
        self.unwanted.clear();
        self.subscribes = 0;
    }

    /// Notes that the socket is gone, and what that interrupts.
    pub(super) fn end_socket(&mut self, since: Time, cause: GapCause, outputs: &mut VecDeque<Output>) {
        self.cancel_authorizations(outputs);
        self.table.retain(|_, channel| !matches!(channel.step, Step::Leaving(_)));
        for name in self.in_order(|_| true) {
            let Some(channel) = self.table.get_mut(&name) else { continue };
            channel.drop_early();
            match channel.step {
                Step::Idle | Step::Waiting { .. } | Step::Failed => {}
                Step::Authorizing { .. } | Step::Subscribing(_) | Step::Leaving(_) => channel.step = Step::Idle,
                Step::Subscribed => {
                    channel.step = Step::Idle;
                    channel.track = Track::Lost { since, cause };
                    outputs.push_back(Output::Report(Report::Interrupted { channel: name, since, cause }));
                }
            }
        }
        self.deadline = None;
    }

    /// Blames the first subscribe that the server left unanswered for the close with `code`. Returns whether there was
    /// one. A channel blamed a second time, when it was alone, is given up.
    pub(super) fn suspect(&mut self, code: Option<u16>, outputs: &mut VecDeque<Output>) -> bool {
        let first = self
            .table
            .iter_mut()
            .filter_map(|(name, channel)| channel.subscribe_number().map(|number| (number, name, channel)))
            .min_by_key(|(number, ..)| *number);
        let Some((_, name, channel)) = first else { return false };
        if channel.suspected {
            let message = "the server closes the connection on it".to_owned();
            let error = SubscriptionError::RejectedByServer { code, message };
            channel.fail(name.clone(), error, outputs);
        } else {
            channel.suspected = true;
        }
        true
    }

    /// Asks for whatever can be asked for now.
    pub(super) fn advance(&mut self, link: &mut Link<'_>) {
        let under_way = |channel: &Channel| {
            matches!(channel.step, Step::Authorizing { .. } | Step::Subscribing(_) | Step::Leaving(_))
        };
        let suspect_under_way = self.table.values().any(|channel| channel.suspected && under_way(channel));
        if !suspect_under_way {
            for name in self.in_order(|channel| matches!(channel.step, Step::Idle) && !channel.suspected) {
                self.start(&name, link);
            }
            let idle_or_under_way = |channel: &Channel| matches!(channel.step, Step::Idle) || under_way(channel);
            if !self.table.values().any(|channel| !channel.suspected && idle_or_under_way(channel)) {
                let suspects = self.in_order(|channel| channel.suspected && matches!(channel.step, Step::Idle));
                if let Some(name) = suspects.first() {
                    self.start(name, link);
                }
            }
        }
        self.deadline = self.table.values().filter_map(Channel::deadline).min();
        self.count_unsettled();
    }

    fn count_unsettled(&mut self) {
        let settled = |channel: &&Channel| matches!(channel.step, Step::Subscribed | Step::Failed);
        self.unsettled = self.table.len() - self.table.values().filter(settled).count();
    }

    /// Takes the answer to an authorization. Returns whether it was awaited.
    pub(super) fn authorize(
        &mut self,
        id: AuthorizationId,
        answer: Result<Authorization, AuthorizationError>,
        link: &mut Link<'_>,
    ) -> bool {
        let Some(name) = self.pending.remove(&id) else { return false };
        match answer {
            Ok(authorization) => self.take_authorization(&name, authorization, link),
            Err(error) => self.take_authorization_error(&name, error, link),
        }
        self.advance(link);
        true
    }

    /// Takes `pusher_internal:subscription_succeeded`. Returns when the subscribe was sent that it answers.
    pub(super) fn acknowledge(&mut self, name: &str, link: &mut Link<'_>) -> Option<Time> {
        let Some((name, _)) = self.table.get_key_value(name) else {
            self.refuse_acknowledgement(name, link);
            return None;
        };
        let name = name.clone();
        let channel = self.table.get_mut(&name)?;
        let mut sent = None;
        match &channel.step {
            Step::Subscribing(subscribe) => {
                sent = Some(subscribe.sent);
                channel.subscribed(&name, link);
            }
            Step::Subscribed => link.counters.repeated_acknowledgements += 1,
            Step::Leaving(_) => {
                link.send(wire::unsubscribe(&name));
                self.table.remove(&name);
            }
            Step::Idle | Step::Authorizing { .. } | Step::Waiting { .. } | Step::Failed => {
                self.refuse_acknowledgement(name.as_str(), link);
            }
        }
        self.settle_rejections(link);
        self.advance(link);
        sent
    }

    /// Takes `pusher:subscription_error`: final, or tried again, by its status.
    pub(super) fn reject(&mut self, name: &str, rejection: Rejection, link: &mut Link<'_>) {
        let Some(name) = self.table.get_key_value(name).map(|(name, _)| name.clone()) else {
            link.counters.ignored_internal_events += 1;
            return;
        };
        let Some(channel) = self.table.get_mut(&name) else { return };
        let Rejection { status, message } = rejection;
        match channel.step {
            Step::Subscribing(_) if matches!(status, Some(408 | 429 | 500..=599)) => {
                channel.wait(Class::Normal, None, link);
            }
            Step::Subscribing(_) => {
                let error = SubscriptionError::RejectedByServer { code: status, message };
                channel.fail(name, error, link.outputs);
            }
            Step::Leaving(_) => {
                self.table.remove(&name);
            }
            Step::Idle | Step::Authorizing { .. } | Step::Waiting { .. } | Step::Subscribed | Step::Failed => {
                link.counters.ignored_internal_events += 1;
            }
        }
        self.settle_rejections(link);
        self.advance(link);
    }

    /// Takes an error by which the server refuses some subscribe without saying which: the channels whose
    /// acknowledgement stays away are the ones.
    pub(super) fn reject_some(&mut self, error: &ServerError, link: &mut Link<'_>) {
        let ServerError { code, message } = error;
        let error = SubscriptionError::RejectedByServer { code: *code, message: message.clone() };
        self.rejections.push(error);
        self.settle_rejections(link);
        self.advance(link);
    }

    /// Does what is due.
    ///
    /// # Errors
    /// The channel whose acknowledgement stayed away, also after a resend: the socket has to be given up.
    pub(super) fn handle_timeout(&mut self, link: &mut Link<'_>) -> Result<(), ChannelName> {
        if self.deadline.is_none_or(|deadline| link.now < deadline) {
            return Ok(());
        }
        let now = link.now;
        for name in self.in_order(|channel| channel.deadline().is_some_and(|deadline| now >= deadline)) {
            self.expire(&name, link)?;
        }
        self.settle_rejections(link);
        self.advance(link);
        Ok(())
    }

    fn expire(&mut self, name: &ChannelName, link: &mut Link<'_>) -> Result<(), ChannelName> {
        let Some(channel) = self.table.get_mut(name) else { return Ok(()) };
        match &mut channel.step {
            Step::Waiting { .. } => channel.step = Step::Idle,
            Step::Authorizing { id, .. } => {
                let id = *id;
                self.pending.remove(&id);
                link.outputs.push_back(Output::CancelAuthorization { id });
                self.take_authorization_error(name, AuthorizationError::TimedOut, link);
            }
            Step::Leaving(_) => {
                link.send(wire::unsubscribe(name));
                self.table.remove(name);
            }
            Step::Subscribing(_) if !self.rejections.is_empty() => {
                let error = self.rejections.remove(0);
                channel.fail(name.clone(), error, link.outputs);
            }
            Step::Subscribing(subscribe) if !subscribe.resent => {
                subscribe.resent = true;
                subscribe.deadline = link.now + link.options.acknowledgement_timeout;
                let text = wire::subscribe(name, subscribe.authorization.as_ref());
                link.send(wire::unsubscribe(name));
                link.send(text);
            }
            Step::Subscribing(_) if channel.suspected => {
                channel.fail(name.clone(), SubscriptionError::Unacknowledged, link.outputs);
            }
            Step::Subscribing(_) => {
                channel.suspected = true;
                return Err(name.clone());
            }
            Step::Idle | Step::Subscribed | Step::Failed => {}
        }
        Ok(())
    }

    /// When as many subscribes were refused as are unanswered, those are the ones.
    fn settle_rejections(&mut self, link: &mut Link<'_>) {
        let unanswered = self.in_order(|channel| channel.subscribe_number().is_some());
        if unanswered.len() > self.rejections.len() {
            return;
        }
        let mut rejections = std::mem::take(&mut self.rejections).into_iter();
        for name in unanswered {
            let (Some(channel), Some(error)) = (self.table.get_mut(&name), rejections.next()) else { continue };
            if matches!(channel.step, Step::Leaving(_)) {
                self.table.remove(&name);
            } else {
                channel.fail(name, error, link.outputs);
            }
        }
    }

    fn start(&mut self, name: &ChannelName, link: &mut Link<'_>) {
        let Some(channel) = self.table.get_mut(name) else { return };
        if !needs_authorization(name) {
            self.subscribes += 1;
            channel.subscribe(name, self.subscribes, None, link);
        } else if self.pending.len() < link.options.limits.max_authorizations {
            self.authorizations += 1;
            let id = AuthorizationId(self.authorizations);
            self.pending.insert(id, name.clone());
            channel.step = Step::Authorizing { id, deadline: link.now + link.options.authorization_timeout };
            link.outputs.push_back(Output::Authorize {
                id,
                channel: name.clone(),
                socket_id: link.socket_id.clone(),
                refresh_token: *link.refresh_token,
            });
        }
    }

    fn take_authorization(&mut self, name: &ChannelName, authorization: Authorization, link: &mut Link<'_>) {
        let Some(channel) = self.table.get_mut(name) else { return };
        *link.refresh_token = false;
        match authorization.auth.expose().split_once(':') {
            Some((key, signature)) if key == link.options.app_key.as_str() && !signature.is_empty() => {
                channel.malformed = 0;
                self.subscribes += 1;
                channel.subscribe(name, self.subscribes, Some(authorization), link);
            }
            Some((_, signature)) if !signature.is_empty() => {
                channel.fail(name.clone(), SubscriptionError::WrongAppKey, link.outputs);
            }
            _ => {
                let message = "`auth` is not of the form `key:signature`".to_owned();
                self.take_authorization_error(name, AuthorizationError::Malformed { message }, link);
            }
        }
    }

    fn take_authorization_error(&mut self, name: &ChannelName, error: AuthorizationError, link: &mut Link<'_>) {
        let Some(channel) = self.table.get_mut(name) else { return };
        let retry_after = error.retry_after();
        match error {
            AuthorizationError::Denied { status } => {
                channel.fail(name.clone(), SubscriptionError::Denied { status }, link.outputs);
            }
            AuthorizationError::Malformed { message } => {
                channel.malformed += 1;
                if channel.malformed < MALFORMED_TRIES {
                    channel.wait(Class::Normal, None, link);
                } else {
                    let error = SubscriptionError::MalformedAuthorization { message };
                    channel.fail(name.clone(), error, link.outputs);
                }
            }
            AuthorizationError::Unavailable { .. } | AuthorizationError::TimedOut => {
                channel.wait(Class::Normal, retry_after, link);
            }
        }
    }

    fn refuse_acknowledgement(&mut self, name: &str, link: &mut Link<'_>) {
        link.counters.unexpected_acknowledgements += 1;
        let Ok(name) = ChannelName::parse(name) else { return };
        if self.unwanted.len() < MAX_UNWANTED && self.unwanted.insert(name.clone()) {
            link.send(wire::unsubscribe(&name));
        }
    }

    fn cancel_authorizations(&mut self, outputs: &mut VecDeque<Output>) {
        let pending = std::mem::take(&mut self.pending);
        outputs.extend(pending.into_keys().map(|id| Output::CancelAuthorization { id }));
    }

    fn in_order(&self, takes: impl Fn(&Channel) -> bool) -> Vec<ChannelName> {
        let mut names: Vec<_> = self.table.iter().filter(|(_, channel)| takes(channel)).collect();
        names.sort_unstable_by_key(|(_, channel)| channel.place);
        names.into_iter().map(|(name, _)| name.clone()).collect()
    }
}

impl Channel {
    const fn new(place: u64) -> Self {
        Self {
            place,
            step: Step::Idle,
            track: Track::Fresh,
            suspected: false,
            malformed: 0,
            backoff: None,
            early: VecDeque::new(),
            early_dropped: 0,
        }
    }

    /// What was missed before stays known: only the failure is forgotten.
    fn retry_from_scratch(&mut self) {
        *self = Self { track: self.track, ..Self::new(self.place) };
    }

    const fn deadline(&self) -> Option<Time> {
        match &self.step {
            Step::Authorizing { deadline, .. } => Some(*deadline),
            Step::Waiting { until } => Some(*until),
            Step::Subscribing(subscribe) | Step::Leaving(subscribe) => Some(subscribe.deadline),
            Step::Idle | Step::Subscribed | Step::Failed => None,
        }
    }

    const fn subscribe_number(&self) -> Option<u64> {
        match &self.step {
            Step::Subscribing(subscribe) | Step::Leaving(subscribe) => Some(subscribe.number),
            Step::Idle | Step::Authorizing { .. } | Step::Waiting { .. } | Step::Subscribed | Step::Failed => None,
        }
    }

    fn subscribe(
        &mut self,
        name: &ChannelName,
        number: u64,
        authorization: Option<Authorization>,
        link: &mut Link<'_>,
    ) {
        link.send(wire::subscribe(name, authorization.as_ref()));
        let deadline = link.now + link.options.acknowledgement_timeout;
        self.step =
            Step::Subscribing(Box::new(Subscribe { number, sent: link.now, deadline, resent: false, authorization }));
    }

    fn subscribed(&mut self, name: &ChannelName, link: &mut Link<'_>) {
        (self.step, self.suspected, self.malformed, self.backoff) = (Step::Subscribed, false, 0, None);
        let continuity = match std::mem::replace(&mut self.track, Track::Live) {
            Track::Fresh | Track::Live => Continuity::Fresh,
            Track::Lost { since, cause } => Continuity::Gap { since, until: link.now, cause },
        };
        link.report(Report::Subscribed { channel: name.clone(), continuity });
        let dropped = std::mem::take(&mut self.early_dropped);
        if dropped > 0 {
            link.report(Report::Lagged { channel: name.clone(), dropped });
        }
        for event in std::mem::take(&mut self.early) {
            link.report(Report::Event(event));
        }
    }

    fn wait(&mut self, class: Class, retry_after: Option<Duration>, link: &mut Link<'_>) {
        self.drop_early();
        let backoff = self.backoff.get_or_insert_with(|| Box::new(Backoff::new()));
        self.step = Step::Waiting { until: link.now + backoff.next_delay(class, retry_after, link.rng) };
    }

    /// Events of a subscription that was never acknowledged belong to nobody.
    fn drop_early(&mut self) {
        self.early.clear();
        self.early_dropped = 0;
    }

    fn fail(&mut self, name: ChannelName, error: SubscriptionError, outputs: &mut VecDeque<Output>) {
        self.step = Step::Failed;
        self.drop_early();
        outputs.push_back(Output::Report(Report::SubscriptionFailed { channel: name, error }));
    }
}

fn needs_authorization(name: &ChannelName) -> bool {
    name.kind() != ChannelKind::Public
}

/// Fault S04.
const MALFORMED_TRIES: u8 = 3;
/// How many acknowledgements nobody asked for are answered on one socket; a hostile server could send any number.
const MAX_UNWANTED: usize = 64;
