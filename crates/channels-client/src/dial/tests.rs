use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use futures_core::future::BoxFuture;
use tokio::net::TcpListener;

use super::*;
use crate::{Connector, Endpoint, Tls};

/// Gives one answer after the other, and remembers the questions.
struct Scripted {
    answers: Mutex<Vec<io::Result<Vec<SocketAddr>>>>,
    asked: Mutex<Vec<(String, u16)>>,
}

impl Scripted {
    fn new(answers: Vec<io::Result<Vec<SocketAddr>>>) -> Arc<Self> {
        Arc::new(Self { answers: Mutex::new(answers), asked: Mutex::default() })
    }
}

impl Resolver for Scripted {
    fn resolve(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        self.asked.lock().unwrap().push((host.to_owned(), port));
        Box::pin(std::future::ready(self.answers.lock().unwrap().remove(0)))
    }
}

fn endpoint(port: u16) -> Endpoint {
    Endpoint { secure: false, host: "server.test".into(), port }
}

// N01
#[tokio::test]
async fn a_name_that_does_not_resolve_is_an_error_of_its_own() {
    let resolver = Scripted::new(vec![Err(io::Error::other("no such host")), Ok(Vec::new())]);
    let dialer = SystemConnector::new().with_resolver(resolver);
    let error = dialer.connect(&endpoint(80)).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot resolve the host of server.test:80: no such host");
    assert!(!error.is_refusal());
    let error = dialer.connect(&endpoint(80)).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot resolve the host of server.test:80: the name has no address");
}

// N04, N05
#[tokio::test]
async fn every_attempt_asks_the_resolver_anew() {
    let old = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let new = listener.local_addr().unwrap();
    let resolver = Scripted::new(vec![Ok(vec![old]), Ok(vec![new])]);
    let dialer = SystemConnector::new().with_resolver(Arc::<Scripted>::clone(&resolver));
    let error = dialer.connect(&endpoint(80)).await.unwrap_err();
    let ConnectError::Tcp { kind, address, .. } = &error else { panic!("{error:?}") };
    assert_eq!((*kind, address.as_str()), (io::ErrorKind::ConnectionRefused, &*format!("server.test:80 ({old})")));
    assert!(dialer.connect(&endpoint(80)).await.is_ok());
    assert_eq!(*resolver.asked.lock().unwrap(), [("server.test".into(), 80), ("server.test".into(), 80)]);
}

// N03, N04: a family without a way out does not stop the other one.
#[tokio::test]
async fn the_family_that_works_is_found() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let works = listener.local_addr().unwrap();
    let unreachable = SocketAddr::from((Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 1), works.port()));
    let dialer = SystemConnector::new().with_resolver(Scripted::new(vec![Ok(vec![unreachable, works])]));
    dialer.connect(&endpoint(works.port())).await.unwrap();
    assert!(listener.accept().await.is_ok());
}

/// A clock that stands before 1970.
#[derive(Debug)]
struct Before1970;

impl crate::Clock for Before1970 {
    fn now(&self) -> channels_proto::Time {
        channels_proto::Time::ZERO
    }

    fn wall(&self) -> std::time::SystemTime {
        std::time::UNIX_EPOCH - std::time::Duration::from_secs(1)
    }
}

// Z01, T01: a device that has lost its clock is told so, at every attempt, and nothing panics.
#[tokio::test]
async fn a_clock_before_1970_is_an_error_of_its_own() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let dialer = SystemConnector::new().with_tls(Tls::builder().clock(Arc::new(Before1970)).build().unwrap());
    let endpoint = Endpoint { secure: true, host: "localhost".into(), port: address.port() };
    for _ in 0..2 {
        let error = dialer.connect(&endpoint).await.unwrap_err();
        assert_eq!(error, ConnectError::Clock { address: endpoint.to_string() });
        assert!(error.is_refusal() && error.to_string().contains("the clock of this device is set before 1970"));
        assert_eq!(error.kind(), channels_proto::ConnectFailureKind::Certificate);
    }
}
