//! The servers that the Pusher side can imitate.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Which server the Pusher side imitates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Hosted Pusher Channels, protocol 7: 4001 for an unknown key, `pusher:subscription_error` for a
    /// refused subscription, `pusher:ping`, 4201, 4200 on shutdown.
    #[default]
    Pusher7,
    /// push1st, which VMS installations run: closes the whole socket at every mistake, reports no
    /// errors, uses no Pusher close codes.
    Push1st,
    /// Laravel Reverb: errors as JSON in a string, refused subscriptions reported without their
    /// channel, connections dropped without a close frame.
    Reverb,
    /// Sockudo: ends the connection at an unknown key, reports refused subscriptions without their channel, and keeps a
    /// pinged client only if it sends a pong.
    Sockudo,
    /// Soketi: acknowledgements without data, WebSocket pings, and closes every socket to which it had nothing to send.
    Soketi,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 5] = [Self::Pusher7, Self::Push1st, Self::Reverb, Self::Sockudo, Self::Soketi];

    /// The profile's name, as [`FromStr`] reads it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pusher7 => "pusher7",
            Self::Push1st => "push1st",
            Self::Reverb => "reverb",
            Self::Sockudo => "sockudo",
            Self::Soketi => "soketi",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No profile has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown profile {name:?}: use pusher7, push1st, reverb, sockudo or soketi")]
pub struct UnknownProfile {
    /// The given name.
    pub name: String,
}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Self, UnknownProfile> {
        Self::ALL
            .into_iter()
            .find(|profile| profile.as_str().eq_ignore_ascii_case(name))
            .ok_or_else(|| UnknownProfile { name: name.to_owned() })
    }
}
