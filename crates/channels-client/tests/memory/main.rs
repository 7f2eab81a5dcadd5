//! What sessions keep, by the resident memory of the process: so this test is alone in its process.
#![cfg(target_os = "linux")]
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    reason = "a test may fail loudly, and does not use all that is there for tests"
)]

#[path = "../client/support/mod.rs"]
mod support;

use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use channels_client::Item;
use support::{Listener, Peer, Under, frame, options_for, public};

/// A session with a subscription, and the server's end of it.
async fn session(listener: &Listener) -> (Under, Peer) {
    let mut under = Under::new(options_for(listener));
    under.client.subscribe(public("a")).unwrap();
    under.client.connect();
    let mut peer = listener.establish("1.1").await;
    peer.acknowledge_all(1).await;
    under.until(|item| matches!(item, Item::Subscribed { .. })).await;
    (under, peer)
}

/// An event of about so many bytes.
fn event(bytes: usize) -> String {
    json!({"event": "e", "channel": "a", "data": "x".repeat(bytes)}).to_string()
}

/// The same in four frames.
fn in_parts(text: &str) -> Vec<u8> {
    let mut frames = Vec::new();
    let parts: Vec<&[u8]> = text.as_bytes().chunks(text.len() / 4 + 1).collect();
    for (number, part) in parts.iter().enumerate() {
        let mut part = frame(std::str::from_utf8(part).unwrap());
        part[0] = u8::from(number == 0) | if number + 1 == parts.len() { 0x80 } else { 0 };
        frames.append(&mut part);
    }
    frames
}

/// Writes past the test's WebSocket library, which would keep what it has written.
async fn send(under: &mut Under, stream: &mut TcpStream, bytes: &[u8], events: usize) {
    stream.write_all(bytes).await.unwrap();
    for _ in 0..events {
        under.until(|item| matches!(item, Item::Event(_))).await;
    }
}

/// Bytes of the process that are not those of files.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("Linux tells it");
    1024 * line.trim().trim_end_matches(" kB").parse::<usize>().unwrap()
}

// Y01: one large message, in one frame and in several, and a burst.
#[tokio::test]
async fn sessions_shrink_back_after_a_message_of_a_mebibyte() {
    let listener = Listener::bind().await;
    let large = event(1_048_000);
    let shapes = [(frame(&large), 1), (in_parts(&large), 1), (frame(&event(3_000)).repeat(300), 300)];
    let mut sessions = Vec::new();
    for _ in 0..SESSIONS {
        sessions.push(session(&listener).await);
    }
    let mut before = None;
    for (under, peer) in &mut sessions {
        for (bytes, events) in &shapes {
            send(under, peer.socket.get_mut(), bytes, *events).await;
        }
        // What one session needs for a moment the allocator may keep for the next.
        before.get_or_insert_with(resident);
    }
    let grown = resident().saturating_sub(before.unwrap());
    assert!(grown < SESSIONS * 256 * 1024, "{grown} bytes for {SESSIONS} sessions");
}

const SESSIONS: usize = 32;
