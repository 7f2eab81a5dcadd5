//! The invariants, after each input: over all that came out, in order, and over the state behind it.

use super::*;

/// What is known of a run from outside.
#[derive(Default)]
pub(super) struct Checks {
    /// Who is on the presence channel, as it is reported.
    pub(super) members: BTreeSet<String>,
    /// The number of the newest socket.
    newest: u64,
    reported: Option<ConnectionState>,
    pub(super) wants_connection: bool,
    pub(super) wanted: BTreeSet<&'static str>,
    /// Subscribed on the live socket, as reported.
    pub(super) subscribed: BTreeSet<String>,
    /// The server has closed with a code after which no attempt follows.
    is_refused: bool,
    pub(super) requests: Requests,
    pub(super) history: History,
}

impl Simulation {
    /// Looks at all that came out, in order, and at the state behind it.
    pub(super) fn check(&mut self) {
        let outputs = self.world.take();
        assert!(outputs.len() < 100, "I40: {} outputs after one input", outputs.len());
        for output in outputs {
            self.note(|| format!("    {output:?}"));
            self.check_output(output);
        }
        let connection = &self.world.connection;
        let state = connection.state();
        assert_eq!(connection.socket_id().is_some(), state == Connected, "I7");
        assert_eq!(state, self.checks.reported.unwrap_or(Disconnected), "I11");
        assert_eq!(connection.epoch(), self.socket.as_ref().map(|socket| socket.epoch), "I1");
        if state != Disconnected {
            assert!(connection.poll_timeout().is_some(), "I12: {state:?} and no timer");
        }
        assert_eq!(state == Disconnected, !self.checks.wants_connection, "R02, D01");
        assert!(state == Connected || self.checks.subscribed.is_empty(), "I27: no gap of {:?}", self.checks.subscribed);
    }

    fn check_output(&mut self, output: Output<'_>) {
        let now = self.world.now;
        match output {
            Output::OpenSocket { epoch, .. } => {
                assert!(self.socket.is_none(), "I1");
                assert!(epoch.0 > self.checks.newest, "I2");
                self.checks.newest = epoch.0;
                self.begin_attempt(epoch);
            }
            Output::CloseSocket { epoch, .. } => {
                assert_eq!(self.socket.take().map(|socket| socket.epoch), Some(epoch), "I5");
            }
            Output::SendText { epoch, text } => {
                let delay = self.habits.delay(&mut self.rng);
                let Some(socket) = &mut self.socket else { panic!("I6") };
                assert_eq!(socket.epoch, epoch, "I6");
                assert_eq!(self.checks.reported, Some(Connected), "nothing is sent before the handshake");
                socket.up.send(now, delay, self.checks.requests.sends(now, text.expose()));
            }
            Output::Authorize { id, channel, socket_id: signed_for, .. } => {
                let live = self.socket.as_ref().map(|socket| socket_id(socket.epoch));
                assert_eq!(Some(signed_for.as_str()), live.as_deref(), "I17");
                assert!(self.checks.wanted.contains(channel.as_str()), "I18: {channel}");
                self.begin_authorization(id, signed_for.as_str());
                assert!(self.authorizations.len() <= 8, "I19");
            }
            Output::Authenticate { .. } => panic!("nobody signs in"),
            Output::CancelAuthorization { id } => self.authorizations.retain(|pending| pending.id != id),
            Output::Report(report) => self.checks.report(now, report),
            Output::Event(event) => self.checks.event(event.channel().as_str(), event.name()),
        }
    }
}

impl Checks {
    pub(super) fn disconnect(&mut self) {
        self.wants_connection = false;
        self.subscribed.clear();
        self.history.ended();
    }

    pub(super) fn unsubscribe(&mut self, channel: &str) {
        self.wanted.remove(channel);
        self.subscribed.remove(channel);
        self.history.left(channel);
    }

    pub(super) fn replace(&mut self, old: &'static str, new: &'static str) {
        if old != new {
            self.wanted.remove(old);
            self.wanted.insert(new);
            if self.subscribed.remove(old) {
                // Its gap opens at once.
                self.subscribed.insert(new.to_owned());
            }
            self.history.replaced(old, new);
        }
    }

    pub(super) fn closed(&mut self, closed: &Closed) {
        self.is_refused = closed.code == Some(4001);
    }

    fn report(&mut self, now: Time, report: Report) {
        match report {
            Report::StateChanged { from, to, socket_id } => {
                assert_eq!(socket_id.is_some(), to == Connected, "I7");
                self.state_changed(now, from, to);
            }
            Report::Subscribed { channel, continuity, members } => {
                let channel = channel.as_str();
                assert_eq!(members.is_some(), channel == PRESENCE, "S20");
                if let Some(members) = members {
                    self.members = members.iter().map(|member| member.id().to_owned()).collect();
                }
                assert!(self.wanted.contains(channel), "I25: {channel}");
                assert!(self.subscribed.insert(channel.to_owned()), "I22: {channel}");
                self.requests.subscribed(channel);
                self.history.subscribed(now, channel, continuity);
            }
            Report::Interrupted { channel, since, cause } => {
                let channel = channel.as_str();
                assert_ne!(cause, GapCause::ProtocolViolation, "the server keeps to the protocol");
                assert!(self.subscribed.remove(channel), "I27: {channel} was not subscribed");
                self.requests.interrupted(channel, since);
                self.history.interrupted(channel, since);
            }
            Report::ConnectionFailed { retry_in: Some(delay), .. } => {
                assert!(delay <= Duration::from_secs(300), "I33: {delay:?}");
            }
            Report::ConnectionFailed { error, retry_in: None } => {
                assert!(self.is_refused, "{error}");
                self.wants_connection = false;
            }
            Report::SubscriptionFailed { channel, error, retry_in, .. } => {
                let expected = matches!(
                    error,
                    SubscriptionError::AuthorizationTimedOut
                        | SubscriptionError::AuthorizationUnavailable { .. }
                        | SubscriptionError::Denied { status: 403, .. }
                        | SubscriptionError::RejectedByServer { .. }
                        | SubscriptionError::Unacknowledged
                );
                assert!(expected, "{channel}: {error}");
                assert!(retry_in.is_some_and(|delay| delay <= Duration::from_secs(1_800)), "{channel}: {retry_in:?}");
            }
            Report::Lagged { channel, .. } => assert!(self.subscribed.contains(channel.as_str()), "{channel}"),
            Report::Suspended { .. } | Report::ServerError { .. } => {}
            Report::MemberAdded { member, .. } => {
                assert!(self.subscribed.contains(PRESENCE), "S20");
                assert!(self.members.insert(member.id().to_owned()), "S20: {} came twice", member.id());
            }
            Report::MemberRemoved { member, .. } => {
                assert!(self.subscribed.contains(PRESENCE), "S20");
                assert!(self.members.remove(member.id()), "S20: {} was not there", member.id());
            }
            // It is lost, and that is said in its place.
            Report::Undecryptable { channel, event, .. } => self.event(channel.as_str(), &event),
            Report::CacheMiss { .. }
            | Report::ClientEventFailed { .. }
            | Report::Message(_)
            | Report::SignedIn { .. }
            | Report::SignInFailed { .. }
            | Report::SubscriptionCount { .. }
            | Report::Unreadable { .. }
            | Report::Watchlist { .. } => panic!("{report:?}"),
        }
    }

    fn state_changed(&mut self, now: Time, from: ConnectionState, to: ConnectionState) {
        assert_eq!(from, self.reported.unwrap_or(Disconnected), "I10");
        let allowed = matches!(
            (from, to),
            (Disconnected, Connecting)
                | (Connecting, Connected | Reconnecting | Disconnected)
                | (Connected, Reconnecting | Disconnecting | Disconnected)
                | (Reconnecting, Connecting | Disconnected)
                | (Disconnecting, Disconnected)
        );
        assert!(allowed, "I9: {from:?} to {to:?}");
        self.reported = Some(to);
        if to == Connected {
            self.requests = Requests::established(now);
        }
    }

    fn event(&mut self, channel: &str, name: &str) {
        assert!(self.wanted.contains(channel), "I25: {name} of {channel}");
        assert!(self.subscribed.contains(channel), "I25: {name} of {channel} before its acknowledgement");
        self.history.delivered(channel, name.strip_prefix('e').unwrap().parse().unwrap());
    }

    /// On a device that is awake.
    pub(super) fn check_pace(&self, now: Time) {
        if self.reported == Some(Connected) {
            self.requests.check_pace(now);
        }
    }
}
