use std::{
    io::Write,
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    time::{Duration, SystemTime},
};

use channels_client::{
    Clock, Continuity, Decoded, Decoder, Item, RawDecoder, StreamClient, SystemClock, SystemConnector,
    proto::{Event, OwnedEvent, Time},
};
use serde_json::json;
use tokio::runtime::Handle;

use crate::support::{Listener, Peer, Signer, Under, frame, options_for, private};

/// The clock of a program that stands still from time to time.
#[derive(Debug, Default)]
struct Pausing {
    clock: SystemClock,
    paused: AtomicU64,
}

impl Pausing {
    /// Takes five seconds from the program.
    fn pause(&self) {
        self.paused.fetch_add(5, Ordering::Relaxed);
    }

    fn paused(&self) -> Duration {
        Duration::from_secs(self.paused.load(Ordering::Relaxed))
    }
}

impl Clock for Pausing {
    fn now(&self) -> Time {
        self.clock.now() + self.paused()
    }

    fn wall(&self) -> SystemTime {
        self.clock.wall() + self.paused()
    }
}

/// What happens elsewhere while an event is being decoded.
type Happening = Box<dyn FnOnce() + Send>;

struct Meanwhile(mpsc::Receiver<Happening>);

impl Decoder for Meanwhile {
    type Item = OwnedEvent;

    fn decode(&mut self, event: &Event<'_>) -> Decoded<OwnedEvent> {
        self.0.try_iter().for_each(|happening| happening());
        RawDecoder.decode(event)
    }
}

fn client_with(options: channels_client::ClientOptions) -> (Under, mpsc::Sender<Happening>) {
    let (meanwhile, happenings) = mpsc::channel();
    let (client, delivery) =
        StreamClient::new(options, Arc::new(Signer), Meanwhile(happenings), &Handle::current()).unwrap();
    (Under { client, delivery }, meanwhile)
}

/// Takes two subscribes and acknowledges those `of` the channels. What is left of the peer can be written to from any thread.
async fn acknowledge_of_two(mut peer: Peer, of: &[&str]) -> TcpStream {
    for _ in 0..2 {
        let (channel, _) = peer.subscribe().await;
        if of.contains(&channel.as_str()) {
            peer.acknowledge(&channel).await;
        }
    }
    let stream = peer.socket.into_inner().into_std().unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_nonblocking(false).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

async fn subscribed(under: &mut Under) -> Item<OwnedEvent> {
    under.until(|item| matches!(item, Item::Subscribed { .. })).await
}

fn event_on_b(padding: usize) -> Vec<u8> {
    frame(&json!({"event": "e", "channel": "private-b", "data": "x".repeat(padding)}).to_string())
}

// I26, I27, Z02: what the server sent before it had the subscription would be neither delivered nor inside the gap.
#[tokio::test]
async fn a_gap_whose_acknowledgement_is_read_after_a_pause_does_not_end_before_it() {
    let listener = Listener::bind().await;
    let clock = Arc::new(Pausing::default());
    let mut options = options_for(&listener);
    let connector = SystemConnector::new().with_random(|| 7).with_clock(Arc::<Pausing>::clone(&clock));
    options.connector = Arc::new(connector);
    let (mut under, meanwhile) = client_with(options);
    for name in ["a", "b"] {
        under.client.subscribe(private(name)).unwrap();
    }
    under.client.connect();
    let lost = acknowledge_of_two(listener.establish("1.1").await, &["private-a", "private-b"]).await;
    subscribed(&mut under).await;
    subscribed(&mut under).await;
    drop(lost);
    let mut server = acknowledge_of_two(listener.establish("2.2").await, &["private-b"]).await;
    subscribed(&mut under).await;
    // The first read ends inside the second event, so the acknowledgement is read later in the same turn.
    server.write_all(&[event_on_b(10), event_on_b(48 * 1024)].concat()).unwrap();
    let (mut then, (tell, subscribed_at)) = (server.try_clone().unwrap(), mpsc::channel());
    let happening = move || {
        clock.pause();
        tell.send(clock.wall()).unwrap();
        let acknowledged =
            json!({"event": "pusher_internal:subscription_succeeded", "channel": "private-a", "data": "{}"});
        then.write_all(&frame(&acknowledged.to_string())).unwrap();
    };
    meanwhile.send(Box::new(happening)).unwrap();
    let subscribed = subscribed(&mut under).await;
    let Item::Subscribed { continuity: Continuity::Gap { until, .. }, .. } = subscribed else {
        panic!("{subscribed:?}")
    };
    let subscribed_at = subscribed_at.try_recv().unwrap();
    assert!(until >= subscribed_at, "{until:?} is before {subscribed_at:?}");
}
