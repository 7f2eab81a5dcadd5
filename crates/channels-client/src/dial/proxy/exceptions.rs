//! Servers that are connected to directly.

use std::net::IpAddr;

use channels_proto::Printable;

use super::ProxyError;
use crate::endpoint::Endpoint;

/// What `NO_PROXY` holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Exceptions(Vec<Exception>);

#[derive(Clone, Debug)]
struct Exception {
    servers: Servers,
    /// None is every port.
    port: Option<u16>,
}

#[derive(Clone, Debug)]
enum Servers {
    All,
    /// The name, in small letters, and those below it.
    Named(String),
    /// Those whose address has these first bits.
    Block(IpAddr, u32),
}

impl Exceptions {
    pub(super) fn parse(list: &str) -> Result<Self, ProxyError> {
        let entries = list.split([',', ' ', '\t']).filter(|entry| !entry.is_empty());
        let parsed = entries.map(|entry| {
            let unusable = || ProxyError::Exception { exception: Printable(entry).to_string() };
            Exception::parse(entry).ok_or_else(unusable)
        });
        Ok(Self(parsed.collect::<Result<_, _>>()?))
    }

    pub(super) fn include(&self, endpoint: &Endpoint) -> bool {
        self.0.iter().any(|exception| exception.includes(endpoint))
    }
}

impl Exception {
    fn parse(entry: &str) -> Option<Self> {
        if entry == "*" {
            return Some(Self { servers: Servers::All, port: None });
        }
        let (host, port) = match entry.rsplit_once(':') {
            // An IPv6 address without brackets has no port.
            Some((host, port)) if host.ends_with(']') || !host.contains(':') => (host, Some(port.parse().ok()?)),
            Some(_) | None => (entry, None),
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        Some(Self { servers: Servers::parse(host)?, port })
    }

    fn includes(&self, endpoint: &Endpoint) -> bool {
        self.port.is_none_or(|port| port == endpoint.port) && self.servers.include(&endpoint.host)
    }
}

impl Servers {
    fn parse(text: &str) -> Option<Self> {
        if let Some((address, length)) = text.split_once('/') {
            let (address, length) = (address.parse().ok()?, length.parse().ok()?);
            return (length <= bits(address).1).then_some(Self::Block(address, length));
        }
        if let Ok(address) = text.parse() {
            return Some(Self::Block(address, bits(address).1));
        }
        let name = text.strip_prefix("*.").or_else(|| text.strip_prefix('.')).unwrap_or(text);
        let name = name.strip_suffix('.').unwrap_or(name);
        let is_label = |label: &str| {
            !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        name.split('.').all(is_label).then(|| Self::Named(name.to_ascii_lowercase()))
    }

    /// `host` is in small letters, as in an [`Endpoint`].
    fn include(&self, host: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(name) => {
                host.strip_suffix(name.as_str()).is_some_and(|front| front.is_empty() || front.ends_with('.'))
            }
            Self::Block(block, length) => host.parse().is_ok_and(|address| {
                let ((block, of_block), (address, of_address)) = (bits(*block), bits(address));
                let behind = of_block - length;
                of_block == of_address && block.checked_shr(behind) == address.checked_shr(behind)
            }),
        }
    }
}

/// The bits of `address`, and how many they are.
const fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (address.to_bits() as u128, u32::BITS),
        IpAddr::V6(address) => (address.to_bits(), u128::BITS),
    }
}
