use std::{collections::VecDeque, time::Duration};

use super::Link;
use crate::{
    Authorization, AuthorizationId, ChannelName, Continuity, GapCause, Output, OwnedEvent, Report, SubscriptionError,
    Time,
    backoff::{Backoff, Class},
    wire,
};

/// One channel that is wanted, or was.
#[derive(Debug)]
pub(super) struct Channel {
    /// Channels are asked for in the order in which they were wanted.
    pub(super) place: u64,
    pub(super) step: Step,
    pub(super) track: Track,
    /// The server closed the socket on this subscribe: it comes last and alone (fault S07).
    pub(super) suspected: bool,
    /// Unusable authorizations in a row.
    pub(super) malformed: u8,
    pub(super) backoff: Option<Box<Backoff>>,
    pub(super) early: VecDeque<OwnedEvent>,
    pub(super) early_dropped: u64,
    /// When it was given up for an error of the server that named no channel.
    pub(super) blamed_at: Option<Time>,
}

/// How far a channel is on the present socket.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing was asked for on this socket.
    Idle,
    Authorizing {
        id: AuthorizationId,
        deadline: Time,
    },
    /// The authorization or the server was not available; the next try comes at `until`, on whichever socket.
    Waiting {
        until: Time,
    },
    Subscribing(Box<Subscribe>),
    Subscribed,
    /// Unsubscribed while the subscribe was on its way: its answer is awaited first (fault S17).
    Leaving(Box<Subscribe>),
    Failed,
}

/// A subscribe on its way.
#[derive(Debug)]
pub(super) struct Subscribe {
    /// The server answers in this order.
    pub(super) number: u64,
    pub(super) sent: Time,
    pub(super) deadline: Time,
    pub(super) resent: bool,
    pub(super) authorization: Option<Authorization>,
}

/// What was received of a channel so far.
#[derive(Clone, Copy, Debug)]
pub(super) enum Track {
    /// Nothing since the caller connected.
    Fresh,
    /// All of it, on the present socket.
    Live,
    /// Nothing since `since`.
    Lost { since: Time, cause: GapCause },
}

impl Channel {
    pub(super) const fn new(place: u64) -> Self {
        Self {
            place,
            step: Step::Idle,
            track: Track::Fresh,
            suspected: false,
            malformed: 0,
            backoff: None,
            early: VecDeque::new(),
            early_dropped: 0,
            blamed_at: None,
        }
    }

    /// What was missed before stays known: only the failure is forgotten.
    pub(super) fn retry_from_scratch(&mut self) {
        *self = Self { track: self.track, ..Self::new(self.place) };
    }

    pub(super) const fn deadline(&self) -> Option<Time> {
        match &self.step {
            Step::Authorizing { deadline, .. } => Some(*deadline),
            Step::Waiting { until } => Some(*until),
            Step::Subscribing(subscribe) | Step::Leaving(subscribe) => Some(subscribe.deadline),
            Step::Idle | Step::Subscribed | Step::Failed => None,
        }
    }

    pub(super) const fn subscribe_number(&self) -> Option<u64> {
        match &self.step {
            Step::Subscribing(subscribe) | Step::Leaving(subscribe) => Some(subscribe.number),
            Step::Idle | Step::Authorizing { .. } | Step::Waiting { .. } | Step::Subscribed | Step::Failed => None,
        }
    }

    pub(super) fn subscribe(
        &mut self,
        name: &ChannelName,
        number: u64,
        authorization: Option<Authorization>,
        link: &mut Link<'_>,
    ) {
        link.send(wire::subscribe(name, authorization.as_ref()));
        let deadline = link.now + link.options.acknowledgement_timeout;
        self.step =
            Step::Subscribing(Box::new(Subscribe { number, sent: link.now, deadline, resent: false, authorization }));
    }

    pub(super) fn subscribed(&mut self, name: &ChannelName, link: &mut Link<'_>) {
        (self.step, self.suspected, self.malformed, self.backoff) = (Step::Subscribed, false, 0, None);
        let continuity = match std::mem::replace(&mut self.track, Track::Live) {
            Track::Fresh | Track::Live => Continuity::Fresh,
            Track::Lost { since, cause } => Continuity::Gap { since, until: link.now, cause },
        };
        link.report(Report::Subscribed { channel: name.clone(), continuity });
        let dropped = std::mem::take(&mut self.early_dropped);
        if dropped > 0 {
            link.report(Report::Lagged { channel: name.clone(), dropped });
        }
        for event in std::mem::take(&mut self.early) {
            link.report(Report::Event(event));
        }
    }

    pub(super) fn wait(&mut self, class: Class, retry_after: Option<Duration>, link: &mut Link<'_>) {
        self.drop_early();
        let backoff = self.backoff.get_or_insert_with(|| Box::new(Backoff::new()));
        self.step = Step::Waiting { until: link.now + backoff.next_delay(class, retry_after, link.rng) };
    }

    pub(super) fn early_bytes(&self) -> usize {
        self.early.iter().map(|event| event.as_event().frame_bytes()).sum()
    }

    /// Events of a subscription that was never acknowledged belong to nobody.
    pub(super) fn drop_early(&mut self) {
        self.early.clear();
        self.early_dropped = 0;
    }

    pub(super) fn fail(&mut self, name: ChannelName, error: SubscriptionError, outputs: &mut VecDeque<Output>) {
        self.step = Step::Failed;
        self.drop_early();
        let (since, failures, retry_in) = (Time::ZERO, 1, None);
        let report = Report::SubscriptionFailed { channel: name, error, since, failures, retry_in };
        outputs.push_back(Output::Report(report));
    }
}
