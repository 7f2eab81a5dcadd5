use std::{ffi::OsString, future::ready};

use channels_proto::ConnectFailureKind;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    time::Instant,
};

use super::*;

fn server(host: &str, port: u16) -> Endpoint {
    Endpoint { secure: false, host: host.into(), port }
}

/// Asks `proxy`, whose part `play` plays, for a connection to `server.test:80`.
async fn ask<F: Future>(
    proxy: &str,
    play: impl FnOnce(DuplexStream) -> F,
) -> (Result<Stream, ConnectError>, F::Output) {
    let proxy = Proxy::parse(proxy).unwrap();
    let (near, far) = duplex(1024);
    let server = server("server.test", 80);
    let opened = proxy.tunnel(&server, |_| Box::pin(ready(Ok(Stream::new(near)))));
    tokio::join!(opened, play(far))
}

async fn read_head(stream: &mut DuplexStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// What comes of an HTTP proxy with these credentials that answers so, and then hangs up.
async fn answered(proxy: &str, answer: &[u8]) -> ConnectError {
    let play = async |mut far: DuplexStream| {
        read_head(&mut far).await;
        // It may be longer than the client reads.
        let _ = far.write_all(answer).await;
    };
    ask(proxy, play).await.0.unwrap_err()
}

/// What comes of a SOCKS proxy that sends this, whatever it is sent.
async fn socks_answered(proxy: &str, answer: &[u8]) -> ConnectError {
    let play = async |mut far: DuplexStream| {
        far.write_all(answer).await.unwrap();
        far.shutdown().await.unwrap();
        let mut sent = Vec::new();
        far.read_to_end(&mut sent).await.unwrap();
    };
    ask(proxy, play).await.0.unwrap_err()
}

fn problem(error: &ConnectError) -> ProxyProblem {
    assert_eq!(error.kind(), ConnectFailureKind::Proxy);
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("canary") && !shown.contains(&STANDARD_OF_CANARY[..8]), "{shown}");
    let ConnectError::Proxy { problem, .. } = error else { panic!("{error:?}") };
    *problem
}

// N15
#[tokio::test]
async fn an_http_proxy_is_asked_for_the_server_by_its_name() {
    for (proxy, authorization) in [
        ("http://proxy.test", String::new()),
        ("anna:canary@proxy.test:3128", format!("Proxy-Authorization: Basic {STANDARD_OF_CANARY}\r\n")),
    ] {
        let play = async |mut far: DuplexStream| {
            let head = read_head(&mut far).await;
            far.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
            (head, far)
        };
        let (opened, (head, mut far)) = ask(proxy, play).await;
        assert_eq!(head, format!("CONNECT server.test:80 HTTP/1.1\r\nHost: server.test:80\r\n{authorization}\r\n"));
        let mut opened = opened.unwrap();
        opened.write_all(b"there").await.unwrap();
        far.write_all(b"back").await.unwrap();
        let (mut there, mut back) = ([0; 5], [0; 4]);
        far.read_exact(&mut there).await.unwrap();
        opened.read_exact(&mut back).await.unwrap();
        assert_eq!((&there, &back), (b"there", b"back"));
    }
}

// W24: wherever the answer is cut, and whatever comes with it.
#[tokio::test]
async fn what_the_server_says_behind_the_answer_of_the_proxy_is_not_lost() {
    let answer = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello";
    for cut in 0..=answer.len() {
        let play = async |mut far: DuplexStream| {
            read_head(&mut far).await;
            let (first, second) = answer.split_at(cut);
            far.write_all(first).await.unwrap();
            tokio::task::yield_now().await;
            far.write_all(second).await.unwrap();
            far.write_all(b" again").await.unwrap();
            far.shutdown().await.unwrap();
        };
        let mut heard = String::new();
        ask("http://proxy.test", play).await.0.unwrap().read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "hello again", "cut at {cut}");
    }
}

// N14, N15, W06
#[tokio::test]
async fn an_http_proxy_that_does_not_connect_is_told_from_the_server_by_what_it_did() {
    let cases: [(&[u8], ProxyProblem, &str); 12] = [
        (
            b"HTTP/1.1 407 canary\r\nProxy-Authenticate: Basic\r\n\r\n",
            ProxyProblem::Credentials,
            "does not accept the user",
        ),
        (b"HTTP/1.1 403 canary\r\n\r\n", ProxyProblem::Refused, "refuses to connect (HTTP status 403"),
        (b"HTTP/1.1 405 x\r\nContent-Type: text/html\r\n\r\n<html>", ProxyProblem::Refused, "HTTP status 405"),
        (b"HTTP/1.1 502 x\r\n\r\n", ProxyProblem::Server, "could not connect (HTTP status 502"),
        (b"HTTP/1.1 504 x\r\n\r\n", ProxyProblem::Server, "HTTP status 504"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: Text/HTML\r\n\r\n<html>canary", ProxyProblem::NotAProxy, "a web page"),
        (b"HTTP/1.1 302 x\r\nLocation: http://canary/\r\n\r\n", ProxyProblem::NotAProxy, "a web page (HTTP status 302"),
        (b"<html>canary</html>", ProxyProblem::NotAProxy, "does not speak HTTP"),
        (b"\x05\xff", ProxyProblem::NotAProxy, "does not speak HTTP"),
        (b"", ProxyProblem::Closed, "instead of answering"),
        (b"HTTP/1.1 200 canary", ProxyProblem::Closed, "within its answer"),
        (&[b'a'; 100], ProxyProblem::NotAProxy, "does not speak HTTP"),
    ];
    for (answer, expected, text) in cases {
        let error = answered("http://anna:canary@proxy.test", answer).await;
        assert_eq!(problem(&error), expected, "{error}");
        assert!(
            error
                .to_string()
                .starts_with("cannot connect to server.test:80 through the proxy http://***@proxy.test:80: ")
        );
        assert!(error.to_string().contains(text), "{error}");
    }
    let error = answered("http://proxy.test", b"HTTP/1.1 407 x\r\n\r\n").await;
    assert!(problem(&error) == ProxyProblem::Credentials && error.to_string().contains("requires a user"), "{error}");
    let long = [b"HTTP/1.1 200 OK\r\nX: ".as_slice(), &[b'a'; 17 * 1024]].concat();
    let error = answered("http://proxy.test", &long).await;
    assert!(problem(&error) == ProxyProblem::NotAProxy && error.to_string().contains("over the limit"), "{error}");
}

// N15: what the user has to mend is tried again slowly, what passes by itself quickly.
#[test]
fn only_what_a_proxy_refuses_is_a_refusal() {
    let refusals = [ProxyProblem::Credentials, ProxyProblem::Refused, ProxyProblem::NotAProxy];
    let others = [ProxyProblem::Unreachable, ProxyProblem::Server, ProxyProblem::Closed, ProxyProblem::Silent];
    let is_refusal = |problem| {
        let text = String::new;
        ConnectError::Proxy { address: text(), proxy: text(), problem, reason: text() }.is_refusal()
    };
    assert!(refusals.into_iter().all(is_refusal) && !others.into_iter().any(is_refusal));
}

// N02, N15: before the attempt is over, so that whoever waits hears of the proxy.
#[tokio::test(start_paused = true)]
async fn a_proxy_that_does_not_answer_is_given_up_after_eight_seconds() {
    for proxy in ["http://proxy.test", "socks5://proxy.test"] {
        let started = Instant::now();
        let (opened, _far) = ask(proxy, async |far| far).await;
        let error = opened.unwrap_err();
        assert_eq!((problem(&error), started.elapsed()), (ProxyProblem::Silent, Duration::from_secs(8)));
        assert!(error.to_string().contains("did not answer within 8 s"), "{error}");
    }
}

#[tokio::test]
async fn a_proxy_that_cannot_be_reached_is_named() {
    let proxy = Proxy::parse("http://anna:canary@proxy.test").unwrap();
    let unknown = || Err(ConnectError::resolve(&server("proxy.test", 80), "no such host"));
    let error = proxy.tunnel(&server("server.test", 80), |_| Box::pin(ready(unknown()))).await.unwrap_err();
    assert_eq!(problem(&error), ProxyProblem::Unreachable);
    assert!(error.to_string().contains("cannot resolve the host of proxy.test:80: no such host"), "{error}");
}

/// Speaks SOCKS5 as the proxy: takes `offer`, and answers; the rest is up to `then`.
async fn expect(far: &mut DuplexStream, sent: &[u8], answer: &[u8]) {
    let mut read = vec![0; sent.len()];
    far.read_exact(&mut read).await.unwrap();
    assert_eq!(read, sent);
    far.write_all(answer).await.unwrap();
}

// N15: RFC 1928, RFC 1929
#[tokio::test]
async fn a_socks_proxy_is_asked_for_the_server_by_its_name_and_shown_the_password() {
    let request = b"\x05\x01\x00\x03\x0bserver.test\x00\x50";
    let play = async |mut far: DuplexStream| {
        expect(&mut far, b"\x05\x01\x00", b"\x05\x00").await;
        // An address of either kind or a name, and the first bytes of the server at once.
        expect(&mut far, request, b"\x05\x00\x00\x01\x01\x02\x03\x04\x00\x50hello").await;
    };
    let mut heard = String::new();
    ask("socks5://proxy.test", play).await.0.unwrap().read_to_string(&mut heard).await.unwrap();
    assert_eq!(heard, "hello");
    for bound in [
        b"\x04\x01\x02\x03\x04\x05\x06\x07\x08\x01\x02\x03\x04\x05\x06\x07\x08\x00\x50".as_slice(),
        b"\x03\x01a\x00\x50",
    ] {
        let play = async |mut far: DuplexStream| {
            expect(&mut far, b"\x05\x02\x00\x02", b"\x05\x02").await;
            expect(&mut far, b"\x01\x04anna\x06canary", b"\x01\x00").await;
            expect(&mut far, request, &[b"\x05\x00\x00".as_slice(), bound, b"hello"].concat()).await;
        };
        let mut heard = String::new();
        ask("socks5h://anna:canary@proxy.test", play).await.0.unwrap().read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "hello");
    }
}

#[tokio::test]
async fn a_socks_proxy_is_given_an_address_as_an_address() {
    for (host, written) in
        [("10.0.0.7", b"\x01\x0a\x00\x00\x07".to_vec()), ("::1", [b"\x04".as_slice(), &[0; 15], &[1]].concat())]
    {
        let proxy = Proxy::parse("socks5://proxy.test").unwrap();
        let (near, mut far) = duplex(1024);
        let server = server(host, 443);
        let play = async {
            expect(&mut far, b"\x05\x01\x00", b"\x05\x00").await;
            let request = [b"\x05\x01\x00".as_slice(), &written, b"\x01\xbb"].concat();
            expect(&mut far, &request, b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00").await;
        };
        let (opened, ()) = tokio::join!(proxy.tunnel(&server, |_| Box::pin(ready(Ok(Stream::new(near))))), play);
        opened.unwrap();
    }
}

// N15
#[tokio::test]
async fn a_socks_proxy_that_does_not_connect_is_told_by_what_it_did() {
    let (open, with) = ("socks5://proxy.test", "socks5://anna:canary@proxy.test");
    let cases: [(&str, &[u8], ProxyProblem); 13] = [
        (open, b"\x05\xff", ProxyProblem::Credentials),
        (open, b"\x05\x02", ProxyProblem::Credentials),
        (with, b"\x05\xff", ProxyProblem::Credentials),
        (with, b"\x05\x02\x01\x01", ProxyProblem::Credentials),
        (with, b"\x05\x02\x07\x00", ProxyProblem::NotAProxy),
        (open, b"HTTP/1.1 400 x\r\n\r\n<html>", ProxyProblem::NotAProxy),
        (open, b"\x05\x00\x04\x00\x00\x01", ProxyProblem::NotAProxy),
        (open, b"\x05\x00\x05\x02\x00\x01", ProxyProblem::Refused),
        (open, b"\x05\x00\x05\x05\x00\x01", ProxyProblem::Server),
        (open, b"\x05\x00\x05\x09\x00\x01", ProxyProblem::Server),
        (open, b"\x05\x00\x05\x00\x00\x07", ProxyProblem::NotAProxy),
        (open, b"", ProxyProblem::Closed),
        (open, b"\x05\x00\x05\x00\x00\x01\x00", ProxyProblem::Closed),
    ];
    for (proxy, answer, expected) in cases {
        let error = socks_answered(proxy, answer).await;
        assert_eq!(problem(&error), expected, "{answer:?}: {error}");
    }
}

#[test]
fn a_proxy_is_read_from_its_url_and_shown_without_user_and_password() {
    for (url, shown) in [
        ("proxy.test", "http://proxy.test:80"),
        ("proxy.test:3128/", "http://proxy.test:3128"),
        ("HTTP://Proxy.test:80", "http://proxy.test:80"),
        ("https://proxy.test", "https://proxy.test:443"),
        ("socks5h://[::1]", "socks5://[::1]:1080"),
        ("socks5://[::1]:80", "socks5://[::1]:80"),
        ("anna:p@canary/?#@proxy.test", "http://***@proxy.test:80"),
        ("socks5://canary@10.0.0.7:9", "socks5://***@10.0.0.7:9"),
    ] {
        let proxy: Proxy = url.parse().unwrap();
        assert_eq!(proxy.to_string(), shown);
        assert!(!format!("{proxy:?} {:?}", Proxies::all(proxy.clone())).contains("canary"));
    }
    let decoded = Proxy::parse("http://a%3Ab:canary@proxy.test").unwrap_err();
    assert!(decoded.to_string().contains("contains a colon"), "{decoded}");
    let proxy = Proxy::parse("http://an%20na:p%40ss:word@proxy.test").unwrap();
    let Credentials { user, password } = proxy.credentials.unwrap();
    assert_eq!((user.expose(), password.expose()), ("an na", "p@ss:word"));
}

// H04, Q02
#[test]
fn a_proxy_that_cannot_be_used_is_refused_and_neither_user_nor_password_is_shown() {
    let long = format!("http://anna:{}@proxy.test", "canary".repeat(50));
    for url in [
        "",
        "http://",
        "socks4://canary@proxy.test",
        "ftp://proxy.test",
        "http://:canary@proxy.test",
        "http://proxy.test/canary",
        "http://proxy.test?canary",
        "http://anna:canary@",
        "http://anna:canary@proxy.test:99999",
        "http://anna:%ffcanary@proxy.test",
        "http://anna:canary@pro xy",
        "anna:canary://proxy.test",
        "http://anna:canary%40proxy.test",
        &long,
    ] {
        let error = Proxy::parse(url).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("canary@") && !shown.contains(":canary"), "{url}: {shown}");
    }
    let proxy = Proxy::parse("proxy.test").unwrap();
    let error = proxy.with_credentials("an:na", "canary").unwrap_err();
    assert!(!format!("{error:?}").contains("canary"), "{error}");
}

fn environment(variables: &[(&'static str, &'static str)]) -> Result<Proxies, ProxyError> {
    let find = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
    environment::read(find)
}

/// Where a connection without TLS goes, and one with it.
fn routes(variables: &[(&'static str, &'static str)]) -> [String; 2] {
    let proxies = environment(variables).unwrap();
    [false, true].map(|secure| {
        let endpoint = Endpoint { secure, ..server("server.test", 80) };
        proxies.for_endpoint(&endpoint).map_or_else(|| "direct".to_owned(), |proxy| proxy.endpoint.host.to_string())
    })
}

// N15
#[test]
fn the_environment_is_read_in_both_spellings() {
    assert_eq!(routes(&[]), ["direct", "direct"]);
    assert_eq!(routes(&[("HTTP_PROXY", "a")]), ["a", "direct"]);
    assert_eq!(routes(&[("https_proxy", "b")]), ["direct", "b"]);
    assert_eq!(routes(&[("ALL_PROXY", "c"), ("HTTPS_PROXY", "b")]), ["c", "b"]);
    assert_eq!(routes(&[("HTTP_PROXY", "A"), ("http_proxy", "b"), ("all_proxy", "c"), ("ALL_PROXY", "d")]), ["b", "c"]);
    assert_eq!(routes(&[("http_proxy", ""), ("HTTP_PROXY", "a")]), ["a", "direct"]);
    assert_eq!(routes(&[("ALL_PROXY", "a"), ("NO_PROXY", "server.test")]), ["direct", "direct"]);
    assert_eq!(routes(&[("ALL_PROXY", "a"), ("no_proxy", "x"), ("NO_PROXY", "*")]), ["a", "a"]);
}

// N15: a CGI program's HTTP_PROXY is whatever the one who sends the request likes.
#[test]
fn a_cgi_program_does_not_take_its_proxy_from_a_request() {
    assert_eq!(routes(&[("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "evil.test")]), ["direct", "direct"]);
    assert_eq!(routes(&[("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "evil.test"), ("ALL_PROXY", "a")]), ["a", "a"]);
    assert_eq!(routes(&[("REQUEST_METHOD", "GET"), ("http_proxy", "a"), ("HTTPS_PROXY", "b")]), ["a", "b"]);
}

#[test]
fn a_variable_that_cannot_be_used_is_named_and_not_passed_over() {
    let error = environment(&[("HTTPS_PROXY", "ftp://anna:canary@a")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the environment variable HTTPS_PROXY cannot be used: `ftp://***@a` must start with http://, https:// or socks5://"
    );
    let error = environment(&[("no_proxy", "10.0.0.0/33")]).unwrap_err();
    assert!(
        error.to_string().starts_with("the environment variable no_proxy cannot be used: `10.0.0.0/33`"),
        "{error}"
    );
}

#[test]
fn exceptions_are_names_and_what_is_below_them_addresses_blocks_and_ports() {
    let cases: [(&str, &[&str], &[&str]); 9] = [
        ("server.test", &["server.test:80", "a.server.test:1"], &["myserver.test:80", "server.test.com:80", "test:80"]),
        (".Server.test", &["server.test:80", "a.b.server.test:80"], &["xserver.test:80"]),
        ("*.server.test., x", &["a.server.test:80", "x:80"], &["y:80"]),
        ("*", &["server.test:80", "::1:80"], &[]),
        ("10.0.0.7", &["10.0.0.7:80"], &["10.0.0.8:80", "10.0.0.70:80"]),
        (
            "10.0.0.0/8 192.168.4.0/22",
            &["10.255.0.1:80", "192.168.7.1:80"],
            &["11.0.0.1:80", "192.168.8.1:80", "::10:80"],
        ),
        ("fd00::/8,::1", &["fdff::1:80", "::1:80"], &["fe00::1:80", "0.0.0.1:80"]),
        ("server.test:81,[::1]:82", &["server.test:81", "::1:82"], &["server.test:80", "::1:81"]),
        ("", &[], &["server.test:80"]),
    ];
    for (list, inside, outside) in cases {
        let proxies = Proxies::all(Proxy::parse("proxy.test").unwrap()).except(list).unwrap();
        let direct = |address: &str| {
            let (host, port) = address.rsplit_once(':').unwrap();
            proxies.for_endpoint(&server(host, port.parse().unwrap())).is_none()
        };
        assert!(inside.iter().all(|address| direct(address)), "{list}");
        assert!(!outside.iter().any(|address| direct(address)), "{list}");
    }
    for wrong in ["10.0.0.0/33", "fd00::/129", "a:b", "a..b", "192.168.*", "http://a", "a:99999", "[::1", "/8"] {
        let error = Proxies::default().except(wrong).unwrap_err();
        assert_eq!(error, ProxyError::Exception { exception: wrong.to_owned() });
    }
}

/// `anna:canary` in base64.
const STANDARD_OF_CANARY: &str = "YW5uYTpjYW5hcnk=";
