//! What all our URLs consist of, and the one place where they are parsed.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use channels_proto::Printable;
use thiserror::Error;
use url::{Host, Url};

/// Where to connect: the part of a URL that TCP and TLS need. It is shown as `HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Whether TLS is used.
    pub(crate) secure: bool,
    /// A name in its ASCII form, or an address without brackets.
    pub(crate) host: Arc<str>,
    pub(crate) port: u16,
}

/// An endpoint and a path below it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ParsedUrl {
    pub(crate) endpoint: Endpoint,
    /// Empty, or starts with `/` and does not end with one.
    pub(crate) path: String,
}

/// The schemes of one kind of URL.
#[derive(Debug)]
pub(crate) struct Schemes {
    pub(crate) plain: &'static str,
    pub(crate) secure: &'static str,
}

pub(crate) const WEB_SOCKET: Schemes = Schemes { plain: "ws", secure: "wss" };
pub(crate) const HTTP: Schemes = Schemes { plain: "http", secure: "https" };

/// Why a text is not a usable URL.
///
/// The messages show the URL without query, user and password.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UrlError {
    /// The text is empty.
    #[error("the URL is empty")]
    Empty,
    /// The text is not an absolute URL.
    #[error("`{url}` is not an absolute URL ({reason})")]
    Unparsable {
        /// The URL, reduced to what may be shown.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The scheme is not one of the two that are accepted.
    #[error("`{url}` must start with {plain}:// or {secure}://")]
    Scheme {
        /// The URL, reduced to what may be shown.
        url: String,
        /// The scheme without TLS.
        plain: &'static str,
        /// The scheme with TLS.
        secure: &'static str,
    },
    /// The URL contains a part that would be ignored or would leak.
    #[error("`{url}` must not contain a {part}")]
    UnwantedPart {
        /// The URL, reduced to what may be shown.
        url: String,
        /// The name of the part.
        part: &'static str,
    },
    /// The name of a cluster is letters, digits and hyphens.
    #[error("`{name}` is not the name of a cluster, such as `eu`")]
    Cluster {
        /// The name, reduced to what may be shown.
        name: String,
    },
}

impl Endpoint {
    /// Returns whether the connection is to be secured by TLS.
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// Returns the host: a name in its ASCII form, or an address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Returns the host as it stands in a URL: an IPv6 address in brackets.
    pub(crate) fn bracketed_host(&self) -> String {
        if self.host.parse::<Ipv6Addr>().is_ok() { format!("[{}]", self.host) } else { self.host.as_ref().to_owned() }
    }

    /// Returns what the `Host` header says: the port only when it is not the usual one.
    pub(crate) fn host_header(&self) -> String {
        let usual = if self.secure { 443 } else { 80 };
        if self.port == usual { self.bracketed_host() } else { self.to_string() }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.bracketed_host(), self.port)
    }
}

impl ParsedUrl {
    pub(crate) fn parse(text: &str, schemes: &Schemes) -> Result<Self, UrlError> {
        if text.is_empty() {
            return Err(UrlError::Empty);
        }
        let unparsable = |reason| UrlError::Unparsable { url: presentable_url(text), reason };
        // The parser of the web repairs these in silence; a typing error shall be seen instead.
        if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
            return Err(unparsable("it contains a space, a control character or a backslash"));
        }
        let Some((scheme, _)) = text.split_once("://") else {
            return Err(unparsable("there is no `://`"));
        };
        let secure = scheme.eq_ignore_ascii_case(schemes.secure);
        if !secure && !scheme.eq_ignore_ascii_case(schemes.plain) {
            let (plain, secure) = (schemes.plain, schemes.secure);
            return Err(UrlError::Scheme { url: presentable_url(text), plain, secure });
        }
        if authority(text).is_empty() {
            return Err(unparsable("the host is missing"));
        }
        if text.matches("://").count() > 1 {
            return Err(unparsable("it contains two addresses"));
        }
        let unwanted = |part| UrlError::UnwantedPart { url: presentable_url(text), part };
        // Before anything else is said of it, and in the path too: a password with a slash would make a host of the user's
        // name, and a port of the password.
        if text.contains('@') || after_user_information(authority(text)).is_some() {
            return Err(unwanted(USER));
        }
        if authority(text).ends_with(':') {
            return Err(unparsable("the port is missing after the colon"));
        }
        let url = Url::parse(text).map_err(|error| unparsable(describe(error)))?;
        if url.query().is_some() {
            return Err(unwanted("query"));
        }
        if url.fragment().is_some() {
            return Err(unwanted("fragment"));
        }
        let host = match url.host() {
            Some(Host::Domain(name)) => name.trim_end_matches('.').to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => String::new(),
        };
        if host.is_empty() {
            return Err(unparsable("the host is missing"));
        }
        if !can_be_connected_to(&host) {
            return Err(unparsable("the host is not valid"));
        }
        let port = match url.port_or_known_default() {
            Some(port) if port != 0 => port,
            Some(_) | None => return Err(unparsable("the port must be 1 to 65535")),
        };
        let path = url.path().trim_end_matches('/').to_owned();
        Ok(Self { endpoint: Endpoint { secure, host: host.into(), port }, path })
    }
}

/// Returns `url` in a form that may be printed: without query and fragment, with `***` for anything that may be a
/// user and password, on one line and of bounded length.
///
/// Everything before the last `@` counts as user and password, even where a slash, a `?` or a `#` in the password
/// makes it a different URL, and where the `@` is encoded.
///
/// # Examples
/// ```
/// use channels_client::presentable_url;
///
/// assert_eq!(presentable_url("wss://anna:pa/ss@example.com/pusher?key=1"), "wss://***@example.com/pusher");
/// ```
#[must_use]
pub fn presentable_url(url: &str) -> String {
    let (scheme, rest) = match url.find("://") {
        Some(at) if is_scheme(url.get(..at).unwrap_or_default()) => url.split_at(at + "://".len()),
        Some(_) | None => ("", url),
    };
    let (hidden, rest) = match after_user_information(rest) {
        Some(at) => ("***@", rest.get(at..).unwrap_or_default()),
        None => ("", rest),
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let shown = format!("{scheme}{hidden}{rest}");
    let escaped = Printable(&shown).to_text();
    match escaped.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", escaped.get(..end).unwrap_or_default()),
        None => escaped.into_owned(),
    }
}

/// Returns whether `text` has the form of the scheme of a URL.
pub(crate) fn is_scheme(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Returns where the text behind the last `@` begins, in whichever way that is written.
fn after_user_information(text: &str) -> Option<usize> {
    let encoded = text.match_indices("40").filter(|(at, _)| {
        let before = text.get(..*at).unwrap_or_default();
        // `%40`, or that encoded again.
        let mut before = before;
        while let Some(shorter) = before.strip_suffix("25") {
            before = shorter;
        }
        before.ends_with('%')
    });
    let encoded = encoded.last().map(|(at, sign)| at + sign.len());
    let plain = text.rfind(AT_SIGNS).and_then(|at| Some(at + text.get(at..)?.chars().next()?.len_utf8()));
    encoded.max(plain)
}

/// Returns whether `host` can stand in DNS, in a certificate and in the `Host` header: labels of letters, digits, hyphens
/// and underscores, or an address.
fn can_be_connected_to(host: &str) -> bool {
    let is_label = |label: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (1..=63).contains(&label.len()) && label.bytes().all(fits)
    };
    host.parse::<IpAddr>().is_ok() || host.len() <= 253 && host.split('.').all(is_label)
}

fn authority(text: &str) -> &str {
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum; the rest is about the host")]
const fn describe(error: url::ParseError) -> &'static str {
    match error {
        url::ParseError::EmptyHost => "the host is missing",
        url::ParseError::InvalidPort => "the port must be 1 to 65535",
        url::ParseError::InvalidIpv4Address => "the host is not a valid IPv4 address",
        url::ParseError::InvalidIpv6Address => "the host is not a valid IPv6 address",
        _ => "the host is not valid",
    }
}

/// The name of what stands in front of an `@`, whatever else is in there.
const USER: &str = "user or password (everything before the last `@` counts as that; elsewhere write an `@` as %40)";
/// The sign, and those that a parser of URLs takes for it.
const AT_SIGNS: [char; 3] = ['@', '\u{ff20}', '\u{fe6b}'];
const MAX_SHOWN: usize = 200;
