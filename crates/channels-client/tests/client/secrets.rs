use std::sync::Arc;

use channels_client::{
    Client, HttpAuthorizer, Item, RawDecoder, StaticToken, Tls, TokenError, TokenProvider,
    http::{HttpClient, HttpLimits, HttpUrl},
    proto::Secret,
};
use futures_core::future::BoxFuture;
use http::{HeaderMap, HeaderValue};
use serde_json::json;
use tokio::runtime::Handle;

use crate::support::{Listener, Log, options_for, private, soon};

/// Stands in every secret of the test, in a form that no accident makes.
const CANARY: &str = "c4n4ry";

struct Tokens;

impl TokenProvider for Tokens {
    fn token(&self) -> BoxFuture<'static, Result<Secret, TokenError>> {
        Box::pin(std::future::ready(Ok(Secret::new(format!("{CANARY}-old")))))
    }

    fn refresh(&self, _: &Secret) -> BoxFuture<'static, Result<Secret, TokenError>> {
        Box::pin(std::future::ready(Ok(Secret::new(format!("{CANARY}-new")))))
    }
}

// Q01, Q02, Q03, Q04, I38, I39: tokens, signatures and payloads, through a run in which much goes wrong.
#[tokio::test]
async fn no_secret_and_no_payload_is_in_a_log_line_an_error_or_a_debug_text() {
    let log = Log::capture();
    let mut shown = Vec::new();
    let listener = Listener::bind().await;
    let endpoint = Listener::bind().await;
    let url = HttpUrl::parse(&endpoint.http_url("/auth")).unwrap();
    let http = HttpClient::new(url.origin(), Tls::platform(), HttpLimits::default());
    let mut headers = HeaderMap::new();
    headers.insert("x-uuid", HeaderValue::from_static(CANARY));
    let authorizer = HttpAuthorizer::new(http.clone(), url, headers, Arc::new(Tokens));
    let options = options_for(&listener);
    shown.push(format!("{http:?} {authorizer:?} {options:?} {:?}", StaticToken::new(Secret::new(CANARY))));
    let (client, mut delivery) = Client::new(options, Arc::new(authorizer), RawDecoder, &Handle::current());
    for name in ["good", "malformed", "redirected"] {
        client.subscribe(private(name)).unwrap();
    }
    client.connect();

    let serve = async {
        let mut connections = tokio::task::JoinSet::new();
        loop {
            let mut raw = endpoint.accept().await;
            connections.spawn(async move {
                loop {
                    let (head, body) = raw.read_request().await;
                    if head.contains("-old") {
                        raw.answer("401 Unauthorized", "", CANARY).await;
                    } else if body.contains("good") {
                        raw.answer("200 OK", "", &format!(r#"{{"auth":"key:{CANARY}","channel_data":"{CANARY}"}}"#))
                            .await;
                    } else if body.contains("malformed") {
                        raw.answer("200 OK", "", &format!(r#"{{"auth":{{"{CANARY}":1}} {CANARY}"#)).await;
                    } else {
                        raw.answer("302 Found", &format!("Location: http://u:{CANARY}@h/?t={CANARY}\r\n"), "").await;
                    }
                }
            });
        }
    };
    let play = async {
        let mut peer = listener.establish("1.1").await;
        let (channel, auth) = peer.subscribe().await;
        assert!(auth.unwrap().contains(CANARY));
        peer.acknowledge(&channel).await;
        peer.text(format!("not json {CANARY}")).await;
        peer.event(&channel, "e", json!(CANARY)).await;
        peer.event("private-unknown", CANARY, json!(CANARY)).await;
        // Both others are given up after three tries.
        let mut failed = 0;
        while failed < 2 {
            let item = soon("an item", delivery.next()).await.unwrap();
            failed += usize::from(matches!(item, Item::SubscriptionFailed { .. }));
            if !matches!(item, Item::Event(_)) {
                shown.push(format!("{item:?}"));
            }
        }
        let mut broken = vec![0x81, 0x82, 1, 2, 3, 4];
        broken.extend(CANARY.as_bytes());
        tokio::io::AsyncWriteExt::write_all(peer.socket.get_mut(), &broken).await.unwrap();
        let mut refused = listener.accept().await;
        refused.read_head().await;
        refused.answer("307 x", &format!("Location: ws://u:{CANARY}@h/?{CANARY}\r\n"), CANARY).await;
        let mut failures = 0;
        while failures < 2 {
            let item = soon("an item", delivery.next()).await.unwrap();
            failures += usize::from(matches!(item, Item::ConnectionFailed { .. }));
            shown.push(format!("{item:?}"));
        }
        shown.push(format!("{client:?} {delivery:?} {:?}", client.counters()));
    };
    tokio::select! {
        () = play => {}
        () = serve => unreachable!(),
    }
    let log = log.text();
    assert!(log.contains("opening a socket"), "nothing was captured");
    assert!(!log.contains("ERROR") && !log.contains("WARN"), "{log}");
    for text in shown.iter().chain([&log]) {
        assert!(!text.contains(CANARY), "{text}");
    }
}
