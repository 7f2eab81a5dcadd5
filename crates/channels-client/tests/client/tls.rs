use channels_client::{
    ClientOptions, Item, RootCertificateError, SocketUrl, Tls,
    http::{CertificateProblem, ConnectError, HttpClient, HttpError, HttpLimits, HttpUrl},
    proto::{AppKey, ConnectionError, ConnectionState},
};
use http::Request;
use rustls::HandshakeKind;

use crate::support::{Authority, Listener, Under};

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

fn secured(listener: &Listener, host: &str, tls: Tls) -> ClientOptions {
    let url = format!("wss://{host}:{}", listener.address().port());
    let mut options = ClientOptions::new(SocketUrl::parse(&url).unwrap(), AppKey::parse("key").unwrap());
    options.tls = tls;
    options.seed = Some(7);
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
