use std::{collections::VecDeque, time::Duration};

use super::{SocketContext, answers::Answers, sealed::Seal};
use crate::{
    Authorization, AuthorizationId, ChannelName, Continuity, Event, GapCause, Members, Options, Output, Report,
    SubscriptionError, Time,
    backoff::{Backoff, Class, lengthened},
    connection::STABLE_AFTER,
    outputs::Queue,
    wire,
};

/// One channel that is requested, or was.
#[derive(Debug)]
pub(super) struct Channel {
    /// Channels are subscribed in the order in which they were requested.
    pub(super) place: u64,
    pub(super) step: Step,
    pub(super) track: Track,
    pub(super) suspicion: Suspicion,
    /// What went wrong since it was subscribed last.
    pub(super) trouble: Option<Box<Trouble>>,
    /// What had gone wrong before it was subscribed last, dated then.
    pub(super) trouble_before: Option<Box<Trouble>>,
    pub(super) absence: Absence,
    pub(super) answers: Answers,
    /// A subscribe of this socket that was considered failed without an answer that named the channel: an
    /// acknowledgement may still come.
    pub(super) unanswered: Option<Box<Subscribe>>,
    pub(super) blamed: Option<Box<Blame>>,
    /// Events that came before the acknowledgement, or wait for another key.
    pub(super) early: Option<Box<Early>>,
    /// What its kind has beside its events; nothing while it is not subscribed.
    pub(super) extra: Extra,
    /// Its events go out as they come in.
    pub(super) is_plain: bool,
}

/// Events that came before the acknowledgement, or wait for another key.
#[derive(Debug, Default)]
pub(super) struct Early {
    pub(super) events: VecDeque<Event<'static>>,
    /// The length of their frames.
    pub(super) bytes: usize,
    /// How many more there were.
    pub(super) dropped: u64,
}

#[derive(Debug)]
pub(super) enum Extra {
    None,
    Presence(Members),
    #[cfg_attr(not(feature = "encryption"), expect(dead_code, reason = "no encrypted channel is subscribed"))]
    Sealed(Box<Seal>),
}

/// How far a channel is on the current socket.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing was requested on this socket.
    Idle,
    Authorizing {
        id: AuthorizationId,
        deadline: Time,
    },
    /// An attempt failed; the next one comes at `until`, on whichever socket, and a slow one also on the next socket.
    Waiting {
        until: Time,
        class: Class,
    },
    Subscribing(Box<Subscribe>),
    Subscribed,
    /// Unsubscribed while the subscribe was in flight: its answer is awaited first (fault S17).
    Leaving(Box<Subscribe>),
    /// Unsubscribed, with answers still to come: the next answers do not belong to the next subscribe.
    Left,
    /// No further attempt until the caller acts.
    Failed,
}

/// A subscribe in flight.
#[derive(Debug)]
pub(super) struct Subscribe {
    /// The server answers in this order.
    pub(super) number: u64,
    pub(super) sent: Time,
    pub(super) deadline: Time,
    pub(super) resent: bool,
    pub(super) authorization: Option<Authorization>,
}

/// An error that named no channel, and was attributed to this channel's subscribe.
#[derive(Debug)]
pub(super) struct Blame {
    pub(super) error: SubscriptionError,
    /// The number of the last subscribe that it may have been about.
    pub(super) newest: u64,
}

/// What was received of a channel so far.
#[derive(Clone, Copy, Debug)]
pub(super) enum Track {
    /// Nothing since the caller connected.
    Fresh,
    /// All of it, on the current socket.
    Live,
    /// Nothing since `since`.
    Lost { since: Time, cause: GapCause },
}

/// What a subscribe of this channel did to a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Suspicion {
    None,
    /// It was never acknowledged: it comes after the others, and its silence no longer ends a socket.
    Mute,
    /// The server closed the socket on it: it comes last and alone (fault S07).
    Closes,
}

/// Consecutive failures.
#[derive(Debug)]
pub(super) struct Trouble {
    since: Time,
    failures: u32,
    /// Consecutive unusable authorizations.
    pub(super) malformed: u8,
    /// Consecutive authorizations that were not answered in time.
    pub(super) slow_authorizations: u32,
    /// Consecutive subscribes that were not acknowledged in time.
    slow_acknowledgements: u32,
    backoff: Backoff,
}

impl Trouble {
    const fn new(now: Time) -> Self {
        Self {
            since: now,
            failures: 0,
            malformed: 0,
            slow_authorizations: 0,
            slow_acknowledgements: 0,
            backoff: Backoff::new(),
        }
    }

    /// Keeps the back-off alone.
    fn dated(self, now: Time) -> Self {
        Self { backoff: self.backoff, ..Self::new(now) }
    }
}

/// The time for which a channel has not been subscribed although there was a connection.
#[derive(Clone, Copy, Debug)]
pub(super) enum Absence {
    None,
    Since { since: Time, tell_at: Time },
    Told,
}

impl Channel {
    pub(super) const fn new(place: u64) -> Self {
        Self {
            place,
            step: Step::Idle,
            track: Track::Fresh,
            suspicion: Suspicion::None,
            trouble: None,
            trouble_before: None,
            absence: Absence::None,
            answers: Answers::NONE,
            unanswered: None,
            blamed: None,
            early: None,
            extra: Extra::None,
            is_plain: true,
        }
    }

    /// What was missed before, and what may still come, stays known: only the failure is forgotten.
    pub(super) fn retry_from_scratch(&mut self) {
        let (track, answers, unanswered) = (self.track, self.answers, self.unanswered.take());
        let early = self.early.take();
        *self = Self { track, answers, unanswered, early, ..Self::new(self.place) };
    }

    pub(super) fn step_deadline(&self) -> Option<Time> {
        match &self.step {
            Step::Authorizing { deadline, .. } => Some(*deadline),
            Step::Waiting { until, .. } => Some(*until),
            Step::Subscribing(subscribe) | Step::Leaving(subscribe) => Some(subscribe.deadline),
            Step::Subscribed => self.key_deadline(),
            Step::Idle | Step::Left | Step::Failed => None,
        }
    }

    /// Returns when its absence has to be reported.
    pub(super) const fn tell_at(&self) -> Option<Time> {
        match (&self.step, self.absence) {
            (Step::Leaving(_) | Step::Left | Step::Failed, _) => None,
            (_, Absence::Since { tell_at, .. }) => Some(tell_at),
            (_, Absence::None | Absence::Told) => None,
        }
    }

    pub(super) const fn subscribe_number(&self) -> Option<u64> {
        match &self.step {
            Step::Subscribing(subscribe) | Step::Leaving(subscribe) => Some(subscribe.number),
            Step::Idle
            | Step::Authorizing { .. }
            | Step::Waiting { .. }
            | Step::Subscribed
            | Step::Left
            | Step::Failed => None,
        }
    }

    pub(super) const fn is_wanted(&self) -> bool {
        !matches!(self.step, Step::Leaving(_) | Step::Left)
    }

    pub(super) const fn is_idle(&self) -> bool {
        matches!(self.step, Step::Idle)
    }

    pub(super) const fn is_under_way(&self) -> bool {
        matches!(self.step, Step::Authorizing { .. } | Step::Subscribing(_) | Step::Leaving(_))
    }

    /// Returns whether nothing will change soon: it is subscribed, given up, or has been failing for so long that the
    /// connection does not wait for it.
    pub(super) const fn is_settled(&self) -> bool {
        match self.step {
            Step::Subscribed | Step::Left | Step::Failed => true,
            Step::Waiting { class, .. } => class.is_slow() || matches!(self.absence, Absence::Told),
            Step::Idle | Step::Authorizing { .. } | Step::Subscribing(_) | Step::Leaving(_) => false,
        }
    }

    /// Records that it is requested on a live connection.
    pub(super) const fn started(&mut self, now: Time, tell_at: Time) {
        if let Absence::None = self.absence {
            self.absence = Absence::Since { since: now, tell_at };
        }
    }

    /// Returns whether it has been requested on a live connection, and is not subscribed.
    pub(super) const fn has_started(&self) -> bool {
        !matches!(self.absence, Absence::None)
    }

    pub(super) fn trouble(&mut self, now: Time) -> &mut Trouble {
        self.trouble.get_or_insert_with(|| Box::new(Trouble::new(now)))
    }

    /// How long this authorization may take.
    pub(super) fn authorization_timeout(&self, options: &Options) -> Duration {
        let timeouts = self.trouble.as_ref().map_or(0, |trouble| trouble.slow_authorizations);
        lengthened(options.authorization_timeout, options.max_answer_timeout, timeouts)
    }

    /// How long the acknowledgement of this subscribe may take.
    pub(super) fn acknowledgement_timeout(&self, options: &Options) -> Duration {
        let timeouts = self.trouble.as_ref().map_or(0, |trouble| trouble.slow_acknowledgements);
        lengthened(options.acknowledgement_timeout, options.max_answer_timeout, timeouts)
    }

    pub(super) fn subscribe(
        &mut self,
        name: &ChannelName,
        number: u64,
        authorization: Option<Authorization>,
        socket: &mut SocketContext<'_>,
    ) {
        // An answer may be to the one before: what is proven by it begins there.
        let sent = self.unanswered.take().map_or(socket.now, |before| before.sent);
        self.send_subscribe(name, authorization.as_ref(), socket);
        let deadline = socket.now + self.acknowledgement_timeout(socket.options);
        self.blamed = None;
        self.step = Step::Subscribing(Box::new(Subscribe { number, sent, deadline, resent: false, authorization }));
    }

    /// Nothing is unsubscribed before a subscribe that repeats one: an acknowledgement of either is then valid.
    fn send_subscribe(
        &mut self,
        name: &ChannelName,
        authorization: Option<&Authorization>,
        socket: &mut SocketContext<'_>,
    ) {
        socket.send(wire::subscribe(name, authorization));
        self.answers.subscribed(socket.now);
    }

    /// Asks once more for the acknowledgement that has not come.
    pub(super) fn resend(&mut self, name: &ChannelName, mut subscribe: Box<Subscribe>, socket: &mut SocketContext<'_>) {
        self.send_subscribe(name, subscribe.authorization.as_ref(), socket);
        subscribe.resent = true;
        subscribe.deadline = socket.now + self.acknowledgement_timeout(socket.options);
        self.step = Step::Subscribing(subscribe);
    }

    /// Unsubscribes: answers to what was asked before count for nothing from now on.
    pub(super) fn unsubscribe(&mut self, name: &ChannelName, socket: &mut SocketContext<'_>) {
        socket.send(wire::unsubscribe(name));
        self.answers.unsubscribed();
    }

    /// Handles the acknowledgement. The early events of an encrypted channel are left to be opened.
    pub(super) fn subscribed(&mut self, name: &ChannelName, extra: Extra, socket: &mut SocketContext<'_>) {
        (self.step, self.suspicion) = (Step::Subscribed, Suspicion::None);
        self.trouble_before = self.trouble.take().map(|before| Box::new(before.dated(socket.now)));
        (self.absence, self.unanswered) = (Absence::None, None);
        let continuity = match std::mem::replace(&mut self.track, Track::Live) {
            Track::Fresh | Track::Live => Continuity::Fresh,
            Track::Lost { since, cause } => Continuity::Gap { since, until: socket.now, cause },
        };
        let members = if let Extra::Presence(members) = &extra { Some(members.clone()) } else { None };
        let is_sealed = matches!(extra, Extra::Sealed(_));
        (self.extra, self.is_plain) = (extra, !is_sealed && !socket.options.report_unknown);
        socket.report(Report::Subscribed { channel: name.clone(), continuity, members });
        if is_sealed {
            return;
        }
        let Some(early) = self.early.take() else { return };
        let Early { events, dropped, .. } = *early;
        if dropped > 0 {
            socket.report(Report::Lagged { channel: name.clone(), dropped });
        }
        socket.outputs.extend(events.into_iter().map(Output::Event));
    }

    /// A subscribed channel is lost.
    pub(super) fn lost(&mut self, name: &ChannelName, since: Time, cause: GapCause, outputs: &mut Queue) {
        self.end_extra(name, outputs);
        self.track = Track::Lost { since, cause };
        outputs.push_back(Output::Report(Report::Interrupted { channel: name.clone(), since, cause }));
    }

    pub(super) fn early_bytes(&self) -> usize {
        self.early.as_ref().map_or(0, |early| early.bytes)
    }

    /// Drops the events of a subscription that can no longer be acknowledged.
    pub(super) fn drop_early(&mut self) {
        self.early = None;
    }

    /// Handles the end of the subscription: if it lasted only for a moment, the back-off continues where it was.
    pub(super) fn resume_trouble(&mut self, now: Time) {
        let before = self.trouble_before.take();
        let before = before.filter(|before| now.saturating_since(before.since) < STABLE_AFTER);
        self.trouble = before.map(|before| Box::new(before.dated(now)));
    }

    /// Counts a subscribe without an answer.
    pub(super) fn count_silence(&mut self, now: Time) {
        let trouble = self.trouble(now);
        trouble.slow_acknowledgements = trouble.slow_acknowledgements.saturating_add(1);
    }

    /// Reports a failed attempt, and tries again in this class.
    pub(super) fn fail(
        &mut self,
        name: &ChannelName,
        error: SubscriptionError,
        class: Class,
        retry_after: Option<Duration>,
        socket: &mut SocketContext<'_>,
    ) {
        let delay = self.trouble(socket.now).backoff.next_delay(class, retry_after, socket.rng);
        self.tell_failure(name, error, Some(delay), socket);
        let until = socket.now + delay;
        if let Step::Subscribing(subscribe) = std::mem::replace(&mut self.step, Step::Waiting { until, class }) {
            self.unanswered = Some(subscribe);
        }
        self.drop_early_of_nobody();
    }

    /// Reports a failed attempt that is the last until the caller acts.
    pub(super) fn give_up(&mut self, name: &ChannelName, error: SubscriptionError, socket: &mut SocketContext<'_>) {
        self.tell_failure(name, error, None, socket);
        (self.step, self.absence) = (Step::Failed, Absence::None);
        self.drop_early_of_nobody();
    }

    /// Handles a refusal that names the channel: if this was the last unanswered subscribe, no acknowledgement can
    /// come any more.
    pub(super) fn forget_refused(&mut self) {
        if !self.answers.may_be_valid() {
            self.unanswered = None;
            self.drop_early();
        }
    }

    /// Keeps early events as long as an acknowledgement may still come.
    fn drop_early_of_nobody(&mut self) {
        if self.unanswered.is_none() {
            self.drop_early();
        }
    }

    fn tell_failure(
        &mut self,
        name: &ChannelName,
        error: SubscriptionError,
        retry_in: Option<Duration>,
        socket: &mut SocketContext<'_>,
    ) {
        let trouble = self.trouble(socket.now);
        trouble.failures = trouble.failures.saturating_add(1);
        let (since, failures) = (trouble.since, trouble.failures);
        socket.report(Report::SubscriptionFailed { channel: name.clone(), error, since, failures, retry_in });
    }
}
