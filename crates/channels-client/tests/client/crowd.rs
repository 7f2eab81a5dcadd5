//! Many handles, channels and threads at a time, against the sandbox's server.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use channels_client::{Channel, ChannelItem, Client, Continuity, QueueLimits};
use channels_sandbox::{RawData, RawPush, Server, ServerConfig, Sockets};

use crate::support::{eventually, soon};

async fn server() -> Server {
    Server::start(ServerConfig::default()).await.unwrap()
}

fn client_of(server: &Server) -> Client {
    Client::builder(server.socket_url(), &server.app().key).connect().unwrap()
}

async fn publish(server: &Server, channel: &str, data: &str) {
    let data = RawData::Text(data.to_owned());
    server.publish(RawPush { channel: channel.to_owned(), event: "e".to_owned(), data, except: None }).await;
}

async fn next_event(channel: &mut Channel) -> String {
    soon("an event", async {
        loop {
            match channel.next().await.expect("the stream goes on") {
                ChannelItem::Event(event) => return event.data().to_owned(),
                ChannelItem::Subscribed { .. } | ChannelItem::Interrupted { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    })
    .await
}

#[tokio::test]
async fn each_of_a_thousand_channels_gets_its_own_events_also_after_a_reconnect() {
    let server = server().await;
    let client = client_of(&server);
    let names: Vec<_> = (0..1_000).map(|number| format!("channel-{number}")).collect();
    let mut channels: Vec<_> = names.iter().map(|name| client.subscribe(&**name).unwrap()).collect();
    for round in ["first", "second"] {
        for channel in &channels {
            soon("the subscription", channel.wait_subscribed()).await.unwrap();
        }
        for name in &names {
            publish(&server, name, &format!("{round} of {name}")).await;
        }
        for (name, channel) in names.iter().zip(&mut channels) {
            assert_eq!(next_event(channel).await, format!("{round} of {name}"));
        }
        let known = server.state().sockets_ever;
        server.cut(&Sockets::All);
        server.wait_until(Duration::from_secs(30), |state| state.sockets_ever > known).await.unwrap();
        for channel in &mut channels {
            assert!(matches!(soon("an item", channel.next()).await, Some(ChannelItem::Interrupted { .. })));
            let again = soon("an item", channel.next()).await;
            assert!(
                matches!(again, Some(ChannelItem::Subscribed { continuity: Continuity::Gap { .. }, .. })),
                "{again:?}"
            );
        }
    }
    drop(channels);
    server.wait_until(Duration::from_secs(30), |state| state.channels.is_empty()).await.unwrap();
}

/// What one thread does to a client; only that it can be done at any time matters.
fn meddle(client: &Client, seed: u64, calls: &Arc<AtomicU64>) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut held: Vec<Channel> = Vec::new();
    for _ in 0..400 {
        let name = ["a", "b", "c"][random.usize(..3)];
        match random.u8(..12) {
            0..3 => held.push(client.subscribe(name).unwrap()),
            3 => held.extend(held.last().cloned()),
            4 => drop((!held.is_empty()).then(|| held.swap_remove(random.usize(..held.len())))),
            5 => client.unsubscribe(name),
            6 => {
                let calls = Arc::clone(calls);
                if let Some(channel) = held.last() {
                    let binding = channel.bind("e", move |_| {
                        calls.fetch_add(1, Ordering::Relaxed);
                    });
                    if random.bool() {
                        channel.unbind(binding);
                    }
                }
            }
            7 => {
                let other = client.clone();
                client.bind("e", move |event| drop(other.channel(event.channel().as_str())));
                client.unbind_all();
            }
            8 => held.iter_mut().for_each(|channel| while channel.try_next().is_some() {}),
            9 => drop((client.channels(), client.items(), client.watch_state())),
            10 if random.u8(..20) == 0 => {
                client.disconnect();
                client.open();
            }
            _ => drop((client.state(), client.socket_id(), held.last().map(Channel::state))),
        }
        thread::yield_now();
    }
}

// K03, K05: from any thread, at any time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handles_may_come_and_go_on_many_threads_while_events_arrive() {
    let server = Arc::new(server().await);
    let client = client_of(&server);
    let (calls, is_over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let (source, until) = (Arc::clone(&server), Arc::clone(&is_over));
    let publishing = tokio::spawn(async move {
        while !until.load(Ordering::SeqCst) {
            for name in ["a", "b", "c"] {
                publish(&source, name, "0").await;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    let threads: Vec<_> = (0..6)
        .map(|seed| {
            let (client, calls) = (client.clone(), Arc::clone(&calls));
            thread::spawn(move || meddle(&client, seed, &calls))
        })
        .collect();
    eventually("the end of the threads", || threads.iter().all(thread::JoinHandle::is_finished)).await;
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    is_over.store(true, Ordering::SeqCst);
    publishing.await.unwrap();
    // Whatever was done, what is left is a client without a channel, that works.
    eventually("the end of the channels", || client.channels().is_empty()).await;
    let mut channel = client.subscribe("last").unwrap();
    soon("the subscription", channel.wait_subscribed()).await.unwrap();
    let mut state = server.state();
    if state.channels.len() > 1 {
        state = server.wait_until(Duration::from_secs(30), |state| state.channels.len() == 1).await.unwrap();
    }
    assert_eq!((state.subscribers("last"), state.sockets.len()), (1, 1), "{state:?}");
    publish(&server, "last", "1").await;
    assert_eq!(next_event(&mut channel).await, "1");
    assert_eq!(client.counters().handler_panics, 0);
    drop((client, channel));
    server.wait_until(Duration::from_secs(30), |state| state.sockets.is_empty()).await.unwrap();
}

// L05: of what one handle does not read, another one loses nothing, and everything is delivered or counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_of_a_flood_is_delivered_or_counted_on_every_handle() {
    const EVENTS: u64 = 5_000;
    let server = server().await;
    let limits = QueueLimits { max_items: 64, ..QueueLimits::default() };
    let client = Client::builder(server.socket_url(), &server.app().key).queue(limits).connect().unwrap();
    let channel = client.subscribe("a").unwrap();
    soon("the subscription", channel.wait_subscribed()).await.unwrap();
    let readers: Vec<_> = (0..4)
        .map(|reader| {
            let mut channel = channel.clone();
            tokio::spawn(async move {
                let (mut next, mut dropped) = (0, 0);
                while next < EVENTS {
                    match soon("an item", channel.next()).await.unwrap() {
                        ChannelItem::Event(event) => {
                            assert_eq!(event.data().parse::<u64>().unwrap(), next, "reader {reader}");
                            next += 1;
                        }
                        ChannelItem::Lagged { dropped: more } => {
                            next += more;
                            dropped += more;
                        }
                        ChannelItem::Subscribed { .. } => {}
                        other => panic!("{other:?}"),
                    }
                    if reader == 0 {
                        tokio::time::sleep(Duration::from_micros(100)).await;
                    }
                }
                dropped
            })
        })
        .collect();
    for number in 0..EVENTS {
        publish(&server, "a", &number.to_string()).await;
    }
    let mut dropped = 0;
    for reader in readers {
        dropped += reader.await.unwrap();
    }
    // The handle that nobody read, and the readers.
    assert_eq!(client.counters().dropped_events, dropped + EVENTS - 64);
}
