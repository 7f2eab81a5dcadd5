use std::time::Duration;

use crate::AppKey;

/// How one [`Connection`](crate::Connection) behaves; [`Options::new`] gives the defaults.
#[derive(Clone, Debug)]
pub struct Options {
    /// The key of the application; an authorization signed for another key is refused (fault S06).
    pub app_key: AppKey,
    /// From one ping to the next, 30 s by default, whatever is received in between: what is answered is known for certain,
    /// and some servers drop a client that says nothing. The server may shorten it: what it announces, less 5 s but at
    /// least half of it, is used when that is less.
    pub activity_timeout: Duration,
    /// How long nothing at all may be received after a ping before the socket is given up, 10 s by default.
    pub pong_timeout: Duration,
    /// From the start of an attempt (name resolution) to `pusher:connection_established`, 10 s by default. It doubles with
    /// each attempt in a row that takes longer.
    pub connect_timeout: Duration,
    /// How far that time grows, 60 s by default; less than `connect_timeout` means that it does not.
    pub max_connect_timeout: Duration,
    /// How long one authorization may take, 10 s by default. It doubles with each of a channel in a row that takes longer.
    pub authorization_timeout: Duration,
    /// How long the server may take to acknowledge a subscribe, 10 s by default; one resend follows. It counts from the last
    /// answer to any subscribe, and doubles with each subscribe of a channel in a row that stays without one.
    pub acknowledgement_timeout: Duration,
    /// How far the times for an authorization and an acknowledgement grow, 60 s by default.
    pub max_answer_timeout: Duration,
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
            authorization_timeout: Duration::from_secs(10),
            acknowledgement_timeout: Duration::from_secs(10),
            max_answer_timeout: Duration::from_secs(60),
            limits: Limits::default(),
        }
    }
}

/// Sizes beyond which input is refused or dropped, so that no server can make the client grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest text message, 1 MiB by default. The transport refuses longer ones before they get here, and gives the socket
    /// up: the message is lost, and what the server sends until the next socket is subscribed.
    pub max_message_bytes: usize,
    /// Deepest nesting of a message, 128 by default and at most.
    pub max_depth: u32,
    /// Longest event name, 4 KiB by default.
    pub max_event_name_bytes: usize,
    /// Channels subscribed at a time, 1,000 by default.
    pub max_channels: usize,
    /// Events kept for a channel whose acknowledgement has not come yet, 64 by default; the oldest give way.
    pub max_early_events: usize,
    /// Bytes of such events, of all channels together, 1 MiB by default.
    pub max_early_bytes: usize,
    /// Authorizations under way at a time, 8 by default.
    pub max_authorizations: usize,
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
        }
    }
}
