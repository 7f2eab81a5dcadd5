//! A certificate authority of the benchmark's own, for `wss`.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tempfile::TempDir;

/// A server certificate for `localhost`, and the file of the authority that signed it.
pub struct Certificate {
    /// For the server.
    pub server: Arc<ServerConfig>,
    folder: TempDir,
}

impl Certificate {
    /// Makes both.
    ///
    /// # Errors
    /// When no key can be made or the file cannot be written.
    pub fn make() -> Result<Self> {
        let mut authority = CertificateParams::new(Vec::<String>::new())?;
        // Two certificates of one name are taken for one that has signed itself.
        authority.distinguished_name.push(DnType::CommonName, "benchmark authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certificate = CertificateParams::new(names)?.signed_by(&key, &authority)?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
        let server = ServerConfig::builder().with_no_client_auth();
        let server = Arc::new(server.with_single_cert(vec![certificate.der().clone()], key)?);
        let folder = tempfile::tempdir().context("cannot make a folder for the certificate")?;
        std::fs::write(folder.path().join(FILE), authority.pem())?;
        Ok(Self { server, folder })
    }

    /// Returns the file of the authority's certificate (PEM).
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join(FILE)
    }
}

const FILE: &str = "authority.pem";
