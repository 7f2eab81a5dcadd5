use std::{fmt, sync::Arc};

use channels_proto::AppKey;
use tokio::runtime::Handle;

use super::{
    authorizers::Authorizers, error::BuildError, event::EventDecoder, handle::Client, hub::Hub, shared::Shared,
};
use crate::{
    Authorizer, ClientOptions, Connector, DynAuthorizer, QueueLimits, SocketUrl, StreamClient, SystemConnector, Tls,
};

/// How a [`Client`] is made: see [`Client::builder`].
#[must_use = "it does nothing until it is built"]
pub struct ClientBuilder {
    options: Result<ClientOptions, BuildError>,
    authorizer: Option<Arc<dyn DynAuthorizer>>,
    runtime: Option<Handle>,
}

impl Client {
    /// Makes a client of the application `key` on the server at `url`, such as `wss://example.com`, on the current tokio
    /// runtime, and begins to connect.
    ///
    /// # Errors
    /// When the URL or the key cannot be used, or there is no current runtime. That a server is not there or refuses is
    /// told later: see [`wait_connected`](Self::wait_connected).
    pub fn connect<U>(url: U, key: &str) -> Result<Self, BuildError>
    where
        U: TryInto<SocketUrl>,
        BuildError: From<U::Error>,
    {
        Self::builder(url, key).connect()
    }

    /// Begins to make a client of the application `key` on the server at `url`.
    pub fn builder<U>(url: U, key: &str) -> ClientBuilder
    where
        U: TryInto<SocketUrl>,
        BuildError: From<U::Error>,
    {
        let options = || Ok(ClientOptions::new(url.try_into()?, AppKey::parse(key)?));
        ClientBuilder { options: options(), authorizer: None, runtime: None }
    }

    /// Begins to make a client with these options.
    pub fn with_options(options: ClientOptions) -> ClientBuilder {
        ClientBuilder { options: Ok(options), authorizer: None, runtime: None }
    }
}

impl ClientBuilder {
    /// Sets who signs for private and presence channels; without one, these are refused unless they have an
    /// [authorizer of their own](Client::subscribe_with).
    pub fn authorizer(mut self, authorizer: impl Authorizer) -> Self {
        self.authorizer = Some(Arc::new(authorizer));
        self
    }

    /// Sets how the server is verified; by the platform by default. The client then connects directly: what else a
    /// [`SystemConnector`] can do, such as to go through proxies, is set on one for [`connector`](Self::connector).
    pub fn tls(self, tls: Tls) -> Self {
        self.connector(SystemConnector::new().with_tls(tls))
    }

    /// Sets how the client connects, and where its time and its random numbers come from.
    pub fn connector(self, connector: impl Connector) -> Self {
        self.options(|options| options.connector = Arc::new(connector))
    }

    /// Sets how much each handle may leave unread, and as much may wait for the callbacks of each channel.
    pub fn queue(self, limits: QueueLimits) -> Self {
        self.options(|options| options.queue = limits)
    }

    /// Sets any option.
    pub fn options(mut self, set: impl FnOnce(&mut ClientOptions)) -> Self {
        if let Ok(options) = &mut self.options {
            set(options);
        }
        self
    }

    /// Sets the runtime that the client runs on, with its network and time drivers; the current one by default.
    pub fn runtime(mut self, runtime: Handle) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// Makes the client and begins to connect.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn connect(self) -> Result<Client, BuildError> {
        let client = self.build()?;
        client.open();
        Ok(client)
    }

    /// Makes the client, which connects when it is [opened](Client::open).
    ///
    /// # Errors
    /// When the URL, the key or an option cannot be used, or there is no runtime.
    pub fn build(self) -> Result<Client, BuildError> {
        let options = self.options?;
        let runtime = self.runtime.or_else(|| Handle::try_current().ok()).ok_or(BuildError::NoRuntime)?;
        let authorizers = Arc::new(Authorizers::new(self.authorizer));
        let limits = options.protocol.limits;
        let hub = Hub::new(options.queue, runtime.clone());
        let tap = Arc::<Hub>::clone(&hub);
        let stream =
            StreamClient::with_tap(options, Arc::<Authorizers>::clone(&authorizers), EventDecoder, &runtime, tap)?;
        Ok(Client::new(Shared { stream, hub, limits, authorizers }))
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").field("options", &self.options).finish_non_exhaustive()
    }
}
