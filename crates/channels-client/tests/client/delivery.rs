use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use channels_client::{Decoded, Decoder, Delivery, Item, QueueLimits, StreamClient, proto::Event};
use serde_json::json;
use tokio::runtime::Handle;

use crate::support::{Listener, Peer, Signer, eventually, frame, options_for, public, soon};

/// Decodes numbers, keeps the negative ones, and counts.
struct Numbers(Arc<AtomicUsize>);

impl Decoder for Numbers {
    type Item = i64;

    fn decode(&mut self, event: &Event<'_>) -> Decoded<i64> {
        self.0.fetch_add(1, Ordering::SeqCst);
        assert!(event.name() != "panic", "on purpose");
        let number = event.data().payload().unwrap().parse().unwrap_or_default();
        Decoded { item: number, keep: number < 0, disconnect: false }
    }
}

struct World {
    client: StreamClient<i64>,
    delivery: Delivery<i64>,
    peer: Peer,
    decoded: Arc<AtomicUsize>,
    _listener: Listener,
}

async fn subscribed(queue: QueueLimits) -> World {
    let listener = Listener::bind().await;
    let mut options = options_for(&listener);
    options.queue = queue;
    // No timer wakes the client as long as anything is waited for here.
    let protocol = &mut options.protocol;
    for timeout in
        [&mut protocol.activity_timeout, &mut protocol.connect_timeout, &mut protocol.acknowledgement_timeout]
    {
        *timeout = Duration::from_secs(100);
    }
    let decoded = Arc::new(AtomicUsize::new(0));
    let decoder = Numbers(Arc::clone(&decoded));
    let (client, mut delivery) = StreamClient::new(options, Arc::new(Signer), decoder, &Handle::current()).unwrap();
    client.subscribe(public("a")).unwrap();
    client.connect();
    let mut peer = listener.establish("1.1").await;
    peer.acknowledge_all(1).await;
    while !matches!(soon("an item", delivery.next()).await.unwrap(), Item::Subscribed { .. }) {}
    World { client, delivery, peer, decoded, _listener: listener }
}

impl World {
    /// Sends events in few writes, and waits until they are all queued or dropped.
    async fn burst(&mut self, events: impl IntoIterator<Item = (&'static str, String)>) {
        let before = self.decoded.load(Ordering::SeqCst);
        let mut bytes = Vec::new();
        let mut count = 0;
        for (name, data) in events {
            bytes.extend(event_frame(name, &data));
            count += 1;
        }
        tokio::io::AsyncWriteExt::write_all(self.peer.socket.get_mut(), &bytes).await.unwrap();
        // Queued in the same turn in which they were decoded.
        eventually("the burst", || self.decoded.load(Ordering::SeqCst) == before + count).await;
    }

    async fn numbers(&mut self, range: std::ops::Range<i64>) {
        self.burst(range.map(|number| ("n", number.to_string()))).await;
    }

    fn taken(&mut self) -> Vec<Item<i64>> {
        std::iter::from_fn(|| self.delivery.try_next()).collect()
    }
}

// I26: whether the client expects more to come at once or not, the consumer is woken for what is there.
#[tokio::test]
async fn a_consumer_that_sleeps_gets_the_whole_of_every_burst() {
    let World { mut delivery, mut peer, client: _client, .. } = subscribed(QueueLimits::default()).await;
    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    // Looks for what is there when it is woken, and at no other time.
    let mut consumer = tokio::task::JoinSet::new();
    consumer.spawn(async move {
        while let Some(Item::Event(number)) = delivery.next().await {
            assert_eq!(number, i64::try_from(count.fetch_add(1, Ordering::SeqCst)).unwrap());
        }
    });
    let mut sent = 0;
    for length in (1..=140).chain([192, 256, 257, 320]) {
        // Far less than a read brings: it comes at once.
        let burst: Vec<u8> = (sent..sent + length).flat_map(|number| event_frame("n", &number.to_string())).collect();
        tokio::io::AsyncWriteExt::write_all(peer.socket.get_mut(), &burst).await.unwrap();
        sent += length;
        eventually("the burst", || taken.load(Ordering::SeqCst) == sent).await;
    }
}

fn event_frame(name: &str, data: &str) -> Vec<u8> {
    frame(&json!({"event": name, "channel": "a", "data": data}).to_string())
}

// B01, B03, I26, L05
#[tokio::test]
async fn a_burst_to_a_consumer_that_does_not_read_is_delivered_or_counted_exactly() {
    let mut world = subscribed(QueueLimits::default()).await;
    world.numbers(0..10_000).await;
    world.peer.json(json!({"event": "pusher:ping"})).await;
    assert_eq!(world.peer.next().await.unwrap()["event"], "pusher:pong");
    let taken = world.taken();
    assert_eq!(taken[0], Item::Lagged { channel: None, dropped: 10_000 - 1_024 });
    let rest: Vec<_> = (10_000 - 1_024..10_000).map(Item::Event).collect();
    assert_eq!(taken[1..], rest);
    assert_eq!(world.client.counters().dropped_events, 10_000 - 1_024);
}

// Y02
#[tokio::test]
async fn the_queue_is_bounded_in_bytes_too() {
    let limits = QueueLimits { max_items: 1_000_000, max_bytes: 100_000 };
    let mut world = subscribed(limits).await;
    let padding = "x".repeat(9_000);
    world.burst((0..100).map(|_| ("n", padding.clone()))).await;
    let taken = world.taken();
    // Ten frames of 9,000 bytes and their places fit, eleven do not.
    assert_eq!(taken[0], Item::Lagged { channel: None, dropped: 90 });
    assert_eq!(taken.len(), 11);
}

// B04, I36
#[tokio::test]
async fn what_is_to_be_kept_survives_any_burst() {
    let mut world = subscribed(QueueLimits { max_items: 10, max_bytes: usize::MAX }).await;
    world.numbers(-1..0).await;
    world.numbers(0..1_000).await;
    let taken = world.taken();
    assert_eq!(taken[..2], [Item::Event(-1), Item::Lagged { channel: None, dropped: 991 }]);
    assert_eq!(taken.len(), 11);
}

// K01 of the decoder: promise 2, nothing lost in silence
#[tokio::test]
async fn an_event_on_which_the_decoder_panics_is_counted_at_its_place() {
    let mut world = subscribed(QueueLimits::default()).await;
    let events = [("n", "1"), ("panic", ""), ("panic", ""), ("n", "2")];
    world.burst(events.map(|(name, data)| (name, data.to_owned()))).await;
    assert_eq!(world.taken(), [Item::Event(1), Item::Lagged { channel: None, dropped: 2 }, Item::Event(2)]);
    let counters = world.client.counters();
    assert_eq!((counters.decoder_panics, counters.dropped_events), (2, 2));
}

#[tokio::test]
async fn a_batch_takes_what_is_there_and_waits_for_the_first() {
    let mut world = subscribed(QueueLimits::default()).await;
    world.numbers(0..5).await;
    assert_eq!(world.delivery.next_batch(3).await, [0, 1, 2].map(Item::Event));
    assert_eq!(world.delivery.next_batch(3).await, [3, 4].map(Item::Event));
    let World { delivery, peer, .. } = &mut world;
    let (batch, ()) = tokio::join!(delivery.next_batch(100), peer.event("a", "n", json!(5)));
    assert_eq!(batch, [Item::Event(5)]);
}

// B07, B02: the connection does not depend on its consumer.
#[tokio::test]
async fn a_consumer_that_is_gone_costs_nothing_and_harms_nothing() {
    let mut world = subscribed(QueueLimits::default()).await;
    let World { delivery, .. } = world;
    drop(delivery);
    world.peer.event("a", "n", json!(1)).await;
    eventually("the event", || world.decoded.load(Ordering::SeqCst) == 1).await;
    world.peer.json(json!({"event": "pusher:ping"})).await;
    assert_eq!(world.peer.next().await.unwrap()["event"], "pusher:pong");
    assert!(world.client.is_connected());
    assert_eq!(world.client.counters().dropped_events, 0);
}

// B05 on one thread: the task leaves the thread to the consumer between its batches.
#[tokio::test]
async fn a_consumer_on_the_thread_of_the_task_keeps_up_with_any_flood() {
    let mut world = subscribed(QueueLimits::default()).await;
    let event = |number: i64| frame(&json!({"event": "n", "channel": "a", "data": number}).to_string());
    let flood: Vec<u8> = (0..50_000).flat_map(event).collect();
    let World { delivery, peer, .. } = &mut world;
    let write = tokio::io::AsyncWriteExt::write_all(peer.socket.get_mut(), &flood);
    let read = async {
        let mut next = 0;
        while next < 50_000 {
            for item in soon("items", delivery.next_batch(256)).await {
                assert_eq!(item, Item::Event(next));
                next += 1;
            }
        }
    };
    let (written, ()) = tokio::join!(write, read);
    written.unwrap();
}

// I42, B05
#[tokio::test]
async fn one_stuck_consumer_changes_nothing_for_another_client() {
    let mut stuck = subscribed(QueueLimits::default()).await;
    stuck.numbers(0..5_000).await;
    let mut other = subscribed(QueueLimits::default()).await;
    other.numbers(0..1_000).await;
    let expected: Vec<_> = (0..1_000).map(Item::Event).collect();
    assert_eq!(other.taken(), expected);
}

// Threads: the consumer on another runtime than the client.
#[test]
fn the_stream_can_be_read_from_another_runtime() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let World { client: _client, mut delivery, mut peer, .. } = runtime.block_on(subscribed(QueueLimits::default()));
    let sender = runtime.spawn(async move {
        for number in 0..1_000 {
            peer.event("a", "n", json!(number)).await;
        }
        peer
    });
    let reader = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    reader.block_on(async {
        for number in 0..1_000 {
            assert_eq!(soon("an item", delivery.next()).await, Some(Item::Event(number)));
        }
    });
    drop(sender);
}
