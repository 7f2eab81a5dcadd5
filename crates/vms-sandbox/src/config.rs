//! What a sandbox is started with.

use std::{net::SocketAddr, time::Duration};

use serde_json::Value;

use crate::{Profile, Tls};

/// Everything a [`Sandbox`](crate::Sandbox) is started with.
///
/// `SandboxConfig::default()` serves one user with one session on a free loopback port, without
/// TLS, in the `pusher7` profile. Keys, secrets and tokens are made from `seed`: they are
/// predictable on purpose and protect nothing.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// Where to listen. Default `127.0.0.1:0`, a free port. Nothing but loopback should be given
    /// unless `control` is off: whoever reaches the port may push events and cut sockets.
    pub bind: SocketAddr,
    /// The host in [`base_url`](crate::Sandbox::base_url) and
    /// [`socket_url`](crate::Sandbox::socket_url). Default: the bound address. With TLS, the name
    /// that the certificate is for.
    pub host: Option<String>,
    /// Serve https and wss instead of http and ws.
    pub tls: Option<Tls>,
    /// Which server's habits the Pusher side has. Default [`Profile::Pusher7`].
    pub profile: Profile,
    /// Times of the Pusher side. Default: those of the profile.
    pub timing: Option<Timing>,
    /// The Pusher application key. Default `sandbox-key`.
    pub app_key: String,
    /// The secret that signs channel authorizations. Default `sandbox-secret`.
    pub app_secret: String,
    /// Who may log in. Default: user 42, login `demo`, password `demo`, one session.
    pub users: Vec<UserConfig>,
    /// Channels that every user may have authorized beside their own. A trailing `*` stands for
    /// any ending. Default: none.
    pub open_channels: Vec<String>,
    /// What `GET wsurl` answers as `ws_url`, when the sockets are served by another program.
    /// Default: [`socket_url`](crate::Sandbox::socket_url).
    pub ws_url: Option<String>,
    /// What `POST cameras/{id}/sync-groups` answers. Default: asynchronous, done after 300 ms.
    pub group_sync: GroupSync,
    /// Send a `permissions_updated` event on every VMS channel just before its subscription is
    /// acknowledged, as push1st may. Default off.
    pub event_before_acknowledgement: bool,
    /// Client messages over this rate are refused with `pusher:error` 4301 (Reverb's rate
    /// limiting). push1st knows no such thing and ignores it. Default: no limit.
    pub message_limit: Option<RateLimit>,
    /// `SO_SNDBUF` of accepted connections in bytes, so that a slow reader is felt early.
    /// Default: the system's.
    pub send_buffer: Option<u32>,
    /// Serve the control API under `/sandbox`. Default on.
    pub control: bool,
    /// Seed of socket ids, tokens and notification ids. Default 1.
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

/// Times of the Pusher side.
///
/// The profiles' own times are of many seconds; tests shorten them with
/// [`with_activity_timeout`](Self::with_activity_timeout).
#[derive(Clone, Debug, PartialEq)]
pub struct Timing {
    /// What is announced as `activity_timeout`, in whole seconds, at least 1.
    pub activity_timeout: Duration,
    /// Put on the wire as `activity_timeout` in place of the above, whatever it is;
    /// [`Value::Null`] leaves the key out.
    pub activity_timeout_on_wire: Option<Value>,
    /// Silence of the client after which the server pings it (`pusher7`, `reverb`).
    pub ping_after: Duration,
    /// Further silence after which the client is dropped with 4201 (`pusher7`, `reverb`).
    pub pong_timeout: Duration,
    /// Silence in both directions after which `push1st` closes with 1001.
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
            Profile::Pusher7 => base,
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
        }
    }

    /// These times with another activity timeout, the other silences shortened or lengthened in
    /// proportion. Writing and closing times stay.
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

/// At most `messages` client messages in any window of `per`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Messages allowed in a window.
    pub messages: u32,
    /// Length of a window.
    pub per: Duration,
}
