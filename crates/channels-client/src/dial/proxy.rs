//! Proxies: HTTP CONNECT (RFC 9110, section 9.3.6) and SOCKS5 (RFC 1928).

mod environment;
mod exceptions;
mod http;
mod socks;
#[cfg(test)]
mod tests;

use std::{fmt, io, str::FromStr, time::Duration};

use channels_proto::Secret;
use futures_core::future::BoxFuture;
use percent_encoding::percent_decode_str;
use thiserror::Error;
use tokio::time::timeout;

use self::exceptions::Exceptions;
use super::{ConnectError, ProxyProblem, Stream, io_reason, system::secure};
use crate::{
    Tls,
    endpoint::{Endpoint, HTTP, ParsedUrl, UrlError, is_scheme, presentable_url},
};

/// A proxy: `http://` or `https://` (CONNECT, with TLS to the proxy itself in the second case) or `socks5://`.
///
/// The name of the server is always resolved by the proxy, so `socks5h://` means the same. The port is 80, 443 or 1080 when
/// absent, and the scheme is `http` when absent. A user and a password stand in front of the host, with `%`-escapes where they
/// contain a reserved character. When it is shown, both are hidden.
///
/// # Examples
/// ```
/// use channels_client::Proxy;
///
/// let proxy: Proxy = "socks5://anna:p%40ss@proxy.example".parse()?;
/// assert_eq!(proxy.to_string(), "socks5://***@proxy.example:1080");
/// # Ok::<(), channels_client::ProxyError>(())
/// ```
#[derive(Clone)]
pub struct Proxy {
    kind: Kind,
    endpoint: Endpoint,
    credentials: Option<Credentials>,
    tls: Tls,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Http,
    Socks5,
}

#[derive(Clone)]
struct Credentials {
    user: Secret,
    password: Secret,
}

/// Why a proxy cannot be used. No error contains a user or a password.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// Its URL is of another kind.
    #[error("`{url}` must start with http://, https:// or socks5://")]
    Scheme {
        /// The URL, reduced to what may be shown.
        url: String,
    },
    /// Its URL cannot be used.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The user or the password cannot be used.
    #[error("the user and the password in `{url}` cannot be used: {reason}")]
    Credentials {
        /// The URL, reduced to what may be shown.
        url: String,
        /// What is wrong with them.
        reason: &'static str,
    },
    /// A server that is to be connected to directly is not written as a name, an address or a block of addresses.
    #[error("`{exception}` is not a host, an address or a block of addresses that is connected to without a proxy")]
    Exception {
        /// What is written.
        exception: String,
    },
    /// What an environment variable holds cannot be used.
    #[error("the environment variable {variable} cannot be used: {error}")]
    Variable {
        /// Its name.
        variable: &'static str,
        /// What is wrong with what it holds.
        error: Box<Self>,
    },
    /// An environment variable does not hold text.
    #[error("the environment variable {variable} does not hold UTF-8")]
    NotText {
        /// Its name.
        variable: &'static str,
    },
}

/// Which connections go through which proxy.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    plain: Option<Proxy>,
    secure: Option<Proxy>,
    exceptions: Exceptions,
}

impl Proxies {
    /// Sends every connection through `proxy`.
    #[must_use]
    pub fn all(proxy: Proxy) -> Self {
        Self { plain: Some(proxy.clone()), secure: Some(proxy), exceptions: Exceptions::default() }
    }

    /// Makes exceptions: the servers in `list` are connected to directly. It is what `NO_PROXY` holds: names (which stand for
    /// the names below them too, with or without a dot or `*.` in front), addresses and blocks of addresses such as
    /// `10.0.0.0/8`, each with a port if the exception is for that port alone, separated by commas; `*` is everything.
    ///
    /// # Errors
    /// [`ProxyError::Exception`], with the first that cannot be used.
    pub fn except(self, list: &str) -> Result<Self, ProxyError> {
        Ok(Self { exceptions: Exceptions::parse(list)?, ..self })
    }

    /// Returns the proxies that the environment names, by the usual variables: `https_proxy` for connections secured by TLS,
    /// `http_proxy` for others, `all_proxy` for those without one of their own, and `no_proxy` for [exceptions](Self::except).
    /// Each may be in capitals, but the small ones win. An empty variable is none.
    ///
    /// Where `REQUEST_METHOD` is set, `HTTP_PROXY` is ignored: a CGI program has that from a header of whoever sends the
    /// request.
    ///
    /// # Errors
    /// When a variable cannot be used: nothing is connected to directly by mistake.
    pub fn from_environment() -> Result<Self, ProxyError> {
        environment::read(|name| std::env::var_os(name))
    }

    pub(super) fn for_endpoint(&self, endpoint: &Endpoint) -> Option<&Proxy> {
        let proxy = if endpoint.secure { &self.secure } else { &self.plain };
        proxy.as_ref().filter(|_| !self.exceptions.include(endpoint))
    }
}

impl Proxy {
    /// Reads the URL of a proxy.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(url: &str) -> Result<Self, ProxyError> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let (kind, secure, usual) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (Kind::Http, false, 80),
            "https" => (Kind::Http, true, 443),
            "socks5" | "socks5h" => (Kind::Socks5, false, 1080),
            _ if is_scheme(scheme) => return Err(ProxyError::Scheme { url: presentable_url(url) }),
            // Whatever this is, it may be a password.
            _ => return Err(ProxyError::Scheme { url: "***".to_owned() }),
        };
        let (credentials, host) = match rest.rsplit_once('@') {
            Some((credentials, host)) => {
                let credentials = Credentials::decode(credentials);
                let wrong = |reason| ProxyError::Credentials { url: presentable_url(url), reason };
                (Some(credentials.map_err(wrong)?), host)
            }
            None => (None, rest),
        };
        let host = host.strip_suffix('/').unwrap_or(host);
        let ParsedUrl { mut endpoint, path } = ParsedUrl::parse(&format!("http://{host}"), &HTTP)?;
        if !path.is_empty() {
            return Err(UrlError::UnwantedPart { url: presentable_url(url), part: "path" }.into());
        }
        let names_port = host.rsplit(']').next().is_some_and(|behind| behind.contains(':'));
        endpoint.port = if names_port { endpoint.port } else { usual };
        endpoint.secure = secure;
        Ok(Self { kind, endpoint, credentials, tls: Tls::default() })
    }

    /// Gives the proxy a user and a password, as they are.
    ///
    /// # Errors
    /// When they are too long, or the user contains a colon.
    pub fn with_credentials(self, user: &str, password: &str) -> Result<Self, ProxyError> {
        let credentials = Credentials::new(user, password);
        let wrong = |reason| ProxyError::Credentials { url: self.to_string(), reason };
        Ok(Self { credentials: Some(credentials.map_err(wrong)?), ..self })
    }

    /// Verifies an `https://` proxy by `tls`, instead of the default. The servers behind it are verified by the connector's.
    #[must_use]
    pub fn with_tls(self, tls: Tls) -> Self {
        Self { tls, ..self }
    }

    /// Opens a connection to `server` through the proxy, which `connect` connects to.
    pub(super) async fn tunnel<'a>(
        &'a self,
        server: &Endpoint,
        connect: impl FnOnce(&'a Endpoint) -> BoxFuture<'a, Result<Stream, ConnectError>>,
    ) -> Result<Stream, ConnectError> {
        let opened = timeout(PATIENCE, async {
            let unreachable = |error: ConnectError| Failure::new(ProxyProblem::Unreachable, error.to_string());
            let mut stream = connect(&self.endpoint).await.map_err(unreachable)?;
            if self.endpoint.secure {
                stream = secure(stream, &self.endpoint, &self.tls).await.map_err(unreachable)?;
            }
            match self.kind {
                Kind::Http => http::connect(stream, server, self.credentials.as_ref()).await,
                Kind::Socks5 => socks::connect(stream, server, self.credentials.as_ref()).await,
            }
        });
        let silent =
            || Failure::new(ProxyProblem::Silent, format!("it did not answer within {} s", PATIENCE.as_secs()));
        let opened = opened.await.unwrap_or_else(|_| Err(silent()));
        opened.map_err(|Failure { problem, reason }| ConnectError::Proxy {
            address: server.to_string(),
            proxy: self.to_string(),
            problem,
            reason,
        })
    }
}

impl Credentials {
    /// Takes them from the URL of a proxy.
    fn decode(text: &str) -> Result<Self, &'static str> {
        let decode = |text| percent_decode_str(text).decode_utf8().map_err(|_| "they are not UTF-8");
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        Self::new(&decode(user)?, &decode(password)?)
    }

    fn new(user: &str, password: &str) -> Result<Self, &'static str> {
        if user.is_empty() {
            return Err("the user is missing");
        }
        if user.contains(':') {
            return Err("the user contains a colon");
        }
        // RFC 1929 has one byte for each length.
        if user.len() > 255 || password.len() > 255 {
            return Err("each may have up to 255 bytes");
        }
        Ok(Self { user: Secret::new(user), password: Secret::new(password) })
    }
}

/// What went wrong between the proxy and us.
#[derive(Debug)]
struct Failure {
    problem: ProxyProblem,
    reason: String,
}

impl Failure {
    fn new(problem: ProxyProblem, reason: impl Into<String>) -> Self {
        Self { problem, reason: reason.into() }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return Self::new(ProxyProblem::Closed, "it closed the connection instead of answering");
        }
        Self::new(ProxyProblem::Closed, format!("the connection to it was lost: {}", io_reason(&error)))
    }
}

impl FromStr for Proxy {
    type Err = ProxyError;

    fn from_str(url: &str) -> Result<Self, ProxyError> {
        Self::parse(url)
    }
}

impl TryFrom<&str> for Proxy {
    type Error = ProxyError;

    fn try_from(url: &str) -> Result<Self, ProxyError> {
        Self::parse(url)
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match (self.kind, self.endpoint.secure) {
            (Kind::Http, false) => "http",
            (Kind::Http, true) => "https",
            (Kind::Socks5, _) => "socks5",
        };
        let hidden = if self.credentials.is_some() { "***@" } else { "" };
        write!(f, "{scheme}://{hidden}{}", self.endpoint)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

/// Less than an attempt has by default, so that whoever waits for a proxy is told that.
const PATIENCE: Duration = Duration::from_secs(8);
