//! The timing of a server.

use std::time::Duration;

use serde_json::Value;

use crate::profile::Profile;

/// The timing of a server.
///
/// The profiles' own times are many seconds long; tests shorten them with
/// [`with_activity_timeout`](Self::with_activity_timeout).
#[derive(Clone, Debug, PartialEq)]
pub struct Timing {
    /// The announced `activity_timeout`, in whole seconds, at least 1.
    pub activity_timeout: Duration,
    /// Sent as `activity_timeout` instead of the above, whatever it is; [`Value::Null`] omits the
    /// key.
    pub activity_timeout_on_wire: Option<Value>,
    /// Silence of the client after which the server pings it (not `push1st`).
    pub ping_after: Duration,
    /// Further silence after which the client is dropped with 4201 (`pusher7`, `reverb`, `sockudo`).
    pub pong_timeout: Duration,
    /// Silence in both directions after which `push1st` closes with 1001, and time without a text to send after which
    /// `soketi` closes with 4201.
    pub idle_close: Duration,
    /// How long one write may block before the connection is cut.
    pub write_timeout: Duration,
    /// How long the server waits for the answer to its close frame.
    pub close_linger: Duration,
}

impl Timing {
    /// The times of a real server of this kind.
    #[must_use]
    pub fn of(profile: Profile) -> Self {
        let seconds = Duration::from_secs;
        let base = Self {
            activity_timeout: seconds(120),
            activity_timeout_on_wire: None,
            ping_after: seconds(120),
            pong_timeout: seconds(30),
            idle_close: seconds(240),
            write_timeout: seconds(10),
            close_linger: seconds(2),
        };
        match profile {
            Profile::Pusher7 | Profile::Sockudo => base,
            Profile::Push1st => Self {
                activity_timeout: seconds(40),
                idle_close: seconds(80),
                write_timeout: Duration::from_millis(500),
                ..base
            },
            Profile::Reverb => Self {
                activity_timeout: seconds(30),
                ping_after: seconds(60),
                pong_timeout: seconds(60),
                idle_close: seconds(60),
                ..base
            },
            Profile::Soketi => {
                Self { activity_timeout: seconds(30), ping_after: seconds(112), idle_close: seconds(120), ..base }
            }
        }
    }

    /// This timing with another activity timeout, and the other silences scaled in proportion. The
    /// times for writing and closing stay.
    #[must_use]
    pub fn with_activity_timeout(self, activity_timeout: Duration) -> Self {
        let was = self.activity_timeout.as_secs_f64();
        let factor = if was > 0.0 { activity_timeout.as_secs_f64() / was } else { 1.0 };
        Self {
            activity_timeout,
            ping_after: self.ping_after.mul_f64(factor),
            pong_timeout: self.pong_timeout.mul_f64(factor),
            idle_close: self.idle_close.mul_f64(factor),
            ..self
        }
    }
}
