//! TLS on the server's side.

use std::{fmt, sync::Arc};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use crate::error::ServerError;

/// What the server serves TLS with.
#[derive(Clone)]
pub enum Tls {
    /// A certificate chain and its private key, in PEM.
    Pem {
        /// The chain, the server's certificate first.
        certificates: Vec<u8>,
        /// The private key: PKCS#8, SEC1 or PKCS#1.
        key: Vec<u8>,
    },
    /// A custom configuration.
    Rustls(Arc<ServerConfig>),
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pem { .. } => "Tls::Pem(..)",
            Self::Rustls(_) => "Tls::Rustls(..)",
        })
    }
}

impl Tls {
    pub(crate) fn server_config(&self) -> Result<Arc<ServerConfig>, ServerError> {
        match self {
            Self::Rustls(config) => Ok(Arc::clone(config)),
            Self::Pem { certificates, key } => from_pem(certificates, key).map(Arc::new),
        }
    }
}

fn from_pem(certificates: &[u8], key: &[u8]) -> Result<ServerConfig, ServerError> {
    let problem = |problem: String| ServerError::Tls { problem };
    let chain = CertificateDer::pem_slice_iter(certificates)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| problem(format!("the certificate chain is not PEM: {error}")))?;
    if chain.is_empty() {
        return Err(problem("the certificate chain has no CERTIFICATE section".to_owned()));
    }
    let key =
        PrivateKeyDer::from_pem_slice(key).map_err(|error| problem(format!("the private key is not PEM: {error}")))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| problem(error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| problem(error.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
