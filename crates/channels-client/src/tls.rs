//! The one TLS configuration: rustls, the platform's verifier or bundled roots, and what the caller adds.

mod builder;
#[cfg(any(target_os = "android", test))]
mod extra_roots;
mod pins;
mod roots;

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::UNIX_EPOCH,
};

use rustls::{
    ClientConfig, RootCertStore,
    client::{ResolvesClientCert, danger::ServerCertVerifier},
    crypto::CryptoProvider,
    time_provider::TimeProvider,
};
use rustls_pki_types::{CertificateDer, UnixTime, pem::PemObject};
use thiserror::Error;

pub(crate) use self::pins::NotPinned;
use self::roots::Roots;
pub use self::{
    builder::{TlsBuilder, TlsError},
    pins::{PublicKeyPin, PublicKeyPinError},
};
use crate::{Clock, SystemClock, threads::Threads};

/// How servers are verified, and what the client shows them. Cheap to clone.
///
/// Verification cannot be turned off. All connections made with one `Tls` share its sessions, so that a reconnect
/// resumes; the platform's certificates are loaded once, at the first TLS connection.
#[derive(Clone)]
pub struct Tls(Arc<Shared>);

struct Shared {
    settings: Settings,
    config: OnceLock<Arc<ClientConfig>>,
}

struct Settings {
    roots: Roots,
    extra_roots: Vec<CertificateDer<'static>>,
    client: Option<Arc<dyn ResolvesClientCert>>,
    narrow: Option<Arc<Narrow>>,
    clock: Arc<dyn Clock>,
}

/// Makes a verifier accept less. A program that does not ask for that does not contain it.
type Narrow = dyn Fn(Arc<dyn ServerCertVerifier>, &Arc<CryptoProvider>) -> Arc<dyn ServerCertVerifier> + Send + Sync;

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
    #[cfg(feature = "platform-verifier")]
    #[must_use]
    pub fn platform() -> Self {
        Self::default()
    }

    /// Begins a configuration with more than added roots: a client certificate, pinned keys.
    pub fn builder() -> TlsBuilder {
        TlsBuilder::new()
    }

    /// Returns the default verification with `roots` (DER) added to its own.
    ///
    /// # Errors
    /// When one of them cannot be used as a root.
    pub fn with_extra_roots(
        roots: impl IntoIterator<Item = CertificateDer<'static>>,
    ) -> Result<Self, RootCertificateError> {
        let extra_roots: Vec<_> = roots.into_iter().collect();
        check_roots(&extra_roots)?;
        Ok(Self::of(Settings { extra_roots, ..Settings::default() }))
    }

    /// Returns the default verification with the certificates of a PEM text added.
    ///
    /// # Errors
    /// When the text is damaged, or contains no certificate, or one that cannot be used as a root.
    pub fn with_extra_roots_pem(pem: &[u8]) -> Result<Self, RootCertificateError> {
        Self::with_extra_roots(roots_of_pem(pem)?)
    }

    fn of(settings: Settings) -> Self {
        Self(Arc::new(Shared { settings, config: OnceLock::new() }))
    }

    /// Returns whether certificates can be judged at all.
    pub(crate) fn knows_the_time(&self) -> bool {
        unix_time(self.0.settings.clock.as_ref()).is_some()
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
        let config = self.settings.load()?;
        Ok(Arc::clone(self.config.get_or_init(|| config)))
    }
}

impl Settings {
    fn load(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        let provider = Arc::new(crypto());
        let mut verifier = self.roots.verifier(self.extra_roots.clone(), &provider)?;
        if let Some(narrow) = &self.narrow {
            verifier = narrow(verifier, &provider);
        }
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous() // rustls's word for "a verifier of one's own"
            .with_custom_certificate_verifier(verifier);
        let mut config = match &self.client {
            Some(client) => builder.with_client_cert_resolver(Arc::clone(client)),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.time_provider = Arc::new(TimeOfDay(Arc::clone(&self.clock)));
        Ok(Arc::new(config))
    }
}

impl Default for Settings {
    fn default() -> Self {
        let clock = Arc::new(SystemClock::new());
        Self { roots: Roots::DEFAULT, extra_roots: Vec::new(), client: None, narrow: None, clock }
    }
}

impl Default for Tls {
    /// Returns the default verification alone: the platform's, or by the bundled roots when the feature `platform-verifier`
    /// is off. All callers in a process share one instance.
    fn default() -> Self {
        static DEFAULT: OnceLock<Tls> = OnceLock::new();
        DEFAULT.get_or_init(|| Self::of(Settings::default())).clone()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.settings.fmt(f)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("roots", &self.roots)
            .field("extra_roots", &self.extra_roots.len())
            .field("client_certificate", &self.client.is_some())
            .field("pinned", &self.narrow.is_some())
            .finish_non_exhaustive()
    }
}

fn check_roots(roots: &[CertificateDer<'static>]) -> Result<(), RootCertificateError> {
    let mut store = RootCertStore::empty();
    for (index, root) in roots.iter().enumerate() {
        store
            .add(root.clone())
            .map_err(|error| RootCertificateError::Unusable { number: index + 1, reason: error.to_string() })?;
    }
    Ok(())
}

fn roots_of_pem(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, RootCertificateError> {
    let roots: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let roots = roots.map_err(|error| RootCertificateError::Pem { reason: error.to_string() })?;
    if roots.is_empty() { Err(RootCertificateError::Missing) } else { Ok(roots) }
}

#[cfg(feature = "aws-lc-rs")]
fn crypto() -> CryptoProvider {
    rustls::crypto::aws_lc_rs::default_provider()
}

#[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
fn crypto() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

/// One set of certificates takes milliseconds, once.
static LOADING: Threads = Threads::new("channels-tls", 1);

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
