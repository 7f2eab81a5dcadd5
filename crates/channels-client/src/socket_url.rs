use std::{fmt, str::FromStr};

use channels_proto::AppKey;

use crate::endpoint::{Endpoint, ParsedUrl, UrlError, WEB_SOCKET, presentable_url};

/// Where the Pusher server listens: `ws://` or `wss://`, a host, optionally a port and a path.
///
/// The scheme may be in any case, the host may be an IPv6 address in brackets, the port is 80 or 443 when absent,
/// and a `/` at the end makes no difference.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SocketUrl(ParsedUrl);

impl SocketUrl {
    /// Parses `url`.
    ///
    /// # Errors
    /// When it is empty, relative or unparsable, has another scheme, or contains a user, a query or a fragment.
    ///
    /// # Examples
    /// ```
    /// use channels_client::SocketUrl;
    ///
    /// let url = SocketUrl::parse("WSS://example.com/pusher/")?;
    /// assert_eq!(url.to_string(), "wss://example.com:443/pusher");
    /// assert!(SocketUrl::parse("https://example.com").is_err());
    /// # Ok::<(), channels_client::UrlError>(())
    /// ```
    pub fn parse(url: &str) -> Result<Self, UrlError> {
        ParsedUrl::parse(url, &WEB_SOCKET).map(Self)
    }

    /// Returns where the applications of `cluster` are on the hosted service: `wss://ws-CLUSTER.pusher.com`.
    ///
    /// # Errors
    /// When `cluster` cannot be part of a host's name: it is letters, digits and hyphens.
    ///
    /// # Examples
    /// ```
    /// use channels_client::SocketUrl;
    ///
    /// assert_eq!(SocketUrl::cluster("eu")?.to_string(), "wss://ws-eu.pusher.com:443");
    /// assert!(SocketUrl::cluster("example.com/").is_err());
    /// # Ok::<(), channels_client::UrlError>(())
    /// ```
    pub fn cluster(cluster: &str) -> Result<Self, UrlError> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if cluster.is_empty() || !cluster.bytes().all(fits) {
            return Err(UrlError::Cluster { name: presentable_url(cluster) });
        }
        Self::parse(&format!("wss://ws-{cluster}.pusher.com"))
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

    /// Returns the port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.0.endpoint.port
    }

    /// Returns the path in front of `/app/KEY`; empty, or it starts with `/` and does not end with one.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// Returns host and port, and whether TLS is used.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.0.endpoint
    }

    /// Returns what stands in the first line of the upgrade request.
    pub(crate) fn request_target(&self, app_key: &AppKey, client: &str, version: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("client", client).append_pair("version", version).append_pair("protocol", "7");
        format!("{}/app/{}?{}", self.0.path, app_key.as_str(), query.finish())
    }
}

impl FromStr for SocketUrl {
    type Err = UrlError;

    fn from_str(url: &str) -> Result<Self, UrlError> {
        Self::parse(url)
    }
}

impl TryFrom<&str> for SocketUrl {
    type Error = UrlError;

    fn try_from(url: &str) -> Result<Self, UrlError> {
        Self::parse(url)
    }
}

impl TryFrom<String> for SocketUrl {
    type Error = UrlError;

    fn try_from(url: String) -> Result<Self, UrlError> {
        Self::parse(&url)
    }
}

impl fmt::Display for SocketUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_secure() { WEB_SOCKET.secure } else { WEB_SOCKET.plain };
        write!(f, "{scheme}://{}{}", self.0.endpoint, self.0.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::HttpUrl;

    fn shown(url: &str) -> String {
        SocketUrl::parse(url).unwrap().to_string()
    }

    #[test]
    fn every_spelling_of_a_usable_url_is_accepted() {
        assert_eq!(shown("wss://example.com:443/pusher"), "wss://example.com:443/pusher");
        assert_eq!(shown("wss://example.com"), "wss://example.com:443");
        assert_eq!(shown("ws://example.com/"), "ws://example.com:80");
        assert_eq!(shown("WS://EXAMPLE.com:6003/Pusher//"), "ws://example.com:6003/Pusher");
        assert_eq!(shown("ws://[::1]:8080/a/b/"), "ws://[::1]:8080/a/b");
        assert_eq!(shown("ws://127.0.0.1"), "ws://127.0.0.1:80");
    }

    // H04
    #[test]
    fn a_cluster_becomes_its_host_on_the_hosted_service_and_nothing_else() {
        let url = SocketUrl::cluster("us2").unwrap();
        assert_eq!((url.host(), url.port(), url.path(), url.is_secure()), ("ws-us2.pusher.com", 443, "", true));
        for wrong in ["", "eu.example.com", "eu/", "eu:80", "name:canary@eu", "e u", "eu?", "a".repeat(64).as_str()] {
            let error = SocketUrl::cluster(wrong).unwrap_err();
            assert!(!error.to_string().contains("canary"), "{wrong}: {error}");
        }
        assert_eq!(
            SocketUrl::cluster("eu.x").unwrap_err().to_string(),
            "`eu.x` is not the name of a cluster, such as `eu`"
        );
    }

    #[test]
    fn a_url_is_read_from_what_it_is_shown_as_by_the_traits_of_the_language() {
        let url: SocketUrl = "ws://[::1]:8080/a".parse().unwrap();
        assert_eq!(SocketUrl::try_from(url.to_string()).as_ref(), Ok(&url));
        assert_eq!(SocketUrl::try_from("ws://[::1]:8080/a"), Ok(url));
        assert!("example.com".parse::<SocketUrl>().is_err());
    }

    // H04: a look-alike shows its true name.
    #[test]
    fn an_international_name_becomes_its_ascii_form() {
        assert_eq!(shown("wss://exämple.com"), "wss://xn--exmple-cua.com:443");
    }

    // H04, H10
    #[test]
    fn an_unusable_url_is_refused_with_its_reason() {
        let error = |url| SocketUrl::parse(url).unwrap_err().to_string();
        assert_eq!(error(""), "the URL is empty");
        for url in ["https://example.com", "http://example.com", "file:///etc", "data://x", "wsx://example.com"] {
            assert!(error(url).ends_with("must start with ws:// or wss://"), "{}", error(url));
        }
        for url in ["example.com", "/pusher", "wss:example.com", "ws:/example.com", "//example.com"] {
            assert!(error(url).contains("not an absolute URL"), "{}", error(url));
        }
        let broken =
            ["ws://", "ws:///path", "ws://:80", "ws://a:0", "ws://a:65536", "ws://a:b", "ws://[::1", "ws://1.2.3.999"];
        for url in broken.into_iter().chain(["ws://a b", "ws://a\n", " ws://a", "ws:\\\\a", "ws://a\u{7}"]) {
            assert!(error(url).contains("not an absolute URL"), "{url:?}: {}", error(url));
        }
        assert!(error("ws://a/?x=1").ends_with("must not contain a query"));
        assert!(error("ws://a/#x").ends_with("must not contain a fragment"));
        assert!(error("ws://user@a/").contains("must not contain a user or password"));
        assert!(error("ws://@a/").contains("must not contain a user or password"));
    }

    // H04: what no certificate, no `Host` header and no resolver would take is not tried for ever.
    #[test]
    fn a_host_that_cannot_be_connected_to_is_refused_at_once() {
        let hosts =
            ["exa$mple.com", "a..b", ".a", "a,b", "(a)", "a!b", "'a'", "a;b", "a&b", "a=b", "a~b", "a+b", "a*b"];
        let long = [format!("{}.com", "a".repeat(64)), "a.".repeat(130) + "com"];
        for host in hosts.into_iter().chain(long.iter().map(String::as_str)) {
            let error = |text: Result<String, UrlError>| text.unwrap_err().to_string();
            let socket = error(SocketUrl::parse(&format!("wss://{host}/pusher")).map(|url| url.to_string()));
            let http = error(HttpUrl::parse(&format!("https://{host}/")).map(|url| url.to_string()));
            for error in [socket, http] {
                assert!(error.contains("the host is not valid"), "{host}: {error}");
            }
        }
        for usable in
            ["ws://a_b.example", "ws://xn--exmple-cua.com.", "ws://localhost", "ws://10.0.0.7", "ws://1.example"]
        {
            assert!(SocketUrl::parse(usable).is_ok(), "{usable}");
        }
    }

    // Q02: whatever the typing error is, neither user nor password is printed.
    #[test]
    fn an_error_shows_neither_query_nor_password() {
        let urls = [
            "ws://name:canary@a/path?x",
            "http://name:canary@a/?canary",
            "ws://a/?canary#canary",
            "name:canary@a",
            "ws://a b:canary@c",
            "wss://anna:pa/canary@host",
            "wss://canary/canary@host",
            "wss://anna:pa#canary@host",
            "wss://anna:pa?canary@host",
            "wss://anna:pa@canary@host/path",
            "wss://anna:canary%40host",
            "wss://anna:canary%2540host",
            "wss://anna:canary\u{ff20}host",
            "wss:\\\\anna:canary@host",
            "wss://anna\\canary@host",
            "wss:anna:canary@host",
            "wss:/anna:canary@host",
            "//anna:canary@host",
            "anna:canary@host/pusher",
            "://anna:canary@host",
            "anna:canary://host@x",
            "wss://https://anna:canary@host/",
            "wss://https:/anna:canary@host/",
            "wss://https:anna:canary@host/",
            "https://wss://anna:canary@host/",
            "wss://anna:canary @host",
            "wss://anna:canary\n@host",
            "wss://canary@[::1",
            "wss://canary:@host:99999",
            "wss://canary@",
        ];
        for url in urls {
            let errors = [SocketUrl::parse(url).map(|_| ()), HttpUrl::parse(url).map(|_| ())];
            for error in errors {
                let error = error.unwrap_err();
                assert!(!format!("{error} {error:?}").contains("canary"), "{url}: {error}");
            }
        }
        assert_eq!(
            SocketUrl::parse("wss://https://anna:canary@host/").unwrap_err().to_string(),
            "`wss://***@host/` is not an absolute URL (it contains two addresses)"
        );
        assert_eq!(shown("wss://host/%40scope"), "wss://host:443/%40scope");
    }

    // Q02: what is wrong with it is the user, whatever its password makes of the rest
    #[test]
    fn a_url_with_a_user_is_refused_for_the_user_whatever_the_password_holds() {
        for password in ["pass", "pa/ss", "pa#ss", "pa?ss", "pa@ss", "/ss", "#ss", "?ss", "@ss", "1/x", ""] {
            for scheme in ["wss", "https"] {
                let url = format!("{scheme}://anna:{password}@host");
                let refused = match scheme {
                    "wss" => SocketUrl::parse(&url).map(|_| ()),
                    _ => HttpUrl::parse(&url).map(|_| ()),
                };
                let expected = format!(
                    "`{scheme}://***@host` must not contain a user or password (everything before the last `@` counts as \
                     that; elsewhere write an `@` as %40)"
                );
                assert_eq!(refused.unwrap_err().to_string(), expected, "{password:?}");
            }
        }
        let encoded = SocketUrl::parse("wss://anna:pass%40host").unwrap_err().to_string();
        assert!(encoded.contains("must not contain a user or password"), "{encoded}");
    }

    #[test]
    fn the_request_target_never_has_a_double_slash_and_names_client_and_protocol() {
        let key = AppKey::parse("key").unwrap();
        let target = |url| SocketUrl::parse(url).unwrap().request_target(&key, "a client", "1.0");
        assert_eq!(target("wss://example.com/pusher/"), "/pusher/app/key?client=a+client&version=1.0&protocol=7");
        assert_eq!(target("wss://example.com"), "/app/key?client=a+client&version=1.0&protocol=7");
    }
}
