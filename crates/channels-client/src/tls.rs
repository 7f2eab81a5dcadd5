//! The one TLS configuration: rustls with ring, the platform's verifier, and extra roots when the caller adds some.

#[cfg(any(target_os = "android", test))]
mod extra_roots;

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::UNIX_EPOCH,
};

use rustls::{
    ClientConfig, RootCertStore, client::danger::ServerCertVerifier, crypto::CryptoProvider,
    time_provider::TimeProvider,
};
use rustls_pki_types::{CertificateDer, UnixTime, pem::PemObject};
use thiserror::Error;

use crate::{Clock, SystemClock, threads::Threads};

/// How servers are verified: by the platform, and by additional root certificates. Cheap to clone.
///
/// Verification cannot be turned off. All connections made with one `Tls` share its sessions, so that a reconnect
/// resumes; the platform's certificates are loaded once, at the first TLS connection.
#[derive(Clone)]
pub struct Tls(Arc<Shared>);

struct Shared {
    extra_roots: Vec<CertificateDer<'static>>,
    clock: Arc<dyn Clock>,
    config: OnceLock<Arc<ClientConfig>>,
}

/// Why root certificates cannot be added.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RootCertificateError {
    /// The PEM text contains no certificate.
    #[error("the PEM text contains no certificate")]
    Missing,
    /// The PEM text is damaged.
    #[error("the PEM text is damaged: {reason}")]
    Pem {
        /// What is wrong.
        reason: String,
    },
    /// One of the certificates cannot be used as a root.
    #[error("root certificate {number} cannot be used: {reason}")]
    Unusable {
        /// Its place, counted from 1.
        number: usize,
        /// What is wrong with it.
        reason: String,
    },
}

impl Tls {
    /// Returns the platform's verification alone. All callers in a process share one instance.
    #[must_use]
    pub fn platform() -> Self {
        static PLATFORM: OnceLock<Tls> = OnceLock::new();
        PLATFORM.get_or_init(|| Self::with(Vec::new())).clone()
    }

    /// Returns the platform's verification with `roots` (DER) added to the platform's own.
    ///
    /// # Errors
    /// When one of them cannot be used as a root.
    pub fn with_extra_roots(
        roots: impl IntoIterator<Item = CertificateDer<'static>>,
    ) -> Result<Self, RootCertificateError> {
        let extra_roots: Vec<_> = roots.into_iter().collect();
        let mut store = RootCertStore::empty();
        for (index, root) in extra_roots.iter().enumerate() {
            store
                .add(root.clone())
                .map_err(|error| RootCertificateError::Unusable { number: index + 1, reason: error.to_string() })?;
        }
        Ok(Self::with(extra_roots))
    }

    /// Returns the platform's verification with the certificates of a PEM text added.
    ///
    /// # Errors
    /// When the text is damaged, or contains no certificate, or one that cannot be used as a root.
    pub fn with_extra_roots_pem(pem: &[u8]) -> Result<Self, RootCertificateError> {
        let roots: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let roots = roots.map_err(|error| RootCertificateError::Pem { reason: error.to_string() })?;
        if roots.is_empty() {
            return Err(RootCertificateError::Missing);
        }
        Self::with_extra_roots(roots)
    }

    fn with(extra_roots: Vec<CertificateDer<'static>>) -> Self {
        Self::with_clock(extra_roots, Arc::new(SystemClock::new()))
    }

    pub(crate) fn with_clock(extra_roots: Vec<CertificateDer<'static>>, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Shared { extra_roots, clock, config: OnceLock::new() }))
    }

    /// Returns whether certificates can be judged at all.
    pub(crate) fn knows_the_time(&self) -> bool {
        unix_time(self.0.clock.as_ref()).is_some()
    }

    /// Returns the configuration; the first call loads the platform's certificates on a thread of its own, and what it has
    /// loaded is kept also when nobody waits for it any more.
    pub(crate) async fn config(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        if let Some(config) = self.0.config.get() {
            return Ok(Arc::clone(config));
        }
        let shared = Arc::clone(&self.0);
        let loaded = LOADING.run(move || shared.load()).await;
        loaded.unwrap_or_else(|error| Err(rustls::Error::General(format!("cannot load the certificates: {error}"))))
    }
}

impl Shared {
    /// Those who ask at the same time do so one after the other, and find what the first has loaded.
    fn load(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        if let Some(config) = self.config.get() {
            return Ok(Arc::clone(config));
        }
        let config = build(self.extra_roots.clone(), Arc::clone(&self.clock))?;
        Ok(Arc::clone(self.config.get_or_init(|| config)))
    }
}

impl Default for Tls {
    fn default() -> Self {
        Self::platform()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("extra_roots", &self.0.extra_roots.len()).finish_non_exhaustive()
    }
}

/// One set of certificates takes milliseconds, once.
static LOADING: Threads = Threads::new("channels-tls", 1);

fn build(extra_roots: Vec<CertificateDer<'static>>, clock: Arc<dyn Clock>) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = verifier(extra_roots, &provider)?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous() // rustls's word for "a verifier of one's own"; ours is the platform's
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.time_provider = Arc::new(TimeOfDay(clock));
    Ok(Arc::new(config))
}

/// The time used to verify certificates. The provider of rustls panics when the clock is set before 1970.
#[derive(Debug)]
struct TimeOfDay(Arc<dyn Clock>);

impl TimeProvider for TimeOfDay {
    fn current_time(&self) -> Option<UnixTime> {
        unix_time(self.0.as_ref())
    }
}

/// None when the clock is set before 1970.
fn unix_time(clock: &dyn Clock) -> Option<UnixTime> {
    clock.wall().duration_since(UNIX_EPOCH).ok().map(UnixTime::since_unix_epoch)
}

#[cfg(not(target_os = "android"))]
fn verifier(
    extra_roots: Vec<CertificateDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, rustls::Error> {
    let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(extra_roots, Arc::clone(provider))?;
    Ok(Arc::new(verifier))
}

#[cfg(target_os = "android")]
fn verifier(
    extra_roots: Vec<CertificateDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, rustls::Error> {
    let platform: Arc<dyn ServerCertVerifier> =
        Arc::new(rustls_platform_verifier::Verifier::new(Arc::clone(provider))?);
    if extra_roots.is_empty() { Ok(platform) } else { extra_roots::also_trusting(platform, extra_roots, provider) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt;

    use super::*;

    // N02: where loading takes longer than an attempt has, the next attempt does not begin anew.
    #[tokio::test]
    async fn what_was_loaded_is_kept_when_nobody_waits_for_it_any_more() {
        let root = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let tls = Tls::with_extra_roots([root.cert.der().clone()]).unwrap();
        let mut given_up = Box::pin(tls.config());
        let _ = (&mut given_up).now_or_never();
        drop(given_up);
        let kept = async {
            while tls.0.config.get().is_none() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), kept).await.expect("it was thrown away");
        let same = tls.config().now_or_never().expect("it is there").unwrap();
        assert!(Arc::ptr_eq(&same, tls.0.config.get().unwrap()));
    }
}
