use std::fmt;

use ::http::{HeaderMap, HeaderName, HeaderValue};
use channels_proto::{AuthorizationError, ChannelName, SocketId};

use crate::AuthorizeFuture;

/// What an endpoint is about to be asked: see [`HttpAuthorizerBuilder::per_request`](crate::HttpAuthorizerBuilder::per_request).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndpointRequest {
    /// The socket to sign for.
    pub socket_id: SocketId,
    /// The channel to sign for; none when a user signs in.
    pub channel: Option<ChannelName>,
}

/// Headers and parameters of one request.
#[derive(Clone, Default)]
pub struct EndpointExtras {
    pub(super) headers: HeaderMap,
    pub(super) params: Vec<(String, String)>,
}

pub(super) type ExtrasProvider =
    Box<dyn Fn(EndpointRequest) -> AuthorizeFuture<Result<EndpointExtras, AuthorizationError>> + Send + Sync>;

impl EndpointExtras {
    /// Creates extras that add nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a header, in place of one of the same name that every request has.
    ///
    /// # Errors
    /// When the name or the value is not allowed in a header; it does not repeat the value.
    pub fn with_header(mut self, name: &str, value: &str) -> Result<Self, AuthorizationError> {
        let (name, value) = header(name, value).ok_or_else(|| {
            AuthorizationError::malformed(format!("`{name}` is no usable header, so nothing was sent"))
        })?;
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Adds a parameter to those that every request has.
    #[must_use]
    pub fn with_param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.push((name.into(), value.into()));
        self
    }
}

impl fmt::Debug for EndpointExtras {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The values may be secrets.
        let params = self.params.iter().map(|(name, _)| name).collect::<Vec<_>>();
        let headers = self.headers.keys().collect::<Vec<_>>();
        f.debug_struct("EndpointExtras").field("headers", &headers).field("params", &params).finish()
    }
}

/// Returns a header whose value no log shows.
pub(super) fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::try_from(name).ok()?;
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some((name, value))
}
