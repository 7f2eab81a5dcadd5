use std::sync::Arc;

use channels_client::{
    ClientOptions, Item, PublicKeyPin, RootCertificateError, SocketUrl, SystemConnector, Tls,
    http::{CertificateProblem, ConnectError, HttpClient, HttpError, HttpLimits, HttpUrl},
    proto::{AppKey, ConnectFailureKind, ConnectionError, ConnectionState},
};
use http::Request;
use rustls::HandshakeKind;
use sha2::Digest as _;

use crate::support::{Authority, Listener, Under, acceptor};

const VALID: (i32, i32) = (2020, 2090);

/// Asks a server with `acceptor`, and returns what became of it.
async fn ask(tls: Tls, acceptor: &tokio_rustls::TlsAcceptor) -> Result<(), ConnectError> {
    let listener = Listener::bind().await;
    let url = HttpUrl::parse(&listener.http_url("").replace("http://127.0.0.1", "https://localhost")).unwrap();
    let client = HttpClient::new(url.origin(), tls, HttpLimits::default()).unwrap();
    let server = async {
        if let Ok(mut raw) = listener.accept().await.secure(acceptor).await {
            assert_eq!(raw.stream.get_ref().1.alpn_protocol(), Some(b"http/1.1".as_slice()));
            if raw.stream.get_ref().1.handshake_kind().is_some() {
                raw.read_request().await;
                raw.answer("200 OK", "", "").await;
            }
        }
    };
    let request = async { client.send(Request::get("/").body(bytes::Bytes::new()).unwrap()).await };
    tokio::select! {
        answer = request => match answer {
            Ok(_) => Ok(()),
            Err(HttpError::Connect(error)) => Err(error),
            Err(error) => panic!("{error}"),
        },
        () = async { server.await; std::future::pending::<()>().await } => unreachable!(),
    }
}

fn trusting(authority: &Authority) -> Tls {
    Tls::with_extra_roots([authority.root()]).unwrap()
}

// T03
#[tokio::test]
async fn an_added_root_is_trusted_and_only_that() {
    let authority = Authority::new("own");
    let server = authority.server("localhost", VALID);
    assert_eq!(ask(trusting(&authority), &server).await, Ok(()));
    assert_eq!(ask(Tls::with_extra_roots_pem(authority.pem().as_bytes()).unwrap(), &server).await, Ok(()));
    for other in ["other", "own"] {
        let error = ask(trusting(&Authority::new(other)), &server).await.unwrap_err();
        let ConnectError::Certificate { problem, .. } = &error else { panic!("{error:?}") };
        assert_eq!(*problem, CertificateProblem::Issuer);
        assert!(error.is_refusal());
        assert!(error.to_string().contains("add its root certificate"), "{error}");
    }
}

// T02
#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let authority = Authority::new("own");
    let error = ask(trusting(&authority), &authority.server("example.com", VALID)).await.unwrap_err();
    let ConnectError::Certificate { problem, address, .. } = &error else { panic!("{error:?}") };
    assert_eq!(*problem, CertificateProblem::Name);
    assert!(address.starts_with("localhost:") && error.to_string().contains("example.com"), "{error}");
}

// T03: the certificate of an authority, on a server, and added as a root.
#[tokio::test]
async fn the_certificate_of_an_authority_on_a_server_is_told_in_plain_words() {
    let authority = Authority::named("own", "localhost");
    let error = ask(trusting(&authority), &authority.itself()).await.unwrap_err();
    let ConnectError::Certificate { problem, reason, .. } = &error else { panic!("{error:?}") };
    assert_eq!(*problem, CertificateProblem::Authority);
    assert_eq!(reason, "it is a CA certificate, not a server certificate");
    assert!(error.to_string().contains("have that authority issue a certificate for the server"), "{error}");
}

// T08: a library's advice to programmers is no help for whoever reads the error.
#[tokio::test]
async fn a_server_that_cuts_the_connection_off_is_told_without_an_address_of_documentation() {
    let listener = Listener::bind().await;
    let authority = Authority::new("own");
    let acceptor = authority.server("localhost", VALID);
    let mut under = Under::new(secured(&listener, "localhost", trusting(&authority)));
    under.client.connect();
    // During the upgrade, and behind it.
    let mut raw = listener.accept().await.secure(&acceptor).await.unwrap();
    raw.read_head().await;
    drop(raw.stream.into_inner());
    let mut shown = vec![format!("{:?}", under.until(|item| matches!(item, Item::ConnectionFailed { .. })).await)];
    let mut peer = listener.accept().await.secure(&acceptor).await.unwrap().upgrade().await;
    peer.establish("1.1").await;
    under.until_state(ConnectionState::Connected).await;
    drop(peer.socket.into_inner().into_inner());
    shown.push(format!("{:?}", under.until(|item| matches!(item, Item::ConnectionFailed { .. })).await));
    for text in &shown {
        assert!(text.contains("the server ended the connection unexpectedly"), "{text}");
        assert!(!text.contains("http"), "{text}");
    }
    // And of a request.
    let url = HttpUrl::parse(&listener.http_url("").replace("http://127.0.0.1", "https://localhost")).unwrap();
    let client = HttpClient::new(url.origin(), trusting(&authority), HttpLimits::default()).unwrap();
    let server = async {
        let mut raw = listener.accept().await.secure(&acceptor).await.unwrap();
        raw.read_request().await;
        raw.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n").await;
        drop(raw.stream.into_inner());
    };
    under.client.disconnect();
    let (answer, ()) = tokio::join!(client.send(Request::get("/").body(bytes::Bytes::new()).unwrap()), server);
    let error = answer.unwrap_err().to_string().replace(&client.origin().to_string(), "");
    assert!(!error.contains("http"), "{error}");
}

// T01
#[tokio::test]
async fn a_certificate_out_of_its_time_is_refused_with_a_hint_at_the_clock() {
    let authority = Authority::new("own");
    for years in [(2000, 2001), (2090, 2091)] {
        let error = ask(trusting(&authority), &authority.server("localhost", years)).await.unwrap_err();
        let ConnectError::Certificate { problem, .. } = &error else { panic!("{error:?}") };
        assert_eq!(*problem, CertificateProblem::Time);
        assert!(error.to_string().contains("check the clock of this device"), "{error}");
    }
}

#[tokio::test]
async fn a_port_without_tls_is_told_from_a_bad_certificate() {
    let listener = Listener::bind().await;
    let url = HttpUrl::parse(&listener.http_url("").replace("http", "https")).unwrap();
    let client = HttpClient::new(url.origin(), trusting(&Authority::new("own")), HttpLimits::default()).unwrap();
    let server = async {
        let mut raw = listener.accept().await;
        raw.answer("400 Bad Request", "", "").await;
        raw
    };
    let (answer, _raw) = tokio::join!(client.send(Request::get("/").body(bytes::Bytes::new()).unwrap()), server);
    let Err(HttpError::Connect(error @ ConnectError::Tls { .. })) = answer else { panic!("{answer:?}") };
    assert!(error.to_string().contains("speak TLS"), "{error}");
}

#[test]
fn roots_that_are_none_are_refused_at_once() {
    assert_eq!(Tls::with_extra_roots_pem(b"no pem").unwrap_err(), RootCertificateError::Missing);
    let damaged = b"-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n";
    assert!(matches!(Tls::with_extra_roots_pem(damaged).unwrap_err(), RootCertificateError::Pem { .. }));
    let nonsense = rustls_pki_types::CertificateDer::from(vec![1, 2, 3]);
    let error = Tls::with_extra_roots([Authority::new("own").root(), nonsense]).unwrap_err();
    assert!(matches!(error, RootCertificateError::Unusable { number: 2, .. }), "{error}");
}

/// A pair in PEM: the chain and the key.
fn client_pem(authority: &Authority) -> (String, String) {
    let (certificate, key) = authority.certificate("client");
    let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &certificate);
    (format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n"), key.serialize_pem())
}

// In DER and in PEM.
#[tokio::test]
async fn a_server_that_requires_a_client_certificate_is_shown_it() {
    let authority = Authority::new("own");
    let server = authority.server_for_known_clients("localhost");
    let (certificate, key) = authority.certificate("client");
    let key = channels_client::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let der = Tls::builder().extra_roots([authority.root()]).client_certificate([certificate], key).build().unwrap();
    assert_eq!(ask(der.clone(), &server).await, Ok(()));
    let (chain, key) = client_pem(&authority);
    let pem = Tls::builder().extra_roots_pem(authority.pem().as_bytes());
    let pem = pem.client_certificate_pem(chain.as_bytes(), key.as_bytes()).build().unwrap();
    assert_eq!(ask(pem, &server).await, Ok(()));
    let listener = Listener::bind().await;
    let mut under = Under::new(secured(&listener, "localhost", der));
    under.client.connect();
    let mut peer = listener.accept().await.secure(&server).await.unwrap().upgrade().await;
    peer.establish("1.1").await;
    under.until_state(ConnectionState::Connected).await;
}

// The server says so only after the client's side of the handshake.
#[tokio::test]
async fn a_client_without_the_certificate_that_the_server_requires_is_told_and_tries_again_slowly() {
    let listener = Listener::bind().await;
    let authority = Authority::new("own");
    let acceptor = authority.server_for_known_clients("localhost");
    let mut under = Under::new(secured(&listener, "localhost", trusting(&authority)));
    under.client.connect();
    assert!(listener.accept().await.secure(&acceptor).await.is_err());
    let item = under.until(|item| matches!(item, Item::ConnectionFailed { .. })).await;
    let Item::ConnectionFailed { error: ConnectionError::Connect { kind, message }, retry_in: Some(wait) } = item
    else {
        panic!("{item:?}");
    };
    assert_eq!(kind, ConnectFailureKind::Tls);
    assert!(message.contains("the server requires a client certificate"), "{message}");
    assert!(wait.as_secs() >= 30, "{wait:?}");
}

// Q02: whatever is wrong with a client certificate, nothing of the key is shown.
#[test]
fn a_client_certificate_that_cannot_be_used_is_refused_at_once_and_nothing_of_its_key_is_shown() {
    let authority = Authority::new("own");
    let (chain, key) = client_pem(&authority);
    let (_, other) = client_pem(&authority);
    let build = |chain: &str, key: &str| {
        Tls::builder().client_certificate_pem(chain.as_bytes(), key.as_bytes()).build().unwrap_err()
    };
    let damaged = key.replace("PRIVATE KEY-----\n", "PRIVATE KEY-----\n?canary\n");
    let cut = "-----BEGIN PRIVATE KEY-----\nCanary\n";
    let nonsense = "-----BEGIN PRIVATE KEY-----\nCanary==\n-----END PRIVATE KEY-----\n";
    let encrypted = key.replace("PRIVATE", "ENCRYPTED PRIVATE");
    let cases = [
        (build(&chain, &other), "it does not belong to the certificate"),
        (build("", &key), "the client certificate cannot be used: there is none"),
        (build(&chain, ""), "contains none"),
        (build(&chain, &encrypted), "contains none"),
        (build(&chain, &damaged), "damaged"),
        (build(&chain, cut), "damaged"),
        (build(&chain, nonsense), "damaged"),
        (build("-----BEGIN CERTIFICATE-----\nCanary\n", &key), "its PEM text is damaged"),
    ];
    for (error, expected) in cases {
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(expected), "{shown}");
        assert!(!shown.to_lowercase().contains("canary"), "{shown}");
    }
    let tls = Tls::builder().client_certificate_pem(chain.as_bytes(), key.as_bytes());
    let part = key.lines().nth(1).unwrap();
    assert!(!format!("{tls:?} {:?}", tls).contains(part));
    assert!(!format!("{:?}", tls.build().unwrap()).contains(part));
}

fn pin_of(key: &rcgen::KeyPair) -> PublicKeyPin {
    PublicKeyPin::from_sha256(sha2::Sha256::digest(rcgen::PublicKeyData::subject_public_key_info(key)).into())
}

// T06: a pin narrows the verification, and does not replace it.
#[tokio::test]
async fn only_a_server_with_a_pinned_key_is_accepted_and_it_is_verified_all_the_same() {
    let authority = Authority::new("own");
    let (certificate, key) = authority.certificate("localhost");
    let server = acceptor(certificate, &key);
    let other = PublicKeyPin::from_sha256([7; 32]);
    let pinned = |pins: &[PublicKeyPin]| {
        let builder = Tls::builder().extra_roots([authority.root()]);
        pins.iter().fold(builder, |builder, pin| builder.pinned_key(*pin)).build().unwrap()
    };
    assert_eq!(ask(pinned(&[other, pin_of(&key)]), &server).await, Ok(()));
    let error = ask(pinned(&[other]), &server).await.unwrap_err();
    let ConnectError::Certificate { problem, .. } = &error else { panic!("{error:?}") };
    assert_eq!(*problem, CertificateProblem::NotPinned);
    assert!(error.is_refusal() && error.to_string().contains(&pin_of(&key).to_string()), "{error}");
    let unknown = Tls::builder().pinned_key(pin_of(&key)).build().unwrap();
    let error = ask(unknown, &server).await.unwrap_err();
    assert!(matches!(error, ConnectError::Certificate { problem: CertificateProblem::Issuer, .. }), "{error:?}");
}

// T06: a server may send whatever certificates it likes along with its own.
#[tokio::test]
async fn the_pinned_key_of_an_authority_does_not_make_up_for_that_of_the_server() {
    let authority = Authority::new("own");
    let pin = pin_of(authority.key());
    let tls = Tls::builder().extra_roots([authority.root()]).pinned_key(pin).build().unwrap();
    let error = ask(tls, &authority.server("localhost", VALID)).await.unwrap_err();
    assert!(matches!(error, ConnectError::Certificate { problem: CertificateProblem::NotPinned, .. }), "{error:?}");
}

fn secured(listener: &Listener, host: &str, tls: Tls) -> ClientOptions {
    let url = format!("wss://{host}:{}", listener.address().port());
    let mut options = ClientOptions::new(SocketUrl::parse(&url).unwrap(), AppKey::parse("key").unwrap());
    options.connector = Arc::new(SystemConnector::new().with_tls(tls).with_random(|| 7));
    options
}

// T10: a reconnect resumes the session of the socket before.
#[tokio::test]
async fn a_secured_socket_connects_and_a_reconnect_resumes_its_session() {
    let listener = Listener::bind().await;
    let authority = Authority::new("own");
    let acceptor = authority.server("localhost", VALID);
    let mut under = Under::new(secured(&listener, "localhost", trusting(&authority)));
    under.client.connect();
    let mut peer = listener.accept().await.secure(&acceptor).await.unwrap().upgrade().await;
    assert!(peer.request.starts_with("GET /app/key?client="), "{}", peer.request);
    peer.establish("1.1").await;
    under.until_state(ConnectionState::Connected).await;
    // 4200: reconnect within a second.
    peer.close(4200, "again").await;
    let mut raw = listener.accept().await.secure(&acceptor).await.unwrap();
    assert_eq!(raw.stream.get_mut().1.handshake_kind(), Some(HandshakeKind::Resumed));
}

// T02: the state says it, and the next try comes slowly.
#[tokio::test]
async fn a_refused_certificate_reaches_the_consumer_and_is_tried_again_slowly() {
    let listener = Listener::bind().await;
    let authority = Authority::new("own");
    let acceptor = authority.server("example.com", VALID);
    let mut under = Under::new(secured(&listener, "localhost", trusting(&authority)));
    under.client.connect();
    let refused = listener.accept().await.secure(&acceptor).await;
    assert!(refused.is_err());
    let item = under.until(|item| matches!(item, Item::ConnectionFailed { .. })).await;
    let Item::ConnectionFailed { error: ConnectionError::Connect { message, .. }, retry_in: Some(wait) } = item else {
        panic!("{item:?}");
    };
    assert!(message.contains("the certificate of localhost:") && message.contains("check the host"), "{message}");
    assert!(wait.as_secs() >= 30, "{wait:?}");
}
