use std::{
    fmt,
    sync::{Arc, Mutex},
};

use ::http::HeaderMap;
use channels_proto::AuthorizationError;
use thiserror::Error;

use super::{
    EndpointExtras, EndpointRequest, HttpAuthorizer, More, Shared,
    extras::{self, ExtrasProvider},
    question::Endpoint,
};
use crate::{
    Connector, SharedTokens, SystemConnector, Tls, TokenProvider, UrlError,
    http::{HttpClient, HttpLimits, HttpUrl},
};

/// How an [`HttpAuthorizer`] is made: see [`HttpAuthorizer::builder`].
#[must_use = "it does nothing until it is built"]
pub struct HttpAuthorizerBuilder {
    url: String,
    user_url: Option<String>,
    connector: Option<Arc<dyn Connector>>,
    headers: Vec<(String, String)>,
    params: Vec<(String, String)>,
    tokens: Option<SharedTokens>,
    extras: Option<ExtrasProvider>,
    uses_get: bool,
}

/// Why an [`HttpAuthorizer`] cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HttpAuthorizerError {
    /// The URL of an endpoint cannot be used.
    #[error("the URL of the endpoint: {0}")]
    Url(#[from] UrlError),
    /// A header has a name or a value that is not allowed.
    #[error("`{name}` or its value is not allowed as a header")]
    Header {
        /// The name.
        name: String,
    },
}

impl HttpAuthorizer {
    /// Begins to make an authorizer that posts to `url`.
    ///
    /// # Examples
    /// ```
    /// use channels_client::{EndpointExtras, HttpAuthorizer, StaticToken, proto::Secret};
    ///
    /// let authorizer = HttpAuthorizer::builder("https://example.com/pusher/auth")
    ///     .user_endpoint("https://example.com/pusher/user-auth")
    ///     .token(StaticToken::new(Secret::new("the user's token")))
    ///     .header("X-Tenant", "7")
    ///     .param("device", "42")
    ///     .per_request(|_| async { EndpointExtras::new().with_header("X-Request", "1") })
    ///     .build()?;
    /// # Ok::<(), channels_client::HttpAuthorizerError>(())
    /// ```
    pub fn builder(url: &str) -> HttpAuthorizerBuilder {
        HttpAuthorizerBuilder {
            url: url.to_owned(),
            user_url: None,
            connector: None,
            headers: Vec::new(),
            params: Vec::new(),
            tokens: None,
            extras: None,
            uses_get: false,
        }
    }
}

impl HttpAuthorizerBuilder {
    /// Sends the bearer token of `provider`. Tokens that others use as well are [shared](Self::tokens).
    pub fn token(self, provider: impl TokenProvider) -> Self {
        self.tokens(Arc::new(provider))
    }

    /// Sends a bearer token of `tokens`.
    pub fn tokens(mut self, tokens: impl Into<SharedTokens>) -> Self {
        self.tokens = Some(tokens.into());
        self
    }

    /// Sends a header with every request. `Accept` and `Content-Type` are set already, and so is `Authorization` where
    /// there is a token.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sends a parameter with every request, beside `socket_id` and `channel_name`.
    pub fn param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.push((name.into(), value.into()));
        self
    }

    /// Asks `provider` for more headers and parameters before every request; its errors are those of the request. Its
    /// time counts towards that of the authorization.
    pub fn per_request<F, A>(mut self, provider: F) -> Self
    where
        F: Fn(EndpointRequest) -> A + Send + Sync + 'static,
        A: Future<Output = Result<EndpointExtras, AuthorizationError>> + Send + 'static,
    {
        self.extras = Some(Box::new(move |request| Box::pin(provider(request))));
        self
    }

    /// Asks with GET, the parameters in the query, instead of with POST.
    pub const fn get(mut self) -> Self {
        self.uses_get = true;
        self
    }

    /// Lets users sign in by the endpoint at `url`: it gets `socket_id` and the same headers and parameters, and
    /// answers with `auth` and `user_data`.
    pub fn user_endpoint(mut self, url: &str) -> Self {
        self.user_url = Some(url.to_owned());
        self
    }

    /// Sets how the servers of the endpoints are verified, and connects directly; by the platform by default.
    pub fn tls(self, tls: Tls) -> Self {
        self.connector(Arc::new(SystemConnector::new().with_tls(tls)))
    }

    /// Sets how connections are opened; directly and verified by the platform by default.
    pub fn connector(mut self, connector: Arc<dyn Connector>) -> Self {
        self.connector = Some(connector);
        self
    }

    /// Makes the authorizer. It opens no connection yet.
    ///
    /// # Errors
    /// When a URL or a header cannot be used.
    pub fn build(self) -> Result<HttpAuthorizer, HttpAuthorizerError> {
        let url = HttpUrl::parse(&self.url)?;
        let user_url = self.user_url.as_deref().map(HttpUrl::parse).transpose()?;
        let connector = self.connector.unwrap_or_else(|| Arc::new(SystemConnector::new()));
        let client = |origin| HttpClient::with_limits(Arc::clone(&connector), origin, HttpLimits::default());
        let endpoint = Endpoint { http: client(url.origin()), url };
        let user_endpoint = user_url.map(|url| {
            let shares = url.origin() == endpoint.url.origin();
            Endpoint { http: if shares { endpoint.http.clone() } else { client(url.origin()) }, url }
        });
        let mut headers = HeaderMap::new();
        for (name, value) in self.headers {
            let (name, value) = extras::header(&name, &value).ok_or(HttpAuthorizerError::Header { name })?;
            headers.append(name, value);
        }
        let more = More { params: self.params, extras: self.extras, uses_get: self.uses_get, user_endpoint };
        Ok(HttpAuthorizer(Arc::new(Shared {
            endpoint,
            headers: Arc::new(headers),
            tokens: self.tokens,
            shown: Mutex::default(),
            more: Some(Box::new(more)),
        })))
    }
}

impl fmt::Debug for HttpAuthorizerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpAuthorizerBuilder").finish_non_exhaustive()
    }
}
