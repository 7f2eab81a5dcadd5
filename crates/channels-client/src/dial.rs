//! From a host name to a secured byte stream: resolve, race the addresses, go through a proxy, TLS.

mod error;
#[cfg(feature = "proxy")]
mod proxy;
mod race;
mod resolver;
mod stream;
mod system;

pub use self::error::{CertificateProblem, ConnectError, ProxyProblem};
pub(crate) use self::error::{io_reason, tls_error};
#[cfg(feature = "proxy")]
pub use self::proxy::{Proxies, Proxy, ProxyError};
pub use self::resolver::Resolver;
pub use self::stream::Stream;
pub(crate) use self::stream::{Counted, write_through};
pub use self::system::SystemConnector;

#[cfg(test)]
mod tests;
