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

/// Returns a verifier that asks `platform` first, and the `roots` when the platform does not know the issuer: whatever else
/// it has against a certificate, such as that it was revoked, stands.
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
        if matches!(by_platform, Err(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer))) {
            return self.extra.verify_server_cert(end_entity, intermediates, name, ocsp, now);
        }
        by_platform
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

    /// A platform that answers the same to everything.
    #[derive(Debug)]
    struct Answering(Option<rustls::Error>);

    impl ServerCertVerifier for Answering {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, rustls::Error> {
            self.0.clone().map_or_else(|| Ok(ServerCertVerified::assertion()), Err)
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

    /// Asks about a certificate for `localhost`, issued by `issuer`, of a server that is called by `name`.
    fn verify(
        platform: Option<rustls::Error>,
        root: &CertifiedIssuer<'static, KeyPair>,
        issuer: &CertifiedIssuer<'static, KeyPair>,
        name: &'static str,
    ) -> Result<(), rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = also_trusting(Arc::new(Answering(platform)), vec![root.der().clone()], &provider).unwrap();
        assert!(!verifier.supported_verify_schemes().is_empty());
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&KeyPair::generate().unwrap(), issuer).unwrap();
        let name = ServerName::try_from(name).unwrap();
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_709_633_472));
        verifier.verify_server_cert(certificate.der(), &[], &name, &[], now).map(|_| ())
    }

    // T03: an issuer that the platform does not know may be an extra root, and nothing else.
    #[test]
    fn an_extra_root_is_asked_when_the_platform_does_not_know_the_issuer() {
        let (own, foreign) = (authority("own"), authority("foreign"));
        let unknown = || Some(CertificateError::UnknownIssuer.into());
        assert_eq!(verify(unknown(), &own, &own, "localhost"), Ok(()));
        assert_eq!(verify(unknown(), &own, &foreign, "localhost"), Err(CertificateError::UnknownIssuer.into()));
        let wrong_name = verify(unknown(), &own, &own, "example.com");
        assert!(
            matches!(
                wrong_name,
                Err(rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext { .. }))
            ),
            "{wrong_name:?}"
        );
        assert_eq!(verify(None, &own, &foreign, "localhost"), Ok(()));
    }

    // T03: a certificate that was revoked, or is out of its time, is not saved by an extra root.
    #[test]
    fn whatever_else_the_platform_has_against_a_certificate_stands() {
        let own = authority("own");
        let refusals: [rustls::Error; 6] = [
            CertificateError::Revoked.into(),
            CertificateError::Expired.into(),
            CertificateError::NotValidForName.into(),
            CertificateError::BadEncoding.into(),
            CertificateError::BadSignature.into(),
            rustls::Error::General("the platform's verifier cannot be called".to_owned()),
        ];
        for refusal in refusals {
            assert_eq!(verify(Some(refusal.clone()), &own, &own, "localhost"), Err(refusal));
        }
    }
}
