mod answer;
mod builder;
mod extras;
mod question;

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ::http::{HeaderMap, Response, StatusCode};
use bytes::Bytes;
use channels_proto::{Authorization, AuthorizationError, Secret, UserAuthentication};

use self::{answer::Refusal, extras::ExtrasProvider, question::Endpoint};
pub use self::{
    builder::{HttpAuthorizerBuilder, HttpAuthorizerError},
    extras::{EndpointExtras, EndpointRequest},
};
use super::{
    AuthenticationRequest, AuthorizationRequest, Authorizer, DynAuthorizer, SharedTokens, TokenError, shared::Present,
};
use crate::http::{HttpClient, HttpError, HttpUrl};

/// Authorizes through an HTTP endpoint such as Laravel's `broadcasting/auth`, or any that a Pusher server library answers.
///
/// It posts the form `socket_id=…&channel_name=…`, and reads `auth`, `channel_data` and `shared_secret` from the JSON of
/// a successful answer. [`at`](Self::at) is enough for an endpoint that wants no more; [`builder`](Self::builder) adds a
/// bearer token, headers and parameters, and the endpoint that users sign in by.
///
/// With a [`TokenProvider`](super::TokenProvider): on 401, 403 and 419 the provider is asked for another token, one call
/// at a time whatever the number of channels, and the request is repeated with it. When that is refused as well, the
/// authorization is denied; when a token is refused after it has worked, the provider is asked again. What is sent goes
/// only to the configured server: no redirect is followed.
///
/// Of an answer with an error status, the beginning goes into the [`AuthorizationError`]: one line of at most 200
/// characters. Tokens, the values of headers and parameters that were sent, and whatever looks like a signature or a
/// token are `***` in it. Nothing of a successful answer is ever quoted.
#[derive(Clone)]
pub struct HttpAuthorizer(Arc<Shared>);

struct Shared {
    endpoint: Endpoint,
    headers: Arc<HeaderMap>,
    tokens: Option<SharedTokens>,
    /// The newest tokens that the server was shown.
    shown: Mutex<Vec<Secret>>,
    more: Option<Box<More>>,
}

/// What many endpoints do not need.
#[derive(Default)]
struct More {
    params: Vec<(String, String)>,
    extras: Option<ExtrasProvider>,
    uses_get: bool,
    user_endpoint: Option<Endpoint>,
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
        tokens: impl Into<SharedTokens>,
    ) -> Self {
        Self(Arc::new(Shared {
            endpoint: Endpoint { http, url },
            headers: headers.into(),
            tokens: Some(tokens.into()),
            shown: Mutex::default(),
            more: None,
        }))
    }

    /// Creates an authorizer that posts to `url`, with neither a token nor headers of its own.
    ///
    /// # Errors
    /// When `url` is not a usable `http` or `https` URL.
    pub fn at(url: &str) -> Result<Self, HttpAuthorizerError> {
        Self::builder(url).build()
    }
}

impl Authorizer for HttpAuthorizer {
    async fn authorize(&self, request: AuthorizationRequest) -> Result<Authorization, AuthorizationError> {
        self.0.authorize(request).await
    }

    async fn authenticate(&self, request: AuthenticationRequest) -> Result<UserAuthentication, AuthorizationError> {
        self.0.authenticate(request).await
    }

    async fn prepare(&self, channels: usize) {
        self.0.prepare(channels).await;
    }

    fn hide_secrets(&self, text: &str) -> Option<String> {
        self.0.hide_in(text)
    }

    fn release(&self) {
        Authorizer::release(&*self.0);
    }
}

impl From<HttpAuthorizer> for Arc<dyn DynAuthorizer> {
    fn from(authorizer: HttpAuthorizer) -> Self {
        authorizer.0
    }
}

impl Authorizer for Shared {
    async fn authorize(&self, request: AuthorizationRequest) -> Result<Authorization, AuthorizationError> {
        let AuthorizationRequest { channel, socket_id, refresh_token } = request;
        let request = EndpointRequest { socket_id, channel: Some(channel) };
        answer::authorization(&self.ask(&self.endpoint, &request, refresh_token).await?)
    }

    async fn authenticate(&self, request: AuthenticationRequest) -> Result<UserAuthentication, AuthorizationError> {
        let endpoint = self.more.as_deref().and_then(|more| more.user_endpoint.as_ref());
        let declined =
            || AuthorizationError::declined("give `HttpAuthorizer::builder` a `user_endpoint` to sign in by");
        let request_of = |socket_id| EndpointRequest { socket_id, channel: None };
        let AuthenticationRequest { socket_id, refresh_token } = request;
        let answer = self.ask(endpoint.ok_or_else(declined)?, &request_of(socket_id), refresh_token).await?;
        answer::user_authentication(&answer)
    }

    async fn prepare(&self, channels: usize) {
        self.endpoint.http.prepare(channels).await;
    }

    fn hide_secrets(&self, text: &str) -> Option<String> {
        self.hide_in(text)
    }

    fn release(&self) {
        self.endpoint.http.release();
        if let Some(endpoint) = self.more.as_deref().and_then(|more| more.user_endpoint.as_ref()) {
            endpoint.http.release();
        }
    }
}

impl Shared {
    /// Returns the successful answer of `endpoint`.
    async fn ask(
        &self,
        endpoint: &Endpoint,
        request: &EndpointRequest,
        refresh_token: bool,
    ) -> Result<Response<Bytes>, AuthorizationError> {
        let extras = match self.more.as_deref().and_then(|more| more.extras.as_ref()) {
            Some(provider) => provider(request.clone()).await?,
            None => EndpointExtras::default(),
        };
        let answer = match &self.tokens {
            Some(tokens) => self.ask_with_token(tokens, (endpoint, request, &extras), refresh_token).await?,
            None => self.send(endpoint, request, &extras, None).await?,
        };
        if answer.status().is_success() {
            return Ok(answer);
        }
        let refusal = Refusal { url: &endpoint.url, answer: &answer };
        Err(refusal.into_error(|text| {
            let hidden = self.hide_in(text).unwrap_or_else(|| text.to_owned());
            question::hide_values(hidden, &self.headers, self.params(), &extras)
        }))
    }

    async fn ask_with_token(
        &self,
        tokens: &SharedTokens,
        (endpoint, request, extras): (&Endpoint, &EndpointRequest, &EndpointExtras),
        refresh_token: bool,
    ) -> Result<Response<Bytes>, AuthorizationError> {
        let newer = async |present: &Present, status| {
            tokens.after_refusal(present, request, status).await.map_err(|error| without_token(&error))
        };
        let mut present = tokens.present().await.map_err(|error| without_token(&error))?;
        if refresh_token && let Some(newer) = newer(&present, None).await? {
            present.token = newer;
        }
        let mut answer = self.send(endpoint, request, extras, Some(&present.token)).await?;
        if is_about_the_token(answer.status())
            && let Some(newer) = newer(&present, Some(answer.status())).await?
        {
            present.token = newer;
            answer = self.send(endpoint, request, extras, Some(&present.token)).await?;
        }
        tokens.heard(request, &present.token, answer.status());
        Ok(answer)
    }

    async fn send(
        &self,
        endpoint: &Endpoint,
        request: &EndpointRequest,
        extras: &EndpointExtras,
        token: Option<&Secret>,
    ) -> Result<Response<Bytes>, AuthorizationError> {
        let uses_get = self.more.as_deref().is_some_and(|more| more.uses_get);
        let form = question::form(request, self.params(), extras);
        let mut question = question::request(&endpoint.url, form, uses_get)?;
        question::add_headers(&mut question, &self.headers, extras, token)?;
        if let Some(token) = token {
            self.note_shown(token);
        }
        endpoint.http.send_idempotent(question).await.map_err(|error| self.explain(&error))
    }

    fn params(&self) -> &[(String, String)] {
        self.more.as_deref().map_or(&[], |more| &more.params)
    }

    fn note_shown(&self, token: &Secret) {
        let mut shown = self.shown();
        if !shown.contains(token) {
            if shown.len() == MOST_SHOWN {
                shown.remove(0);
            }
            // Most sessions show one, for as long as they last.
            shown.reserve_exact(1);
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
            HttpError::Connect(_) | HttpError::Failed { .. } => AuthorizationError::unavailable(message),
            HttpError::Redirected { status, .. } => AuthorizationError::malformed(message).with_status(status.as_u16()),
            HttpError::TooLarge { .. } | HttpError::ForeignOrigin { .. } => AuthorizationError::malformed(message),
        }
    }
}

/// 419 is Laravel's "the session has expired".
fn is_about_the_token(status: StatusCode) -> bool {
    matches!(status.as_u16(), 401 | 403 | 419)
}

fn without_token(error: &TokenError) -> AuthorizationError {
    match error {
        TokenError::Denied { .. } => AuthorizationError::denied(StatusCode::UNAUTHORIZED.as_u16()),
        TokenError::Unavailable { .. } => AuthorizationError::unavailable(error.to_string()),
    }
}

impl fmt::Debug for HttpAuthorizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpAuthorizer").field("url", &self.0.endpoint.url).finish_non_exhaustive()
    }
}

/// The current token, the one before it, and one that was refused.
const MOST_SHOWN: usize = 3;
