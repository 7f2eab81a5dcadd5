//! The same over TLS.

use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use vms_sandbox::{Sandbox, SandboxConfig, Tls};

use crate::{clients::soon, support::first_session};

async fn start() -> (Sandbox, CertificateDer<'static>) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let tls = Tls::Pem { certificates: cert.pem().into_bytes(), key: signing_key.serialize_pem().into_bytes() };
    let config = SandboxConfig { host: Some("localhost".into()), tls: Some(tls), ..SandboxConfig::default() };
    (Sandbox::start(config).await.unwrap(), cert.der().clone())
}

async fn connect(sandbox: &Sandbox, trusted: CertificateDer<'static>) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tcp = TcpStream::connect(sandbox.local_addr()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    soon(TlsConnector::from(Arc::new(config)).connect(name, tcp)).await.unwrap()
}

#[tokio::test]
async fn rest_is_served_over_tls() {
    let (sandbox, certificate) = start().await;
    assert!(sandbox.base_url().starts_with("https://localhost:"));
    let mut tls = connect(&sandbox, certificate).await;
    let token = first_session(&sandbox).access_token;
    let request = format!(
        "GET /api/v1/wsurl HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    );
    tls.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // A server may end the connection without a close_notify.
    let _ = soon(tls.read_to_string(&mut answer)).await;
    assert!(answer.contains(&sandbox.socket_url()), "{answer}");
}
