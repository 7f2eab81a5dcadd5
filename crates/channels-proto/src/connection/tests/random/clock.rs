//! What happens by itself while time passes, in the order in which the driver takes it.

use super::*;

/// One thing that happens at its time.
#[derive(Clone, Copy, Debug)]
pub(super) enum Turn {
    Publish,
    Break,
    ServerReads,
    Attempt,
    Authorization,
    ClientReads,
    Timer,
}

impl Simulation {
    pub(super) fn advance(&mut self, seconds: f64) {
        let until = self.world.now + Duration::from_secs_f64(seconds);
        for _ in 0..MOST_TURNS {
            let Some((at, turn)) = self.next_turn().filter(|(at, _)| *at <= until) else {
                self.world.now = until;
                return;
            };
            self.world.now = at;
            self.take(turn);
            self.check();
        }
        panic!("there is no end of what happens within {seconds} s");
    }

    /// What is late happens now. Of what happens at the same time, what the driver looks at first comes first: what was
    /// received before a timer.
    fn next_turn(&self) -> Option<(Time, Turn)> {
        let socket = self.socket.as_ref();
        let around = [
            (Some(self.next_event), Turn::Publish),
            (socket.and_then(|socket| socket.breaks), Turn::Break),
            (socket.and_then(Socket::server_reads_at), Turn::ServerReads),
        ];
        let client = [
            (socket.and_then(|socket| socket.attempt).map(|(at, _)| at), Turn::Attempt),
            (self.authorizations.iter().map(|authorization| authorization.arrives).min(), Turn::Authorization),
            (socket.and_then(|socket| socket.down.next_arrival()), Turn::ClientReads),
            (self.world.connection.poll_timeout(), Turn::Timer),
        ];
        let client = client.into_iter().filter(|_| !self.is_asleep);
        let turns = around.into_iter().chain(client).filter_map(|(at, turn)| Some((at?.max(self.world.now), turn)));
        turns.min_by_key(|(at, _)| *at)
    }

    fn take(&mut self, turn: Turn) {
        match turn {
            Turn::Publish => self.publish_any(),
            Turn::Break => self.break_socket(),
            Turn::ServerReads => self.server_reads(),
            Turn::Attempt => self.end_attempt(),
            Turn::Authorization => self.answer_authorization(),
            Turn::ClientReads => self.client_reads(),
            Turn::Timer => self.world.command(Connection::handle_timeout),
        }
    }

    /// Draws what becomes of an attempt to open a socket.
    pub(super) fn begin_attempt(&mut self, epoch: Epoch) {
        let at = self.world.now + self.habits.delay(&mut self.rng);
        let drawn = if self.is_calm { 99 } else { self.rng.u32(0..40) };
        let attempt = match drawn {
            0 => None,
            1 => Some((at, Attempt::Fails(FailureClass::Refused))),
            2..=4 => Some((at, Attempt::Fails(FailureClass::Network))),
            _ => Some((at, Attempt::Opens)),
        };
        self.socket = Some(Socket::new(epoch, attempt));
    }

    fn end_attempt(&mut self) {
        let Some(socket) = &mut self.socket else { return };
        let (epoch, Some((_, attempt))) = (socket.epoch, socket.attempt.take()) else { return };
        self.note(|| format!("the attempt {attempt:?}"));
        match attempt {
            Attempt::Opens => {
                self.world.command(|connection, now| connection.handle_opened(now, epoch));
                let data = format!(r#"{{\"socket_id\":\"{}\",\"activity_timeout\":120}}"#, socket_id(epoch));
                self.say(&format!(r#"{{"event":"pusher:connection_established","data":"{data}"}}"#), Answer::Nothing);
            }
            Attempt::Fails(class) => {
                self.socket = None;
                let (kind, message) = (ConnectFailureKind::Network, "no".to_owned());
                let failure = ConnectFailure { class, kind, retry_after: None, message };
                self.world.command(|connection, now| connection.handle_connect_failed(now, epoch, failure));
            }
        }
    }

    pub(super) fn begin_authorization(&mut self, id: AuthorizationId, socket_id: &str) {
        let unavailable = |message: &str| AuthorizationError::unavailable(message);
        let yes = Authorization::new(format!("key:{socket_id}")).with_channel_data(r#"{"user_id":1}"#);
        #[cfg(feature = "encryption")]
        let yes = yes.with_shared_secret(crate::secretbox::tests::encode(&[self.key; 32]));
        let (answer, wait) = match if self.is_calm { 99 } else { self.rng.u32(0..20) } {
            0 => (Err(unavailable("no")), 0.0),
            1 => (Err(AuthorizationError::TimedOut), 10.0),
            2 => (Err(AuthorizationError::denied(403)), 0.0),
            3 => (Ok(yes), 15.0),
            _ => (Ok(yes), 0.0),
        };
        let arrives = self.world.now + self.habits.delay(&mut self.rng) + self.up_to(wait);
        self.authorizations.push(PendingAuthorization { id, arrives, answer });
    }

    fn answer_authorization(&mut self) {
        let first = self.authorizations.iter().enumerate().min_by_key(|(_, authorization)| authorization.arrives);
        let Some((place, _)) = first else { return };
        let PendingAuthorization { id, answer, .. } = self.authorizations.remove(place);
        self.world.command(|connection, now| connection.handle_authorization(now, id, answer));
    }

    fn client_reads(&mut self) {
        let now = self.world.now;
        let Some(socket) = &mut self.socket else { return };
        let (epoch, Some(message)) = (socket.epoch, socket.down.receive(now)) else { return };
        self.note(|| format!("the client reads {message:?}"));
        match message {
            Message::Text { text, sent, answer } => {
                self.checks.requests.reads(now, sent, answer);
                self.world.text_of(epoch, &text);
            }
            Message::Fragment { sent } => {
                self.checks.requests.reads(now, sent, Answer::Nothing);
                self.world.command(|connection, now| connection.handle_activity(now, epoch));
            }
            Message::Closed(closed) => {
                self.socket = None;
                self.checks.closed(&closed);
                self.world.command(|connection, now| connection.handle_closed(now, epoch, closed));
                // The dead socket still talks.
                let stale = self.world.connection.counters().stale_inputs;
                self.world.text_of(epoch, PONG);
                assert_eq!(self.world.connection.counters().stale_inputs, stale + 1, "I3");
            }
        }
    }
}

/// In one stretch of time; more means that something happens without end.
const MOST_TURNS: usize = 20_000;
