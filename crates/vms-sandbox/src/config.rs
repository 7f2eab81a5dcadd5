//! What a sandbox is started with.

use std::{net::SocketAddr, time::Duration};

use channels_sandbox::{Features, Profile, RateLimit, ServerConfig, Timing, Tls};

/// Everything a [`Sandbox`](crate::Sandbox) is started with.
///
/// `SandboxConfig::default()` serves one user with one session on a free loopback port, without
/// TLS, in the `pusher7` profile. Tokens are generated from `seed`, and keys and secrets are fixed:
/// they are predictable on purpose and protect nothing.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// Where to listen. Default `127.0.0.1:0`, a free port. Use loopback only, unless `control` is
    /// off: anyone who can reach the port can push events and cut sockets.
    pub bind: SocketAddr,
    /// The host in [`base_url`](crate::Sandbox::base_url) and
    /// [`socket_url`](crate::Sandbox::socket_url). Default: the bound address. With TLS, the name
    /// that the certificate is for.
    pub host: Option<String>,
    /// Serve https and wss instead of http and ws.
    pub tls: Option<Tls>,
    /// Which server the Pusher side imitates. Default [`Profile::Pusher7`].
    pub profile: Profile,
    /// The timing of the Pusher side. Default: that of the profile.
    pub timing: Option<Timing>,
    /// The Pusher application key. Default `sandbox-key`.
    pub app_key: String,
    /// The secret that signs channel authorizations. Default `sandbox-secret`.
    pub app_secret: String,
    /// Who may log in. Default: user 42, login `demo`, password `demo`, one session.
    pub users: Vec<UserConfig>,
    /// Channels that every user may have authorized besides their own. A trailing `*` matches any
    /// suffix. Default: none.
    pub open_channels: Vec<String>,
    /// The `ws_url` that `GET wsurl` answers with, if the sockets are served by another program.
    /// Default: [`socket_url`](crate::Sandbox::socket_url).
    pub ws_url: Option<String>,
    /// How `POST cameras/{id}/sync-groups` is answered. Default: asynchronous, done after 300 ms.
    pub group_sync: GroupSync,
    /// Send a `permissions_updated` event on every VMS channel just before its subscription is
    /// acknowledged, as push1st may. Default off.
    pub event_before_acknowledgement: bool,
    /// Client messages over this rate are refused with `pusher:error` 4301 (Reverb's rate
    /// limiting). push1st has no such limit and ignores it. Default: no limit.
    pub message_limit: Option<RateLimit>,
    /// `SO_SNDBUF` of accepted connections in bytes, so that a slow reader is noticed early.
    /// Default: the system's.
    pub send_buffer: Option<u32>,
    /// Serve the control API under `/sandbox`, and the Pusher server's HTTP API under `/apps/1000`. Default on.
    pub control: bool,
    /// The seed for socket ids, tokens and notification ids. Default 1.
    pub seed: u64,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            host: None,
            tls: None,
            profile: Profile::Pusher7,
            timing: None,
            app_key: "sandbox-key".to_owned(),
            app_secret: "sandbox-secret".to_owned(),
            users: vec![UserConfig::new(42, "demo", "demo")],
            open_channels: Vec::new(),
            ws_url: None,
            group_sync: GroupSync::default(),
            event_before_acknowledgement: false,
            message_limit: None,
            send_buffer: None,
            control: true,
            seed: 1,
        }
    }
}

impl SandboxConfig {
    /// The default configuration with another profile.
    #[must_use]
    pub fn with_profile(profile: Profile) -> Self {
        Self { profile, ..Self::default() }
    }

    /// The configuration of the Pusher server.
    pub(crate) fn server(&self) -> ServerConfig {
        ServerConfig {
            bind: self.bind,
            host: self.host.clone(),
            tls: self.tls.clone(),
            profile: self.profile,
            timing: self.timing.clone(),
            app_key: self.app_key.clone(),
            app_secret: self.app_secret.clone(),
            message_limit: self.message_limit,
            send_buffer: self.send_buffer,
            seed: self.seed.wrapping_add(1),
            http_api: self.control,
            features: Features::NONE,
            ..ServerConfig::default()
        }
    }
}

/// A user who may log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserConfig {
    /// The user id; the user's channel is `private-user.{id}`.
    pub id: i64,
    /// The login of `POST token`.
    pub login: String,
    /// The password of `POST token`.
    pub password: String,
    /// The display name.
    pub name: String,
    /// How many sessions are open from the start.
    pub sessions: usize,
}

impl UserConfig {
    /// A user with one session open from the start, named like the login.
    #[must_use]
    pub fn new(id: i64, login: impl Into<String>, password: impl Into<String>) -> Self {
        let login = login.into();
        Self { id, name: login.clone(), login, password: password.into(), sessions: 1 }
    }
}

/// How `POST cameras/{id}/sync-groups` is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupSync {
    /// `{"type": "async"}`; `camera_groups_synced` is pushed to the session `after` that.
    Async {
        /// Time between the answer and the push.
        after: Duration,
    },
    /// `{"type": "sync"}`; nothing is pushed to the session.
    Sync,
}

impl Default for GroupSync {
    fn default() -> Self {
        Self::Async { after: Duration::from_millis(300) }
    }
}
