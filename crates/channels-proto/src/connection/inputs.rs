//! Inputs: what the network, the authorization endpoint and the clock did.

use std::{borrow::Cow, time::Duration};

use super::{
    Connection,
    channels::{Channels, Delivery},
    client_events::CLIENT_EVENT_REJECTED,
    lifecycle::{Close, Ending, Outage, Phase, judge_close},
};
use crate::{
    Authorization, AuthorizationError, AuthorizationId, ChannelName, Closed, ConnectFailure, ConnectionError, Data,
    Epoch, Event, FailureClass, FrameError, GapCause, Message, Output, Outputs, ProtocolViolation, Report, Time,
    backoff::Class,
    close::{self, RetryDecision},
    envelope::{self, Envelope},
    liveness::PROBE_TIMEOUT,
    user,
    wire::{self, Established, Rejection, ServerError},
};

impl Connection {
    /// Handles a successful WebSocket upgrade: the socket is open.
    pub fn handle_opened(&mut self, now: Time, epoch: Epoch) -> Outputs<'_, 'static> {
        if self.is_current(epoch)
            && let Phase::Opening { upgraded, .. } = &mut self.phase
        {
            *upgraded = true;
        }
        self.finish(now)
    }

    /// Handles a failure to open the socket.
    pub fn handle_connect_failed(&mut self, now: Time, epoch: Epoch, failure: ConnectFailure) -> Outputs<'_, 'static> {
        if self.is_current(epoch) {
            let ConnectFailure { class, kind, retry_after, message } = failure;
            let class = match class {
                FailureClass::Network => Class::Normal,
                FailureClass::Refused => Class::Slow,
            };
            let error = ConnectionError::Connect { kind, message };
            let ending = Ending::retry(error, GapCause::TransportLost, Close::Done);
            self.end_socket(now, Ending { decision: RetryDecision::Retry(class), retry_after, ..ending });
        }
        self.finish(now)
    }

    /// Handles received bytes that are not a message: a WebSocket ping or pong, or part of a message.
    pub fn handle_activity(&mut self, now: Time, epoch: Epoch) -> Outputs<'_, 'static> {
        if self.is_current(epoch) {
            self.note_activity(now);
        }
        self.finish(now)
    }

    /// Handles a binary message, which no Pusher server sends: it cannot be read.
    pub fn handle_binary(&mut self, now: Time, epoch: Epoch) -> Outputs<'_, 'static> {
        if self.is_current(epoch) {
            self.counters.binary_frames += 1;
            self.note_activity(now);
            self.take_unreadable(now, FrameError::Binary);
        }
        self.finish(now)
    }

    /// Handles one text message.
    #[inline]
    pub fn handle_text<'t>(&mut self, now: Time, epoch: Epoch, text: &'t str) -> Outputs<'_, 't> {
        let event = self.take_text(now, epoch, text);
        // The event is all that came of its message so far; what ends the input comes after it.
        let before = self.outputs.len();
        self.end_input(now);
        Outputs::with_event(&mut self.outputs, event, before)
    }

    fn take_text<'t>(&mut self, now: Time, epoch: Epoch, text: &'t str) -> Option<Event<'t>> {
        if !self.is_current(epoch) {
            return None;
        }
        self.note_activity(now);
        match Envelope::parse(text, &self.options.limits, &mut self.event_names) {
            Err(error) => return self.take_malformed(now, text, error),
            Ok(envelope) if matches!(self.phase, Phase::Opening { .. }) => self.take_first(now, epoch, &envelope),
            Ok(envelope) if is_internal(&envelope.event) => {
                self.take_internal(now, epoch, &envelope, text);
                self.settle_client_events(now);
            }
            Ok(envelope) => return self.take_event(now, envelope, text),
        }
        None
    }

    /// Handles the end of the socket.
    pub fn handle_closed(&mut self, now: Time, epoch: Epoch, closed: Closed) -> Outputs<'_, 'static> {
        if self.is_current(epoch) {
            let ending = self.judge(now, closed);
            self.end_socket(now, ending);
        }
        self.finish(now)
    }

    /// Handles the result of [`Output::Authorize`].
    pub fn handle_authorization(
        &mut self,
        now: Time,
        id: AuthorizationId,
        answer: Result<Authorization, AuthorizationError>,
    ) -> Outputs<'_, 'static> {
        if self.with_socket(now, |channels, socket| channels.authorize(id, answer, socket)) != Some(true) {
            self.counters.stale_inputs += 1;
        }
        self.finish(now)
    }

    /// Does whatever is due at `now`, if anything.
    pub fn handle_timeout(&mut self, now: Time) -> Outputs<'_, 'static> {
        if let Some(deadline) = self.outage.deadline()
            && now >= deadline
            && let Outage::Since(since) = self.outage
        {
            self.outage = Outage::Reported;
            self.report(Report::Suspended { channel: None, since });
        }
        match &self.phase {
            Phase::Idle => {}
            Phase::Waiting { until, .. } => {
                if now >= *until {
                    self.open(now);
                }
            }
            Phase::Opening { deadline, upgraded, .. } => {
                if now >= *deadline {
                    let step = if *upgraded {
                        "waiting for `pusher:connection_established`; is this a Pusher server?"
                    } else {
                        "opening the socket"
                    };
                    let after = self.last_attempt.map_or(Duration::ZERO, |began| deadline.saturating_since(began));
                    let error = ConnectionError::TimedOut { step, after };
                    self.slow_attempts = self.slow_attempts.saturating_add(1);
                    self.end_socket(now, Ending::retry(error, GapCause::Silent, Close::Abort));
                }
            }
            Phase::Up(_) => {
                if self.unreadable.deadline().is_some_and(|deadline| now >= deadline) {
                    let lost = self.unreadable.tell(now);
                    self.outputs.extend(lost.map(Output::Report));
                }
                self.check_liveness(now);
                self.check_sign_in(now);
                if let Some(Err(channel)) = self.with_socket(now, Channels::handle_timeout) {
                    let error = ConnectionError::Unacknowledged { channel };
                    let close = Close::Frame(super::NORMAL_CLOSURE);
                    self.end_socket(now, Ending::retry(error, GapCause::Unacknowledged, close));
                }
            }
        }
        self.finish(now)
    }

    /// The one place where an input of an old socket is dropped.
    fn is_current(&mut self, epoch: Epoch) -> bool {
        let current = self.epoch() == Some(epoch);
        if !current {
            self.counters.stale_inputs += 1;
        }
        current
    }

    /// Handles the first message of a socket: it establishes the connection, or is an error that says why not.
    fn take_first(&mut self, now: Time, epoch: Epoch, envelope: &Envelope<'_>) {
        match &*envelope.event {
            "pusher:connection_established" => match Established::parse(envelope.data) {
                Some(established) => self.establish(now, epoch, established),
                None => self.end_by_violation(now, ProtocolViolation::BadSocketId),
            },
            "pusher:error" => {
                let ServerError { code, message } = ServerError::parse(envelope.data);
                self.report(Report::ServerError { code, message: message.clone() });
                if let Some(code) = code {
                    let decision = close::classify(Some(code));
                    let error = closed_error(Some(code), message, true);
                    let cause = GapCause::ClosedByServer { code: Some(code) };
                    let ending = Ending::retry(error, cause, Close::Frame(super::NORMAL_CLOSURE));
                    self.end_socket(now, Ending { decision, ..ending });
                }
            }
            event => {
                let violation = ProtocolViolation::EventBeforeEstablished { event: event.to_owned() };
                self.end_by_violation(now, violation);
            }
        }
    }

    /// Handles one of the protocol's own messages on an established connection.
    fn take_internal(&mut self, now: Time, epoch: Epoch, envelope: &Envelope<'_>, text: &str) {
        let Envelope { event, channel, data, .. } = envelope;
        match (event.as_ref(), channel.as_deref()) {
            ("pusher:ping", None) => self.outputs.push_back(Output::SendText { epoch, text: wire::pong() }),
            ("pusher:pong", None) => self.take_pong(now),
            ("pusher:error", None) => self.take_error(now, ServerError::parse(*data)),
            // Sockudo names the channel whose subscribe it refuses.
            ("pusher:error", Some(channel)) => {
                let error = ServerError::parse(*data);
                if error.code == Some(CLIENT_EVENT_REJECTED) && self.refuse_client_event(now, Some(channel), &error) {
                    return;
                }
                let rejection = Rejection { status: error.code, message: error.message };
                self.with_socket(now, |channels, socket| channels.reject_unanswered(channel, rejection, socket));
            }
            ("pusher:connection_established", None) => {
                self.end_by_violation(now, ProtocolViolation::EstablishedTwice);
            }
            ("pusher_internal:subscription_succeeded", Some(channel)) => {
                let sent = self.with_socket(now, |channels, socket| channels.acknowledge(channel, *data, socket));
                if let (Phase::Up(live), Some(sent)) = (&mut self.phase, sent.flatten()) {
                    live.liveness.answered(sent);
                }
            }
            ("pusher:subscription_error", Some(channel)) => {
                let rejection = Rejection::parse(*data);
                self.with_socket(now, |channels, socket| channels.reject(channel, rejection, socket));
            }
            (_, Some(channel)) if self.take_news(now, event, channel, *data) => {}
            ("pusher:signin_success", None) => self.take_signed_in(now, *data),
            ("pusher_internal:watchlist_events", None) => {
                for (online, user_ids) in user::watchlist(*data) {
                    self.report(Report::Watchlist { online, user_ids });
                }
            }
            _ => {
                self.counters.ignored_internal_events += 1;
                self.report_unknown(envelope, text);
            }
        }
    }

    /// Handles what the server says about a channel beside its events. Returns whether it was that.
    fn take_news(&mut self, now: Time, event: &str, channel: &str, data: Data<'_>) -> bool {
        match event {
            "pusher_internal:member_added" => {
                self.with_socket(now, |channels, socket| channels.member_added(channel, data, socket));
            }
            "pusher_internal:member_removed" => {
                self.with_socket(now, |channels, socket| channels.member_removed(channel, data, socket));
            }
            "pusher_internal:subscription_count" | "pusher:subscription_count" | "pusher:cache_miss" => {
                let report = self.channels.subscribed(channel).and_then(|channel| match event {
                    "pusher:cache_miss" => Some(Report::CacheMiss { channel }),
                    _ => wire::subscription_count(data).map(|count| Report::SubscriptionCount { channel, count }),
                });
                match report {
                    Some(report) => self.report(report),
                    None => self.counters.ignored_internal_events += 1,
                }
            }
            _ => return false,
        }
        true
    }

    /// Reports a message that is nothing else, to whoever asks for it.
    fn report_unknown(&mut self, envelope: &Envelope<'_>, text: &str) {
        if self.options.report_unknown {
            let Envelope { event, channel, data, .. } = envelope;
            self.report(Report::Message(Message {
                event: (**event).into(),
                channel: channel.as_deref().map(Into::into),
                data: data.raw().into(),
                other_members: envelope::other_members(text),
            }));
        }
    }

    fn take_pong(&mut self, now: Time) {
        if let Phase::Up(live) = &mut self.phase
            && live.liveness.ponged(now)
        {
            self.ping(now, PROBE_TIMEOUT);
        }
    }

    fn take_error(&mut self, now: Time, error: ServerError) {
        self.report(Report::ServerError { code: error.code, message: error.message.clone() });
        if error.code == Some(CLIENT_EVENT_REJECTED) {
            self.refuse_client_event(now, None, &error);
        } else if self.refuse_sign_in(now, &error) {
            return;
        } else if error.code.is_some_and(|code| NAMELESS_REJECTIONS.contains(&code)) {
            self.with_socket(now, |channels, socket| channels.reject_some(&error, socket));
        }
        if let Phase::Up(live) = &mut self.phase {
            live.last_error = Some((now, error));
        }
    }

    /// Handles a malformed frame; an event whose name and channel can be read is delivered as it is.
    #[cold]
    fn take_malformed<'t>(&mut self, now: Time, text: &'t str, error: FrameError) -> Option<Event<'t>> {
        let is_up = matches!(self.phase, Phase::Up(_));
        let salvaged = if is_up { Envelope::salvage(text, &error, &self.options.limits) } else { None };
        match salvaged {
            Some(mut envelope) if !is_internal(&envelope.event) => {
                envelope.extras.get_or_insert_default().defect = Some(error);
                self.take_event(now, envelope, text)
            }
            Some(_) | None => {
                self.counters.malformed_frames += 1;
                self.take_unreadable(now, error);
                None
            }
        }
    }

    #[inline]
    fn take_event<'t>(&mut self, now: Time, envelope: Envelope<'t>, text: &'t str) -> Option<Event<'t>> {
        let delivery = envelope.channel.as_deref().map_or(Delivery::Nobody, |channel| self.channels.delivery(channel));
        match delivery {
            Delivery::Now(channel) => Some(event_of(envelope, channel, text)),
            Delivery::Special(channel) => self.take_special(now, event_of(envelope, channel, text), text),
            Delivery::Early(channel) => {
                self.keep_early(event_of(envelope, channel, text), text);
                None
            }
            Delivery::Nobody => {
                self.take_event_of_nobody(&envelope, text);
                None
            }
        }
    }

    /// Handles an event that has to be looked at before it is delivered.
    #[inline(never)]
    fn take_special<'t>(&mut self, now: Time, event: Event<'t>, text: &str) -> Option<Event<'t>> {
        let event = self.with_other_members(event, text);
        if !self.channels.is_sealed(event.channel()) {
            return Some(event);
        }
        self.with_socket(now, |channels, socket| channels.take_sealed(event.into_owned(), socket));
        None
    }

    /// Keeps an event that came before the acknowledgement of its channel.
    #[cold]
    fn keep_early(&mut self, event: Event<'_>, text: &str) {
        let event = self.with_other_members(event, text);
        self.channels.keep_early(event.into_owned(), &self.options.limits);
    }

    /// Adds the members of the message that are not known, for those who ask for them.
    fn with_other_members<'t>(&self, mut event: Event<'t>, text: &str) -> Event<'t> {
        if self.options.report_unknown {
            let other_members = envelope::other_members(text);
            if !other_members.is_empty() {
                event.extras.get_or_insert_default().other_members = other_members;
            }
        }
        event
    }

    /// Handles an event without a channel, or of a channel that is not subscribed.
    #[cold]
    fn take_event_of_nobody(&mut self, envelope: &Envelope<'_>, text: &str) {
        if envelope.channel.is_some() {
            self.counters.unexpected_events += 1;
        } else if let Some((online, user_ids)) =
            self.sign_in.as_ref().and_then(|_| user::watched_of(&envelope.event, envelope.data))
        {
            self.report(Report::Watchlist { online, user_ids });
        } else {
            self.counters.unexpected_events += 1;
            self.report_unknown(envelope, text);
        }
    }

    fn judge(&mut self, now: Time, closed: Closed) -> Ending {
        let Closed { code, reason, error } = closed;
        if error.is_some() && code == Some(MESSAGE_TOO_LONG) {
            let error = ConnectionError::MessageTooLong { limit: self.options.limits.max_message_bytes };
            return Ending::retry(error, GapCause::MessageTooLong, Close::Done);
        }
        let ((mut decision, said), early) = match &self.phase {
            Phase::Up(live) => (judge_close(now, code, &reason, live.last_error.as_ref()), false),
            Phase::Idle | Phase::Waiting { .. } | Phase::Opening { .. } => ((close::classify(code), None), true),
        };
        let refused = error.is_none() && code.is_some_and(|code| SUBSCRIBE_REFUSED.contains(&code));
        let suspected =
            refused && self.with_socket(now, |channels, socket| channels.suspect(code, socket)) == Some(true);
        if suspected && decision == RetryDecision::Trouble {
            // One channel explains it, and has been dealt with: no reason to slow down the others. What an error said
            // stands.
            decision = RetryDecision::Retry(Class::Normal);
        }
        if let (RetryDecision::Unauthorized, Some(code), Phase::Up(_)) = (decision, code, &self.phase)
            && self.explains_close(now, code, &reason)
        {
            decision = RetryDecision::Retry(Class::Normal);
        }
        let cause = match (&error, code) {
            (None, code) => GapCause::ClosedByServer { code },
            (Some(_), None) => GapCause::TransportLost,
            (Some(_), Some(_)) => GapCause::ProtocolViolation,
        };
        let error = match error {
            Some(message) => ConnectionError::Lost { message },
            None => closed_error(code, reason, early),
        };
        Ending { decision, said, ..Ending::retry(error, cause, Close::Done) }
    }
}

#[inline]
fn event_of<'t>(envelope: Envelope<'t>, channel: ChannelName, text: &'t str) -> Event<'t> {
    let Envelope { event: name, data, extras, .. } = envelope;
    let data_is_part = data.is_part();
    Event { channel, name, data: Cow::Borrowed(data.raw()), data_is_part, frame_bytes: text.len(), extras }
}

fn is_internal(event: &str) -> bool {
    event.strip_prefix("pusher").is_some_and(|rest| rest.starts_with(':') || rest.starts_with("_internal:"))
}

const fn closed_error(code: Option<u16>, reason: String, early: bool) -> ConnectionError {
    if early { ConnectionError::ClosedEarly { code, reason } } else { ConnectionError::Closed { code, reason } }
}

/// The code of a message over a limit; RFC 6455, section 7.4.1.
const MESSAGE_TOO_LONG: u16 = 1009;
/// Error codes by which Sockudo and Reverb refuse a subscribe without naming the channel.
const NAMELESS_REJECTIONS: [u16; 2] = [4009, 4300];
/// Close codes by which push1st refuses a subscribe (1002), and what another server might use (1008, policy).
const SUBSCRIBE_REFUSED: [u16; 2] = [1002, 1008];
