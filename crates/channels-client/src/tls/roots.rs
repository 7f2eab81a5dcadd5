//! Whom servers' certificates are verified by.

use std::sync::Arc;

use rustls::{client::danger::ServerCertVerifier, crypto::CryptoProvider};
use rustls_pki_types::CertificateDer;

/// Whose root certificates are trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Roots {
    #[cfg(feature = "platform-verifier")]
    Platform,
    #[cfg(feature = "webpki-roots")]
    Bundled,
}

impl Roots {
    #[cfg(feature = "platform-verifier")]
    pub(super) const DEFAULT: Self = Self::Platform;
    #[cfg(not(feature = "platform-verifier"))]
    pub(super) const DEFAULT: Self = Self::Bundled;

    /// Returns the verifier that trusts these and `extra`.
    pub(super) fn verifier(
        self,
        extra: Vec<CertificateDer<'static>>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ServerCertVerifier>, rustls::Error> {
        match self {
            #[cfg(feature = "platform-verifier")]
            Self::Platform => platform(extra, provider),
            #[cfg(feature = "webpki-roots")]
            Self::Bundled => bundled(extra, provider),
        }
    }
}

#[cfg(all(feature = "platform-verifier", not(target_os = "android")))]
fn platform(
    extra: Vec<CertificateDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, rustls::Error> {
    let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(extra, Arc::clone(provider))?;
    Ok(Arc::new(verifier))
}

#[cfg(all(feature = "platform-verifier", target_os = "android"))]
fn platform(
    extra: Vec<CertificateDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, rustls::Error> {
    let platform: Arc<dyn ServerCertVerifier> =
        Arc::new(rustls_platform_verifier::Verifier::new(Arc::clone(provider))?);
    if extra.is_empty() { Ok(platform) } else { super::extra_roots::also_trusting(platform, extra, provider) }
}

#[cfg(feature = "webpki-roots")]
fn bundled(
    extra: Vec<CertificateDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, rustls::Error> {
    let mut store = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for root in extra {
        store.add(root)?;
    }
    let verifier =
        rustls::client::WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider)).build();
    Ok(verifier.map_err(|error| rustls::Error::Other(rustls::OtherError(Arc::new(error))))?)
}
