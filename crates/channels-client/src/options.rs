use std::{sync::Arc, time::Duration};

use channels_proto::{AppKey, OptionError};

use crate::{Connector, ServerTime, SocketAddressProvider, SocketUrl, SystemConnector};

/// How a [`StreamClient`](crate::StreamClient) connects and delivers; [`ClientOptions::new`] gives the defaults.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// Where the Pusher server listens.
    pub socket_url: SocketUrl,
    /// The provider that is asked for another address, and its app key, when this one no longer works; none by
    /// default.
    pub address_provider: Option<Arc<dyn SocketAddressProvider>>,
    /// The protocol's own options: the app key, timeouts and limits.
    pub protocol: channels_proto::Options,
    /// How the client connects, and where its time and its random numbers come from: a [`SystemConnector`] by default. It takes
    /// a [`Tls`](crate::Tls), proxies, a clock. Share one among clients, or at least its `Tls`: they then share certificates and
    /// sessions.
    pub connector: Arc<dyn Connector>,
    /// How much a consumer may leave unread.
    pub queue: QueueLimits,
    /// The name by which this client introduces itself to the server, in the URL and in `User-Agent`.
    pub client_name: String,
    /// The name of this client in the log, which tells it from others of the process; a number does that too. None by default.
    ///
    /// Each client has a `tracing` span, `channels_client`, with both. What it logs and what its authorizer does is in there.
    pub name: Option<String>,
    /// The version that goes with `client_name`.
    pub client_version: String,
    /// How long a write may make no progress before the socket is abandoned, 10 s by default.
    pub write_timeout: Duration,
    /// What is known of the server's clock. Give a clone to the HTTP clients of the same server, and it learns from
    /// their responses too; with none, the client creates one that learns from the upgrades alone. It must be created
    /// with the clock of the `connector`.
    pub server_time: Option<ServerTime>,
}

impl ClientOptions {
    /// Returns the defaults for the application `app_key` on the server at `socket_url`.
    #[must_use]
    pub fn new(socket_url: SocketUrl, app_key: AppKey) -> Self {
        Self {
            socket_url,
            address_provider: None,
            protocol: channels_proto::Options::new(app_key),
            connector: SystemConnector::shared(),
            queue: QueueLimits::default(),
            name: None,
            client_name: env!("CARGO_PKG_NAME").to_owned(),
            client_version: env!("CARGO_PKG_VERSION").to_owned(),
            write_timeout: Duration::from_secs(10),
            server_time: None,
        }
    }

    /// Checks that a client can work with every option; [`StreamClient::new`](crate::StreamClient::new) does that too.
    ///
    /// # Errors
    /// The first option that fails the check.
    pub fn check(&self) -> Result<(), OptionError> {
        self.protocol.check()?;
        OptionError::check_time("write_timeout", self.write_timeout)?;
        OptionError::check_size("queue.max_items", self.queue.max_items)?;
        OptionError::check_size("queue.max_bytes", self.queue.max_bytes)
    }
}

/// How much may wait in the queue of one consumer. Beyond either limit the oldest events are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLimits {
    /// Items, 1,024 by default.
    pub max_items: usize,
    /// Bytes, 4 MiB by default. An event counts as the length of its frame plus 128 for its entry. What the decoder
    /// made of it is not counted, and may take a multiple of that. The lists of members in reports have as much room
    /// again: above that, the reports are folded, so that only the last list of each channel is left.
    pub max_bytes: usize,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self { max_items: 1024, max_bytes: 4 * 1024 * 1024 }
    }
}
