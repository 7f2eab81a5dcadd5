use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use bytes::Bytes;
use channels_proto::{Authorization, AuthorizationError, Secret};
use futures_core::future::BoxFuture;

use super::{AuthorizationRequest, Authorizer, DynTokenProvider, SharedTokens, TokenError, shared::Present};
use crate::{
    Clock, SystemClock,
    http::{HttpClient, HttpError, HttpUrl},
    retry_after::retry_after,
};

/// Authorizes through an HTTP endpoint such as Laravel's `broadcasting/auth`.
///
/// It posts the form `socket_id=…&channel_name=…` with the bearer token of a [`TokenProvider`](super::TokenProvider).
/// On 401, 403 and 419 it asks the provider for another token, one call at a time whatever the number of channels,
/// and repeats the request with it. When that is refused as well, the authorization is denied; when a token is
/// refused after it has worked, the provider is asked again. The token goes only to the configured server: no
/// redirect is followed.
#[derive(Clone)]
pub struct HttpAuthorizer(Arc<Shared>);

struct Shared {
    http: HttpClient,
    url: HttpUrl,
    headers: Arc<HeaderMap>,
    tokens: SharedTokens,
    /// The newest tokens that the server was shown.
    shown: Mutex<Vec<Secret>>,
    clock: SystemClock,
}

impl HttpAuthorizer {
    /// Creates an authorizer that posts to `url` over `http`, which must be a client for the origin of `url`.
    ///
    /// The client that requests an authorization abandons it after its own
    /// [`authorization_timeout`](channels_proto::Options::authorization_timeout), which grows while the server is
    /// slow. The [`deadline`](crate::http::HttpLimits::deadline) of `http` bounds that: leave it at its default, or
    /// make it as long as the longer of that option and
    /// [`max_answer_timeout`](channels_proto::Options::max_answer_timeout).
    ///
    /// `headers` are sent with every request, in addition to `Accept`, `Content-Type` and `Authorization`.
    #[must_use]
    pub fn new(
        http: HttpClient,
        url: HttpUrl,
        headers: impl Into<Arc<HeaderMap>>,
        tokens: Arc<dyn DynTokenProvider>,
    ) -> Self {
        let headers = headers.into();
        let (tokens, shown) = (SharedTokens::new(tokens), Mutex::default());
        Self(Arc::new(Shared { http, url, headers, tokens, shown, clock: SystemClock::new() }))
    }
}

impl Authorizer for HttpAuthorizer {
    fn authorize(
        &self,
        request: AuthorizationRequest,
    ) -> BoxFuture<'static, Result<Authorization, AuthorizationError>> {
        let shared = Arc::clone(&self.0);
        Box::pin(async move { shared.authorize(&request).await })
    }

    fn prepare(&self, channels: usize) -> BoxFuture<'static, ()> {
        let http = self.0.http.clone();
        Box::pin(async move { http.prepare(channels).await })
    }

    fn hide_secrets(&self, text: &str) -> Option<String> {
        self.0.hide_in(text)
    }

    fn release(&self) {
        self.0.http.release();
    }
}

impl Shared {
    async fn authorize(&self, request: &AuthorizationRequest) -> Result<Authorization, AuthorizationError> {
        let mut present = self.tokens.present().await.map_err(|error| without_token(&error))?;
        if request.refresh_token
            && let Some(newer) = self.newer(&present, request, None).await?
        {
            present.token = newer;
        }
        let mut answer = self.post(request, &present.token).await?;
        if is_about_the_token(answer.status())
            && let Some(newer) = self.newer(&present, request, Some(answer.status())).await?
        {
            present.token = newer;
            answer = self.post(request, &present.token).await?;
        }
        self.tokens.heard(request, &present.token, answer.status());
        self.read(&answer)
    }

    async fn newer(
        &self,
        present: &Present,
        request: &AuthorizationRequest,
        status: Option<StatusCode>,
    ) -> Result<Option<Secret>, AuthorizationError> {
        self.tokens.after_refusal(present, request, status).await.map_err(|error| without_token(&error))
    }

    async fn post(
        &self,
        request: &AuthorizationRequest,
        token: &Secret,
    ) -> Result<Response<Bytes>, AuthorizationError> {
        let post = self.form(request, token)?;
        self.note_shown(token);
        self.http.send_idempotent(post).await.map_err(|error| self.explain(&error))
    }

    fn note_shown(&self, token: &Secret) {
        let mut shown = self.shown();
        if !shown.contains(token) {
            if shown.len() == MOST_SHOWN {
                shown.remove(0);
            }
            shown.push(token.clone());
        }
    }

    /// Returns `text` without the tokens in it; none when there are none in it.
    fn hide_in(&self, text: &str) -> Option<String> {
        let hide = |hidden: Option<String>, token: &Secret| match token.hide_in(hidden.as_deref().unwrap_or(text)) {
            Cow::Owned(shorter) => Some(shorter),
            Cow::Borrowed(_) => hidden,
        };
        self.shown().iter().fold(None, hide)
    }

    fn shown(&self) -> MutexGuard<'_, Vec<Secret>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A redirect names a place of the server's choice.
    fn explain(&self, error: &HttpError) -> AuthorizationError {
        let text = error.to_string();
        let message = self.hide_in(&text).unwrap_or(text);
        match error {
            HttpError::TimedOut { .. } => AuthorizationError::TimedOut,
            HttpError::Connect(_) | HttpError::Failed { .. } => {
                AuthorizationError::Unavailable { message, retry_after: None }
            }
            HttpError::Redirected { .. } | HttpError::TooLarge { .. } | HttpError::ForeignOrigin { .. } => {
                AuthorizationError::Malformed { message }
            }
        }
    }

    fn form(&self, request: &AuthorizationRequest, token: &Secret) -> Result<Request<Bytes>, AuthorizationError> {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("socket_id", request.socket_id.as_str()).append_pair("channel_name", request.channel.as_str());
        let mut post = Request::new(Bytes::from(form.finish()));
        *post.method_mut() = Method::POST;
        let path = self.url.path().parse();
        *post.uri_mut() = path.map_err(|_| malformed("the URL of the endpoint has no usable path"))?;
        post.headers_mut().clone_from(&self.headers);
        let headers = post.headers_mut();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(header::AUTHORIZATION, bearer(token)?);
        Ok(post)
    }

    fn read(&self, answer: &Response<Bytes>) -> Result<Authorization, AuthorizationError> {
        let status = answer.status();
        if status.is_success() {
            return parse(answer.body());
        }
        let passes = matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
        if passes || status.is_server_error() {
            let retry_after = retry_after(answer.headers(), self.clock.wall());
            let message = format!("{} answered with status {status}", self.url);
            return Err(AuthorizationError::Unavailable { message, retry_after });
        }
        Err(AuthorizationError::Denied { status: status.as_u16() })
    }
}

/// 419 is Laravel's "the session has expired".
fn is_about_the_token(status: StatusCode) -> bool {
    matches!(status.as_u16(), 401 | 403 | 419)
}

fn bearer(token: &Secret) -> Result<HeaderValue, AuthorizationError> {
    let text = Secret::new(format!("Bearer {}", token.expose()));
    let mut value = HeaderValue::from_str(text.expose()).map_err(|_| {
        malformed("the token contains a character that is not allowed in a header, so nothing was sent")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn parse(body: &[u8]) -> Result<Authorization, AuthorizationError> {
    let mut answer: serde_json::Value = serde_json::from_slice(body).map_err(|error| {
        // The text of the error could quote the answer, and that may hold a signature.
        let place = format!("line {}, column {}", error.line(), error.column());
        malformed(&format!("it is not JSON ({place}); is the URL that of a web page?"))
    })?;
    let mut text = |member| match answer.get_mut(member).map(serde_json::Value::take) {
        Some(serde_json::Value::String(text)) => Ok(Some(text)),
        None | Some(serde_json::Value::Null) => Ok(None),
        Some(_) => Err(malformed(&format!("its `{member}` is not a string"))),
    };
    let auth = text("auth")?.ok_or_else(|| malformed("it has no `auth`"))?;
    let mut authorization = Authorization::new(auth);
    authorization.channel_data = text("channel_data")?;
    authorization.shared_secret = text("shared_secret")?.map(Secret::new);
    Ok(authorization)
}

fn without_token(error: &TokenError) -> AuthorizationError {
    match error {
        TokenError::Denied { .. } => AuthorizationError::Denied { status: StatusCode::UNAUTHORIZED.as_u16() },
        TokenError::Unavailable { .. } => {
            AuthorizationError::Unavailable { message: error.to_string(), retry_after: None }
        }
    }
}

fn malformed(message: &str) -> AuthorizationError {
    AuthorizationError::Malformed { message: message.to_owned() }
}

impl fmt::Debug for HttpAuthorizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpAuthorizer").field("url", &self.0.url).finish_non_exhaustive()
    }
}

/// The current token, the one before it, and one that was refused.
const MOST_SHOWN: usize = 3;
