//! One input a turn, and what the machine is told of it.

use channels_proto::{Connection, ConnectionState, Epoch, Outputs, SubscribeError, Time};

use super::{
    Next, Task,
    driver::SocketState,
    jobs::{self, Done},
};
use crate::{
    Decoder, SocketAddress, SocketAddressError,
    incoming::Texts,
    intent::Replacement,
    socket::{Received, Socket, reproach},
};

impl<D: Decoder> Task<D> {
    /// Changes the machine, and does everything it wants after that.
    fn drive<'t>(&mut self, now: Time, change: impl for<'m> FnOnce(&'m mut Connection) -> Outputs<'m, 't>) {
        self.driver.carry_out(change(&mut self.machine));
        self.follow_up(now);
    }

    /// The same with a change that may be refused. Returns whether it was made.
    fn try_drive(
        &mut self,
        now: Time,
        change: impl for<'m> FnOnce(&'m mut Connection) -> Result<Outputs<'m, 'static>, SubscribeError>,
    ) -> bool {
        let Ok(outputs) = change(&mut self.machine) else { return false };
        self.driver.carry_out(outputs);
        self.follow_up(now);
        true
    }

    /// Tells the machine what has come up while its outputs were carried out.
    fn follow_up(&mut self, now: Time) {
        let Self { machine, driver, .. } = self;
        if let Some(app_key) = driver.new_app_key.take() {
            machine.set_app_key(app_key);
        }
        while std::mem::take(&mut driver.leave) {
            driver.carry_out(machine.disconnect(now));
        }
    }

    /// Carries out what the callers want.
    pub(super) fn take_intent(&mut self, now: Time) -> Next {
        let Some((steps, requests)) = self.driver.core.steps(&mut self.carried_out) else {
            return Next::Input;
        };
        // Nothing is sent in a session that was ended, not even that a channel is left.
        if let Some(session) = steps.new_session {
            self.drive(now, |machine| machine.disconnect(now));
            // The caller's thread has made the report of this in its own session.
            self.driver.turn.begin(session);
        }
        self.driver.turn.version = steps.version;
        for channel in &steps.unsubscribe {
            self.driver.gap_times.forget(channel);
            self.drive(now, |machine| machine.unsubscribe(now, channel));
        }
        for replacement in steps.replace {
            self.replace(now, replacement);
        }
        for channel in steps.renew {
            // One that has no place yet stays postponed.
            self.try_drive(now, |machine| machine.replace(now, &channel, &channel, now));
        }
        self.postponed.retain(|channel| !steps.unsubscribe.contains(channel));
        self.postponed.extend(steps.subscribe);
        self.subscribe_postponed(now);
        if steps.connect && steps.wanted {
            self.drive(now, |machine| machine.connect(now));
        }
        if steps.network_changed {
            self.drive(now, |machine| machine.network_changed(now));
        }
        if steps.resumed {
            self.drive(now, |machine| machine.resumed(now));
        }
        if let Some(signed_in) = steps.sign_in {
            self.drive(now, |machine| if signed_in { machine.sign_in(now) } else { machine.sign_out(now) });
        }
        for request in requests {
            self.request(now, request);
        }
        if steps.end {
            self.drive(now, |machine| machine.disconnect(now));
        }
        self.driver.core.carried_out(steps.version);
        if steps.end { Next::End } else { Next::Input }
    }

    fn replace(&mut self, now: Time, Replacement { old, new, since }: Replacement) {
        if let Some(postponed) = self.postponed.iter_mut().find(|channel| **channel == old) {
            *postponed = new;
            return;
        }
        self.driver.gap_times.hand_on(&old, &new);
        if !self.try_drive(now, |machine| machine.replace(now, &old, &new, since)) {
            self.postponed.push(new);
        }
    }

    /// Kind and number were checked when the caller asked, so what is refused here has to wait until others are left.
    pub(super) fn subscribe_postponed(&mut self, now: Time) {
        for channel in std::mem::take(&mut self.postponed) {
            if !self.try_drive(now, |machine| machine.subscribe(now, channel.clone())) {
                self.postponed.push(channel);
            }
        }
    }

    /// Takes what came in, and more of it while there is more, but not so much that a timer is late. `now` moves on with
    /// what is read: nothing may be dated before it came in, however long the decoder or the process has stood still.
    pub(super) fn take_messages(&mut self, now: &mut Time, first: Received) -> Next {
        let mut received = Some(first);
        let mut taken = 0;
        while taken < BATCH {
            let SocketState::Up(epoch, _) = self.driver.socket else { break };
            let Some(message) = received.take().or_else(|| self.read_on(now)) else { break };
            taken += self.take_message(*now, epoch, message, BATCH - taken);
        }
        self.take_due(*now);
        if taken == BATCH { Next::More } else { Next::Input }
    }

    fn read_on(&mut self, now: &mut Time) -> Option<Received> {
        let received = self.driver.socket.try_received()?;
        *now = self.driver.clock.now();
        Some(received)
    }

    pub(super) fn take_done(&mut self, now: Time, done: Done) -> Next {
        match done {
            Done::Opened(epoch, opened) => self.take_opened(now, epoch, opened),
            Done::Authorized(id, answer) => {
                if self.driver.authorizations.remove(&id).is_some() {
                    if let Ok(authorization) = &answer {
                        self.driver.remember(&authorization.auth);
                    }
                    self.drive(now, |machine| machine.handle_authorization(now, id, answer));
                }
            }
            Done::Authenticated(id, answer) => {
                if self.driver.authorizations.remove(&id).is_some() {
                    if let Ok(authentication) = &answer {
                        self.driver.remember(&authentication.auth);
                    }
                    self.drive(now, |machine| machine.handle_authentication(now, id, answer));
                }
            }
            Done::Prepared => self.driver.preparing = None,
            Done::Turn(epoch, turn) => self.driver.take_turn_to_connect(epoch, turn),
            Done::TurnOver => self.driver.connecting = None,
            Done::Found(answer) => self.take_address(now, answer),
            Done::Watch => self.look_after_handler(),
        }
        Next::Input
    }

    pub(super) fn take_timer(&mut self, now: Time) -> Next {
        self.timer_at = None;
        self.take_due(now);
        Next::Input
    }

    pub(super) fn watch_handler_if(&mut self, at_work: bool) {
        if at_work && self.watched_call.is_none() {
            self.watched_call = Some((0, 0));
            self.driver.spawn(jobs::watch());
        }
    }

    fn take_due(&mut self, now: Time) {
        if self.machine.poll_timeout().is_some_and(|due| due <= now) {
            self.drive(now, |machine| machine.handle_timeout(now));
        }
    }

    /// Returns how many messages it was: at most `most`.
    fn take_message(&mut self, now: Time, epoch: Epoch, message: Received, most: usize) -> usize {
        match message {
            Received::Texts(texts) => return self.take_texts(now, epoch, texts, most),
            Received::Text(text) => self.take_text(now, epoch, &text),
            Received::Binary => {
                self.driver.messages[0] += 1;
                self.drive(now, |machine| machine.handle_binary(now, epoch));
            }
            Received::Activity => self.drive(now, |machine| machine.handle_activity(now, epoch)),
            Received::Closed(closed) => {
                // The reason is what the server says, which may be anything.
                tracing::debug!(%epoch, code = ?closed.code, error = ?closed.error, "the socket is gone");
                if let Some(socket) = self.driver.take_socket(epoch) {
                    self.driver.closing.spawn(socket.close(reproach(&closed)));
                }
                self.drive(now, |machine| machine.handle_closed(now, epoch, closed));
            }
        }
        1
    }

    /// Takes up to `most` texts, as long as the socket is the live one, and gives the rest back to it. Returns how many.
    fn take_texts(&mut self, now: Time, epoch: Epoch, mut texts: Texts, most: usize) -> usize {
        let mut taken = 0;
        while taken < most
            && let Some(text) = texts.next_text()
        {
            self.take_text(now, epoch, text);
            taken += 1;
            if !matches!(self.driver.socket, SocketState::Up(current, _) if current == epoch) {
                return taken;
            }
        }
        if let SocketState::Up(_, socket) = &mut self.driver.socket {
            socket.give_back(texts);
        }
        taken
    }

    fn take_text(&mut self, now: Time, epoch: Epoch, text: &str) {
        self.driver.messages[0] += 1;
        self.drive(now, |machine| machine.handle_text(now, epoch, text));
    }

    fn take_opened(&mut self, now: Time, epoch: Epoch, opened: Result<Box<Socket>, channels_proto::ConnectFailure>) {
        if !matches!(self.driver.socket, SocketState::Opening(current, _) if current == epoch) {
            return;
        }
        match opened {
            Ok(socket) => {
                self.driver.socket = SocketState::Up(epoch, socket);
                self.driver.signatures = Vec::new();
                self.drive(now, |machine| machine.handle_opened(now, epoch));
            }
            Err(failure) => {
                let failure = self.driver.failure_without_secrets(failure);
                tracing::debug!(%epoch, message = %failure.message, "the socket could not be opened");
                self.driver.socket = SocketState::Down;
                self.drive(now, |machine| machine.handle_connect_failed(now, epoch, failure));
            }
        }
    }

    fn take_address(&mut self, now: Time, answer: Result<SocketAddress, SocketAddressError>) {
        let is_new = answer.as_ref().is_ok_and(|address| address != self.driver.opener.address());
        self.driver.search.answered(now, answer);
        if self.machine.state() == ConnectionState::Connected {
            self.driver.search.connected();
        } else if is_new && self.driver.search.may_hurry() {
            // A back-off was about the old address; what the server asked for stands.
            self.drive(now, |machine| machine.network_changed(now));
        }
    }

    /// Fault K04: a handler that does not return is worth a line in the log.
    fn look_after_handler(&mut self) {
        let (call, at_work) = self.driver.core.handler_at_work();
        self.watched_call = match (call, self.watched_call) {
            (Some(call), Some((watched, seen))) if call == watched => {
                if seen + 1 == SEEN_TOO_OFTEN {
                    tracing::warn!("the handler has not returned for 5 s; later items wait");
                }
                Some((call, seen + 1))
            }
            (Some(call), _) => Some((call, 1)),
            (None, _) if at_work => Some((0, 0)),
            (None, _) => None,
        };
        if self.watched_call.is_some() {
            self.driver.spawn(jobs::watch());
        }
    }
}

/// Messages taken in one turn; timers and callers wait for no more than these.
const BATCH: usize = 64;
const SEEN_TOO_OFTEN: u32 = 3;
