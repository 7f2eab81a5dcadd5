//! Pinned public keys: a certificate that the verifier accepts has to have one of them too.

use std::{error::Error, fmt, str::FromStr, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls::{
    CertificateError, DigitallySignedStruct, OtherError, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{
        CryptoProvider,
        hash::{Hash, HashAlgorithm},
    },
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use thiserror::Error;

/// The SHA-256 of a server's public key, as its certificate contains it (SPKI, RFC 7469 section 2.4).
///
/// It is written `sha256/` and the hash in base64, as by other tools, such as curl's `--pinnedpubkey` (there with `sha256//`,
/// which is read too).
///
/// # Examples
/// ```
/// use channels_client::PublicKeyPin;
///
/// let pin: PublicKeyPin = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".parse()?;
/// assert_eq!(pin.to_string(), "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
/// # Ok::<(), channels_client::PublicKeyPinError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKeyPin([u8; 32]);

/// Why a text is not the pin of a public key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the pin of a public key is `sha256/` and 32 bytes in base64")]
pub struct PublicKeyPinError;

/// What is wrong with a certificate whose key is not pinned.
#[derive(Debug)]
pub(crate) struct NotPinned(Option<PublicKeyPin>);

impl PublicKeyPin {
    /// Returns the pin with this hash.
    #[must_use]
    pub const fn from_sha256(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// Returns the hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the pin of the key in a certificate; none when it is damaged.
    fn of(certificate: &CertificateDer<'_>, sha256: &dyn Hash) -> Option<Self> {
        let key = webpki::EndEntityCert::try_from(certificate).ok()?.subject_public_key_info();
        sha256.hash(key.as_ref()).as_ref().try_into().ok().map(Self)
    }
}

impl FromStr for PublicKeyPin {
    type Err = PublicKeyPinError;

    fn from_str(text: &str) -> Result<Self, PublicKeyPinError> {
        let hash = text.strip_prefix("sha256//").or_else(|| text.strip_prefix("sha256/")).ok_or(PublicKeyPinError)?;
        let hash = STANDARD.decode(hash).map_err(|_| PublicKeyPinError)?;
        hash.try_into().map(Self).map_err(|_| PublicKeyPinError)
    }
}

impl fmt::Display for PublicKeyPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256/{}", STANDARD.encode(self.0))
    }
}

impl fmt::Debug for PublicKeyPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKeyPin({self})")
    }
}

impl fmt::Display for NotPinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(pin) => write!(f, "its public key is none of those that are pinned: {pin}"),
            None => f.write_str("its public key cannot be read, and keys are pinned"),
        }
    }
}

impl Error for NotPinned {}

/// Asks another verifier first, and then whether the key of the server's own certificate is pinned.
///
/// The certificates of authorities that a server sends along do not count: a server may send any it likes, whether or not
/// they have issued its own.
#[derive(Debug)]
struct PinningVerifier {
    inner: Arc<dyn ServerCertVerifier>,
    pins: Vec<PublicKeyPin>,
    provider: Arc<CryptoProvider>,
}

/// Returns `inner`, which then accepts only servers with one of the keys of `pins`.
pub(super) fn pinning(
    inner: Arc<dyn ServerCertVerifier>,
    pins: Vec<PublicKeyPin>,
    provider: &Arc<CryptoProvider>,
) -> Arc<dyn ServerCertVerifier> {
    Arc::new(PinningVerifier { inner, pins, provider: Arc::clone(provider) })
}

impl ServerCertVerifier for PinningVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.inner.verify_server_cert(end_entity, intermediates, name, ocsp, now)?;
        let pin = sha256(&self.provider).and_then(|sha256| PublicKeyPin::of(end_entity, sha256));
        if pin.is_some_and(|pin| self.pins.contains(&pin)) {
            return Ok(verified);
        }
        Err(CertificateError::Other(OtherError(Arc::new(NotPinned(pin)))).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// The hash function comes with the cryptography of TLS: its cipher suites need it.
fn sha256(provider: &CryptoProvider) -> Option<&'static dyn Hash> {
    let mut hashes = provider.cipher_suites.iter().map(|suite| match suite {
        rustls::SupportedCipherSuite::Tls13(suite) => suite.common.hash_provider,
        rustls::SupportedCipherSuite::Tls12(suite) => suite.common.hash_provider,
    });
    hashes.find(|hash| hash.algorithm() == HashAlgorithm::SHA256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_read_as_it_is_written_and_as_curl_writes_it() {
        let pin = PublicKeyPin::from_sha256([7; 32]);
        assert_eq!(pin.to_string().parse(), Ok(pin));
        assert_eq!(pin.to_string().replace("sha256/", "sha256//").parse(), Ok(pin));
        let short = format!("sha256/{}", STANDARD.encode([7; 31]));
        for wrong in ["", "sha256/", "sha1/BwcHBwcHBwcHBwcHBwcHBwcHBwc=", "sha256/?", &short] {
            assert_eq!(wrong.parse::<PublicKeyPin>(), Err(PublicKeyPinError), "{wrong}");
        }
    }
}
