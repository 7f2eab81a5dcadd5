//! Attempts, the live socket, and how either ends.

use std::time::Duration;

use super::{Connection, ConnectionState, STABLE_AFTER, SUSPENDED_AFTER};
use crate::{
    CloseFrame, ConnectionError, Epoch, FrameError, GapCause, Options, Output, ProtocolViolation, Report, SocketId,
    Time,
    backoff::{Class, lengthened},
    close::{self, RetryDecision},
    connection::{channels::Channels, unreadable::Unreadable},
    liveness::{Due, Liveness},
    wire::{self, Established, ServerError},
};

/// What the connection is doing.
#[derive(Debug)]
pub(super) enum Phase {
    Idle,
    /// The next attempt starts at `until`; a hint may bring it forward to `not_before`.
    Waiting {
        until: Time,
        not_before: Time,
    },
    Opening {
        epoch: Epoch,
        deadline: Time,
        upgraded: bool,
    },
    Up(Box<Live>),
}

/// A socket on which the server established the connection.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) epoch: Epoch,
    pub(super) socket_id: SocketId,
    pub(super) is_push1st: bool,
    pub(super) liveness: Liveness,
    pub(super) last_error: Option<(Time, ServerError)>,
    /// Since when every wanted channel is subscribed; none as well once the back-off was reset for it.
    pub(super) settled_since: Option<Time>,
    /// The back-off was reset on this socket.
    pub(super) stable: bool,
}

/// The time without a connection.
#[derive(Debug)]
pub(super) enum Outage {
    None,
    Since(Time),
    Reported,
}

impl Outage {
    pub(super) fn deadline(&self) -> Option<Time> {
        match self {
            Self::Since(since) => Some(*since + SUSPENDED_AFTER),
            Self::None | Self::Reported => None,
        }
    }
}

/// How a socket or an attempt ends.
pub(super) struct Ending {
    pub(super) error: ConnectionError,
    pub(super) decision: RetryDecision,
    /// What the server said shortly before, when the decision follows from that.
    pub(super) said: Option<ServerError>,
    pub(super) cause: GapCause,
    pub(super) retry_after: Option<Duration>,
    /// Whether the socket has still to be closed, and with which frame.
    pub(super) close: Close,
}

impl Ending {
    /// An ending after which the usual back-off follows.
    pub(super) fn retry(error: impl Into<ConnectionError>, cause: GapCause, close: Close) -> Self {
        let decision = RetryDecision::Retry(Class::Normal);
        Self { error: error.into(), decision, said: None, cause, retry_after: None, close }
    }
}

pub(super) enum Close {
    /// The socket is gone.
    Done,
    /// No close frame can be sent.
    Abort,
    Frame(u16),
}

impl Connection {
    pub(super) fn open(&mut self, now: Time) {
        self.epochs += 1;
        self.counters.attempts += 1;
        self.last_attempt = Some(now);
        self.unreadable = Unreadable::default();
        let epoch = Epoch(self.epochs);
        let Options { connect_timeout, max_connect_timeout, .. } = self.options;
        let deadline = now + lengthened(connect_timeout, max_connect_timeout, self.slow_attempts);
        self.phase = Phase::Opening { epoch, deadline, upgraded: false };
        self.set_state(ConnectionState::Connecting);
        let authorizations = self.channels.authorizations_needed().min(self.options.limits.max_authorizations);
        self.outputs.push_back(Output::OpenSocket { epoch, authorizations });
    }

    /// Ends a back-off at `earliest`, and no sooner than a second after the last attempt began.
    pub(super) fn hurry(&mut self, now: Time, earliest: Time) {
        let earliest = self.last_attempt.map_or(earliest, |last| earliest.max(last + ATTEMPTS_APART));
        if now >= earliest {
            self.open(now);
        } else if let Phase::Waiting { until, .. } = &mut self.phase {
            *until = earliest.min(*until);
        }
    }

    pub(super) fn establish(&mut self, now: Time, epoch: Epoch, established: Established) {
        let Established { socket_id, activity_timeout, is_push1st } = established;
        let liveness = Liveness::new(now, self.options.activity_timeout, self.options.pong_timeout, activity_timeout);
        self.phase = Phase::Up(Box::new(Live {
            epoch,
            socket_id,
            is_push1st,
            liveness,
            last_error: None,
            settled_since: None,
            stable: false,
        }));
        self.outage = Outage::None;
        (self.slow_attempts, self.failed_attempts) = (0, 0);
        self.set_state(ConnectionState::Connected);
        self.channels.begin_socket(now);
        self.with_socket(now, Channels::advance);
        self.advance_sign_in(now);
    }

    /// Records that something was received on the live socket.
    pub(super) fn note_activity(&mut self, now: Time) {
        if let Phase::Up(live) = &mut self.phase {
            live.liveness.received(now);
        }
    }

    pub(super) fn ping(&mut self, now: Time, within: Duration) {
        let Phase::Up(live) = &mut self.phase else { return };
        live.liveness.pinged(now, within);
        let epoch = live.epoch;
        self.counters.pings += 1;
        self.outputs.push_back(Output::SendText { epoch, text: wire::ping() });
    }

    pub(super) fn check_liveness(&mut self, now: Time) {
        let Phase::Up(live) = &self.phase else { return };
        match live.liveness.check(now) {
            Due::Nothing => {}
            Due::Ping(within) => self.ping(now, within),
            Due::Dead => {
                let error = ConnectionError::Silent { silence: live.liveness.silence(now) };
                self.end_socket(now, Ending::retry(error, GapCause::Silent, Close::Abort));
            }
        }
    }

    /// Handles a message that cannot be read. On an established connection it may have been an event.
    pub(super) fn take_unreadable(&mut self, now: Time, error: FrameError) {
        if matches!(self.phase, Phase::Up(_)) {
            let lost = self.unreadable.lose(now, error.clone());
            self.outputs.extend(lost.map(Output::Report));
        }
        if self.unreadable.count(now) {
            self.end_by_violation(now, ProtocolViolation::TooManyMalformedFrames { last: error });
        }
    }

    pub(super) fn end_by_violation(&mut self, now: Time, violation: ProtocolViolation) {
        let ending = Ending::retry(violation, GapCause::ProtocolViolation, Close::Frame(PROTOCOL_ERROR));
        self.end_socket(now, Ending { decision: RetryDecision::Trouble, ..ending });
    }

    /// The one way in which a socket or an attempt ends without the caller asking for it.
    pub(super) fn end_socket(&mut self, now: Time, ending: Ending) {
        let Ending { error, decision, said, cause, retry_after, close } = ending;
        let Some(epoch) = self.epoch() else { return };
        let close = match close {
            Close::Done => None,
            Close::Abort => Some(None),
            Close::Frame(code) => Some(Some(CloseFrame { code, reason: "" })),
        };
        if let Some(close) = close {
            self.outputs.push_back(Output::CloseSocket { epoch, close });
        }
        if let Some(lost) = self.unreadable.tell(now) {
            self.report(lost);
        }
        self.end_client_events();
        self.end_sign_in();
        let lost_at = match &self.phase {
            Phase::Up(live) => {
                self.outage = Outage::Since(now);
                Some(live.liveness.certain_until())
            }
            Phase::Idle | Phase::Waiting { .. } | Phase::Opening { .. } => {
                self.failed_attempts = self.failed_attempts.saturating_add(1);
                None
            }
        };
        match self.decide(now, decision) {
            None => self.stop(refused(error, said)),
            Some(_) if !self.may_try_again() => {
                self.stop(ConnectionError::GaveUp { attempts: self.failed_attempts, last: Box::new(error) });
            }
            Some(class) => {
                let longest = self.options.max_reconnect_delay;
                let delay = self.backoff.next_delay_within(longest, class, retry_after, &mut self.rng);
                let until = now + delay;
                // What the server asked for stands; a hint that the network has changed may end the rest of the wait.
                let not_before = if retry_after.is_some() { until } else { now + class.floor() };
                self.phase = Phase::Waiting { until, not_before };
                self.set_state(ConnectionState::Reconnecting);
                self.report(Report::ConnectionFailed { error, retry_in: Some(delay) });
            }
        }
        if let Some(since) = lost_at {
            self.channels.end_socket(now, since, cause, &mut self.outputs);
        }
    }

    /// No attempt follows until the caller connects again.
    fn stop(&mut self, error: ConnectionError) {
        self.phase = Phase::Idle;
        self.outage = Outage::None;
        self.drop_client_events();
        self.set_state(ConnectionState::Disconnected);
        self.report(Report::ConnectionFailed { error, retry_in: None });
    }

    fn may_try_again(&self) -> bool {
        let Options { auto_reconnect, max_attempts, .. } = self.options;
        auto_reconnect && max_attempts.is_none_or(|most| self.failed_attempts < most)
    }

    fn decide(&mut self, now: Time, decision: RetryDecision) -> Option<Class> {
        match decision {
            RetryDecision::Retry(class) => Some(class),
            RetryDecision::Trouble => Some(self.backoff.count_trouble(now)),
            RetryDecision::Unauthorized if self.unauthorized => {
                // The current token is refused: when the caller connects again, a new one is needed.
                self.refresh_token = true;
                None
            }
            RetryDecision::Unauthorized => {
                (self.unauthorized, self.refresh_token) = (true, true);
                Some(Class::Normal)
            }
            RetryDecision::Stop => None,
        }
    }

    /// Settles what follows from any input: whether the connection is complete, and since when.
    pub(super) fn end_input(&mut self, now: Time) {
        let settled = self.channels.is_settled();
        let Phase::Up(live) = &mut self.phase else { return };
        match (settled, live.settled_since) {
            (true, None) if !live.stable => live.settled_since = Some(now),
            (false, Some(_)) => live.settled_since = None,
            (true, Some(since)) if now.saturating_since(since) >= STABLE_AFTER => {
                (live.stable, live.settled_since) = (true, None);
                self.backoff.reset();
                self.unauthorized = false;
            }
            (true | false, _) => {}
        }
    }
}

/// What a close means together with a `pusher:error` shortly before it: one decision, the stricter; a socket that ended
/// without a code means what the error said. Returns that error when it decides, or says more than an equal close.
pub(super) fn judge_close(
    now: Time,
    code: Option<u16>,
    reason: &str,
    last_error: Option<&(Time, ServerError)>,
) -> (RetryDecision, Option<ServerError>) {
    let closed = close::classify(code);
    let recent = last_error.filter(|(at, _)| now.saturating_since(*at) <= ERROR_EXPLAINS_CLOSE);
    let Some((_, error)) = recent.filter(|(_, error)| error.code.is_some()) else { return (closed, None) };
    let announced = close::classify(error.code);
    let says_more = error.code == code && reason.is_empty();
    if code.is_none() || strictness(announced) > strictness(closed) || says_more {
        return (announced, Some(error.clone()));
    }
    (closed, None)
}

/// The error after which no attempt follows: it names the code that says so, whether that came in an error or with the
/// close.
fn refused(error: ConnectionError, said: Option<ServerError>) -> ConnectionError {
    let (code, text) = match (said, error) {
        (Some(ServerError { code: Some(code), message }), _) => (code, message),
        (
            _,
            ConnectionError::Closed { code: Some(code), reason }
            | ConnectionError::ClosedEarly { code: Some(code), reason },
        ) => (code, reason),
        (_, error) => return error,
    };
    let message = if text.is_empty() { close::name_of(code).to_owned() } else { text };
    ConnectionError::Refused { code, message }
}

const fn strictness(decision: RetryDecision) -> u8 {
    match decision {
        RetryDecision::Retry(Class::Immediate) => 0,
        RetryDecision::Retry(Class::Normal) => 1,
        RetryDecision::Retry(Class::Overloaded) => 2,
        RetryDecision::Trouble => 3,
        RetryDecision::Retry(Class::Slow | Class::Rare) => 4,
        RetryDecision::Unauthorized => 5,
        RetryDecision::Stop => 6,
    }
}

/// Fault R05.
const ATTEMPTS_APART: Duration = Duration::from_secs(1);
/// Fault C10: how close before a close an error has to come to explain it.
pub(super) const ERROR_EXPLAINS_CLOSE: Duration = Duration::from_secs(2);
/// RFC 6455, section 7.4.1.
pub(super) const PROTOCOL_ERROR: u16 = 1002;
