use std::fmt;

use crate::endpoint::{Endpoint, HTTP, ParsedUrl, UrlError};

/// The server that requests go to: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HttpOrigin(Endpoint);

/// An `http://` or `https://` URL without user, query and fragment.
///
/// A `/` at the end makes no difference, the scheme may be in any case, the port is 80 or 443 when absent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HttpUrl(ParsedUrl);

impl HttpUrl {
    /// Parses `url`.
    ///
    /// # Errors
    /// When it is empty, relative or unparsable, has another scheme, or contains a user, a query or a fragment.
    ///
    /// # Examples
    /// ```
    /// use channels_client::http::HttpUrl;
    ///
    /// let base = HttpUrl::parse("https://example.com/")?;
    /// assert_eq!(base.join("api/v1/wsurl").to_string(), "https://example.com:443/api/v1/wsurl");
    /// # Ok::<(), channels_client::UrlError>(())
    /// ```
    pub fn parse(url: &str) -> Result<Self, UrlError> {
        ParsedUrl::parse(url, &HTTP).map(Self)
    }

    /// Returns whether the connection is secured by TLS.
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.0.endpoint.secure
    }

    /// Returns the host: a name, or an address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.0.endpoint.host
    }

    /// Returns scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> HttpOrigin {
        HttpOrigin(self.0.endpoint.clone())
    }

    /// Returns the path for the request line, at least `/`.
    #[must_use]
    pub fn path(&self) -> &str {
        if self.0.path.is_empty() { "/" } else { &self.0.path }
    }

    /// Returns this URL with `path` appended. `path` is written as it is: it must be plain ASCII that needs no
    /// escaping.
    #[must_use]
    pub fn join(&self, path: &str) -> Self {
        let path = format!("{}/{}", self.0.path, path.trim_matches('/'));
        Self(ParsedUrl { endpoint: self.0.endpoint.clone(), path: path.trim_end_matches('/').to_owned() })
    }
}

impl HttpOrigin {
    pub(super) const fn endpoint(&self) -> &Endpoint {
        &self.0
    }
}

impl fmt::Display for HttpOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.0.secure { HTTP.secure } else { HTTP.plain };
        write!(f, "{scheme}://{}", self.0)
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.0.path)
    }
}
