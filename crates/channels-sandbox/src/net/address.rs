//! The addresses that a server gives to clients.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

#[derive(Clone, Debug)]
pub(crate) struct Address {
    pub(crate) bound: SocketAddr,
    /// The host name used in URLs instead of its address.
    pub(crate) host: Option<String>,
    pub(crate) is_tls: bool,
}

impl Address {
    pub(crate) fn base_url(&self) -> String {
        format!("{}://{}", if self.is_tls { "https" } else { "http" }, self.authority())
    }

    pub(crate) fn socket_url(&self) -> String {
        format!("{}://{}/pusher", if self.is_tls { "wss" } else { "ws" }, self.authority())
    }

    fn authority(&self) -> String {
        match (&self.host, self.bound.ip()) {
            (Some(host), _) => format!("{host}:{}", self.bound.port()),
            (None, IpAddr::V4(Ipv4Addr::UNSPECIFIED)) => format!("127.0.0.1:{}", self.bound.port()),
            (None, IpAddr::V6(Ipv6Addr::UNSPECIFIED)) => format!("[::1]:{}", self.bound.port()),
            (None, _) => self.bound.to_string(),
        }
    }
}
