use std::{fmt, sync::Arc, time::Duration};

use ::http::{HeaderValue, Request, Response, Uri, Version, header, response::Parts};
use bytes::Bytes;
use channels_proto::OptionError;
use futures_util::future::join_all;
use tokio::sync::oneshot;

use super::{
    HttpError, HttpOrigin,
    connection::{Connection, ExchangeError},
    pool::{Opening, Pool, Source},
};
use crate::{Connector, ServerTime, SystemConnector, Tls, endpoint::presentable_url};

/// Limits on a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpLimits {
    /// The longest response body in bytes, 64 KiB by default, at least one.
    pub max_body_bytes: usize,
    /// The time from the start of a request to the last byte of its response, including resolution and connection: a
    /// millisecond to a day, 60 s by default. That is the longest that a client waits for an authorization
    /// ([`max_answer_timeout`](channels_proto::Options::max_answer_timeout)); it abandons one by itself, and at first
    /// sooner.
    pub deadline: Duration,
}

impl HttpLimits {
    /// Checks that a response can stay within the limits; [`HttpClient::new`] does that too.
    ///
    /// # Errors
    /// The first limit that is out of range.
    pub fn check(&self) -> Result<(), OptionError> {
        OptionError::check_size("max_body_bytes", self.max_body_bytes)?;
        OptionError::check_time("deadline", self.deadline)
    }
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self { max_body_bytes: 64 * 1024, deadline: Duration::from_secs(60) }
    }
}

/// Sends requests to one server over connections that are kept alive. Cheap to clone; clones share the connections.
#[derive(Clone)]
pub struct HttpClient {
    shared: Arc<Shared>,
    server_time: Option<ServerTime>,
}

/// Whether a request may be sent a second time.
#[derive(Clone, Copy, Debug)]
enum Repeat {
    Never,
    /// When the kept connection it was sent on turns out to have been closed.
    WhenStale,
}

struct Shared {
    origin: HttpOrigin,
    connector: Arc<dyn Connector>,
    limits: HttpLimits,
    pool: Pool,
}

impl HttpClient {
    /// Creates a client for `origin` that connects directly, secured by `tls`. It opens no connection yet.
    ///
    /// # Errors
    /// When no response can stay within the limits: see [`HttpLimits::check`].
    pub fn new(origin: HttpOrigin, tls: Tls, limits: HttpLimits) -> Result<Self, OptionError> {
        Self::over(Arc::new(SystemConnector::new().with_tls(tls)), origin, limits)
    }

    /// Creates a client that connects by `connector`. By its clock, kept connections grow old.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn over(connector: Arc<dyn Connector>, origin: HttpOrigin, limits: HttpLimits) -> Result<Self, OptionError> {
        limits.check()?;
        Ok(Self::with_limits(connector, origin, limits))
    }

    pub(crate) fn with_limits(connector: Arc<dyn Connector>, origin: HttpOrigin, limits: HttpLimits) -> Self {
        let pool = Pool::new(connector.clock());
        let shared = Arc::new(Shared { origin, connector, limits, pool });
        Self { shared, server_time: None }
    }

    /// Returns this client with `server_time`, which learns from its responses.
    #[must_use]
    pub fn telling(self, server_time: ServerTime) -> Self {
        Self { server_time: Some(server_time), ..self }
    }

    /// Returns the server that requests go to.
    #[must_use]
    pub fn origin(&self) -> &HttpOrigin {
        &self.shared.origin
    }

    /// Sends `request` once and returns the complete response, whatever its status unless it is a redirect.
    ///
    /// For requests that the server must not carry out twice. It opens a new connection: if a kept one turned out to
    /// be closed, it would be unknown whether the server had already carried out the request.
    ///
    /// The URI may be a path (with a query), or absolute if it names the configured server. `Host` and
    /// `Content-Length` are added.
    ///
    /// # Errors
    /// See [`HttpError`]. Nothing is retried: after [`HttpError::Failed`] and [`HttpError::TimedOut`] the server may
    /// or may not have carried out the request.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection in use; the request may or may not have been seen by the server.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.answer(request, Repeat::Never).await
    }

    /// Like [`send`](Self::send), for a request that may be carried out twice: it uses a kept connection if there is
    /// one, and tries once more on a new one when that was closed before any byte of the response.
    ///
    /// # Errors
    /// See [`HttpError`]. Nothing is retried except in the case above.
    ///
    /// # Cancel safety
    /// As for [`send`](Self::send).
    pub async fn send_idempotent(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.answer(request, Repeat::WhenStale).await
    }

    async fn answer(&self, request: Request<Bytes>, repeat: Repeat) -> Result<Response<Bytes>, HttpError> {
        let request = self.complete(request)?;
        let path = request.uri().path().to_owned();
        self.answer_complete(request, repeat).await.map_err(|error| error.at(&path))
    }

    async fn answer_complete(&self, request: Request<Bytes>, repeat: Repeat) -> Result<Response<Bytes>, HttpError> {
        let after = self.shared.limits.deadline;
        let exchange = Box::pin(self.exchange(request, repeat));
        let answered = tokio::time::timeout(after, exchange).await;
        let response = answered.map_err(|_| HttpError::TimedOut { url: self.origin().to_string(), after })??;
        if response.status().is_redirection() {
            let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            return Err(HttpError::Redirected {
                url: self.origin().to_string(),
                status: response.status(),
                to: location.map(presentable_url).unwrap_or_default(),
            });
        }
        Ok(response)
    }

    /// Opens connections in advance, so that up to `connections` requests find one; at most eight are kept.
    ///
    /// Failures are not reported: a request that needs a connection opens its own and reports what fails.
    pub async fn prepare(&self, connections: usize) {
        let openings = self.shared.pool.announce(connections);
        join_all(openings.into_iter().map(|opening| Box::pin(self.open_ahead(opening)))).await;
    }

    /// Closes the connections that are not in use.
    pub fn release(&self) {
        self.shared.pool.clear();
    }

    async fn exchange(&self, request: Request<Bytes>, repeat: Repeat) -> Result<Response<Bytes>, HttpError> {
        let (mut connection, answered) = match repeat {
            Repeat::Never => {
                let mut connection = self.open().await?;
                let answered = self.exchange_over(&mut connection, request).await;
                (connection, answered)
            }
            Repeat::WhenStale => {
                let mut connection = self.kept().await?;
                let mut answered = self.exchange_over(&mut connection, request.clone()).await;
                if matches!(answered, Err(ExchangeError::Stale)) {
                    connection = self.open().await?;
                    answered = self.exchange_over(&mut connection, request).await;
                }
                (connection, answered)
            }
        };
        let response = answered.map_err(|error| self.explain(error))?;
        if connection.is_alive() {
            self.shared.pool.put(connection);
        }
        Ok(response)
    }

    async fn exchange_over(
        &self,
        connection: &mut Connection,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, ExchangeError> {
        let timed = self.server_time.as_ref().map(|server_time| (server_time, server_time.now()));
        let learn = |parts: &Parts| {
            // Who redirects may be the login page of a network.
            if let Some((server_time, sent)) = timed.filter(|_| !parts.status.is_redirection()) {
                server_time.learn(sent, &parts.headers);
            }
        };
        connection.exchange(request, self.shared.limits.max_body_bytes, learn).await
    }

    /// Returns a connection that was kept or is being opened ahead, or else a new one.
    async fn kept(&self) -> Result<Connection, HttpError> {
        match self.shared.pool.take() {
            Source::Idle(connection) => Ok(*connection),
            Source::Opening(opening) => self.opened_first(opening).await,
            Source::None => self.open().await,
        }
    }

    /// Returns the connection that is being opened ahead, or one of its own when that takes long or comes to nothing: what is
    /// stuck holds up no request.
    async fn opened_first(&self, mut ahead: oneshot::Receiver<Connection>) -> Result<Connection, HttpError> {
        match tokio::time::timeout(LONGEST_WAIT_FOR_AHEAD, &mut ahead).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(_)) => self.open().await,
            Err(_) => tokio::select! {
                biased;
                Ok(connection) = ahead => Ok(connection),
                own = self.open() => own,
            },
        }
    }

    async fn open_ahead(&self, opening: Opening<'_>) {
        match tokio::time::timeout(self.shared.limits.deadline, self.open()).await {
            Ok(Ok(connection)) => opening.opened(connection),
            Ok(Err(error)) => tracing::debug!(%error, "no connection could be opened in advance"),
            Err(_) => tracing::debug!(origin = %self.origin(), "no connection could be opened in advance in time"),
        }
    }

    async fn open(&self) -> Result<Connection, HttpError> {
        let stream = self.shared.connector.connect(self.origin().endpoint()).await?;
        Connection::new(stream).await.map_err(|error| self.explain(error))
    }

    fn explain(&self, error: ExchangeError) -> HttpError {
        let url = self.origin().to_string();
        match error {
            ExchangeError::TooLarge => HttpError::TooLarge { url, limit: self.shared.limits.max_body_bytes },
            ExchangeError::Failed(reason) => HttpError::Failed { url, reason },
            ExchangeError::Stale => HttpError::Failed { url, reason: "the connection was closed".to_owned() },
        }
    }

    /// Reduces the URI to its path, and names the host in a header.
    fn complete(&self, request: Request<Bytes>) -> Result<Request<Bytes>, HttpError> {
        let (mut parts, body) = request.into_parts();
        let endpoint = self.origin().endpoint();
        if let Some(authority) = parts.uri.authority() {
            let scheme = if endpoint.secure { "https" } else { "http" };
            let port = authority.port_u16().unwrap_or(if endpoint.secure { 443 } else { 80 });
            let same_host = authority.host().eq_ignore_ascii_case(&endpoint.bracketed_host());
            let plain = !authority.as_str().contains('@');
            if !(plain && same_host && port == endpoint.port && parts.uri.scheme_str() == Some(scheme)) {
                return Err(HttpError::ForeignOrigin { origin: self.origin().to_string() });
            }
        }
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let unusable = |reason: &str| HttpError::Failed { url: self.origin().to_string(), reason: reason.to_owned() };
        parts.uri = path.parse::<Uri>().map_err(|_| unusable("the request has no usable path"))?;
        parts.version = Version::HTTP_11;
        let host = HeaderValue::from_str(&endpoint.host_header());
        parts.headers.insert(header::HOST, host.map_err(|_| unusable("the host is not allowed in a header"))?);
        Ok(Request::from_parts(parts, body))
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { origin, limits, .. } = &*self.shared;
        f.debug_struct("HttpClient").field("origin", origin).field("limits", limits).finish_non_exhaustive()
    }
}

/// Longer than a connection takes in most networks, and short beside what a request has.
const LONGEST_WAIT_FOR_AHEAD: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;
