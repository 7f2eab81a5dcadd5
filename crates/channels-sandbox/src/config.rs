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
    /// The application id. Default `sandbox-app`.
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
            app_id: "sandbox-app".to_owned(),
            app_key: "sandbox-key".to_owned(),
            app_secret: "sandbox-secret".to_owned(),
            http_api: true,
            clock: WallClock::system(),
            message_limit: None,
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

/// At most `messages` client messages in any window of `per`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Messages allowed in a window.
    pub messages: u32,
    /// Length of a window.
    pub per: Duration,
}
