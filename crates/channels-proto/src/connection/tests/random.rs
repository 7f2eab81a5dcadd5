//! Random runs against a server that keeps to the protocol and a network that does not, with the invariants checked
//! after every step. A failure names its seed.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;

use super::*;
use crate::{AuthorizationError, ConnectFailure, ConnectFailureKind, FailureClass, GapCause};
use ConnectionState::{Connected, Connecting, Disconnected, Disconnecting, Reconnecting};

const CHANNELS: [&str; 4] = ["private-token.t", "private-user.1", "public-a", "public-b"];

/// What the checks remember of a run.
#[derive(Default)]
struct Run {
    /// The socket that is open or being opened, as the outputs say.
    open: Option<Epoch>,
    newest: u64,
    established: bool,
    reported: Option<ConnectionState>,
    wants_connection: bool,
    wanted: BTreeSet<&'static str>,
    pending: Vec<(AuthorizationId, String)>,
    /// Messages on their way to the server on the live socket.
    to_server: Vec<String>,
    /// Messages on their way to the client, with the time they were sent.
    to_client: Vec<String>,
    /// What the server thinks is subscribed on the live socket.
    server: BTreeSet<String>,
    /// Subscribed on the live socket, as reported.
    subscribed: BTreeSet<String>,
    interrupted: BTreeMap<String, Time>,
    /// By channel: numbers sent by the server while the channel was subscribed there or the client believed so.
    sent: BTreeMap<String, Vec<(u64, Time)>>,
    delivered: BTreeMap<String, Vec<u64>>,
    gaps: BTreeMap<String, Vec<(Time, Time)>>,
    number: u64,
    silent: bool,
}

struct Simulation {
    world: World,
    run: Run,
    rng: Rng,
    steps: Vec<String>,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut world = World::new();
        world.connection = Connection::new(options(), seed);
        let run = Run { reported: Some(Disconnected), ..Run::default() };
        Self { world, run, rng: Rng::with_seed(seed), steps: vec![] }
    }

    fn step(&mut self) {
        let choice = self.rng.u32(0..100);
        self.steps.push(format!("{choice}"));
        match choice {
            0..=4 => {
                self.run.wants_connection = true;
                self.world.command(Connection::connect);
            }
            5 => {
                self.run.wants_connection = false;
                self.world.command(Connection::disconnect);
                self.forget_session();
            }
            6..=9 => {
                let channel = CHANNELS[self.rng.usize(0..CHANNELS.len())];
                self.run.wanted.insert(channel);
                self.world.subscribe(channel);
            }
            10 | 11 => {
                let channel = CHANNELS[self.rng.usize(0..CHANNELS.len())];
                self.run.wanted.remove(channel);
                self.run.subscribed.remove(channel);
                self.run.interrupted.remove(channel);
                self.run.sent.remove(channel);
                self.run.delivered.remove(channel);
                self.run.gaps.remove(channel);
                self.world.unsubscribe(channel);
            }
            12 => self.world.command(Connection::network_changed),
            13..=29 => self.answer_socket(),
            30..=49 => self.answer_authorization(),
            50..=64 => self.server_reads(),
            65..=79 => self.client_reads(),
            80..=88 => self.publish(),
            89 | 90 => self.cut(),
            91 => {
                self.run.silent = !self.run.silent;
                // What a network held back comes in one go.
                while !self.run.silent && self.run.established && !self.run.to_client.is_empty() {
                    self.client_reads();
                    self.check();
                }
            }
            92 => self.pass(40.0),
            _ => self.pass(0.5),
        }
        self.check();
    }

    fn pass(&mut self, seconds: f64) {
        // A message is under way for less than the client allows for: before time passes, it arrives.
        while !self.run.silent && self.run.established && !self.run.to_client.is_empty() {
            self.client_reads();
            self.check();
        }
        // Only one timer at a time, so that the outputs are seen before the next one fires.
        let until = self.world.now + Duration::from_secs_f64(self.rng.f64() * seconds);
        for _ in 0..1_000 {
            match self.world.connection.poll_timeout() {
                Some(due) if due <= until => {
                    self.world.now = self.world.now.max(due);
                    self.world.command(Connection::handle_timeout);
                    self.check();
                }
                _ => break,
            }
        }
        self.world.now = until;
    }

    fn answer_socket(&mut self) {
        let Some(epoch) = self.run.open.filter(|_| !self.run.established && !self.run.silent) else { return };
        if self.rng.u32(0..4) == 0 {
            let class = if self.rng.bool() { FailureClass::Network } else { FailureClass::Refused };
            let failure = ConnectFailure {
                class,
                kind: ConnectFailureKind::Network,
                retry_after: None,
                message: "no".to_owned(),
            };
            self.world.command(|connection, now| connection.handle_connect_failed(now, epoch, failure));
            self.run.open = None;
        } else {
            self.world.command(|connection, now| connection.handle_opened(now, epoch));
            self.run.established = true;
            self.world.text_of(epoch, ESTABLISHED);
        }
    }

    fn answer_authorization(&mut self) {
        if self.run.pending.is_empty() {
            return;
        }
        let (id, _) = self.run.pending.remove(self.rng.usize(0..self.run.pending.len()));
        let answer = match self.rng.u32(0..6) {
            0 => Err(AuthorizationError::Unavailable { message: "no".to_owned(), retry_after: None }),
            1 => Err(AuthorizationError::TimedOut),
            _ => Ok(signature()),
        };
        self.world.command(|connection, now| connection.handle_authorization(now, id, answer));
    }

    fn server_reads(&mut self) {
        if self.run.silent || self.run.to_server.is_empty() {
            return;
        }
        let text = self.run.to_server.remove(0);
        let channel = text.split(r#""channel":""#).nth(1).and_then(|rest| rest.split('"').next()).map(str::to_owned);
        match (text.contains("pusher:subscribe"), channel) {
            (true, Some(channel)) => {
                let ack = format!(r#"{{"event":"pusher_internal:subscription_succeeded","channel":"{channel}"}}"#);
                self.run.server.insert(channel);
                self.run.to_client.push(ack);
            }
            (false, Some(channel)) => {
                self.run.server.remove(&channel);
            }
            (_, None) => self.run.to_client.push(PONG.to_owned()),
        }
    }

    fn client_reads(&mut self) {
        let Some(epoch) = self.run.open.filter(|_| self.run.established && !self.run.silent) else { return };
        if !self.run.to_client.is_empty() {
            let text = self.run.to_client.remove(0);
            self.world.text_of(epoch, &text);
        }
    }

    fn publish(&mut self) {
        self.run.number += 1;
        let channel = CHANNELS[self.rng.usize(0..CHANNELS.len())].to_owned();
        if self.run.subscribed.contains(&channel) || self.run.interrupted.contains_key(&channel) {
            self.run.sent.entry(channel.clone()).or_default().push((self.run.number, self.world.now));
        }
        if self.run.server.contains(&channel) {
            let number = self.run.number;
            self.run.to_client.push(format!(r#"{{"event":"e{number}","channel":"{channel}","data":"{{}}"}}"#));
        }
    }

    fn cut(&mut self) {
        let Some(epoch) = self.run.open.filter(|_| self.run.established) else { return };
        let code = [None, Some(1001), Some(4200), Some(4100), Some(1011)][self.rng.usize(0..5)];
        self.world.command(|connection, now| {
            connection.handle_closed(now, epoch, Closed { code, ..Closed::default() });
        });
        self.end_socket();
        // The dead socket still talks.
        let stale = self.world.connection.counters().stale_inputs;
        self.world.text_of(epoch, PONG);
        assert_eq!(self.world.connection.counters().stale_inputs, stale + 1, "I3");
    }

    fn end_socket(&mut self) {
        (self.run.open, self.run.established) = (None, false);
        self.run.to_client.clear();
        self.run.to_server.clear();
        self.run.server.clear();
    }

    fn forget_session(&mut self) {
        self.run.interrupted.clear();
        self.run.subscribed.clear();
        self.run.sent.clear();
        self.run.delivered.clear();
        self.run.gaps.clear();
    }

    /// Looks at all that came out, in order, and at the state behind it.
    fn check(&mut self) {
        let events = std::mem::take(&mut self.world.events);
        let outputs = self.world.take();
        assert!(outputs.len() < 100, "I40: {} outputs after one input", outputs.len());
        for output in outputs {
            self.check_output(output);
        }
        for event in events {
            self.check_event(&event);
        }
        let connection = &self.world.connection;
        assert_eq!(connection.socket_id().is_some(), connection.state() == Connected, "I7");
        assert_eq!(Some(connection.state()), self.run.reported, "I11");
        assert_eq!(connection.epoch(), self.run.open, "I1");
        if connection.state() != Disconnected {
            assert!(connection.poll_timeout().is_some(), "I12: {:?} and no timer", connection.state());
        }
        assert_eq!(connection.state() == Disconnected, !self.run.wants_connection, "R02, D01");
    }

    fn check_output(&mut self, output: Output) {
        match output {
            Output::OpenSocket { epoch } => {
                assert_eq!(self.run.open, None, "I1");
                assert!(epoch.0 > self.run.newest, "I2");
                (self.run.open, self.run.newest) = (Some(epoch), epoch.0);
            }
            Output::CloseSocket { epoch, .. } => {
                assert_eq!(self.run.open, Some(epoch), "I5");
                self.end_socket();
            }
            Output::SendText { epoch, text } => {
                assert_eq!(self.run.open, Some(epoch), "I6");
                assert!(self.run.established, "nothing is sent before the handshake");
                let text = text.expose().to_owned();
                if text.contains("pusher:subscribe") && text.contains("private-") {
                    assert!(text.contains("key:abc"), "I17");
                }
                self.run.to_server.push(text);
            }
            Output::Authorize { id, channel, socket_id, .. } => {
                assert_eq!(socket_id.as_str(), "1.2", "I17");
                assert!(self.run.wanted.contains(channel.as_str()), "I18: {channel}");
                self.run.pending.push((id, channel.to_string()));
                assert!(self.run.pending.len() <= 8, "I19");
            }
            Output::CancelAuthorization { id } => self.run.pending.retain(|(pending, _)| *pending != id),
            Output::Report(report) => self.check_report(report),
        }
    }

    fn check_report(&mut self, report: Report) {
        match report {
            Report::StateChanged { from, to } => {
                assert_eq!(Some(from), self.run.reported, "I10");
                let allowed = matches!(
                    (from, to),
                    (Disconnected, Connecting)
                        | (Connecting, Connected | Reconnecting | Disconnected)
                        | (Connected, Reconnecting | Disconnecting | Disconnected)
                        | (Reconnecting, Connecting | Disconnected)
                        | (Disconnecting, Disconnected)
                );
                assert!(allowed, "I9: {from:?} to {to:?}");
                self.run.reported = Some(to);
                if to == Reconnecting {
                    self.run.subscribed.clear();
                }
            }
            Report::Subscribed { channel, continuity } => {
                let channel = channel.to_string();
                assert!(self.run.subscribed.insert(channel.clone()), "I22: {channel}");
                match (continuity, self.run.interrupted.remove(&channel)) {
                    (Continuity::Fresh, None) => {
                        self.run.sent.remove(&channel);
                        self.run.delivered.remove(&channel);
                    }
                    (Continuity::Gap { since, until, .. }, Some(opened)) => {
                        assert_eq!((since, until), (opened, self.world.now), "I27");
                        self.run.gaps.entry(channel).or_default().push((since, until));
                    }
                    (continuity, opened) => panic!("I27: {channel} {continuity:?} {opened:?}"),
                }
            }
            Report::Interrupted { channel, since, cause } => {
                assert_ne!(cause, GapCause::ProtocolViolation, "the server keeps to the protocol");
                assert!(since <= self.world.now);
                assert_eq!(self.run.interrupted.insert(channel.to_string(), since), None, "I27");
            }
            Report::ConnectionFailed { retry_in, .. } => {
                let delay = retry_in.expect("this server refuses nobody for good");
                assert!(delay <= Duration::from_secs(300), "I33");
            }
            Report::SubscriptionFailed { channel, error, retry_in, .. } => {
                let expected = matches!(
                    error,
                    SubscriptionError::AuthorizationTimedOut
                        | SubscriptionError::AuthorizationUnavailable { .. }
                        | SubscriptionError::Unacknowledged
                );
                assert!(expected, "{channel}: {error}");
                assert!(retry_in.is_some_and(|delay| delay <= Duration::from_secs(300)), "{channel}: {retry_in:?}");
            }
            Report::Event(_) | Report::Suspended { .. } => {}
            Report::Lagged { .. } | Report::ServerError { .. } | Report::Unreadable { .. } => panic!("{report:?}"),
        }
    }

    fn check_event(&mut self, event: &str) {
        let (channel, name) = event.split_once(' ').unwrap();
        assert!(self.run.wanted.contains(channel), "I25: {event}");
        assert!(self.run.subscribed.contains(channel), "I25: {event} before its acknowledgement");
        let number: u64 = name.strip_prefix('e').unwrap().parse().unwrap();
        let delivered = self.run.delivered.entry(channel.to_owned()).or_default();
        assert!(delivered.last().is_none_or(|&last| last < number), "I24: {event} after {delivered:?}");
        delivered.push(number);
    }

    /// Faults stop; everything wanted has to come back, and every event to be accounted for.
    fn settle(&mut self) {
        (self.run.silent, self.run.wants_connection) = (false, true);
        self.world.command(Connection::connect);
        self.check();
        for _ in 0..3_000 {
            if let Some(epoch) = self.run.open.filter(|_| !self.run.established) {
                self.run.established = true;
                self.world.text_of(epoch, ESTABLISHED);
            }
            self.check();
            for (id, _) in std::mem::take(&mut self.run.pending) {
                self.world.authorize(id);
            }
            self.check();
            while !self.run.to_server.is_empty() || !self.run.to_client.is_empty() {
                self.server_reads();
                self.client_reads();
                self.check();
            }
            let is_complete = self.run.subscribed.len() == self.run.wanted.len();
            let connection = &self.world.connection;
            if is_complete && connection.is_settled() && self.run.pending.is_empty() && self.run.to_server.is_empty() {
                break;
            }
            self.pass(1.0);
        }
        assert_eq!(self.world.connection.state(), Connected, "I31");
        let wanted: BTreeSet<String> = self.run.wanted.iter().map(|&channel| channel.to_owned()).collect();
        assert_eq!(self.run.subscribed, wanted, "I20");
        assert_eq!(self.run.server, wanted, "I21");
        for (channel, sent) in &self.run.sent {
            let empty = vec![];
            let delivered = self.run.delivered.get(channel).unwrap_or(&empty);
            let gaps = self.run.gaps.get(channel).map(Vec::as_slice).unwrap_or_default();
            for (number, at) in sent {
                let missed = gaps.iter().any(|(since, until)| since <= at && at <= until);
                assert!(delivered.contains(number) || missed, "I26: {channel} e{number} vanished");
            }
        }
    }
}

// I1-I12, I14-I28, I31, I33, I36, I40, D05, Y04
#[test]
fn the_invariants_hold_after_every_step_of_random_runs() {
    for seed in 0..2_000 {
        let outcome = std::panic::catch_unwind(|| {
            let mut simulation = Simulation::new(seed);
            for _ in 0..400 {
                simulation.step();
            }
            simulation.settle();
        });
        assert!(outcome.is_ok(), "seed {seed}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = |seed| {
        let mut simulation = Simulation::new(seed);
        let mut trace = String::new();
        for _ in 0..300 {
            simulation.step();
            trace.push_str(&format!("{:?}{:?}", simulation.world.connection, simulation.world.now));
        }
        trace
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}
