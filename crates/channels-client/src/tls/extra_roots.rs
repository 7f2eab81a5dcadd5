//! Extra roots where the platform's verifier takes none (Android).

use std::sync::Arc;

use rustls::{
    DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme,
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
            by_extra.map_err(|error| match error {
                // The extra roots know nothing of this chain, so what the platform said is the reason.
                rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer) => refusal,
                error => error,
            })
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
