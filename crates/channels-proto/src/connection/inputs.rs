//! Inputs: what the network, the authorization endpoint and the clock did.

use std::{borrow::Cow, time::Duration};

use super::{
    Connection,
    channels::{Channels, Delivery},
    lifecycle::{Close, Ending, Outage, Phase, judge_close},
};
use crate::{
    Authorization, AuthorizationError, AuthorizationId, Closed, ConnectFailure, ConnectionError, Epoch, Event,
    FailureClass, FrameError, GapCause, Output, Outputs, ProtocolViolation, Report, Time,
    backoff::Class,
    close::{self, RetryDecision},
    envelope::Envelope,
    event::Extras,
    liveness::PROBE_TIMEOUT,
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
            Ok(envelope) if is_internal(&envelope.event) => self.take_internal(now, epoch, &envelope),
            Ok(envelope) => return self.take_event(envelope, text.len(), None),
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
    fn take_internal(&mut self, now: Time, epoch: Epoch, envelope: &Envelope<'_>) {
        let Envelope { event, channel, data, .. } = envelope;
        match (event.as_ref(), channel.as_deref()) {
            ("pusher:ping", None) => self.outputs.push_back(Output::SendText { epoch, text: wire::pong() }),
            ("pusher:pong", None) => self.take_pong(now),
            ("pusher:error", None) => self.take_error(now, ServerError::parse(*data)),
            // Sockudo names the channel whose subscribe it refuses.
            ("pusher:error", Some(channel)) => {
                let ServerError { code, message } = ServerError::parse(*data);
                let rejection = Rejection { status: code, message };
                self.with_socket(now, |channels, socket| channels.reject_unanswered(channel, rejection, socket));
            }
            ("pusher:connection_established", None) => {
                self.end_by_violation(now, ProtocolViolation::EstablishedTwice);
            }
            ("pusher_internal:subscription_succeeded", Some(channel)) => {
                let sent = self.with_socket(now, |channels, socket| channels.acknowledge(channel, socket));
                if let (Phase::Up(live), Some(sent)) = (&mut self.phase, sent.flatten()) {
                    live.liveness.answered(sent);
                }
            }
            ("pusher:subscription_error", Some(channel)) => {
                let rejection = Rejection::parse(*data);
                self.with_socket(now, |channels, socket| channels.reject(channel, rejection, socket));
            }
            _ => self.counters.ignored_internal_events += 1,
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
        if error.code.is_some_and(|code| NAMELESS_REJECTIONS.contains(&code)) {
            self.with_socket(now, |channels, socket| channels.reject_some(&error, socket));
        }
        if let Phase::Up(live) = &mut self.phase {
            live.last_error = Some((now, error));
        }
    }

    /// Handles a malformed frame; an event whose name and channel can be read is delivered as it is.
    fn take_malformed<'t>(&mut self, now: Time, text: &'t str, error: FrameError) -> Option<Event<'t>> {
        let is_up = matches!(self.phase, Phase::Up(_));
        let salvaged = if is_up { Envelope::salvage(text, &error, &self.options.limits) } else { None };
        match salvaged {
            Some(envelope) if !is_internal(&envelope.event) => self.take_event(envelope, text.len(), Some(error)),
            Some(_) | None => {
                self.counters.malformed_frames += 1;
                self.take_unreadable(now, error);
                None
            }
        }
    }

    fn take_event<'t>(
        &mut self,
        envelope: Envelope<'t>,
        frame_bytes: usize,
        defect: Option<FrameError>,
    ) -> Option<Event<'t>> {
        let Envelope { event: name, channel, data, user_id } = envelope;
        let delivery = channel.map_or(Delivery::Nobody, |channel| self.channels.delivery(&channel));
        let (channel, is_early) = match delivery {
            Delivery::Now(channel) => (channel, false),
            Delivery::Early(channel) => (channel, true),
            Delivery::Nobody => {
                self.counters.unexpected_events += 1;
                return None;
            }
        };
        let (data_is_part, extras) = (data.is_part(), Extras::new(user_id, defect));
        let event = Event { channel, name, data: Cow::Borrowed(data.raw()), data_is_part, frame_bytes, extras };
        if is_early {
            self.channels.keep_early(event.into_owned(), &self.options.limits);
            return None;
        }
        Some(event)
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
