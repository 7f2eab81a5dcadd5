//! Extra roots where the platform's verifier takes none (Android).

use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::CryptoProvider,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

/// Returns a verifier that asks `platform` first, and the `roots` when the platform refuses.
pub(super) fn also_trusting(
    platform: Arc<dyn ServerCertVerifier>,
    roots: Vec<CertificateDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, rustls::Error> {
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(root)?;
    }
    let extra = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider))
        .build()
        .map_err(|error| rustls::Error::Other(OtherError(Arc::new(error))))?;
    Ok(Arc::new(EitherVerifier { platform, extra }))
}

#[derive(Debug)]
struct EitherVerifier {
    platform: Arc<dyn ServerCertVerifier>,
    extra: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for EitherVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let by_platform = self.platform.verify_server_cert(end_entity, intermediates, name, ocsp, now);
        by_platform.or_else(|refusal| {
            let by_extra = self.extra.verify_server_cert(end_entity, intermediates, name, ocsp, now);
            // When the extra roots know nothing of this chain, what the platform said is the reason.
            let unknown = rustls::Error::from(CertificateError::UnknownIssuer);
            by_extra.map_err(|error| if error == unknown { refusal } else { error })
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.extra.verify_tls12_signature(message, cert, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.extra.verify_tls13_signature(message, cert, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.extra.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

    use super::*;

    /// A platform that knows no authority.
    #[derive(Debug)]
    struct Refusing;

    impl ServerCertVerifier for Refusing {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, rustls::Error> {
            Err(CertificateError::Revoked.into())
        }

        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            Err(rustls::Error::DecryptError)
        }

        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            Err(rustls::Error::DecryptError)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            Vec::new()
        }
    }

    fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    }

    // T03: what the platform refuses is accepted for an extra root, and for nothing else.
    #[test]
    fn an_extra_root_is_asked_after_the_platform() {
        let (own, foreign) = (authority("own"), authority("foreign"));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = also_trusting(Arc::new(Refusing), vec![own.der().clone()], &provider).unwrap();
        let verify = |issuer: &CertifiedIssuer<'static, KeyPair>, name: &'static str| {
            let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
            let certificate = params.signed_by(&KeyPair::generate().unwrap(), issuer).unwrap();
            let name = ServerName::try_from(name).unwrap();
            let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_709_633_472));
            verifier.verify_server_cert(certificate.der(), &[], &name, &[], now).map(|_| ())
        };
        assert_eq!(verify(&own, "localhost"), Ok(()));
        assert_eq!(verify(&foreign, "localhost"), Err(CertificateError::Revoked.into()));
        let wrong_name = verify(&own, "example.com");
        assert!(
            matches!(
                wrong_name,
                Err(rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext { .. }))
            ),
            "{wrong_name:?}"
        );
        assert!(!verifier.supported_verify_schemes().is_empty());
    }
}
