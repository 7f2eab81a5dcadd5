//! The machine in virtual time, against a server whose words the test writes.

#![allow(clippy::wildcard_enum_match_arm, reason = "a test looks for what it asks for")]

mod client_events;
mod closing;
mod commands;
mod continuity;
#[cfg(feature = "encryption")]
mod encrypted;
mod giving_up;
mod handshake;
mod hostile;
mod liveness;
mod many;
mod news;
mod outages;
mod outputs;
mod presence;
mod quarantine;
mod random;
mod reconnecting;
mod replacing;
mod salvage;
mod sign_in;
mod subscribing;
mod unreadable;

use std::time::Duration;

use crate::{
    Authorization, AuthorizationId, ChannelName, Closed, Connection, ConnectionState, Continuity, Epoch, Event,
    Options, Output, Outputs, Report, SocketId, SubscriptionError, Time,
};

/// A connection, the time, and all that came out of it since it was last asked.
struct World {
    connection: Connection,
    now: Time,
    outputs: Vec<Output<'static>>,
    events: Vec<String>,
}

impl World {
    fn new() -> Self {
        Self::with_options(options())
    }

    fn with_options(options: Options) -> Self {
        Self { connection: Connection::new(options, 1), now: at(1_000.0), outputs: vec![], events: vec![] }
    }

    /// A connection on which the server has established the connection.
    fn connected() -> Self {
        let mut world = Self::new();
        world.command(Connection::connect);
        world.establish();
        world.take();
        world
    }

    /// The same with the channels subscribed; private ones authorized.
    fn subscribed(channels: &[&str]) -> Self {
        let mut world = Self::new();
        for channel in channels {
            world.subscribe(channel);
        }
        world.command(Connection::connect);
        world.establish();
        world.authorize_all();
        for channel in channels {
            world.acknowledge(channel);
        }
        world.take();
        world
    }

    fn command<'t>(&mut self, command: impl for<'m> FnOnce(&'m mut Connection, Time) -> Outputs<'m, 't>) {
        for output in command(&mut self.connection, self.now) {
            if let Output::Event(event) = &output {
                self.events.push(describe(event));
            }
            self.outputs.push(owned(output));
        }
    }

    fn subscribe(&mut self, channel: &str) {
        let name = name(channel);
        self.command(|connection, now| connection.subscribe(now, name).unwrap());
    }

    fn unsubscribe(&mut self, channel: &str) {
        let name = name(channel);
        self.command(|connection, now| connection.unsubscribe(now, &name));
    }

    /// Puts `new` in the place of `old`; the first event of `new` may have been sent at `since`.
    fn replace(&mut self, old: &str, new: &str, since: Time) {
        let (old, new) = (name(old), name(new));
        self.command(|connection, now| connection.replace(now, &old, &new, since).unwrap());
    }

    fn epoch(&self) -> Epoch {
        self.connection.epoch().expect("no socket is open or being opened")
    }

    fn establish(&mut self) {
        let epoch = self.epoch();
        self.command(|connection, now| connection.handle_opened(now, epoch));
        self.text(ESTABLISHED);
    }

    /// Answers all authorizations asked for since the outputs were last taken.
    fn authorize_all(&mut self) {
        for id in self.authorizations() {
            self.authorize(id);
        }
    }

    fn authorizations(&self) -> Vec<AuthorizationId> {
        let id = |output: &Output<'_>| if let Output::Authorize { id, .. } = output { Some(*id) } else { None };
        self.outputs.iter().filter_map(id).collect()
    }

    fn authorize(&mut self, id: AuthorizationId) {
        self.command(|connection, now| connection.handle_authorization(now, id, Ok(signature())));
    }

    /// Answers the only authorization asked for since the outputs were last taken.
    fn authorize_with(&mut self, authorization: Authorization) {
        let ids = self.authorizations();
        assert_eq!(ids.len(), 1);
        self.command(|connection, now| connection.handle_authorization(now, ids[0], Ok(authorization)));
    }

    /// Sends a message of the server with this `data`, which is JSON.
    fn message(&mut self, event: &str, channel: &str, data: &str) {
        self.text(&format!(r#"{{"event":"{event}","channel":"{channel}","data":{data}}}"#));
    }

    fn acknowledge(&mut self, channel: &str) {
        self.text(&format!(r#"{{"event":"pusher_internal:subscription_succeeded","channel":"{channel}"}}"#));
    }

    fn text(&mut self, text: &str) {
        let epoch = self.epoch();
        self.text_of(epoch, text);
    }

    fn text_of(&mut self, epoch: Epoch, text: &str) {
        self.command(|connection, now| connection.handle_text(now, epoch, text));
    }

    fn event(&mut self, channel: &str, name: &str) {
        self.text(&format!(r#"{{"event":"{name}","channel":"{channel}","data":"{{}}"}}"#));
    }

    fn close(&mut self, code: impl Into<Option<u16>>) {
        let (epoch, code) = (self.epoch(), code.into());
        self.command(|connection, now| connection.handle_closed(now, epoch, Closed { code, ..Closed::default() }));
    }

    /// Lets time pass, and every timer fire when it is due.
    fn pass(&mut self, seconds: f64) {
        let until = self.now + Duration::from_secs_f64(seconds);
        for _ in 0..10_000 {
            match self.connection.poll_timeout() {
                Some(due) if due <= until => {
                    self.now = self.now.max(due);
                    self.command(Connection::handle_timeout);
                }
                _ => {
                    self.now = until;
                    return;
                }
            }
        }
        panic!("timers fire without end");
    }

    /// Lets time pass until the next attempt is under way.
    fn until_next_attempt(&mut self) -> Duration {
        let start = self.now;
        for _ in 0..100 {
            if self.connection.state() == ConnectionState::Connecting {
                return self.now.saturating_since(start);
            }
            let due = self.connection.poll_timeout().expect("no attempt will follow");
            self.now = self.now.max(due);
            self.command(Connection::handle_timeout);
        }
        panic!("no attempt follows");
    }

    fn take(&mut self) -> Vec<Output<'static>> {
        std::mem::take(&mut self.outputs)
    }

    /// Takes the first event out of the outputs.
    fn take_event(&mut self) -> Option<Event<'static>> {
        let place = self.outputs.iter().position(|output| matches!(output, Output::Event(_)))?;
        if let Output::Event(event) = self.outputs.remove(place) { Some(event) } else { None }
    }

    /// Takes all outputs and returns the messages sent.
    fn sent(&mut self) -> Vec<String> {
        let text =
            |output| if let Output::SendText { text, .. } = output { Some(text.expose().to_owned()) } else { None };
        self.take().into_iter().filter_map(text).collect()
    }

    /// Takes all outputs and returns the failures of channels, with the time until the next try.
    fn failures(&mut self) -> Vec<(String, SubscriptionError, Option<Duration>)> {
        let failure = |report| match report {
            Report::SubscriptionFailed { channel, error, retry_in, .. } => Some((channel.to_string(), error, retry_in)),
            _ => None,
        };
        self.reports().into_iter().filter_map(failure).collect()
    }

    /// Takes all outputs, among which one channel failed once, and returns why, and the time until the next try.
    fn failure(&mut self) -> (SubscriptionError, Option<Duration>) {
        let mut failures = self.failures();
        assert_eq!(failures.len(), 1, "{failures:?}");
        let (_, error, retry_in) = failures.remove(0);
        (error, retry_in)
    }

    /// Takes all outputs and returns the reports.
    fn reports(&mut self) -> Vec<Report> {
        let report = |output| if let Output::Report(report) = output { Some(report) } else { None };
        self.take().into_iter().filter_map(report).collect()
    }
}

fn activity(world: &mut World) {
    let epoch = world.epoch();
    world.command(|connection, now| connection.handle_activity(now, epoch));
}

fn owned(output: Output<'_>) -> Output<'static> {
    match output {
        Output::Event(event) => Output::Event(event.into_owned()),
        Output::OpenSocket { epoch, authorizations } => Output::OpenSocket { epoch, authorizations },
        Output::SendText { epoch, text } => Output::SendText { epoch, text },
        Output::CloseSocket { epoch, close } => Output::CloseSocket { epoch, close },
        Output::Authorize { id, channel, socket_id, refresh_token } => {
            Output::Authorize { id, channel, socket_id, refresh_token }
        }
        Output::Authenticate { id, socket_id, refresh_token } => Output::Authenticate { id, socket_id, refresh_token },
        Output::CancelAuthorization { id } => Output::CancelAuthorization { id },
        Output::Report(report) => Output::Report(report),
    }
}

fn describe(event: &Event<'_>) -> String {
    format!("{} {}", event.channel(), event.name())
}

fn options() -> Options {
    Options::new(crate::AppKey::parse("key").unwrap())
}

fn name(channel: &str) -> ChannelName {
    ChannelName::parse(channel).unwrap()
}

fn signature() -> Authorization {
    Authorization::new("key:abc")
}

fn at(seconds: f64) -> Time {
    Time::ZERO + Duration::from_secs_f64(seconds)
}

fn state(from: ConnectionState, to: ConnectionState) -> Report {
    let socket_id = (to == ConnectionState::Connected).then(|| SocketId::parse("1.2").unwrap());
    Report::StateChanged { from, to, socket_id }
}

fn subscribed(channel: &str, continuity: Continuity) -> Report {
    Report::Subscribed { channel: name(channel), continuity, members: None }
}

/// Whether the next try comes within a second, and not at once.
fn is_soon(retry_in: Option<Duration>) -> bool {
    retry_in.is_some_and(|delay| (Duration::from_millis(250)..=Duration::from_secs(1)).contains(&delay))
}

/// Whether the next try comes within the first of the slow delays.
fn is_slow(retry_in: Option<Duration>) -> bool {
    retry_in.is_some_and(|delay| (30..=60).contains(&delay.as_secs()))
}

fn subscribe_text(channel: &str) -> String {
    if channel.starts_with("private-") {
        format!(r#"{{"event":"pusher:subscribe","data":{{"channel":"{channel}","auth":"key:abc"}}}}"#)
    } else {
        format!(r#"{{"event":"pusher:subscribe","data":{{"channel":"{channel}"}}}}"#)
    }
}

fn unsubscribe_text(channel: &str) -> String {
    format!(r#"{{"event":"pusher:unsubscribe","data":{{"channel":"{channel}"}}}}"#)
}

const ESTABLISHED: &str =
    r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\",\"activity_timeout\":120}"}"#;
const PING: &str = r#"{"event":"pusher:ping","data":{}}"#;
const PONG: &str = r#"{"event":"pusher:pong"}"#;
