use std::{fmt::Debug, ops::RangeInclusive, time::Duration};

use thiserror::Error;

use crate::AppKey;

/// How one [`Connection`](crate::Connection) behaves; [`Options::new`] gives the defaults.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The key of the application; an authorization signed for another key is rejected (fault S06).
    pub app_key: AppKey,
    /// The time from one ping to the next, 30 s by default, whatever is received in between: only an answer makes
    /// certain what was received, and some servers drop a silent client. The server may shorten it: the time it
    /// announces, less 5 s but at least half of it, is used when that is shorter.
    pub activity_timeout: Duration,
    /// How long nothing at all may be received after a ping before the socket is abandoned, 10 s by default.
    pub pong_timeout: Duration,
    /// From the start of an attempt (name resolution) to `pusher:connection_established`, 10 s by default. It doubles
    /// with each consecutive attempt that takes longer.
    pub connect_timeout: Duration,
    /// How far `connect_timeout` may grow, 60 s by default; if this is less, it does not grow.
    pub max_connect_timeout: Duration,
    /// Whether another attempt follows when an attempt fails or a connection is lost; true by default.
    pub auto_reconnect: bool,
    /// How many attempts in a row may fail before no other follows until the caller connects again; none, the default,
    /// for any number. A connection that the server establishes begins the count anew.
    pub max_attempts: Option<u32>,
    /// The longest time from one attempt to the next, 5 min by default. What a server asks for stands, however long it
    /// is: its `Retry-After`, and the second after a close code from 4100 to 4199.
    pub max_reconnect_delay: Duration,
    /// How long one authorization may take, 10 s by default. It doubles with each consecutive authorization of a
    /// channel that takes longer.
    pub authorization_timeout: Duration,
    /// How long the server may take to acknowledge a subscribe, 10 s by default; one resend follows. It counts from
    /// the last answer to any subscribe, and doubles with each consecutive subscribe of a channel that is not
    /// answered.
    pub acknowledgement_timeout: Duration,
    /// How far `authorization_timeout` and `acknowledgement_timeout` may grow, 60 s by default.
    pub max_answer_timeout: Duration,
    /// Report messages that are not known, as [`Report::Message`](crate::Report::Message), and keep the unknown members
    /// of events, for [`Event::other_members`](crate::Event::other_members). Off by default.
    pub report_unknown: bool,
    /// Do on push1st what it is known to exit on, or to close the connection on: client events, presence channels,
    /// signing in, raw events. Off by default; push1st is known by its handshake.
    pub trust_push1st: bool,
    /// Sizes beyond which input is refused or dropped.
    pub limits: Limits,
}

impl Options {
    /// Returns the defaults for the application `app_key`.
    #[must_use]
    pub fn new(app_key: AppKey) -> Self {
        Self {
            app_key,
            activity_timeout: Duration::from_secs(30),
            pong_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(10),
            max_connect_timeout: Duration::from_secs(60),
            auto_reconnect: true,
            max_attempts: None,
            max_reconnect_delay: Duration::from_secs(5 * 60),
            authorization_timeout: Duration::from_secs(10),
            acknowledgement_timeout: Duration::from_secs(10),
            max_answer_timeout: Duration::from_secs(60),
            report_unknown: false,
            trust_push1st: false,
            limits: Limits::default(),
        }
    }

    /// Checks that every time is between a millisecond and a day, and that no limit is so low that nothing can pass.
    ///
    /// # Errors
    /// The first option that fails the check.
    pub fn check(&self) -> Result<(), OptionError> {
        let times = [
            ("activity_timeout", self.activity_timeout),
            ("pong_timeout", self.pong_timeout),
            ("connect_timeout", self.connect_timeout),
            ("max_connect_timeout", self.max_connect_timeout),
            ("max_reconnect_delay", self.max_reconnect_delay),
            ("authorization_timeout", self.authorization_timeout),
            ("acknowledgement_timeout", self.acknowledgement_timeout),
            ("max_answer_timeout", self.max_answer_timeout),
        ];
        times.into_iter().try_for_each(|(option, time)| OptionError::check_time(option, time))?;
        if let Some(attempts) = self.max_attempts {
            OptionError::check("max_attempts", attempts, 1..=u32::MAX)?;
        }
        let limits = &self.limits;
        OptionError::check("limits.max_message_bytes", limits.max_message_bytes, Limits::MESSAGE_BYTES)?;
        OptionError::check("limits.max_depth", limits.max_depth, 1..=MOST_DEPTH)?;
        let sizes = [
            ("limits.max_event_name_bytes", limits.max_event_name_bytes),
            ("limits.max_channels", limits.max_channels),
            ("limits.max_early_events", limits.max_early_events),
            ("limits.max_early_bytes", limits.max_early_bytes),
            ("limits.max_authorizations", limits.max_authorizations),
            ("limits.max_members", limits.max_members),
            ("limits.max_client_event_bytes", limits.max_client_event_bytes),
            ("limits.max_client_events_per_second", limits.max_client_events_per_second),
            ("limits.max_waiting_client_events", limits.max_waiting_client_events),
        ];
        sizes.into_iter().try_for_each(|(option, size)| OptionError::check_size(option, size))
    }
}

/// An option whose value no client can work with.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{option}: {value} is not between {least} and {most}")]
pub struct OptionError {
    /// Its name, with that of its group.
    pub option: &'static str,
    /// Its value.
    pub value: String,
    /// The lowest value allowed.
    pub least: String,
    /// The highest value allowed.
    pub most: String,
}

impl OptionError {
    /// Checks that `value` is in `range`.
    ///
    /// # Errors
    /// When it is not.
    pub fn check<T: Copy + Debug + PartialOrd>(
        option: &'static str,
        value: T,
        range: RangeInclusive<T>,
    ) -> Result<(), Self> {
        if range.contains(&value) {
            return Ok(());
        }
        let [value, least, most] = [&value, range.start(), range.end()].map(|value| format!("{value:?}"));
        Err(Self { option, value, least, most })
    }

    /// Checks a time: a millisecond to a day.
    ///
    /// # Errors
    /// When it is not.
    pub fn check_time(option: &'static str, value: Duration) -> Result<(), Self> {
        Self::check(option, value, SHORTEST_TIME..=LONGEST_TIME)
    }

    /// Checks a number of things or bytes: at least one.
    ///
    /// # Errors
    /// When it is zero.
    pub fn check_size(option: &'static str, value: usize) -> Result<(), Self> {
        Self::check(option, value, 1..=usize::MAX)
    }
}

/// Sizes beyond which input is refused or dropped, so that no server can make the client grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest text message, 1 MiB by default. The transport rejects longer ones before they get here, and
    /// abandons the socket: the message is lost, and so is whatever the server sends until the channels are
    /// subscribed on the next socket.
    pub max_message_bytes: usize,
    /// The deepest nesting of a message, 128 by default and at most.
    pub max_depth: u32,
    /// The longest event name, 4 KiB by default.
    pub max_event_name_bytes: usize,
    /// The number of channels subscribed at a time, 1,000 by default.
    pub max_channels: usize,
    /// Events kept for a channel that has not been acknowledged yet, 64 by default; the oldest are dropped first.
    pub max_early_events: usize,
    /// Bytes of such events over all channels, 1 MiB by default.
    pub max_early_bytes: usize,
    /// Authorizations in progress at a time, 8 by default.
    pub max_authorizations: usize,
    /// Members kept of a presence channel, 10,000 by default; the others are counted.
    pub max_members: usize,
    /// The largest data of a client event, 10,000 bytes by default; servers refuse more than about that.
    pub max_client_event_bytes: usize,
    /// Client events sent within any second, 10 by default, as the protocol has it.
    pub max_client_events_per_second: usize,
    /// Client events that wait for the acknowledgement of their channels, 100 by default.
    pub max_waiting_client_events: usize,
}

impl Limits {
    /// The range of [`max_message_bytes`](Self::max_message_bytes): from 1 KiB, which the protocol's own messages
    /// need, to 1 GiB.
    pub const MESSAGE_BYTES: RangeInclusive<usize> = 1024..=1024 * 1024 * 1024;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message_bytes: 1024 * 1024,
            max_depth: 128,
            max_event_name_bytes: 4 * 1024,
            max_channels: 1_000,
            max_early_events: 64,
            max_early_bytes: 1024 * 1024,
            max_authorizations: 8,
            max_members: 10_000,
            max_client_event_bytes: 10_000,
            max_client_events_per_second: 10,
            max_waiting_client_events: 100,
        }
    }
}

const SHORTEST_TIME: Duration = Duration::from_millis(1);
/// Longer than anyone waits for a server, and far from where a sum of times overflows.
const LONGEST_TIME: Duration = Duration::from_secs(24 * 60 * 60);
const MOST_DEPTH: u32 = 128;

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut Options);
    type Field = fn(&mut Options) -> &mut Duration;

    fn refused(change: Change) -> OptionError {
        let mut options = Options::new(AppKey::parse("key").unwrap());
        assert_eq!(options.check(), Ok(()));
        change(&mut options);
        options.check().unwrap_err()
    }

    #[test]
    fn every_option_that_cannot_work_is_refused_by_its_name() {
        let times: [(&str, Field); 8] = [
            ("activity_timeout", |options| &mut options.activity_timeout),
            ("pong_timeout", |options| &mut options.pong_timeout),
            ("connect_timeout", |options| &mut options.connect_timeout),
            ("max_connect_timeout", |options| &mut options.max_connect_timeout),
            ("max_reconnect_delay", |options| &mut options.max_reconnect_delay),
            ("authorization_timeout", |options| &mut options.authorization_timeout),
            ("acknowledgement_timeout", |options| &mut options.acknowledgement_timeout),
            ("max_answer_timeout", |options| &mut options.max_answer_timeout),
        ];
        for (name, field) in times {
            for bad in [Duration::ZERO, Duration::from_nanos(1), Duration::from_secs(86_401), Duration::MAX] {
                let mut options = Options::new(AppKey::parse("key").unwrap());
                *field(&mut options) = bad;
                assert_eq!(options.check().unwrap_err().option, name, "{bad:?}");
            }
        }
        let limits: [(&str, Change); 13] = [
            ("limits.max_message_bytes", |options| options.limits.max_message_bytes = 0),
            ("limits.max_message_bytes", |options| options.limits.max_message_bytes = usize::MAX),
            ("limits.max_depth", |options| options.limits.max_depth = 0),
            ("limits.max_depth", |options| options.limits.max_depth = 129),
            ("limits.max_event_name_bytes", |options| options.limits.max_event_name_bytes = 0),
            ("limits.max_channels", |options| options.limits.max_channels = 0),
            ("limits.max_early_events", |options| options.limits.max_early_events = 0),
            ("limits.max_early_bytes", |options| options.limits.max_early_bytes = 0),
            ("limits.max_authorizations", |options| options.limits.max_authorizations = 0),
            ("limits.max_members", |options| options.limits.max_members = 0),
            ("limits.max_client_event_bytes", |options| options.limits.max_client_event_bytes = 0),
            ("limits.max_client_events_per_second", |options| options.limits.max_client_events_per_second = 0),
            ("limits.max_waiting_client_events", |options| options.limits.max_waiting_client_events = 0),
        ];
        for (name, change) in limits {
            assert_eq!(refused(change).option, name);
        }
        assert_eq!(refused(|options| options.max_attempts = Some(0)).option, "max_attempts");
        let error = refused(|options| options.pong_timeout = Duration::ZERO);
        assert_eq!(error.to_string(), "pong_timeout: 0ns is not between 1ms and 86400s");
    }
}
