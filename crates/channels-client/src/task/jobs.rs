//! What runs beside the task, in its `JoinSet`.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use channels_proto::{
    Authorization, AuthorizationError, AuthorizationId, ConnectFailure, ConnectFailureKind, Epoch, FailureClass,
};
use futures_util::FutureExt;

use crate::{
    AuthorizationRequest, Authorizer, ClientOptions, Clock, ServerTime, SocketUrl,
    dial::Dialer,
    socket::Socket,
    upgrade::{UpgradeRequest, Upgraded, upgrade},
};

/// How a job ended.
pub(super) enum Done {
    Opened(Epoch, Result<Box<Socket>, ConnectFailure>),
    Authorized(AuthorizationId, Result<Authorization, AuthorizationError>),
    /// The authorizer has prepared.
    Prepared,
    /// It is time to look after the handler.
    Watch,
}

/// Opens sockets to the one server.
pub(super) struct Opener {
    dialer: Dialer,
    url: SocketUrl,
    request: UpgradeRequest,
    clock: Arc<dyn Clock>,
    server_time: ServerTime,
    max_message_bytes: usize,
    write_timeout: Duration,
}

impl Opener {
    pub(super) fn new(options: &ClientOptions, server_time: ServerTime) -> Self {
        let ClientOptions { socket_url, protocol, client_name, client_version, .. } = options;
        let printable =
            |text: &str| text.chars().map(|c| if c.is_ascii_graphic() { c } else { '-' }).collect::<String>();
        Self {
            dialer: Dialer::new(options.tls.clone()),
            url: socket_url.clone(),
            request: UpgradeRequest {
                host: socket_url.endpoint().host_header(),
                target: socket_url.request_target(&protocol.app_key, client_name, client_version),
                user_agent: format!("{}/{}", printable(client_name), printable(client_version)),
            },
            clock: Arc::clone(&options.clock),
            server_time,
            max_message_bytes: protocol.limits.max_message_bytes,
            write_timeout: options.write_timeout,
        }
    }

    pub(super) async fn open(self: Arc<Self>, epoch: Epoch) -> Done {
        tracing::debug!(%epoch, url = %self.url, "opening a socket");
        let opened = AssertUnwindSafe(Box::pin(self.try_open())).catch_unwind().await;
        Done::Opened(
            epoch,
            opened.unwrap_or_else(|_| {
                Err(self.failure(FailureClass::Network, ConnectFailureKind::Defect, "a defect while connecting"))
            }),
        )
    }

    async fn try_open(&self) -> Result<Box<Socket>, ConnectFailure> {
        let endpoint = self.url.endpoint();
        let mut stream = self.dialer.connect(endpoint).await.map_err(|error| {
            let class = if error.is_refusal() { FailureClass::Refused } else { FailureClass::Network };
            self.failure(class, error.kind(), &error.to_string())
        })?;
        let sent = self.server_time.now();
        let upgraded = upgrade(&mut stream, &self.request).await;
        let Upgraded { headers, early } =
            upgraded.map_err(|error| error.into_failure(&endpoint.to_string(), self.clock.wall()))?;
        self.server_time.learn(sent, &headers);
        Ok(Box::new(Socket::new(stream, &early, self.max_message_bytes, self.write_timeout).await))
    }

    fn failure(&self, class: FailureClass, kind: ConnectFailureKind, message: &str) -> ConnectFailure {
        let message = message.to_owned();
        ConnectFailure { class, kind, retry_after: None, message }
    }
}

pub(super) async fn authorize(
    authorizer: Arc<dyn Authorizer>,
    id: AuthorizationId,
    request: AuthorizationRequest,
) -> Done {
    let answer = AssertUnwindSafe(async move { authorizer.authorize(request).await }).catch_unwind().await;
    Done::Authorized(id, answer.unwrap_or_else(|_| Err(unavailable("the authorizer panicked"))))
}

pub(super) async fn prepare(authorizer: Arc<dyn Authorizer>, channels: usize) -> Done {
    let prepared = AssertUnwindSafe(async move { authorizer.prepare(channels).await }).catch_unwind().await;
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
    AuthorizationError::Unavailable { message: message.to_owned(), retry_after: None }
}

/// Seen three times, a call has lasted 5 s (fault K04).
const WATCH_EVERY: Duration = Duration::from_millis(2_500);
