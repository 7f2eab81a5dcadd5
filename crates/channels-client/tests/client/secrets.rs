use std::{collections::BTreeSet, sync::Arc};

use channels_client::{
    Decoded, Decoder, HttpAuthorizer, Item, RawDecoder, StaticToken, StreamClient, Tls, TokenError, TokenProvider,
    http::{HttpClient, HttpLimits, HttpUrl},
    proto::{ChannelName, Event, Secret},
};
use http::{HeaderMap, HeaderValue};
use serde_json::json;
use tokio::runtime::Handle;

use crate::support::{Listener, Log, Signer, Under, eventually, options_for, private, soon};

/// Stands in every secret of the test, in a form that no accident makes.
const CANARY: &str = "c4n4ry";

struct Tokens;

impl TokenProvider for Tokens {
    async fn token(&self) -> Result<Secret, TokenError> {
        Ok(Secret::new(format!("{CANARY}-old")))
    }

    async fn refresh(&self, _: &Secret) -> Result<Secret, TokenError> {
        Ok(Secret::new(format!("{CANARY}-new")))
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
    let http = HttpClient::new(url.origin(), Tls::platform(), HttpLimits::default()).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("x-uuid", HeaderValue::from_static(CANARY));
    let authorizer = HttpAuthorizer::new(http.clone(), url, headers, Arc::new(Tokens));
    let options = options_for(&listener);
    shown.push(format!("{http:?} {authorizer:?} {options:?} {:?}", StaticToken::new(Secret::new(CANARY))));
    let (client, mut delivery) =
        StreamClient::new(options, Arc::new(authorizer), RawDecoder, &Handle::current()).unwrap();
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
        // Neither of the others gets an authorization, and the event comes.
        let mut failed = BTreeSet::new();
        let mut events = 0;
        while failed.len() < 2 || events < 1 {
            match soon("an item", delivery.next()).await.unwrap() {
                Item::Event(_) => events += 1,
                item => {
                    if let Item::SubscriptionFailed { channel, .. } = &item {
                        failed.insert(channel.clone());
                    }
                    shown.push(format!("{item:?}"));
                }
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

struct Panicking;

impl Decoder for Panicking {
    type Item = ();

    fn decode(&mut self, event: &Event<'_>) -> Decoded<()> {
        assert!(event.name() == "good", "{CANARY}");
        Decoded::new(())
    }
}

// Q03, Q04, I38: a channel's name holds the id of a user; the texts of servers and of panics may hold anything.
#[tokio::test]
async fn no_channel_and_no_foreign_text_is_in_a_log_line() {
    let log = Log::capture();
    let listener = Listener::bind().await;
    let name = format!("private-user.{CANARY}");
    let (client, delivery) =
        StreamClient::new(options_for(&listener), Arc::new(Signer), Panicking, &Handle::current()).unwrap();
    client.subscribe(ChannelName::parse(&name).unwrap()).unwrap();
    client.connect();
    let mut peer = listener.establish("1.1").await;
    peer.acknowledge_all(1).await;
    let text = log.shared();
    delivery.set_handler(Some(Box::new(move |item| {
        Log::attach(&text);
        assert!(!matches!(item, Item::Event(())), "{CANARY}");
    })));
    peer.event(&name, CANARY, json!(CANARY)).await;
    peer.event(&name, "good", json!(CANARY)).await;
    eventually("the panics", || client.counters().handler_panics == 1 && client.counters().decoder_panics == 1).await;
    peer.json(json!({"event": "pusher:error", "data": {"code": null, "message": CANARY}})).await;
    peer.close(4200, CANARY).await;
    let mut peer = listener.establish("2.2").await;
    peer.close(4001, CANARY).await;
    eventually("the refusal", || log.text().contains("refused the connection")).await;

    let mut options = options_for(&listener);
    options.protocol.acknowledgement_timeout = std::time::Duration::from_millis(50);
    let (client, _delivery) = StreamClient::new(options, Arc::new(Signer), Panicking, &Handle::current()).unwrap();
    client.subscribe(ChannelName::parse(&name).unwrap()).unwrap();
    client.connect();
    let _silent = listener.establish("3.3").await;
    eventually("the failure", || log.text().contains("did not acknowledge")).await;
    let log = log.text();
    assert!(log.contains("the handler panicked") && log.contains("the decoder panicked"), "{log}");
    assert!(!log.contains(CANARY), "{log}");
}

/// Returns what is shown and logged of a session in which the server says `said` wherever it can.
async fn echoed(said: &str) -> String {
    let log = Log::capture();
    let mut shown = Vec::new();
    let (listener, endpoint) = (Listener::bind().await, Listener::bind().await);
    let url = HttpUrl::parse(&endpoint.http_url("/auth")).unwrap();
    let http = HttpClient::new(url.origin(), Tls::platform(), HttpLimits::default()).unwrap();
    let tokens = Arc::new(StaticToken::new(Secret::new(TOKEN)));
    let authorizer = HttpAuthorizer::new(http, url, HeaderMap::new(), tokens);
    let (client, mut delivery) =
        StreamClient::new(options_for(&listener), Arc::new(authorizer), RawDecoder, &Handle::current()).unwrap();
    for name in ["good", "redirected"] {
        client.subscribe(private(name)).unwrap();
    }
    client.connect();
    let (tell_shown, is_shown) = tokio::sync::watch::channel(false);
    let serve = async {
        let mut connections = tokio::task::JoinSet::new();
        loop {
            let mut raw = endpoint.accept().await;
            let redirect = format!("Location: https://login.example/{said}\r\n");
            let mut is_shown = is_shown.clone();
            connections.spawn(async move {
                loop {
                    let (_, body) = raw.read_request().await;
                    if body.contains("good") {
                        raw.answer("200 OK", "", &format!(r#"{{"auth":"key:{SIGNATURE}"}}"#)).await;
                    } else {
                        // It has to have the signature before it can say it.
                        is_shown.wait_for(|is_shown| *is_shown).await.unwrap();
                        raw.answer("302 Found", &redirect, "").await;
                    }
                }
            });
        }
    };
    let play = async {
        let mut peer = listener.establish("1.1").await;
        peer.subscribe().await;
        tell_shown.send_replace(true);
        peer.json(json!({"event": "pusher:error", "data": {"code": null, "message": format!("not {said}!")}})).await;
        let data = json!({"type": "AuthError", "error": format!("not {said}!"), "status": 500});
        peer.json(json!({"event": "pusher:subscription_error", "channel": "private-good", "data": data})).await;
        let mut told = (0, 0);
        while told.0 == 0 || told.1 < 2 {
            let item = soon("an item", delivery.next()).await.unwrap();
            told.0 += usize::from(matches!(item, Item::ServerError { .. }));
            told.1 += usize::from(matches!(item, Item::SubscriptionFailed { .. }));
            shown.push(format!("{item:?}"));
        }
        peer.close(4200, said).await;
        let mut refused = listener.accept().await;
        refused.read_head().await;
        refused.answer("307 x", &format!("Location: wss://host/{said}\r\n"), "").await;
        let mut failures = 0;
        while failures < 2 {
            let item = soon("an item", delivery.next()).await.unwrap();
            failures += usize::from(matches!(item, Item::ConnectionFailed { .. }));
            shown.push(format!("{item:?}"));
        }
    };
    tokio::select! {
        () = play => {}
        () = serve => unreachable!(),
    }
    assert!(shown.iter().filter(|text| text.contains("***")).count() >= 5, "{shown:#?}");
    let log = log.text();
    assert!(log.contains("opening a socket"), "nothing was captured");
    format!("{shown:?} {log}")
}

const TOKEN: &str = "12|c4n4ryToken/x";
const SIGNATURE: &str = "c4n4ry5ignature0f0f";

// Q01, Q02, Q03: a server may say a secret that it was given, in any spelling, wherever it can say something.
#[tokio::test]
async fn a_secret_that_the_server_says_back_is_neither_shown_nor_logged() {
    for said in [TOKEN, "12%7Cc4n4ryToken%2Fx", "12%257cc4n4rytoken%252fx", SIGNATURE] {
        let text = echoed(said).await.to_ascii_lowercase();
        assert!(!text.contains("c4n4ry"), "{said}: {text}");
    }
}

// M06, Q04, Q08: what a close frame says is logged by nobody, and stands on one line of the error.
#[tokio::test]
async fn the_reason_of_a_close_is_not_logged_and_makes_no_line_of_its_own() {
    let log = Log::capture();
    let listener = Listener::bind().await;
    let mut under = Under::new(options_for(&listener));
    under.client.connect();
    let mut peer = listener.establish("1.1").await;
    peer.close(4200, &format!("{CANARY}\nerror: forged\u{3164}")).await;
    let item = under.until(|item| matches!(item, Item::ConnectionFailed { .. })).await;
    let Item::ConnectionFailed { error, .. } = item else { panic!("{item:?}") };
    let expected = format!(r"the server closed the connection with code 4200: {CANARY}\nerror: forged\u{{3164}}");
    assert_eq!(error.to_string(), expected);
    assert_eq!(peer.closed().await, Some(4200));
    let log = log.text();
    assert!(log.contains("tungstenite") && !log.contains(CANARY), "{log}");
}
