use tokio::io::{AsyncReadExt, DuplexStream, duplex};

use super::*;
use crate::Endpoint;

fn request(target: &str) -> UpgradeRequest {
    let endpoint = Endpoint { secure: false, host: "example.com".into(), port: 80 };
    UpgradeRequest { endpoint, target: target.into(), user_agent: "c/1".into() }
}

async fn exchange(answer: impl FnOnce(&str) -> Vec<u8>) -> (String, Result<Vec<u8>, UpgradeError>) {
    let (mut near, mut far) = duplex(64 * 1024);
    let request = request("/pusher/app/key?client=c&version=1&protocol=7");
    let server = async move {
        let head = read_head(&mut far).await;
        far.write_all(&answer(&head)).await.unwrap();
        head
    };
    let (outcome, head) = tokio::join!(upgrade(&mut near, &request, [1, 2]), server);
    (head, outcome.map(|upgraded| upgraded.early))
}

/// One read: the request has to come in one write.
async fn read_head(stream: &mut DuplexStream) -> String {
    let mut head = vec![0; 16 * 1024];
    let length = stream.read(&mut head).await.unwrap();
    head.truncate(length);
    String::from_utf8(head).unwrap()
}

fn accept(head: &str) -> String {
    let key = head.split("Sec-WebSocket-Key: ").nth(1).unwrap().lines().next().unwrap();
    derive_accept_key(key.as_bytes())
}

fn switching(head: &str, more: &str) -> Vec<u8> {
    let accept = accept(head);
    format!("HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n{more}")
        .into_bytes()
}

async fn refusal(answer: &str) -> ConnectFailure {
    let (_, outcome) = exchange(|_| answer.as_bytes().to_vec()).await;
    outcome.unwrap_err().into_failure("example.com:80", SystemTime::UNIX_EPOCH)
}

// W24, W18: what push1st needs.
#[tokio::test]
async fn the_request_comes_in_one_write_and_what_follows_the_answer_is_kept() {
    let (head, outcome) = exchange(|head| switching(head, "\r\n\u{81}\u{2}{}")).await;
    assert_eq!(outcome.unwrap(), "\u{81}\u{2}{}".as_bytes());
    let key = head.split("Sec-WebSocket-Key: ").nth(1).unwrap().lines().next().unwrap();
    let expected = format!(
        "GET /pusher/app/key?client=c&version=1&protocol=7 HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nUser-Agent: c/1\r\n\r\n"
    );
    assert_eq!(head, expected);
}

// W01, W07
#[tokio::test]
async fn a_handshake_that_does_not_fit_is_refused() {
    let wrong_accept =
        "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n";
    let failure = refusal(wrong_accept).await;
    assert_eq!(failure.class, FailureClass::Refused);
    assert!(failure.message.contains("Sec-WebSocket-Accept"), "{}", failure.message);
    for more in ["Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", "Sec-WebSocket-Protocol: pusher\r\n\r\n"] {
        let (_, outcome) = exchange(|head| switching(head, more)).await;
        assert!(matches!(outcome, Err(UpgradeError::Broken(why)) if why.contains("was not offered")), "{more}");
    }
    let (_, outcome) = exchange(|head| {
        let answer = String::from_utf8(switching(head, "\r\n")).unwrap();
        answer.replace("upgrade: WebSocket\r\n", "").into_bytes()
    })
    .await;
    assert!(matches!(outcome, Err(UpgradeError::Broken(why)) if why.contains("Upgrade")));
}

// W03, W05, N14, N15: slow class, and what may help.
#[tokio::test]
async fn a_refusal_says_what_to_check_and_is_tried_again_slowly() {
    let cases = [
        ("403 Forbidden\r\n", "check the app key"),
        ("404 Not Found\r\n", "check the path"),
        ("426 Upgrade Required\r\n", "the Upgrade header"),
        ("407 x\r\n", "proxy"),
        ("200 OK\r\nContent-Type: Text/HTML; charset=utf-8\r\n", "a web page instead of a WebSocket"),
        (
            "302 Found\r\nLocation: http://user:canary@login.example/?canary\r\n",
            "redirect to `http://***@login.example/`",
        ),
    ];
    for (answer, hint) in cases {
        let failure = refusal(&format!("HTTP/1.1 {answer}\r\n<html>")).await;
        assert_eq!((failure.class, failure.retry_after), (FailureClass::Refused, None), "{answer}");
        assert!(failure.message.starts_with("no WebSocket connection with example.com:80: "), "{}", failure.message);
        assert!(failure.message.contains(hint), "{}", failure.message);
        assert!(!failure.message.contains("canary"), "{}", failure.message);
    }
}

// W03, W04: what is in front of a server dresses every answer as a web page.
#[tokio::test]
async fn a_status_has_its_own_advice_whatever_the_body_is() {
    let cases = [
        (401, "check the app key"),
        (403, "check the app key"),
        (404, "check the path of the socket URL and the app key"),
        (407, "a proxy on the way requires a user and a password"),
        (426, "the Upgrade header"),
        (429, "fewer connections"),
        (500, "the server failed"),
        (502, "cannot reach it"),
        (503, "overloaded or under maintenance"),
        (504, "cannot reach it"),
    ];
    for (status, advice) in cases {
        for kind in ["", "Content-Type: text/html\r\n", "Content-Type: application/json\r\n"] {
            let failure = refusal(&format!("HTTP/1.1 {status} x\r\n{kind}\r\n<html>")).await;
            assert!(failure.message.contains(advice), "{}", failure.message);
            assert!(!failure.message.contains("check the host and the path"), "{}", failure.message);
            assert_eq!(failure.kind, ConnectFailureKind::Status(status));
        }
    }
}

// W04
#[tokio::test]
async fn an_overloaded_server_is_tried_again_when_it_says() {
    let failure = refusal("HTTP/1.1 503 x\r\nRetry-After: 20\r\n\r\n").await;
    assert_eq!((failure.class, failure.retry_after), (FailureClass::Network, Some(std::time::Duration::from_secs(20))));
    let failure = refusal("HTTP/1.1 429 x\r\nRetry-After: 9000\r\n\r\n").await;
    assert_eq!(
        (failure.class, failure.retry_after),
        (FailureClass::Network, Some(std::time::Duration::from_secs(300)))
    );
    assert_eq!(refusal("HTTP/1.1 429 x\r\n\r\n").await.class, FailureClass::Refused);
    assert_eq!(refusal("HTTP/1.1 500 x\r\n\r\n").await.class, FailureClass::Network);
    assert_eq!(refusal("HTTP/1.1 408 x\r\n\r\n").await.class, FailureClass::Network);
}

/// Sends `answer` in two parts, cut at `cut`.
async fn exchange_in_two(interim: &str, cut: usize) -> Result<Vec<u8>, UpgradeError> {
    let (mut near, mut far) = duplex(64 * 1024);
    let request = request("/");
    let server = async move {
        let head = read_head(&mut far).await;
        let mut answer = interim.as_bytes().to_vec();
        answer.extend(switching(&head, "\r\n{}"));
        let (first, second) = answer.split_at(cut);
        far.write_all(first).await.unwrap();
        // The client has read the first part before the second one is there.
        tokio::task::yield_now().await;
        far.write_all(second).await.unwrap();
    };
    tokio::join!(upgrade(&mut near, &request, [1, 2]), server).0.map(|upgraded| upgraded.early)
}

// W01: RFC 9110, section 15.2
#[tokio::test]
async fn interim_answers_before_the_upgrade_are_skipped_wherever_they_are_cut() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 x\r\nDate: x\r\n\r\n\
                   HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nUpgrade: h2c\r\n\r\n";
    for cut in 0..interim.len() + 100 {
        assert_eq!(exchange_in_two(interim, cut).await.unwrap(), b"{}", "cut at {cut}");
    }
}

#[tokio::test]
async fn an_interim_answer_is_not_the_answer() {
    let failure = refusal("HTTP/1.1 103 x\r\n\r\nHTTP/1.1 503 x\r\n\r\n").await;
    assert_eq!(failure.kind, ConnectFailureKind::Status(503));
    let failure = refusal("HTTP/1.1 103 x\r\n\r\n").await;
    assert!(failure.message.contains("closed the connection instead of answering"), "{}", failure.message);
    assert_eq!(refusal("HTTP/1.1 103 x\r\n\r\nHTTP/1.1 101 Sw").await.class, FailureClass::Network);
    let (_, outcome) = exchange(|head| {
        let mut answer = b"HTTP/1.1 103 x\r\n\r\n".to_vec();
        answer.extend(switching(head, "Sec-WebSocket-Protocol: pusher\r\n\r\n"));
        answer
    })
    .await;
    assert!(matches!(outcome, Err(UpgradeError::Broken(_))), "{outcome:?}");
}

// W06: one limit for all the headers together
#[tokio::test]
async fn interim_answers_without_end_are_cut_off() {
    let (_, outcome) = exchange(|_| "HTTP/1.1 103 x\r\n\r\n".repeat(2_000).into_bytes()).await;
    assert!(matches!(outcome, Err(UpgradeError::HeaderTooLarge)), "{outcome:?}");
    let (_, outcome) = exchange(|head| {
        let mut answer = format!("HTTP/1.1 103 x\r\nX: {}\r\n\r\n", "a".repeat(16 * 1024 - 40)).into_bytes();
        answer.extend(switching(head, "\r\n"));
        answer
    })
    .await;
    assert!(matches!(outcome, Err(UpgradeError::HeaderTooLarge)), "{outcome:?}");
}

// W06
#[tokio::test]
async fn a_header_without_end_is_cut_off() {
    let long = format!("HTTP/1.1 101 x\r\nX: {}", "a".repeat(16 * 1024));
    let (_, outcome) = exchange(|_| long.into_bytes()).await;
    assert!(matches!(outcome, Err(UpgradeError::HeaderTooLarge)));
    let many = format!("HTTP/1.1 101 x\r\n{}", "a: b\r\n".repeat(101));
    let (_, outcome) = exchange(|_| many.into_bytes()).await;
    assert!(matches!(outcome, Err(UpgradeError::HeaderTooLarge)));
}

#[tokio::test]
async fn a_server_that_is_no_http_server_or_hangs_up_is_told_apart() {
    let failure = refusal("SSH-2.0-OpenSSH_9.6\r\n").await;
    assert_eq!(failure.class, FailureClass::Refused);
    assert!(failure.message.contains("does not speak HTTP"), "{}", failure.message);
    let failure = refusal("").await;
    assert_eq!(failure.class, FailureClass::Network);
    assert!(failure.message.contains("closed the connection"), "{}", failure.message);
    assert_eq!(refusal("HTTP/1.1 101 Sw").await.class, FailureClass::Network);
}
