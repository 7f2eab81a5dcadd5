//! Faults that a test injects in advance.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::push::RawData;

/// A fault that applies to the next request that it matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault<K> {
    /// What it affects, and how.
    pub kind: K,
    /// How many times it applies; 0 means every time until the faults are cleared. Default 1.
    #[serde(default = "once")]
    pub times: u32,
}

impl<K> Fault<K> {
    /// Applies once.
    #[must_use]
    pub const fn once(kind: K) -> Self {
        Self { kind, times: 1 }
    }

    /// Applies the next `times` times.
    #[must_use]
    pub const fn times(kind: K, times: u32) -> Self {
        Self { kind, times }
    }

    /// Applies until the faults are cleared.
    #[must_use]
    pub const fn always(kind: K) -> Self {
        Self { kind, times: 0 }
    }
}

/// What a fault of the Pusher server affects, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SocketFault {
    /// A subscription is acknowledged with other data than the right one.
    Acknowledge {
        /// Only subscribes to this channel. A trailing `*` matches any suffix.
        #[serde(default)]
        channel: Option<String>,
        /// The data; for the members of a presence channel, [`RawData::presence`] writes it.
        data: RawData,
    },
    /// `pusher:ping` goes unanswered. The socket works otherwise.
    Ping,
    /// A `pusher:signin` is answered wrongly.
    SignIn {
        /// What happens instead.
        answer: SignInAnswer,
    },
    /// A `pusher:subscribe` is answered wrongly.
    Subscribe {
        /// Only subscribes to this channel. A trailing `*` matches any suffix.
        #[serde(default)]
        channel: Option<String>,
        /// What happens instead.
        answer: SubscribeAnswer,
    },
    /// A WebSocket upgrade is answered wrongly.
    Upgrade {
        /// What happens instead.
        answer: UpgradeAnswer,
    },
}

/// A wrong answer to `pusher:signin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInAnswer {
    /// Neither signed in nor answered.
    Ignore,
    /// Refused, the way the profile refuses a bad signature.
    Refuse,
}

/// A wrong answer to `pusher:subscribe`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscribeAnswer {
    /// Subscribed, and acknowledged twice.
    AcknowledgeTwice,
    /// Neither subscribed nor answered.
    Ignore,
    /// Refused, the way the profile refuses a bad signature.
    Refuse,
}

/// A wrong answer to a WebSocket upgrade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpgradeAnswer {
    /// The right answer, late.
    Delay {
        /// Milliseconds to wait first.
        millis: u64,
    },
    /// The connection is dropped without an answer.
    Drop,
    /// 101, and then this text instead of `pusher:connection_established`; the socket works otherwise.
    Greeting {
        /// The whole text frame.
        text: String,
    },
    /// A page with status 200.
    Html,
    /// A redirect.
    Redirect {
        /// The `Location`.
        location: String,
    },
    /// No answer; the connection stays open.
    Silent,
    /// This status without a body.
    Status {
        /// The HTTP status.
        status: u16,
        /// The `Retry-After`, verbatim.
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// 101, and then the connection is dropped (Sockudo on an unknown key).
    SwitchThenDrop,
    /// 101, and then nothing; what the client sends is not read.
    SwitchThenNothing,
    /// 101 with a `Sec-WebSocket-Accept` for another key.
    WrongAccept,
}

const fn once() -> u32 {
    1
}

/// The faults that are still to be applied, oldest first.
#[derive(Debug)]
pub struct FaultBook<K>(Mutex<Vec<Fault<K>>>);

impl<K> Default for FaultBook<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K> FaultBook<K> {
    /// Injects a fault.
    pub fn add(&self, fault: Fault<K>) {
        self.lock().push(fault);
    }

    /// Clears every injected fault.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Whether no fault is pending.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Takes the oldest fault for which `matches` returns a value, and counts it down.
    pub fn take<T>(&self, matches: impl Fn(&K) -> Option<T>) -> Option<T> {
        let mut faults = self.lock();
        let found = |(index, fault): (usize, &Fault<K>)| Some((index, matches(&fault.kind)?));
        let (index, found) = faults.iter().enumerate().find_map(found)?;
        match faults[index].times {
            0 => {}
            1 => drop(faults.remove(index)),
            _ => faults[index].times -= 1,
        }
        Some(found)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Fault<K>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a channel matches the pattern, whose trailing `*` matches any suffix.
#[must_use]
pub fn matches_pattern(pattern: &str, channel: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == channel, |start| channel.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_ping(kind: &SocketFault) -> Option<()> {
        matches!(kind, SocketFault::Ping).then_some(())
    }

    #[test]
    fn a_fault_strikes_as_often_as_it_was_told_to() {
        let book = FaultBook::default();
        book.add(Fault::times(SocketFault::Ping, 2));
        assert!(book.take(is_ping).is_some());
        assert!(book.take(is_ping).is_some());
        assert!(book.take(is_ping).is_none());
        assert!(book.is_empty());
        book.add(Fault::always(SocketFault::Ping));
        assert!((0..9).all(|_| book.take(is_ping).is_some()));
        book.clear();
        assert!(book.take(is_ping).is_none());
    }

    #[test]
    fn a_fault_waits_for_an_occasion_of_its_own() {
        let book = FaultBook::default();
        book.add(Fault::once(SocketFault::Upgrade { answer: UpgradeAnswer::Html }));
        assert!(book.take(is_ping).is_none());
        assert!(!book.is_empty());
    }

    #[test]
    fn a_pattern_ends_in_a_star_or_is_the_channel_itself() {
        assert!(matches_pattern("private-user.*", "private-user.42"));
        assert!(matches_pattern("a", "a"));
        assert!(!matches_pattern("a", "ab"));
    }
}
