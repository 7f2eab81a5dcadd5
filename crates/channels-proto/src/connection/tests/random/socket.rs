//! One socket: the attempt to open it, the two directions of its network, and what the server knows of it.

use super::*;

pub(super) struct Socket {
    pub(super) epoch: Epoch,
    /// What becomes of the attempt, and when; none when it has opened, or hangs.
    pub(super) attempt: Option<(Time, Attempt)>,
    pub(super) up: Pipe<Request>,
    pub(super) down: Pipe<Message>,
    /// When the network breaks it.
    pub(super) breaks: Option<Time>,
    /// What the server takes the client to be subscribed to.
    pub(super) subscribed: BTreeSet<String>,
    /// The server reads nothing before.
    pub(super) busy_until: Time,
    /// The server knows nothing of it any more.
    pub(super) is_forgotten: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Attempt {
    Opens,
    Fails(FailureClass),
}

/// What the client receives.
#[derive(Debug)]
pub(super) enum Message {
    Text {
        text: String,
        sent: Time,
        answer: Answer,
    },
    /// A WebSocket ping, or a part of a message.
    Fragment {
        sent: Time,
    },
    Closed(Closed),
}

impl Socket {
    pub(super) const fn new(epoch: Epoch, attempt: Option<(Time, Attempt)>) -> Self {
        Self {
            epoch,
            attempt,
            up: Pipe::new(),
            down: Pipe::new(),
            breaks: None,
            subscribed: BTreeSet::new(),
            busy_until: Time::ZERO,
            is_forgotten: false,
        }
    }

    /// When the server reads the next message.
    pub(super) fn server_reads_at(&self) -> Option<Time> {
        self.up.next_arrival().map(|arrives| arrives.max(self.busy_until))
    }

    /// Whether both ends agree and nothing is under way.
    pub(super) fn is_quiet(&self) -> bool {
        !self.is_forgotten && self.up.next_arrival().is_none() && self.down.next_arrival().is_none()
    }

    /// The server has restarted, or the network has lost its way to it: whatever the client sends is lost.
    pub(super) fn forget(&mut self) {
        self.is_forgotten = true;
        self.subscribed.clear();
    }
}
