//! The machine's outputs: what it wants done and reported.

use std::sync::Arc;

use channels_proto::{
    CloseFrame, ConnectionError, ConnectionState, Continuity as Proven, Epoch, Event, Output, Outputs, Report,
};

use super::{
    driver::{Driver, SocketState},
    gap_times::Span,
    jobs,
    turnstile::Turn,
};
use crate::{AuthenticationRequest, AuthorizationRequest, Continuity, Decoder, Item, delivery::Entry};

impl<D: Decoder> Driver<D> {
    /// Does everything the machine wants after a change.
    #[inline]
    pub(super) fn carry_out(&mut self, mut outputs: Outputs<'_, '_>) {
        // By reference: nothing is moved for it.
        for output in &mut outputs {
            self.perform(output);
        }
    }

    fn take_event(&mut self, event: Event<'_>) {
        self.leave |= self.turn.take_event(&self.core, &mut self.decoder, event);
    }

    fn perform(&mut self, output: Output<'_>) {
        match output {
            Output::OpenSocket { epoch, authorizations } => {
                self.authorizations_needed = authorizations;
                self.open(epoch);
            }
            Output::SendText { epoch, text } => {
                if let SocketState::Up(current, socket) = &mut self.socket
                    && *current == epoch
                {
                    socket.send(text, self.opener.random());
                    self.messages[1] += 1;
                }
            }
            Output::CloseSocket { epoch, close } => self.close(epoch, close),
            Output::Authorize { id, channel, socket_id, refresh_token, .. } => {
                let request = AuthorizationRequest { channel, socket_id, refresh_token };
                self.prepared = true;
                let job = self.spawn(jobs::authorize(Arc::clone(&self.authorizer), id, request));
                self.authorizations.insert(id, job);
            }
            Output::Authenticate { id, socket_id, refresh_token } => {
                let request = AuthenticationRequest { socket_id, refresh_token };
                self.prepared = true;
                let job = self.spawn(jobs::authenticate(Arc::clone(&self.authorizer), id, request));
                self.authorizations.insert(id, job);
            }
            Output::CancelAuthorization { id } => {
                if let Some(job) = self.authorizations.remove(&id) {
                    job.abort();
                }
            }
            Output::Report(report) => self.tell(report),
            Output::Event(event) => self.take_event(event),
            _ => {}
        }
    }

    fn open(&mut self, epoch: Epoch) {
        match self.search.begin_attempt() {
            Some(Err(error)) => {
                self.socket = SocketState::Opening(epoch, Box::pin(jobs::without_address(epoch, &error)));
                return;
            }
            Some(Ok(address)) => {
                self.new_app_key = Some(address.app_key.clone());
                self.opener = Arc::new(self.opener.at(address));
            }
            None => {}
        }
        let turnstile = self.opener.turnstile();
        match turnstile.try_turn() {
            Some(turn) => self.connect_in_turn(epoch, Some(turn)),
            None => {
                let waiting = jobs::wait_for_turn(epoch, turnstile.clone());
                self.socket = SocketState::Opening(epoch, Box::pin(waiting));
            }
        }
    }

    pub(super) fn take_turn_to_connect(&mut self, epoch: Epoch, turn: Option<Turn>) {
        if matches!(self.socket, SocketState::Opening(current, _) if current == epoch) {
            self.connect_in_turn(epoch, turn);
        }
    }

    fn connect_in_turn(&mut self, epoch: Epoch, turn: Option<Turn>) {
        if let Some(earlier) = self.connecting.take() {
            earlier.abort();
        }
        self.connecting = turn.map(|turn| self.spawn(jobs::hold(turn)));
        self.socket = SocketState::Opening(epoch, Box::pin(Arc::clone(&self.opener).open(epoch)));
        let needed = self.authorizations_needed;
        if needed > 0 {
            self.prepared = true;
            if self.preparing.is_none() {
                self.preparing = Some(self.spawn(jobs::prepare(Arc::clone(&self.authorizer), needed)));
            }
        }
    }

    fn close(&mut self, epoch: Epoch, close: Option<CloseFrame>) {
        if matches!(self.socket, SocketState::Opening(current, _) if current == epoch) {
            self.socket = SocketState::Down;
        } else if let Some(socket) = self.take_socket(epoch)
            && close.is_some()
        {
            self.closing.spawn(socket.close(close));
        }
    }

    fn tell(&mut self, report: Report) {
        let report = self.report_without_secrets(report);
        let Self { clock, gap_times, .. } = self;
        let clock = clock.as_ref();
        let item = match report {
            Report::StateChanged { from, to, socket_id } => {
                match to {
                    ConnectionState::Disconnected => {
                        gap_times.clear();
                        self.lost = false;
                    }
                    ConnectionState::Connected => {
                        self.search.connected();
                        self.core.count_connection(gap_times.wall(clock, clock.now()), self.lost);
                    }
                    ConnectionState::Reconnecting => self.lost |= from == ConnectionState::Connected,
                    ConnectionState::Connecting | ConnectionState::Disconnecting => {}
                }
                tracing::debug!(?from, ?to, "the state changed");
                self.turn.state = Some((to, socket_id));
                Item::StateChanged { from, to }
            }
            Report::Subscribed { channel, continuity, members } => {
                let continuity = if let Proven::Gap { since, until, cause } = continuity {
                    self.core.count_gap(until.saturating_since(since));
                    let Span { since, until, clock } = gap_times.end(clock, &channel, since, until);
                    Continuity::Gap { since, until, clock, cause }
                } else {
                    gap_times.forget(&channel);
                    Continuity::Fresh
                };
                Item::Subscribed { channel, continuity, members }
            }
            Report::Interrupted { channel, since, cause } => {
                let (since, clock) = gap_times.begin(clock, &channel, since);
                Item::Interrupted { channel, since, clock, cause }
            }
            Report::SubscriptionFailed { channel, error, since, failures, retry_in } => {
                let since = gap_times.wall(clock, since);
                Item::SubscriptionFailed { channel, error, since, failures, retry_in }
            }
            Report::Lagged { channel, dropped } => Item::Lagged { channel: Some(channel), dropped },
            Report::ConnectionFailed { error, retry_in } => {
                tracing::debug!(error = kind(&error), is_final = error.is_final(), ?retry_in, "the connection failed");
                if let Some(provider) = self.search.failed(clock.now(), &error) {
                    self.spawn(jobs::find(provider));
                }
                Item::ConnectionFailed { error, retry_in }
            }
            Report::ServerError { code, message } => Item::ServerError { code, message },
            Report::Suspended { channel, since } => Item::Suspended { channel, since: gap_times.wall(clock, since) },
            Report::Unreadable { lost, last } => Item::Unreadable { lost, last },
            Report::SignedIn { user } => Item::SignedIn { user },
            Report::SignInFailed { error, retry_in } => Item::SignInFailed { error, retry_in },
            Report::MemberAdded { .. }
            | Report::MemberRemoved { .. }
            | Report::SubscriptionCount { .. }
            | Report::CacheMiss { .. }
            | Report::Undecryptable { .. }
            | Report::ClientEventFailed { .. }
            | Report::Watchlist { .. }
            | Report::Message(_)
            | _ => {
                self.turn.entries.extend(news(report));
                return;
            }
        };
        self.turn.entries.push(Entry::report(item));
    }
}

/// What is no event, and is dropped like one when the consumer is slow.
fn news<T>(report: Report) -> Option<Entry<T>> {
    let (item, size) = match report {
        Report::MemberAdded { channel, member } => {
            let size = member.id().len() + member.info().map_or(0, str::len);
            (Item::MemberAdded { channel, member }, size)
        }
        Report::MemberRemoved { channel, member } => {
            let size = member.id().len() + member.info().map_or(0, str::len);
            (Item::MemberRemoved { channel, member }, size)
        }
        Report::SubscriptionCount { channel, count } => (Item::SubscriptionCount { channel, count }, 0),
        Report::CacheMiss { channel } => (Item::CacheMiss { channel }, 0),
        Report::Undecryptable { channel, event, error } => {
            let size = event.len();
            (Item::Undecryptable { channel, event, error }, size)
        }
        Report::ClientEventFailed { channel, event, error } => {
            let size = event.as_ref().map_or(0, |event| event.len());
            (Item::ClientEventFailed { channel, event, error }, size)
        }
        Report::Watchlist { online, user_ids } => {
            let size = user_ids.iter().map(|id| id.len() + size_of::<Box<str>>()).sum();
            (Item::Watchlist { online, user_ids }, size)
        }
        Report::Message(message) => {
            let others = message.other_members.iter().map(|(name, value)| name.len() + value.len());
            let size = message.event.len() + message.data.len() + others.sum::<usize>();
            (Item::Message(message), size)
        }
        Report::StateChanged { .. }
        | Report::Subscribed { .. }
        | Report::SignedIn { .. }
        | Report::SignInFailed { .. }
        | Report::Interrupted { .. }
        | Report::SubscriptionFailed { .. }
        | Report::Lagged { .. }
        | Report::ConnectionFailed { .. }
        | Report::ServerError { .. }
        | Report::Suspended { .. }
        | Report::Unreadable { .. }
        | _ => return None,
    };
    Some(Entry::news(item, size))
}

/// What a log record says of an error: its whole text may contain a channel's name or the server's text.
const fn kind(error: &ConnectionError) -> &'static str {
    match error {
        ConnectionError::Connect { .. } => "the socket could not be opened",
        ConnectionError::TimedOut { .. } => "the server did not establish the connection in time",
        ConnectionError::Closed { .. } => "the server closed the connection",
        ConnectionError::ClosedEarly { .. } => "the server closed the connection before it established it",
        ConnectionError::Lost { .. } => "the connection was lost",
        ConnectionError::MessageTooLong { .. } => "the server sent a message over the limit",
        ConnectionError::Silent { .. } => "the server was silent",
        ConnectionError::Violation(_) => "the server violated the protocol",
        ConnectionError::Unacknowledged { .. } => "the server did not acknowledge a subscription",
        ConnectionError::Refused { .. } => "the server refused the connection",
        ConnectionError::GaveUp { .. } => "no other attempt follows",
        _ => "another failure",
    }
}
