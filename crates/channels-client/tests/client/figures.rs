use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, SystemTime},
};

use channels_client::{
    ClientFigures, ClientOptions, Connector as _, Item, MemoryConnector, MemoryListener, SocketUrl,
    proto::{AppKey, ConnectionState},
};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

use crate::support::{Peer, Raw, Under, event_of, public};

/// The server's end of a connection, which counts the bytes that go over it.
struct Counting {
    stream: DuplexStream,
    /// Read and written.
    bytes: Arc<[AtomicU64; 2]>,
}

impl AsyncRead for Counting {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.bytes[0].fetch_add((buf.filled().len() - before) as u64, Ordering::Relaxed);
        polled
    }
}

impl AsyncWrite for Counting {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        if let Poll::Ready(Ok(count)) = &polled {
            self.bytes[1].fetch_add(*count as u64, Ordering::Relaxed);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Accepts and upgrades; what that took is not counted.
async fn accept(listener: &mut MemoryListener, bytes: &Arc<[AtomicU64; 2]>) -> Peer<Counting> {
    let (_, stream) = listener.accept().await.unwrap();
    let before = bytes.each_ref().map(|count| count.load(Ordering::Relaxed));
    let peer = Raw { stream: Counting { stream, bytes: Arc::clone(bytes) } }.upgrade().await;
    bytes.iter().zip(before).for_each(|(count, before)| count.store(before, Ordering::Relaxed));
    peer
}

#[tokio::test(start_paused = true)]
async fn the_figures_are_those_of_the_other_end_and_of_the_clock() {
    let (connector, mut listener) = MemoryConnector::new(7);
    let connector = Arc::new(connector);
    let clock = connector.clock();
    let mut options = ClientOptions::new(SocketUrl::parse("ws://example.com").unwrap(), AppKey::parse("key").unwrap());
    options.protocol.activity_timeout = Duration::from_secs(10);
    options.connector = Arc::<MemoryConnector>::clone(&connector);
    let mut under = Under::new(options);
    assert_eq!(under.client.figures(), ClientFigures::default());
    for name in ["a", "b"] {
        under.client.subscribe(public(name)).unwrap();
    }
    under.client.connect();
    let bytes = Arc::<[AtomicU64; 2]>::default();
    let mut peer = accept(&mut listener, &bytes).await;
    peer.establish("1.1").await;
    let connected_at = clock.wall();
    peer.acknowledge_all(2).await;
    // One of 70 kB, which needs several reads.
    for data in [json!("first"), json!("x".repeat(70_000))] {
        peer.event("a", "e", data).await;
        under.until(|item| event_of(item).is_some()).await;
    }
    // A ping, whose pong comes 300 ms later.
    assert_eq!(peer.next().await.unwrap()["event"], "pusher:ping");
    tokio::time::sleep(Duration::from_millis(300)).await;
    peer.json(json!({"event": "pusher:pong"})).await;
    peer.event("b", "e", json!("last")).await;
    under.until(|item| event_of(item).is_some()).await;
    let figures = under.client.figures();
    let [read, written] = bytes.each_ref().map(|count| count.load(Ordering::Relaxed));
    assert_eq!((figures.bytes_in, figures.bytes_out), (written, read));
    // The handshake, two acknowledgements, three events and a pong; two subscribes and a ping.
    assert_eq!((figures.messages_in, figures.messages_out, figures.events), (7, 3, 3));
    assert_eq!((figures.attempts, figures.connections, figures.reconnects), (1, 1, 0));
    assert_eq!(figures.round_trip, Some(Duration::from_millis(300)));
    assert_eq!(figures.connected_since, Some(connected_at));
    // It is lost, with the last frame half sent, and comes back.
    let lost_at = clock.now();
    drop(peer);
    under.until(|item| matches!(item, Item::StateChanged { to: ConnectionState::Reconnecting, .. })).await;
    assert_eq!(under.client.figures().connected_since, None);
    let mut peer = accept(&mut listener, &bytes).await;
    peer.establish("1.2").await;
    peer.acknowledge_all(2).await;
    for _ in 0..2 {
        under.until(|item| matches!(item, Item::Subscribed { .. })).await;
    }
    let figures = under.client.figures();
    assert_eq!((figures.attempts, figures.connections, figures.reconnects, figures.gaps), (2, 2, 1, 2));
    let gap = clock.now().saturating_since(lost_at);
    assert!(figures.longest_gap >= gap, "{figures:?}");
    // From the last answers on: the ping of channel a and b alike.
    assert_eq!(figures.total_gap, figures.longest_gap * 2);
    let [read, written] = bytes.each_ref().map(|count| count.load(Ordering::Relaxed));
    assert_eq!((figures.bytes_in, figures.bytes_out), (written, read));
    assert_eq!(figures.counters, under.client.counters());
    under.client.disconnect();
    assert_eq!(under.client.figures().connected_since, None);
    assert!(SystemTime::UNIX_EPOCH < connected_at);
}
