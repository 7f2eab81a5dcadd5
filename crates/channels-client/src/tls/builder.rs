//! A TLS configuration with more than added roots.

use std::sync::Arc;

use rustls::{
    client::ResolvesClientCert,
    sign::{CertifiedKey, SingleCertAndKey},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use thiserror::Error;

use super::{PublicKeyPin, RootCertificateError, Settings, Tls, check_roots, crypto, pins, roots_of_pem};
use crate::Clock;

/// Why a TLS configuration cannot be used. No error contains any part of a key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A root certificate cannot be added.
    #[error(transparent)]
    Root(#[from] RootCertificateError),
    /// The chain of the client certificate cannot be used.
    #[error("the client certificate cannot be used: {reason}")]
    ClientCertificate {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The private key of the client certificate cannot be used.
    #[error("the private key of the client certificate cannot be used: {reason}")]
    ClientKey {
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// Builds a [`Tls`]; [`Tls::builder`] begins one.
#[derive(Debug)]
#[must_use]
pub struct TlsBuilder {
    settings: Settings,
    client: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    pins: Vec<PublicKeyPin>,
    wrong: Option<TlsError>,
}

impl TlsBuilder {
    pub(super) fn new() -> Self {
        Self { settings: Settings::default(), client: None, pins: Vec::new(), wrong: None }
    }

    /// Trusts `roots` (DER) as well.
    pub fn extra_roots(mut self, roots: impl IntoIterator<Item = CertificateDer<'static>>) -> Self {
        self.settings.extra_roots.extend(roots);
        self
    }

    /// Trusts the certificates of a PEM text as well.
    pub fn extra_roots_pem(self, pem: &[u8]) -> Self {
        match roots_of_pem(pem) {
            Ok(roots) => self.extra_roots(roots),
            Err(error) => self.refuse(error.into()),
        }
    }

    /// Trusts the root certificates that come with this program, Mozilla's, instead of the platform's. They grow old with
    /// the program, and an administrator cannot change them.
    #[cfg(feature = "webpki-roots")]
    pub fn bundled_roots(mut self) -> Self {
        self.settings.roots = super::Roots::Bundled;
        self
    }

    /// Shows the server a certificate when it asks for one: `chain` begins with it, the authorities that lead to one that the
    /// server knows follow, and `key` is its private key (PKCS #1, PKCS #8 or SEC 1).
    pub fn client_certificate(
        mut self,
        chain: impl IntoIterator<Item = CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Self {
        self.client = Some((chain.into_iter().collect(), key));
        self
    }

    /// The same with PEM texts; both may be in one.
    pub fn client_certificate_pem(self, chain: &[u8], key: &[u8]) -> Self {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
        let Ok(chain) = chain else {
            return self.refuse(TlsError::ClientCertificate { reason: "its PEM text is damaged" });
        };
        // The library's error may quote a line of the key.
        match PrivateKeyDer::from_pem_slice(key) {
            Ok(key) => self.client_certificate(chain, key),
            Err(rustls_pki_types::pem::Error::NoItemsFound) => self
                .refuse(TlsError::ClientKey { reason: "the PEM text contains none (an encrypted one does not count)" }),
            Err(_) => self.refuse(TlsError::ClientKey { reason: "its PEM text is damaged" }),
        }
    }

    /// Accepts only servers whose own certificate has this public key, or another one that is pinned. That comes on top of
    /// the verification. Pin the key that is to come next as well, or a new certificate locks the program out.
    pub fn pinned_key(mut self, pin: PublicKeyPin) -> Self {
        self.pins.push(pin);
        self
    }

    /// Judges by this clock whether a certificate is in its time; the system's by default.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.settings.clock = clock;
        self
    }

    /// Returns the configuration.
    ///
    /// # Errors
    /// When a certificate or key cannot be used.
    pub fn build(self) -> Result<Tls, TlsError> {
        let Self { mut settings, client, pins, wrong } = self;
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
        check_roots(&settings.extra_roots)?;
        settings.client = client.map(|(chain, key)| certified(chain, key)).transpose()?;
        if !pins.is_empty() {
            settings.narrow = Some(Arc::new(move |verifier, provider| pins::pinning(verifier, pins.clone(), provider)));
        }
        Ok(Tls::of(settings))
    }

    /// Keeps what is wrong for `build`: the first counts.
    fn refuse(mut self, error: TlsError) -> Self {
        self.wrong.get_or_insert(error);
        self
    }
}

fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<dyn ResolvesClientCert>, TlsError> {
    if chain.is_empty() {
        return Err(TlsError::ClientCertificate { reason: "there is none" });
    }
    for certificate in &chain {
        webpki::EndEntityCert::try_from(certificate)
            .map_err(|_| TlsError::ClientCertificate { reason: "one of the chain is damaged" })?;
    }
    let certified = CertifiedKey::from_der(chain, key, &crypto()).map_err(|error| {
        let reason = if matches!(error, rustls::Error::InconsistentKeys(_)) {
            "it does not belong to the certificate"
        } else {
            "it is damaged, or of a kind that is not supported"
        };
        TlsError::ClientKey { reason }
    })?;
    Ok(Arc::new(SingleCertAndKey::from(certified)))
}
