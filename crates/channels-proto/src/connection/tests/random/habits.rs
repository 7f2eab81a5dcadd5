//! What a run is like: each draws how far the server is, how obliging it is, and what happens how often.

use super::*;

/// What may happen beside what happens by itself.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action {
    Nothing,
    // The caller.
    Connect,
    Disconnect,
    Subscribe,
    Unsubscribe,
    Replace,
    Hint,
    // The device.
    Sleep,
    // The network.
    StallDown,
    StallUp,
    Break,
    // The server.
    Delay,
    Close,
    Forget,
    EndSubscription,
    Ping,
    Fragment,
}

pub(super) struct Habits {
    latency: Duration,
    /// In a hundred subscribes.
    pub(super) refusals: u32,
    /// Messages in a hundred on which the server spends seconds.
    slowness: u32,
    weights: [(Action, u32); USUAL.len()],
}

impl Habits {
    pub(super) fn draw(rng: &mut Rng) -> Self {
        Self {
            latency: Duration::from_millis([1, 30, 300, 1_500][rng.usize(0..4)]),
            refusals: [0, 5, 30][rng.usize(0..3)],
            slowness: [0, 3, 30][rng.usize(0..3)],
            weights: USUAL.map(|(action, weight)| (action, weight * [0, 1, 1, 4][rng.usize(0..4)])),
        }
    }

    /// Returns how long a message is under way, but for a stall.
    pub(super) fn delay(&self, rng: &mut Rng) -> Duration {
        self.latency.mul_f64(0.5 + rng.f64())
    }

    /// Returns how long the server is at work on a message; the next ones wait.
    pub(super) fn work(&self, rng: &mut Rng) -> Duration {
        let seconds = if rng.u32(0..100) < self.slowness { 25.0 } else { 0.02 };
        Duration::from_secs_f64(rng.f64() * seconds)
    }

    pub(super) fn action(&self, rng: &mut Rng) -> Action {
        let mut drawn = rng.u32(0..100);
        for (action, weight) in self.weights {
            if drawn < weight {
                return action;
            }
            drawn -= weight;
        }
        Action::Nothing
    }
}

/// In a hundred steps; a run has none of it, so much, or four times as much.
const USUAL: [(Action, u32); 16] = [
    (Action::Connect, 1),
    (Action::Disconnect, 1),
    (Action::Subscribe, 2),
    (Action::Unsubscribe, 1),
    (Action::Replace, 2),
    (Action::Hint, 3),
    (Action::Sleep, 1),
    (Action::StallDown, 2),
    (Action::StallUp, 1),
    (Action::Break, 1),
    (Action::Delay, 1),
    (Action::Close, 1),
    (Action::Forget, 1),
    (Action::EndSubscription, 1),
    (Action::Ping, 1),
    (Action::Fragment, 2),
];
