//! Each sandbox profile, interrupted in every way during a stream of numbered events.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure ends the test")]

use std::cell::Cell;

use e2e::{Consumer, Sightings, log_in, publish_numbered, session};
use vms_pusher::{Tls, USER_PUSH};
use vms_sandbox::{Profile, RawData, RawPush, Sandbox, SandboxConfig, Sockets};

/// How often each way of interrupting comes.
const ROUNDS: usize = 2;

// I24, I26, I27, N08, N09
#[tokio::test]
async fn on_pusher7_every_event_is_delivered_or_inside_a_gap_in_order_and_once() {
    survives_interruptions(Profile::Pusher7).await;
}

// I24, I26, I27, C01
#[tokio::test]
async fn on_push1st_every_event_is_delivered_or_inside_a_gap_in_order_and_once() {
    survives_interruptions(Profile::Push1st).await;
}

// I24, I26, I27, C08
#[tokio::test]
async fn on_reverb_every_event_is_delivered_or_inside_a_gap_in_order_and_once() {
    survives_interruptions(Profile::Reverb).await;
}

// I24, I26, I27, C08
#[tokio::test]
async fn on_sockudos_profile_every_event_is_delivered_or_inside_a_gap_in_order_and_once() {
    survives_interruptions(Profile::Sockudo).await;
}

// I24, I26, I27, C08
#[tokio::test]
async fn on_soketi_every_event_is_delivered_or_inside_a_gap_in_order_and_once() {
    survives_interruptions(Profile::Soketi).await;
}

async fn survives_interruptions(profile: Profile) {
    let sandbox = Sandbox::start(SandboxConfig::with_profile(profile)).await.unwrap();
    let config = log_in(&sandbox, Tls::platform()).await;
    let session = session(&config);
    let mut consumer = Consumer::connect(config);
    consumer.subscribed().await;

    let is_over = Cell::new(false);
    let mut sightings = Sightings::default();
    let publish = publish_numbered(&session, &is_over, async |channel, data| {
        let data = RawData::Text(data.to_owned());
        sandbox
            .push_raw(RawPush { channel: channel.to_owned(), event: USER_PUSH.to_owned(), data, except: None })
            .await;
    });
    let disturb = async {
        for round in 0..ROUNDS * 4 {
            sightings.take_events(&mut consumer, 50).await;
            match round % 4 {
                0 => drop(sandbox.cut(&Sockets::All)),
                1 => drop(sandbox.reset(&Sockets::All)),
                2 => drop(sandbox.close(&Sockets::All, 1001, "going away").await),
                _ => sandbox.kill().await,
            }
            if !sandbox.is_running() {
                sandbox.restart().await.unwrap();
            }
            sightings.take_loss(&mut consumer).await;
            // Ends the back-off, which would grow from one interruption to the next.
            consumer.api.network_changed();
            sightings.take_gap(&mut consumer).await;
        }
        sightings.take_events(&mut consumer, 50).await;
        is_over.set(true);
    };
    let (histories, ()) = tokio::join!(publish, disturb);
    sightings.take_rest(&mut consumer, &histories).await;

    assert_eq!(sightings.flaws(&histories), [[], []]);
    // push1st also cuts a reader that a busy machine holds up for half a second.
    assert!(sightings.gaps().iter().all(|gaps| *gaps >= ROUNDS * 4), "{:?}", sightings.gaps());
    for (history, delivered) in histories.iter().zip(sightings.events()) {
        assert!(delivered < history.published(), "no event was missed: the interruptions proved nothing");
    }
}
