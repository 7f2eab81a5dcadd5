//! The same over TLS.

use std::sync::Arc;

use channels_sandbox::{Profile, Server, ServerConfig, ServerError, Sockets, Tls};
use futures_util::{SinkExt as _, StreamExt as _};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_tungstenite::{client_async, tungstenite::Message};

use crate::clients::{Served as _, soon};

async fn start(profile: Profile) -> (Server, CertificateDer<'static>) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let tls = Tls::Pem { certificates: cert.pem().into_bytes(), key: signing_key.serialize_pem().into_bytes() };
    let config = ServerConfig { host: Some("localhost".into()), tls: Some(tls), ..ServerConfig::with_profile(profile) };
    (Server::start(config).await.unwrap(), cert.der().clone())
}

async fn connect(server: &Server, trusted: CertificateDer<'static>) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tcp = TcpStream::connect(server.local_addr()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    soon(TlsConnector::from(Arc::new(config)).connect(name, tcp)).await.unwrap()
}

/// T01 to T03 need a server to refuse: here is one that can be trusted.
#[tokio::test]
async fn every_profile_greets_over_tls_and_can_be_cut() {
    for profile in Profile::ALL {
        let (server, certificate) = start(profile).await;
        assert!(server.socket_url().starts_with("wss://localhost:"));
        let tls = connect(&server, certificate).await;
        let url = format!("{}/app/{}?protocol=7", server.socket_url(), server.key());
        let (mut ws, _) = soon(Box::pin(client_async(url, tls))).await.unwrap();
        let greeting = soon(ws.next()).await.unwrap().unwrap();
        assert!(greeting.to_text().unwrap().contains("connection_established"), "{profile}");
        ws.send(Message::text(r#"{"event":"pusher:ping"}"#)).await.unwrap();
        assert!(soon(ws.next()).await.unwrap().unwrap().to_text().unwrap().contains("pong"));
        server.cut(&Sockets::All);
        // However the library names it, there is no close frame.
        assert!(!matches!(soon(ws.next()).await, Some(Ok(_))), "{profile}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_none_is_refused_at_the_start() {
    let good = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let pem = good.cert.pem().into_bytes();
    for (certificates, key) in [(Vec::new(), b"x".to_vec()), (pem, b"no key".to_vec())] {
        let config = ServerConfig { tls: Some(Tls::Pem { certificates, key }), ..ServerConfig::default() };
        assert!(matches!(Server::start(config).await.unwrap_err(), ServerError::Tls { .. }));
    }
}
