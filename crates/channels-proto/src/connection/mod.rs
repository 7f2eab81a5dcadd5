mod channels;
mod client_events;
mod inputs;
mod lifecycle;
mod sign_in;
mod state;
#[cfg(test)]
mod tests;
mod unreadable;

use std::time::Duration;

use fastrand::Rng;

use self::{
    channels::{Channels, SocketContext},
    lifecycle::{Outage, Phase},
    sign_in::SignIn,
    unreadable::Unreadable,
};
pub use self::{client_events::SendError, state::ConnectionState};
use crate::{
    AppKey, ChannelName, CloseFrame, Counters, Epoch, Options, Output, Outputs, Report, SocketId, SubscribeError, Time,
    backoff::{self, Backoff},
    client_event::ClientEvents,
    event_name::EventNames,
    liveness::PROBE_TIMEOUT,
    outputs::Queue,
};

/// One client's connection to a Pusher server: the protocol without the network.
///
/// The methods fall into three families:
///
/// - *getters* ([`state`](Self::state), [`socket_id`](Self::socket_id), …) change nothing;
///   [`poll_timeout`](Self::poll_timeout) returns when [`handle_timeout`](Self::handle_timeout) is due;
/// - *commands* ([`connect`](Self::connect), [`subscribe`](Self::subscribe), …) say what the caller wants; they are
///   idempotent, and the last one wins;
/// - *inputs* (`handle_*`) say what the network, the authorization endpoint or the clock did. All but the timeout
///   carry the [`Epoch`] of their socket or the id of their authorization; one that is not current has no effect.
///
/// **Change once, then drain**: each command and each input returns [`Outputs`], an iterator over everything that has
/// to be done, reported and delivered, in one order. Carry it out, then wait for the next input until `poll_timeout`.
/// When bytes can be read and a timeout is due, read first: what was received may cancel the timeout.
///
/// Time is an argument and randomness comes from the seed, so a run can be replayed exactly. Time may stand still or
/// step back without harm.
#[derive(Debug)]
pub struct Connection {
    options: Options,
    rng: Rng,
    state: ConnectionState,
    phase: Phase,
    epochs: u64,
    channels: Channels,
    backoff: Backoff,
    outage: Outage,
    unreadable: Unreadable,
    client_events: Option<Box<ClientEvents>>,
    sign_in: Option<Box<SignIn>>,
    last_attempt: Option<Time>,
    /// Consecutive attempts that failed.
    failed_attempts: u32,
    /// Consecutive attempts that took too long.
    slow_attempts: u32,
    /// The server closed with 4009 and the connection has not been stable since.
    unauthorized: bool,
    /// The next authorizations request a fresh token.
    refresh_token: bool,
    outputs: Queue,
    counters: Counters,
    event_names: EventNames,
}

impl Connection {
    /// Creates a connection in the disconnected state. `seed` determines everything random in it.
    #[must_use]
    pub fn new(options: Options, seed: u64) -> Self {
        Self {
            options,
            rng: backoff::seeded(seed),
            state: ConnectionState::Disconnected,
            phase: Phase::Idle,
            epochs: 0,
            channels: Channels::default(),
            backoff: Backoff::new(),
            outage: Outage::None,
            unreadable: Unreadable::default(),
            client_events: None,
            sign_in: None,
            last_attempt: None,
            failed_attempts: 0,
            slow_attempts: 0,
            unauthorized: false,
            refresh_token: false,
            outputs: Queue::new(),
            counters: Counters::default(),
            event_names: EventNames::default(),
        }
    }

    /// Returns the state last reported, or about to be.
    #[must_use]
    pub const fn state(&self) -> ConnectionState {
        self.state
    }

    /// Returns the id of the live socket: there is one exactly while the state is connected.
    #[must_use]
    pub const fn socket_id(&self) -> Option<&SocketId> {
        match &self.phase {
            Phase::Up(live) => Some(&live.socket_id),
            Phase::Idle | Phase::Waiting { .. } | Phase::Opening { .. } => None,
        }
    }

    /// Returns the number of the socket that is open or being opened.
    #[must_use]
    pub const fn epoch(&self) -> Option<Epoch> {
        match &self.phase {
            Phase::Up(live) => Some(live.epoch),
            Phase::Opening { epoch, .. } => Some(*epoch),
            Phase::Idle | Phase::Waiting { .. } => None,
        }
    }

    /// Returns whether every requested channel is subscribed, given up, or being retried slowly.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        matches!(self.phase, Phase::Up(_)) && self.channels.is_settled()
    }

    /// Returns the time between the last `pusher:ping` that was answered on the current socket and its `pusher:pong`.
    #[must_use]
    pub const fn round_trip(&self) -> Option<Duration> {
        match &self.phase {
            Phase::Up(live) => live.liveness.round_trip(),
            Phase::Idle | Phase::Waiting { .. } | Phase::Opening { .. } => None,
        }
    }

    /// Returns what has been dropped or tolerated so far.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Requests a connection. Does nothing while there is one or an attempt is in progress; during a back-off it ends
    /// the wait, but no sooner than a second after the last attempt began. From the disconnected state everything
    /// starts afresh: earlier failures are forgotten, and channels that were given up are tried again.
    pub fn connect(&mut self, now: Time) -> Outputs<'_, 'static> {
        match self.phase {
            Phase::Idle => {
                self.backoff = Backoff::new();
                (self.unauthorized, self.slow_attempts, self.failed_attempts) = (false, 0, 0);
                self.channels.forgive();
                self.reset_sign_in();
                self.outage = Outage::Since(now);
                self.open(now);
            }
            Phase::Waiting { .. } => self.hurry(now, now),
            Phase::Opening { .. } | Phase::Up(_) => {}
        }
        self.finish(now)
    }

    /// Ends the connection. Whatever the state, it becomes disconnected at once; the requested channels stay
    /// requested, and start afresh with the next [`connect`](Self::connect).
    pub fn disconnect(&mut self, now: Time) -> Outputs<'_, 'static> {
        if matches!(self.phase, Phase::Up(_)) {
            self.set_state(ConnectionState::Disconnecting);
        }
        self.drop_client_events();
        self.reset_sign_in();
        if let Some(epoch) = self.epoch() {
            let close = matches!(self.phase, Phase::Up(_) | Phase::Opening { upgraded: true, .. })
                .then_some(CloseFrame { code: NORMAL_CLOSURE, reason: "" });
            self.outputs.push_back(Output::CloseSocket { epoch, close });
        }
        self.phase = Phase::Idle;
        self.channels.reset(&mut self.outputs);
        self.backoff = Backoff::new();
        self.outage = Outage::None;
        (self.unauthorized, self.refresh_token, self.last_attempt, self.slow_attempts) = (false, false, None, 0);
        self.set_state(ConnectionState::Disconnected);
        self.finish(now)
    }

    /// Sets the app key of future sockets, in answer to [`Output::OpenSocket`] at the latest: an authorization signed
    /// for another key is rejected.
    pub fn set_app_key(&mut self, app_key: AppKey) {
        self.options.app_key = app_key;
    }

    /// Subscribes to a channel, on this socket and on later ones. Repeating it does nothing, except that a channel
    /// that was given up, or is being retried slowly, is tried again now.
    ///
    /// # Errors
    /// When channels of its kind are not supported, or there are too many channels.
    pub fn subscribe(&mut self, now: Time, channel: ChannelName) -> Result<Outputs<'_, 'static>, SubscribeError> {
        self.channels.want(channel, self.options.limits.max_channels)?;
        self.with_socket(now, Channels::advance);
        Ok(self.finish(now))
    }

    /// Unsubscribes from a channel: none of its events is delivered from now on.
    pub fn unsubscribe(&mut self, now: Time, channel: &ChannelName) -> Outputs<'_, 'static> {
        if self.with_socket(now, |channels, socket| channels.leave(channel, socket)).is_none() {
            self.channels.forget(channel);
        }
        self.finish(now)
    }

    /// Subscribes to `new` in place of `old`, for a consumer that sees the two as one: what was missed of `old`
    /// counts as missed of `new`, and a gap begins no later than `since`, when the first event of `new` may have been
    /// sent. When `old` is subscribed, the gap opens now. When both are the same channel, or `old` is not requested,
    /// this is a [`subscribe`](Self::subscribe) to `new`; the same channel is also authorized anew if that is under way.
    ///
    /// # Errors
    /// When channels of its kind are not supported, or there are too many channels; then `old` stays.
    pub fn replace(
        &mut self,
        now: Time,
        old: &ChannelName,
        new: &ChannelName,
        since: Time,
    ) -> Result<Outputs<'_, 'static>, SubscribeError> {
        if old == new {
            self.with_socket(now, |channels, link| channels.ask_anew(new, link));
        }
        if old == new || !self.channels.is_wanted(old) || !new.kind().is_supported() {
            return self.subscribe(now, new.clone());
        }
        if matches!(self.phase, Phase::Up(_)) {
            self.with_socket(now, |channels, socket| channels.replace(old, new, since, socket));
        } else {
            self.channels.replace_offline(old, new, since, &self.options);
        }
        Ok(self.finish(now))
    }

    /// Handles a change of the device's network: the connection is probed, and abandoned after 5 s without an answer;
    /// a back-off ends, except for the wait that the server asked for (a `Retry-After`, or a second after 4100 to
    /// 4199); an attempt in progress has at most [`Options::connect_timeout`] from now on.
    pub fn network_changed(&mut self, now: Time) -> Outputs<'_, 'static> {
        self.slow_attempts = 0;
        match &mut self.phase {
            Phase::Up(live) => {
                if live.liveness.doubted(now) {
                    self.ping(now, PROBE_TIMEOUT);
                }
            }
            Phase::Waiting { not_before, .. } => {
                let not_before = *not_before;
                self.hurry(now, not_before);
            }
            Phase::Opening { deadline, .. } => *deadline = (now + self.options.connect_timeout).min(*deadline),
            Phase::Idle => {}
        }
        self.finish(now)
    }

    /// Handles the program's return from a suspension. Does what [`network_changed`](Self::network_changed) does:
    /// after a sleep the network is as doubtful as after a change.
    pub fn resumed(&mut self, now: Time) -> Outputs<'_, 'static> {
        self.network_changed(now)
    }

    /// Returns what was left of the outputs of earlier calls.
    pub const fn outputs(&mut self) -> Outputs<'_, 'static> {
        Outputs::new(&mut self.outputs)
    }

    /// Frees memory that is needed only while connecting.
    pub fn shrink(&mut self) {
        self.outputs.shrink_to_fit();
        self.channels.shrink();
    }

    /// Returns when [`handle_timeout`](Self::handle_timeout) is due, unless something else happens first.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let phase = match &self.phase {
            Phase::Idle => return None,
            Phase::Waiting { until, .. } => Some(*until),
            Phase::Opening { deadline, .. } => Some(*deadline),
            Phase::Up(live) => {
                let stable = live.settled_since.map(|since| since + STABLE_AFTER);
                let sign_in = self.sign_in.as_ref().and_then(|sign_in| sign_in.deadline());
                let deadlines = [
                    Some(live.liveness.deadline()),
                    self.channels.deadline(),
                    stable,
                    self.unreadable.deadline(),
                    sign_in,
                    self.client_event_deadline(),
                ];
                deadlines.into_iter().flatten().min()
            }
        };
        [phase, self.outage.deadline()].into_iter().flatten().min()
    }

    /// Runs `change` on the channels when there is a live socket to act on.
    fn with_socket<R>(
        &mut self,
        now: Time,
        change: impl FnOnce(&mut Channels, &mut SocketContext<'_>) -> R,
    ) -> Option<R> {
        let Phase::Up(live) = &self.phase else { return None };
        let mut socket = SocketContext {
            now,
            epoch: live.epoch,
            socket_id: &live.socket_id,
            is_push1st: live.is_push1st && !self.options.trust_push1st,
            certain_until: live.liveness.certain_until(),
            refresh_token: &mut self.refresh_token,
            options: &self.options,
            rng: &mut self.rng,
            outputs: &mut self.outputs,
            counters: &mut self.counters,
        };
        Some(change(&mut self.channels, &mut socket))
    }

    /// Ends a command or an input.
    fn finish(&mut self, now: Time) -> Outputs<'_, 'static> {
        self.settle_client_events(now);
        self.end_input(now);
        Outputs::new(&mut self.outputs)
    }

    fn set_state(&mut self, to: ConnectionState) {
        if self.state != to {
            let from = std::mem::replace(&mut self.state, to);
            let socket_id = self.socket_id().filter(|_| to == ConnectionState::Connected).cloned();
            self.report(Report::StateChanged { from, to, socket_id });
        }
    }

    fn report(&mut self, report: Report) {
        self.outputs.push_back(Output::Report(report));
    }
}

/// RFC 6455, section 7.4.1.
const NORMAL_CLOSURE: u16 = 1000;
/// Fault R06.
const SUSPENDED_AFTER: Duration = Duration::from_secs(2 * 60);
/// The back-off forgets earlier failures once a connection has been complete for this long.
const STABLE_AFTER: Duration = Duration::from_secs(10);
