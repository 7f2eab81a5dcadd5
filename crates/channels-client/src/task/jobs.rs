//! What runs beside the task, in its `JoinSet`.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use channels_proto::{
    Authorization, AuthorizationError, AuthorizationId, ConnectFailure, ConnectFailureKind, Epoch, FailureClass,
    UserAuthentication,
};
use futures_util::FutureExt;

use crate::{
    AuthenticationRequest, AuthorizationRequest, ClientOptions, Connector, DynAuthorizer, ServerTime, SocketAddress,
    SocketAddressError, SocketAddressProvider, UpgradeRequest, Upgraded, socket::Socket,
};

use super::turnstile::{Turn, Turnstile};

/// How a job ended.
pub(super) enum Done {
    Opened(Epoch, Result<Box<Socket>, ConnectFailure>),
    Authorized(AuthorizationId, Result<Authorization, AuthorizationError>),
    Authenticated(AuthorizationId, Result<UserAuthentication, AuthorizationError>),
    /// The authorizer has prepared.
    Prepared,
    /// It is the client's turn to connect, or it has waited long enough for one.
    Turn(Epoch, Option<Turn>),
    /// It has held its turn for as long as it may.
    TurnOver,
    /// The provider of the address has answered.
    Found(Result<SocketAddress, SocketAddressError>),
    /// It is time to look after the handler.
    Watch,
}

/// Opens sockets to one server.
pub(super) struct Opener {
    connector: Arc<dyn Connector>,
    address: SocketAddress,
    /// The name of the client, and its version.
    client: (String, String),
    server_time: ServerTime,
    turnstile: Turnstile,
    max_message_bytes: usize,
    max_channels: usize,
    write_timeout: Duration,
}

impl Opener {
    pub(super) fn new(options: &ClientOptions, server_time: ServerTime) -> Self {
        let ClientOptions { socket_url, protocol, client_name, client_version, .. } = options;
        let address = SocketAddress { url: socket_url.clone(), app_key: protocol.app_key.clone() };
        Self {
            connector: Arc::clone(&options.connector),
            turnstile: Turnstile::of(address.url.endpoint()),
            address,
            client: (client_name.clone(), client_version.clone()),
            server_time,
            max_message_bytes: protocol.limits.max_message_bytes,
            max_channels: protocol.limits.max_channels,
            write_timeout: options.write_timeout,
        }
    }

    /// Returns where it opens sockets.
    pub(super) const fn address(&self) -> &SocketAddress {
        &self.address
    }

    pub(super) const fn turnstile(&self) -> &Turnstile {
        &self.turnstile
    }

    /// Returns a number that nobody can foretell.
    pub(super) fn random(&self) -> u64 {
        self.connector.random()
    }

    /// Returns the same for another server.
    pub(super) fn at(&self, address: SocketAddress) -> Self {
        Self {
            connector: Arc::clone(&self.connector),
            turnstile: Turnstile::of(address.url.endpoint()),
            address,
            client: self.client.clone(),
            server_time: self.server_time.clone(),
            max_message_bytes: self.max_message_bytes,
            max_channels: self.max_channels,
            write_timeout: self.write_timeout,
        }
    }

    pub(super) async fn open(self: Arc<Self>, epoch: Epoch) -> Done {
        tracing::debug!(%epoch, url = %self.address.url, "opening a socket");
        let opened = AssertUnwindSafe(Box::pin(self.try_open())).catch_unwind().await;
        Done::Opened(
            epoch,
            opened.unwrap_or_else(|_| {
                Err(self.failure(FailureClass::Network, ConnectFailureKind::Defect, "a defect while connecting"))
            }),
        )
    }

    async fn try_open(&self) -> Result<Box<Socket>, ConnectFailure> {
        let request = self.request();
        let mut stream = self.connector.connect(&request.endpoint).await.map_err(|error| {
            let class = if error.is_refusal() { FailureClass::Refused } else { FailureClass::Network };
            self.failure(class, error.kind(), &error.to_string())
        })?;
        let sent = self.server_time.now();
        let Upgraded { headers, early } = self.connector.upgrade(&mut stream, &request).await?;
        self.server_time.learn(sent, &headers);
        let socket = Socket::new(stream, &early, self.max_message_bytes, self.write_timeout).await;
        Ok(Box::new(socket.for_channels(self.max_channels)))
    }

    fn failure(&self, class: FailureClass, kind: ConnectFailureKind, message: &str) -> ConnectFailure {
        let message = message.to_owned();
        ConnectFailure { class, kind, retry_after: None, message }
    }

    fn request(&self) -> UpgradeRequest {
        let (name, version) = &self.client;
        let fit = |text: &str| text.chars().map(|c| if c.is_ascii_graphic() { c } else { '-' }).collect::<String>();
        UpgradeRequest {
            endpoint: self.address.url.endpoint().clone(),
            target: self.address.url.request_target(&self.address.app_key, name, version),
            user_agent: format!("{}/{}", fit(name), fit(version)),
        }
    }
}

/// The attempt that fails because there is no address.
pub(super) fn without_address(epoch: Epoch, error: &SocketAddressError) -> impl Future<Output = Done> + use<> {
    let (class, kind) = (FailureClass::Network, ConnectFailureKind::Address);
    let failure = ConnectFailure { class, kind, retry_after: None, message: error.to_string() };
    std::future::ready(Done::Opened(epoch, Err(failure)))
}

pub(super) async fn wait_for_turn(epoch: Epoch, turnstile: Turnstile) -> Done {
    Done::Turn(epoch, turnstile.turn().await)
}

/// Holds a turn until it is aborted; for a moment only, for the server may be stuck, and others want to find out too.
pub(super) async fn hold(turn: Turn) -> Done {
    tokio::time::sleep(LONGEST_TURN).await;
    drop(turn);
    Done::TurnOver
}

/// Asks for the address, within a deadline of its own: no attempt waits for it.
pub(super) async fn find(provider: Arc<dyn SocketAddressProvider>) -> Done {
    let asked = AssertUnwindSafe(async move { provider.find().await }).catch_unwind();
    let failed = |message: &str| Err(SocketAddressError { message: message.to_owned(), retry_after: None });
    Done::Found(match tokio::time::timeout(ADDRESS_DEADLINE, asked).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => failed("its provider panicked"),
        Err(_) => failed("its provider did not answer within 30 s"),
    })
}

pub(super) async fn authorize(
    authorizer: Arc<dyn DynAuthorizer>,
    id: AuthorizationId,
    request: AuthorizationRequest,
) -> Done {
    let answer = AssertUnwindSafe(async move { authorizer.boxed_authorize(request).await }).catch_unwind().await;
    Done::Authorized(id, answer.unwrap_or_else(|_| Err(unavailable("the authorizer panicked"))))
}

pub(super) async fn authenticate(
    authorizer: Arc<dyn DynAuthorizer>,
    id: AuthorizationId,
    request: AuthenticationRequest,
) -> Done {
    let answer = AssertUnwindSafe(async move { authorizer.boxed_authenticate(request).await }).catch_unwind().await;
    Done::Authenticated(id, answer.unwrap_or_else(|_| Err(unavailable("the authorizer panicked"))))
}

pub(super) async fn prepare(authorizer: Arc<dyn DynAuthorizer>, channels: usize) -> Done {
    let prepared = AssertUnwindSafe(async move { authorizer.boxed_prepare(channels).await }).catch_unwind().await;
    if prepared.is_err() {
        tracing::warn!("the authorizer panicked while preparing");
    }
    Done::Prepared
}

pub(super) async fn watch() -> Done {
    tokio::time::sleep(WATCH_EVERY).await;
    Done::Watch
}

fn unavailable(message: &str) -> AuthorizationError {
    AuthorizationError::unavailable(message)
}

const ADDRESS_DEADLINE: Duration = Duration::from_secs(30);
const LONGEST_TURN: Duration = Duration::from_secs(1);
/// Seen three times, a call has lasted 5 s (fault K04).
const WATCH_EVERY: Duration = Duration::from_millis(2_500);
