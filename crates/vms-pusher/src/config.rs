//! The configuration of a [`VmsPusherApi`](crate::VmsPusherApi), and the one place where it is checked.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use channels_client::http::HttpUrl;
use channels_client::{DynTokenProvider, QueueLimits, SocketUrl, Tls, presentable_url};
use channels_proto::{AppKey, Limits, OptionError, Secret};
use tokio::runtime::Handle;

use crate::config_error::ConfigError;
use crate::discovery::{VmsSocketDiscovery, check_socket};
use crate::rest::VmsClientInfo;
use crate::session::{ChannelNames, VmsSession};

/// Who connects, and to which server.
#[derive(Clone)]
pub struct VmsPusherConfig {
    /// The address of the VMS, such as `https://example.com`. A `/` at the end makes no difference.
    #[doc(alias = "baseUrl")]
    pub base_url: String,
    /// The address of its Pusher server, such as `wss://example.com:443/pusher`, as
    /// [`VmsApi::socket_url`](crate::VmsApi::socket_url) returns it.
    #[doc(alias = "socketUrl")]
    pub socket_url: String,
    /// The app key on that server, from the same source.
    #[doc(alias = "appKey")]
    pub app_key: String,
    /// The user's access token.
    #[doc(alias = "userToken")]
    pub user_token: Secret,
    /// The user's id.
    #[doc(alias = "userId")]
    pub user_id: i64,
    /// The id of the access token; it names the session's channel.
    #[doc(alias = "accessTokenId")]
    pub access_token_id: String,
    /// Everything that has a default.
    pub options: VmsPusherOptions,
}

/// The options of a [`VmsPusherApi`](crate::VmsPusherApi).
#[derive(Clone)]
pub struct VmsPusherOptions {
    /// How servers are verified: by the platform, and by your own root certificates if you add any.
    pub tls: Tls,
    /// How much a consumer may leave unread; 1,024 items and 4 MiB by default.
    pub queue: QueueLimits,
    /// Stay connected when the server ends the session; off by default.
    pub stay_after_logout: bool,
    /// Keep every push as received beside what was read from it, for
    /// [`VmsEvents::next_with_raw`](crate::VmsEvents::next_with_raw) and
    /// [`received_raw_push`](crate::VmsSocketManagerDelegate::received_raw_push); off by default. It costs a copy of
    /// each payload, which does not count against `queue`: the queue may take twice the memory.
    pub keep_raw: bool,
    /// Allow an unencrypted socket (`ws://`) beside an encrypted API (`https://`); off by default.
    pub allow_insecure_socket: bool,
    /// Provides fresh tokens when the server refuses the current one; without it, the session's own token is used,
    /// which [`set_session`](crate::VmsPusherApi::set_session) changes. The tokens must belong to the same login
    /// session: see [`TokenProvider`](crate::TokenProvider).
    pub token_provider: Option<Arc<dyn DynTokenProvider>>,
    /// Where to look for the Pusher server when its address no longer works; nowhere by default.
    pub socket_discovery: VmsSocketDiscovery,
    /// How often the client pings the server, every 30 s by default; while all is well, a gap begins at most that
    /// long plus a round trip before the connection is lost. The server may ask for a shorter time. A millisecond to
    /// a day.
    pub activity_timeout: Duration,
    /// How long nothing at all may be received after a ping before the connection is abandoned, 10 s by default. A
    /// millisecond to a day.
    pub pong_timeout: Duration,
    /// How long an attempt to connect may take, 10 s by default, a millisecond to a day. It doubles with each
    /// consecutive attempt that takes longer.
    pub connect_timeout: Duration,
    /// How far `connect_timeout` may grow, 60 s by default, a millisecond to a day; if this is less, it does not
    /// grow.
    pub max_connect_timeout: Duration,
    /// The longest message from the server in bytes, 1 MiB by default, at least 1 KiB. A longer one is lost, and the
    /// client reconnects.
    pub max_message_bytes: usize,
    /// How this client identifies itself to the API.
    pub client: VmsClientInfo,
    /// The runtime for the client's task: by default the one in which `new` is called, or else one shared by the
    /// process.
    pub runtime: Option<Handle>,
}

/// A configuration that has been checked.
pub(crate) struct Checked {
    pub(crate) base_url: HttpUrl,
    pub(crate) socket_url: SocketUrl,
    pub(crate) app_key: AppKey,
    pub(crate) channels: ChannelNames,
}

impl VmsPusherConfig {
    pub(crate) fn check(&self) -> Result<Checked, ConfigError> {
        let base_url = HttpUrl::parse(&self.base_url).map_err(ConfigError::BaseUrl)?;
        let allow_insecure = self.options.allow_insecure_socket;
        let (socket_url, app_key) = check_socket(&base_url, &self.socket_url, &self.app_key, allow_insecure)?;
        let channels = self.session().channels()?;
        self.options.check()?;
        Ok(Checked { base_url, socket_url, app_key, channels })
    }

    fn session(&self) -> VmsSession {
        VmsSession::new(self.user_token.clone(), self.user_id, self.access_token_id.clone())
    }
}

impl VmsPusherOptions {
    fn check(&self) -> Result<(), OptionError> {
        let times = [
            ("activity_timeout", self.activity_timeout),
            ("pong_timeout", self.pong_timeout),
            ("connect_timeout", self.connect_timeout),
            ("max_connect_timeout", self.max_connect_timeout),
        ];
        times.into_iter().try_for_each(|(option, time)| OptionError::check_time(option, time))?;
        OptionError::check("max_message_bytes", self.max_message_bytes, Limits::MESSAGE_BYTES)?;
        OptionError::check_size("queue.max_items", self.queue.max_items)?;
        OptionError::check_size("queue.max_bytes", self.queue.max_bytes)
    }
}

impl Default for VmsPusherConfig {
    /// Returns a configuration in which every field without a default is empty and must be filled in.
    fn default() -> Self {
        Self {
            base_url: String::new(),
            socket_url: String::new(),
            app_key: String::new(),
            user_token: Secret::new(""),
            user_id: 0,
            access_token_id: String::new(),
            options: VmsPusherOptions::default(),
        }
    }
}

impl Default for VmsPusherOptions {
    fn default() -> Self {
        Self {
            tls: Tls::platform(),
            queue: QueueLimits::default(),
            stay_after_logout: false,
            keep_raw: false,
            allow_insecure_socket: false,
            token_provider: None,
            socket_discovery: VmsSocketDiscovery::Off,
            activity_timeout: Duration::from_secs(30),
            pong_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(10),
            max_connect_timeout: Duration::from_secs(60),
            max_message_bytes: 1024 * 1024,
            client: VmsClientInfo::default(),
            runtime: None,
        }
    }
}

impl fmt::Debug for VmsPusherConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VmsPusherConfig")
            .field("base_url", &presentable_url(&self.base_url))
            .field("socket_url", &presentable_url(&self.socket_url))
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for VmsPusherOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VmsPusherOptions")
            .field("tls", &self.tls)
            .field("queue", &self.queue)
            .field("stay_after_logout", &self.stay_after_logout)
            .field("keep_raw", &self.keep_raw)
            .field("allow_insecure_socket", &self.allow_insecure_socket)
            .field("token_provider", &self.token_provider.is_some())
            .field("socket_discovery", &self.socket_discovery)
            .field("activity_timeout", &self.activity_timeout)
            .field("pong_timeout", &self.pong_timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("max_connect_timeout", &self.max_connect_timeout)
            .field("max_message_bytes", &self.max_message_bytes)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
