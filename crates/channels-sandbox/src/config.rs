//! What a server is started with.

use std::{net::SocketAddr, time::Duration};

use crate::{error::ServerError, net::tls::Tls, profile::Profile, timing::Timing, wall_clock::WallClock};

/// Everything a [`Server`](crate::Server) is started with.
///
/// `ServerConfig::default()` serves on a free loopback port, without TLS, in the `pusher7` profile.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where to listen. Default `127.0.0.1:0`, a free port.
    pub bind: SocketAddr,
    /// The host in [`base_url`](crate::Server::base_url) and [`socket_url`](crate::Server::socket_url). Default: the
    /// bound address. With TLS, the name that the certificate is for.
    pub host: Option<String>,
    /// Serve https and wss instead of http and ws.
    pub tls: Option<Tls>,
    /// Which server it imitates. Default [`Profile::Pusher7`].
    pub profile: Profile,
    /// Its timing. Default: that of the profile.
    pub timing: Option<Timing>,
    /// The application id. Some server libraries take nothing but digits. Default `1000`.
    pub app_id: String,
    /// The application key. Default `sandbox-key`.
    pub app_key: String,
    /// The secret that signs channel authorizations and the requests of the HTTP API. Default `sandbox-secret`.
    pub app_secret: String,
    /// Serve the HTTP API under `/apps`. Default on.
    pub http_api: bool,
    /// The clock that the requests of the HTTP API must have been signed by. Default: that of the machine.
    pub clock: WallClock,
    /// Client messages over this rate are refused with `pusher:error` 4301 (Reverb's rate
    /// limiting). push1st has no such limit and ignores it. Default: no limit.
    pub message_limit: Option<RateLimit>,
    /// Client events over this rate are refused with `pusher:error` 4301, and relayed to nobody. Default: 10 a second on
    /// `pusher7` (Pusher's documentation, "Client events"), no limit on the others.
    pub client_event_limit: Option<RateLimit>,
    /// What it offers beyond subscriptions.
    pub features: Features,
    /// How long the last event of a cache channel is kept. Default 30 minutes (Pusher's documentation, "Cache channels").
    pub cache_ttl: Duration,
    /// The master key of `private-encrypted-` channels. Default: 32 bytes of 7.
    pub encryption_master_key: [u8; 32],
    /// `SO_SNDBUF` of accepted connections in bytes, so that a slow reader is noticed early.
    /// Default: the system's.
    pub send_buffer: Option<u32>,
    /// The seed for socket ids. Default 1.
    pub seed: u64,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            host: None,
            tls: None,
            profile: Profile::Pusher7,
            timing: None,
            app_id: "1000".to_owned(),
            app_key: "sandbox-key".to_owned(),
            app_secret: "sandbox-secret".to_owned(),
            http_api: true,
            clock: WallClock::system(),
            message_limit: None,
            client_event_limit: None,
            features: Features::default(),
            cache_ttl: Duration::from_secs(30 * 60),
            encryption_master_key: [7; 32],
            send_buffer: None,
            seed: 1,
        }
    }
}

impl ServerConfig {
    /// The default configuration with another profile.
    #[must_use]
    pub fn with_profile(profile: Profile) -> Self {
        Self { profile, ..Self::default() }
    }

    pub(crate) fn client_event_limit(&self) -> Option<RateLimit> {
        let documented = RateLimit { messages: 10, per: Duration::from_secs(1) };
        self.client_event_limit.or_else(|| (self.profile == Profile::Pusher7).then_some(documented))
    }

    pub(crate) fn check(&self) -> Result<(), ServerError> {
        let problem = |setting, problem: &str| Err(ServerError::Config { setting, problem: problem.to_owned() });
        if self.app_id.is_empty() || self.app_id.contains(['/', '?', '#', '%']) {
            return problem("app_id", "it must not be empty or contain `/`, `?`, `#` or `%`");
        }
        if self.app_key.is_empty() || self.app_key.contains(['/', '?', '#', ':']) {
            return problem("app_key", "it must not be empty or contain `/`, `?`, `#` or `:`");
        }
        if self.app_secret.is_empty() {
            return problem("app_secret", "it must not be empty");
        }
        Ok(())
    }
}

/// What a server offers beyond subscriptions, as an application's settings say on real servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// Client events are relayed (not `push1st`). Default true.
    pub client_events: bool,
    /// Users may sign in (not `push1st` and `reverb`). Default true.
    pub sign_in: bool,
    /// `pusher_internal:subscription_count` is sent when somebody subscribes to a channel or unsubscribes, except on presence
    /// channels (`pusher7` alone). Default false.
    pub subscription_count: bool,
}

impl Features {
    /// None of them.
    pub const NONE: Self = Self { client_events: false, sign_in: false, subscription_count: false };
}

impl Default for Features {
    fn default() -> Self {
        Self { client_events: true, sign_in: true, subscription_count: false }
    }
}

/// At most `messages` client messages in any window of `per`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Messages allowed in a window.
    pub messages: u32,
    /// Length of a window.
    pub per: Duration,
}
