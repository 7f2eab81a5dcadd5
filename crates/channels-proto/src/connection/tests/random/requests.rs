//! The requests of the live socket and their answers, which the simulation can tell apart: how early and how late a gap
//! may begin.

use super::*;

#[derive(Default)]
pub(super) struct Requests {
    /// Pings without a pong.
    pings: u32,
    subscribes: BTreeMap<String, Subscribes>,
    /// A gap may not begin before the last request that was answered and was alone: whose answer it was cannot be
    /// mistaken. While there is none, not before the socket was established.
    earliest: Time,
    /// It may not begin after the server sent the last message that was read: the next one may be missed.
    latest: Time,
    last_ping: Time,
    last_read: Time,
    /// Until when silence is no fault.
    patience: Time,
    /// The subscribe whose acknowledgement is being read.
    acknowledged: Option<Request>,
}

/// The subscribes of one channel.
#[derive(Default)]
struct Subscribes {
    unanswered: u32,
    /// The last one is not known to be accepted, refused or taken back, so the next one repeats it.
    is_undecided: bool,
}

/// What the client sent.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) kind: Kind,
    sent: Time,
    /// When it was sent there was no other one like it without an answer, nor does it repeat one.
    is_alone: bool,
}

/// What a message of the server answers. An error that names no channel answers a request, but does not say which.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Nothing,
    Yes(Request),
    No(Request),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Ping,
    Pong,
    Subscribe { channel: String, auth: Option<String> },
    Unsubscribe { channel: String },
}

impl Requests {
    pub(super) fn established(now: Time) -> Self {
        Self { earliest: now, latest: now, last_ping: now, last_read: now, ..Self::default() }
    }

    pub(super) fn sends(&mut self, now: Time, text: &str) -> Request {
        let kind = Kind::parse(text);
        let is_alone = match &kind {
            Kind::Ping => {
                self.last_ping = now;
                self.pings += 1;
                self.pings == 1
            }
            Kind::Subscribe { channel, .. } => {
                let subscribes = self.subscribes.entry(channel.clone()).or_default();
                let is_alone = subscribes.unanswered == 0 && !subscribes.is_undecided;
                subscribes.unanswered += 1;
                subscribes.is_undecided = true;
                is_alone
            }
            Kind::Unsubscribe { channel } => {
                self.subscribes.entry(channel.clone()).or_default().is_undecided = false;
                false
            }
            Kind::Pong => false,
        };
        Request { kind, sent: now, is_alone }
    }

    /// The client reads something that the server sent at `sent`.
    pub(super) fn reads(&mut self, now: Time, sent: Time, answer: Answer) {
        (self.last_read, self.latest) = (now, sent.max(self.latest));
        self.acknowledged = None;
        match answer {
            Answer::Yes(Request { kind: Kind::Ping, sent, is_alone }) => {
                self.pings -= 1;
                self.proves(sent, is_alone);
            }
            Answer::Yes(request) => {
                self.subscribes_of(&request).unanswered -= 1;
                self.acknowledged = Some(request);
            }
            Answer::No(request) => {
                let subscribes = self.subscribes_of(&request);
                subscribes.unanswered -= 1;
                subscribes.is_undecided = subscribes.unanswered > 0;
            }
            Answer::Nothing => {}
        }
    }

    /// A channel is reported as subscribed: the one whose acknowledgement was just read.
    pub(super) fn subscribed(&mut self, channel: &str) {
        let Some(request) = self.acknowledged.take() else { panic!("I22: {channel} was not acknowledged") };
        let Request { kind: Kind::Subscribe { channel: acknowledged, .. }, sent, is_alone } = &request else {
            panic!("I22: {channel} after {request:?}");
        };
        assert_eq!(channel, acknowledged, "I22");
        self.proves(*sent, *is_alone);
        self.subscribes_of(&request).is_undecided = false;
    }

    fn proves(&mut self, sent: Time, is_alone: bool) {
        if is_alone {
            self.earliest = self.earliest.max(sent);
        }
    }

    fn subscribes_of(&mut self, request: &Request) -> &mut Subscribes {
        let Kind::Subscribe { channel, .. } = &request.kind else { panic!("{request:?} has no answer") };
        self.subscribes.get_mut(channel).unwrap()
    }

    pub(super) fn interrupted(&self, channel: &str, since: Time) {
        let (earliest, latest) = (self.earliest, self.latest);
        assert!(
            since >= earliest,
            "I27: the gap of {channel} begins at {since:?}, and everything before {earliest:?} is in"
        );
        assert!(since <= latest, "I27: the gap of {channel} begins at {since:?}, and nothing after {latest:?} is in");
    }

    /// The device woke up, or a hint came: there is so much time for an answer, however long the silence was before.
    pub(super) fn probed(&mut self, now: Time, seconds: u64) {
        self.patience = self.patience.max(now + Duration::from_secs(seconds));
    }

    /// On a device that is awake.
    pub(super) fn check_pace(&self, now: Time) {
        let silence = now.saturating_since(self.last_read);
        assert!(now <= self.patience || silence <= Duration::from_secs(40), "I29: {silence:?} without a byte");
        let pause = now.saturating_since(self.last_ping);
        assert!(pause <= Duration::from_secs(30), "LV1: {pause:?} without a ping");
    }
}

impl Kind {
    fn parse(text: &str) -> Self {
        let value = |key: &str| text.split(key).nth(1).and_then(|rest| rest.split('"').next()).map(str::to_owned);
        let (event, channel) = (value(r#""event":""#), value(r#""channel":""#));
        match (event.as_deref(), channel) {
            (Some("pusher:ping"), None) => Self::Ping,
            (Some("pusher:pong"), None) => Self::Pong,
            (Some("pusher:subscribe"), Some(channel)) => Self::Subscribe { channel, auth: value(r#""auth":""#) },
            (Some("pusher:unsubscribe"), Some(channel)) => Self::Unsubscribe { channel },
            _ => panic!("the client sends {text}"),
        }
    }
}
