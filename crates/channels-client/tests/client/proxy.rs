use std::sync::Arc;

use channels_client::{
    ClientOptions, Item, Proxies, Proxy, SocketUrl, SystemConnector, Tls,
    http::{HttpClient, HttpLimits, HttpUrl},
    proto::{AppKey, ConnectFailureKind, ConnectionError, ConnectionState},
};
use http::Request;

use crate::support::{Authority, Listener, Log, Under, header};

fn through(proxy: &str) -> SystemConnector {
    SystemConnector::new().with_proxies(Proxies::all(Proxy::parse(proxy).unwrap())).with_random(|| 7)
}

fn options(url: &str, connector: SystemConnector) -> ClientOptions {
    let mut options = ClientOptions::new(SocketUrl::parse(url).unwrap(), AppKey::parse("key").unwrap());
    options.connector = Arc::new(connector);
    options
}

// N15: `.test` resolves nowhere, so the proxy is who knows the name.
#[tokio::test]
async fn a_socket_and_a_request_go_through_the_proxy_and_nothing_shows_its_password() {
    let log = Log::capture();
    let proxy = Listener::bind().await;
    let connector = through(&format!("http://anna:canary@{}", proxy.address()));
    let url = HttpUrl::parse("http://api.test/").unwrap();
    let http = HttpClient::over(Arc::new(connector.clone()), url.origin(), HttpLimits::default()).unwrap();
    let serve = async {
        let mut raw = proxy.accept().await;
        assert!(raw.read_head().await.starts_with("CONNECT api.test:80 HTTP/1.1\r\n"));
        raw.write("HTTP/1.1 200 OK\r\n\r\n").await;
        raw.read_request().await;
        raw.answer("200 OK", "", "fine").await;
    };
    let request = http.send(Request::get("/").body(bytes::Bytes::new()).unwrap());
    let (answer, ()) = tokio::join!(request, serve);
    assert_eq!(answer.unwrap().body(), "fine");
    let mut under = Under::new(options("ws://socket.test:8080/pusher", connector));
    under.client.connect();
    let mut raw = proxy.accept().await;
    let head = raw.read_head().await;
    assert!(head.starts_with("CONNECT socket.test:8080 HTTP/1.1\r\n"), "{head}");
    assert_eq!(header(&head, "proxy-authorization").as_deref(), Some("Basic YW5uYTpjYW5hcnk="));
    raw.write("HTTP/1.1 200 OK\r\n\r\n").await;
    let mut peer = raw.upgrade().await;
    assert!(peer.request.starts_with("GET /pusher/app/key?"), "{}", peer.request);
    assert_eq!(header(&peer.request, "proxy-authorization"), None);
    peer.establish("1.1").await;
    under.until_state(ConnectionState::Connected).await;
    drop(peer);
    // The next one is refused.
    let mut raw = proxy.accept().await;
    raw.read_head().await;
    raw.answer("407 Proxy Authentication Required", "", "canary").await;
    let is_refusal = |item: &Item<_>| {
        matches!(
            item,
            Item::ConnectionFailed { error: ConnectionError::Connect { kind: ConnectFailureKind::Proxy, .. }, .. }
        )
    };
    let item = under.until(is_refusal).await;
    let Item::ConnectionFailed { retry_in: Some(wait), .. } = &item else { panic!("{item:?}") };
    assert!(wait.as_secs() >= 30, "{wait:?}");
    let shown = format!("{item:?} {}", log.text());
    assert!(shown.contains("does not accept the user and the password"), "{shown}");
    assert!(!shown.contains("canary") && !shown.contains("YW5uYTpj"), "{shown}");
}

// N15: end to end, the proxy sees ciphertext; TLS to the proxy itself is another one.
#[tokio::test]
async fn a_secured_socket_is_secured_through_the_proxy_also_where_that_is_secured_itself() {
    let (of_server, of_proxy) = (Authority::new("server"), Authority::new("proxy"));
    let acceptor = of_server.server("socket.test", (2020, 2090));
    let proxy_acceptor = of_proxy.server("localhost", (2020, 2090));
    for secured in [false, true] {
        let listener = Listener::bind().await;
        let scheme = if secured { "https" } else { "http" };
        let proxy = Proxy::parse(&format!("{scheme}://localhost:{}", listener.address().port())).unwrap();
        let proxy = proxy.with_tls(Tls::with_extra_roots([of_proxy.root()]).unwrap());
        let tls = Tls::with_extra_roots([of_server.root()]).unwrap();
        let connector = SystemConnector::new().with_tls(tls).with_proxies(Proxies::all(proxy));
        let mut under = Under::new(options("wss://socket.test", connector));
        under.client.connect();
        let mut raw = listener.accept().await;
        if secured {
            let mut raw = raw.secure(&proxy_acceptor).await.unwrap();
            assert!(raw.read_head().await.starts_with("CONNECT socket.test:443 "));
            raw.write("HTTP/1.1 200 OK\r\n\r\n").await;
            let stream = acceptor.accept(raw.stream).await.unwrap();
            crate::support::Raw { stream }.upgrade().await.establish("1.1").await;
            under.until_state(ConnectionState::Connected).await;
        } else {
            assert!(raw.read_head().await.starts_with("CONNECT socket.test:443 "));
            raw.write("HTTP/1.1 200 OK\r\n\r\n").await;
            raw.secure(&acceptor).await.unwrap().upgrade().await.establish("1.1").await;
            under.until_state(ConnectionState::Connected).await;
        }
    }
}

#[tokio::test]
async fn a_socket_goes_through_a_socks_proxy() {
    let proxy = Listener::bind().await;
    let mut under = Under::new(options("ws://socket.test", through(&format!("socks5://{}", proxy.address()))));
    under.client.connect();
    let mut raw = proxy.accept().await;
    assert_eq!(raw.read_bytes().await, *b"\x05\x01\x00");
    raw.write(b"\x05\x00").await;
    assert_eq!(raw.read_bytes().await, *b"\x05\x01\x00\x03\x0bsocket.test\x00\x50");
    raw.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00").await;
    raw.upgrade().await.establish("1.1").await;
    under.until_state(ConnectionState::Connected).await;
}

// N15
#[tokio::test]
async fn an_exception_is_connected_to_directly() {
    let server = Listener::bind().await;
    let proxies = Proxies::all(Proxy::parse("proxy.test").unwrap()).except("127.0.0.0/8").unwrap();
    let mut under = Under::new(options(&server.socket_url(), SystemConnector::new().with_proxies(proxies)));
    under.client.connect();
    server.establish("1.1").await;
    under.until_state(ConnectionState::Connected).await;
}
