//! The few calls of the VMS's HTTP API that go with the socket.

mod answers;
mod client_info;
mod error;

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use channels_client::http::{HttpClient, HttpLimits, HttpUrl};
use channels_client::{
    Clock as _, Connector, DynTokenProvider, ServerTime, SocketUrl, StaticToken, SystemClock, SystemConnector, Tls,
    current_token,
};
use channels_proto::{AppKey, OptionError, Secret, SocketId};
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;

pub use self::answers::{GroupSync, VmsCredentials, VmsLogin, VmsSocketUrl};
pub use self::client_info::VmsClientInfo;
pub use self::error::{ApiError, ApiErrorKind};

use self::answers::{LoginBody, SyncGroupsBody};
use crate::config_error::ConfigError;
use crate::runtime;
use crate::session::{self, check_token};

/// The calls of the VMS's HTTP API that go with the socket. Cheap to clone.
///
/// When it comes from [`VmsPusherApi::rest`](crate::VmsPusherApi::rest), it sends the live socket's id
/// (`X-Socket-ID`), so that the server leaves this client out of the pushes that its own calls cause. When created by
/// [`new`](Self::new), it is for logging in before there is a socket.
///
/// Its futures may be awaited on any executor. A call may take 30 s in all. Nothing is retried, no redirect is
/// followed, and a call that changes something ([`login`](Self::login), [`sync_groups`](Self::sync_groups)) is never
/// sent to the server twice.
#[doc(alias = "SocketApi")]
#[doc(alias = "GroupApi")]
#[derive(Clone)]
pub struct VmsApi {
    rest: Arc<Rest>,
    socket: Option<Weak<dyn LiveSocket>>,
}

/// A socket whose id goes along with every call while it is there.
pub(crate) trait LiveSocket: Send + Sync {
    fn socket_id(&self) -> Option<SocketId>;
}

pub(crate) struct Rest {
    http: HttpClient,
    root: HttpUrl,
    headers: Arc<HeaderMap>,
    tokens: Option<Arc<dyn DynTokenProvider>>,
    runtime: Handle,
}

impl Rest {
    pub(crate) fn new(
        base_url: &HttpUrl,
        connector: Arc<dyn Connector>,
        headers: Arc<HeaderMap>,
        tokens: Option<Arc<dyn DynTokenProvider>>,
        runtime: Handle,
    ) -> Result<Self, OptionError> {
        let limits = HttpLimits { max_body_bytes: MAX_ANSWER_BYTES, deadline: DEADLINE };
        let http = HttpClient::over(connector, base_url.origin(), limits)?;
        Ok(Self { http, root: api_root(base_url), headers, tokens, runtime })
    }

    /// Returns the same, from whose answers `server_time` learns.
    pub(crate) fn telling(self, server_time: ServerTime) -> Self {
        Self { http: self.http.telling(server_time), ..self }
    }
}

/// Returns how connections to a VMS are opened, its Pusher server's included.
pub(crate) fn connector(tls: Tls) -> Arc<dyn Connector> {
    Arc::new(SystemConnector::new().with_tls(tls))
}

/// Returns where the API is below the address of a VMS.
pub(crate) fn api_root(base_url: &HttpUrl) -> HttpUrl {
    base_url.join("api/v1")
}

impl VmsApi {
    /// Creates the API of the VMS at `base_url`, without a user.
    ///
    /// # Errors
    /// When `base_url` is not a valid address of a VMS, or a text in `client` is not allowed in a header.
    pub fn new(base_url: &str, tls: Tls, client: &VmsClientInfo) -> Result<Self, ConfigError> {
        let base_url = HttpUrl::parse(base_url).map_err(ConfigError::BaseUrl)?;
        let runtime = runtime::handle(None).map_err(|error| ConfigError::Runtime { reason: error.to_string() })?;
        let rest = Rest::new(&base_url, connector(tls), client.headers()?, None, runtime)?;
        Ok(Self { rest: Arc::new(rest), socket: None })
    }

    pub(crate) fn of_socket(rest: &Arc<Rest>, socket: Weak<dyn LiveSocket>) -> Self {
        Self { rest: Arc::clone(rest), socket: Some(socket) }
    }

    pub(crate) fn without_socket(rest: &Arc<Rest>) -> Self {
        Self { rest: Arc::clone(rest), socket: None }
    }

    /// Returns the same API for the user with this access token.
    ///
    /// # Errors
    /// When the token is empty or not allowed in a header.
    pub fn with_token(&self, token: &Secret) -> Result<Self, ConfigError> {
        check_token(token)?;
        let Rest { http, root, headers, runtime, .. } = self.rest.as_ref();
        let tokens: Arc<dyn DynTokenProvider> = Arc::new(StaticToken::new(token.clone()));
        let rest = Rest {
            http: http.clone(),
            root: root.clone(),
            headers: Arc::clone(headers),
            tokens: Some(tokens),
            runtime: runtime.clone(),
        };
        Ok(Self { rest: Arc::new(rest), socket: self.socket.clone() })
    }

    /// Logs in.
    ///
    /// The result is checked: the token is allowed in a header, and the ids can name channels.
    ///
    /// # Errors
    /// [`ApiErrorKind::IncorrectData`] when the server does not accept the credentials; see [`ApiError`].
    pub async fn login(&self, credentials: &VmsCredentials) -> Result<VmsLogin, ApiError> {
        let (asked, body) = (session::now(), LoginBody::new(credentials));
        let secrets = &[&credentials.password];
        let answer: answers::LoginAnswer =
            self.call(Method::POST, "token", Some(&body), Sender::Anyone(secrets)).await?;
        let login = answer.into_login(asked).ok_or_else(|| self.unusable("token", "it lacks the token or the user"))?;
        login.check().map_err(|reason| error::unusable_value(&self.rest.root.join("token"), reason))?;
        Ok(login)
    }

    /// Asks for the address of this VMS's Pusher server and the app key on it.
    ///
    /// # Errors
    /// See [`ApiError`]; [`ApiErrorKind::UnusableValue`] when that address cannot be that of a socket.
    pub async fn socket_url(&self) -> Result<VmsSocketUrl, ApiError> {
        self.call_checked(Method::GET, "wsurl", None::<&()>, Sender::User, |found: &VmsSocketUrl| {
            SocketUrl::parse(&found.ws_url).map_err(|error| format!("its ws_url: {error}"))?;
            AppKey::parse(&found.app_key).map(|_| ()).map_err(|error| format!("its app_key: {error}"))
        })
        .await
    }

    /// Puts a camera into exactly these groups. After [`GroupSync::Async`] the push `camera_groups_synced` reports
    /// that it is done.
    ///
    /// # Errors
    /// See [`ApiError`].
    #[doc(alias = "syncGroups")]
    pub async fn sync_groups(&self, camera_id: i64, group_ids: &[i64]) -> Result<GroupSync, ApiError> {
        let path = format!("cameras/{camera_id}/sync-groups");
        let answer: answers::SyncAnswer =
            self.call(Method::POST, &path, Some(&SyncGroupsBody { groups: group_ids }), Sender::User).await?;
        answer.kind().ok_or_else(|| self.unusable(&path, "its `type` is neither `sync` nor `async`"))
    }

    async fn call<B: Serialize, A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
        sender: Sender<'_>,
    ) -> Result<A, ApiError> {
        self.call_checked(method, path, body, sender, |_| Ok(())).await
    }

    /// `check` says what is wrong with an answer that could be read.
    async fn call_checked<B: Serialize, A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
        sender: Sender<'_>,
        check: impl FnOnce(&A) -> Result<(), String>,
    ) -> Result<A, ApiError> {
        let url = self.rest.root.join(path);
        let body = body.map(serde_json::to_vec).transpose().unwrap_or_default().unwrap_or_default();
        let mut request = Request::new(Bytes::from(body));
        *request.method_mut() = method;
        *request.uri_mut() = url.path().parse().map_err(|_| self.unusable(path, "the address is not usable"))?;
        let token = self.token(sender).await?;
        let secrets = match (sender, &token) {
            (Sender::Anyone(secrets), _) => secrets,
            (Sender::User, Some(token)) => &[token][..],
            (Sender::User, None) => &[],
        };
        *request.headers_mut() = self.headers(token.as_ref())?;
        let response = self.exchange(request, secrets).await?;
        if !response.status().is_success() {
            return Err(error::of_status(&url, &response, SystemClock::new().wall(), secrets));
        }
        let answer = serde_json::from_slice(response.body()).map_err(|error| {
            // The text of the error could quote the answer, and that may hold a token.
            let place = format!("it is not what was expected at line {}, column {}", error.line(), error.column());
            self.unusable(path, &place)
        })?;
        check(&answer).map_err(|reason| error::unusable_value(&url, &error::hidden(reason, secrets)))?;
        Ok(answer)
    }

    async fn token(&self, sender: Sender<'_>) -> Result<Option<Secret>, ApiError> {
        if matches!(sender, Sender::Anyone(_)) {
            return Ok(None);
        }
        let tokens = self.rest.tokens.as_ref().ok_or_else(error::no_token)?;
        let token = self.run(current_token(Arc::clone(tokens))).await?;
        token.map(Some).map_err(|error| error::of_token(&error))
    }

    fn headers(&self, token: Option<&Secret>) -> Result<HeaderMap, ApiError> {
        let mut headers = HeaderMap::clone(&self.rest.headers);
        headers.insert(header::CONTENT_TYPE, JSON);
        if let Some(id) = self.socket.as_ref().and_then(Weak::upgrade).and_then(|socket| socket.socket_id())
            && let Ok(id) = HeaderValue::from_str(id.as_str())
        {
            headers.insert("x-socket-id", id);
        }
        if let Some(token) = token {
            headers.insert(header::AUTHORIZATION, bearer(token)?);
        }
        Ok(headers)
    }

    async fn exchange(&self, request: Request<Bytes>, secrets: &[&Secret]) -> Result<Response<Bytes>, ApiError> {
        let http = self.rest.http.clone();
        let exchange = async move {
            if request.method().is_idempotent() {
                Box::pin(http.send_idempotent(request)).await
            } else {
                Box::pin(http.send(request)).await
            }
        };
        let answered = self.run(exchange).await?;
        answered.map_err(|error| error::of_http(error, secrets))
    }

    /// Runs on the runtime of the client, so that the caller may be on another executor or on none.
    async fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Result<T, ApiError> {
        let mut task = AbortOnDrop(self.rest.runtime.spawn(work));
        (&mut task.0).await.map_err(|_| error::interrupted())
    }

    fn unusable(&self, path: &str, reason: &str) -> ApiError {
        error::unusable(&self.rest.root.join(path), reason)
    }
}

/// Whose call it is.
#[derive(Clone, Copy)]
enum Sender<'a> {
    /// Nobody's who is known; these secrets are in it.
    Anyone(&'a [&'a Secret]),
    /// The user's, with the token.
    User,
}

struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn bearer(token: &Secret) -> Result<HeaderValue, ApiError> {
    let text = Secret::new(format!("Bearer {}", token.expose()));
    let mut value = HeaderValue::from_str(text.expose()).map_err(|_| error::bad_token())?;
    value.set_sensitive(true);
    Ok(value)
}

impl fmt::Debug for VmsApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VmsApi").field("root", &self.rest.root).finish_non_exhaustive()
    }
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// A login may bring a long list of permissions along.
/// It does not grow while the server is slow, so it is long from the start.
const DEADLINE: Duration = Duration::from_secs(30);
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

#[cfg(test)]
mod tests;
