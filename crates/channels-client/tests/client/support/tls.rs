use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::Raw;

/// A certificate authority of the test's own.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        Self::of(name, Vec::new())
    }

    /// An authority whose own certificate is good for `host`.
    pub fn named(name: &str, host: &str) -> Self {
        Self::of(name, vec![host.to_owned()])
    }

    fn of(name: &str, hosts: Vec<String>) -> Self {
        let mut params = CertificateParams::new(hosts).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    pub fn root(&self) -> CertificateDer<'static> {
        self.issuer.der().clone()
    }

    pub fn key(&self) -> &KeyPair {
        self.issuer.key()
    }

    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A server for `name` with a certificate valid in these years.
    pub fn server(&self, name: &str, years: (i32, i32)) -> TlsAcceptor {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        let key = KeyPair::generate().unwrap();
        acceptor(params.signed_by(&key, &self.issuer).unwrap().der().clone(), &key)
    }

    /// A server that requires a client certificate of this authority.
    pub fn server_for_known_clients(&self, name: &str) -> TlsAcceptor {
        let mut roots = RootCertStore::empty();
        roots.add(self.root()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let (certificate, key) = self.certificate(name);
        acceptor_for(clients, certificate, &key)
    }

    /// A certificate for `name`, and its key.
    pub fn certificate(&self, name: &str) -> (CertificateDer<'static>, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().der().clone(), key)
    }

    /// A server that shows the authority's own certificate.
    pub fn itself(&self) -> TlsAcceptor {
        acceptor(self.root(), self.issuer.key())
    }
}

pub fn acceptor(certificate: CertificateDer<'static>, key: &KeyPair) -> TlsAcceptor {
    acceptor_for(WebPkiClientVerifier::no_client_auth(), certificate, key)
}

fn acceptor_for(
    clients: Arc<dyn ClientCertVerifier>,
    certificate: CertificateDer<'static>,
    key: &KeyPair,
) -> TlsAcceptor {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients)
        .with_single_cert(vec![certificate], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

impl Raw {
    pub async fn secure(self, acceptor: &TlsAcceptor) -> std::io::Result<Raw<TlsStream<TcpStream>>> {
        Ok(Raw { stream: acceptor.accept(self.stream).await? })
    }
}
