//! Everything at once, at random: the client stands still, the server stands still or dies, the network holds back what
//! it carries and loses it. Whatever happens, every event is delivered or lies inside an announced gap.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a failure ends the test, and most look for one kind of item"
)]

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

use e2e::{App, ListenerProcess, ListenerSession, Relay, Sightings, SockudoServer, log_in, publish_numbered, session};
use fastrand::Rng;
use tokio::time::{Instant, sleep};
use vms_pusher::{Tls, USER_PUSH, VmsContinuity, VmsSocketItem};
use vms_sandbox::{Sandbox, SandboxConfig};

/// How long the disturbances go on, unless `DISTURBANCES_SECONDS` says otherwise.
const DURATION: Duration = Duration::from_secs(60);
/// How long the client may take afterwards to come back.
const RECOVERY: Duration = Duration::from_secs(120);

// I24, I26, I27, Z02, Z10, L10, N08, N13
#[tokio::test]
async fn whatever_stands_still_dies_or_stalls_every_event_is_delivered_or_inside_a_gap_in_order_and_once() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut world = World::start(seed).await;
    let is_over = Cell::new(false);
    let mut publisher = world.server.publisher();
    let session = world.session.clone();
    let publish = publish_numbered(&session, &is_over, async |channel, data| {
        // What fails may have gone out all the same; the history knows when it was tried.
        let _ = publisher.publish(channel, USER_PUSH, data).await;
    });
    let disturb = async {
        world.disturb().await;
        is_over.set(true);
    };
    let (mut histories, ()) = tokio::join!(publish, disturb);
    // The last event of all comes on a connection that nobody disturbs.
    world.settle(&mut histories).await;

    let sightings = &world.sightings;
    for flaws in sightings.flaws(&histories) {
        let (number, first) = (flaws.len(), flaws.first());
        assert!(flaws.is_empty(), "{number} flaws, first {first:?}; seed {seed}, {:?}", world.done);
    }
    for (history, delivered) in histories.iter().zip(sightings.events()) {
        println!("{delivered} of {} delivered, {:?} gaps, {:?}", history.published(), sightings.gaps(), world.done);
        assert!(delivered < history.published(), "no event was missed: the disturbances proved nothing");
        assert!(delivered > history.published() / 10, "nearly nothing was delivered");
    }
}

/// What can be disturbed, and what came of it.
struct World {
    server: SockudoServer,
    relay: Relay,
    listener: ListenerProcess,
    _sandbox: Sandbox,
    session: vms_sandbox::Session,
    sightings: Sightings,
    rng: Rng,
    done: [u32; Disturbance::ALL.len()],
}

#[derive(Debug, Clone, Copy)]
enum Disturbance {
    /// The client stands still; the server and the network go on.
    ClientStands,
    /// The client stands still, and the server dies and comes back meanwhile.
    ClientStandsAndServerDies,
    /// The client stands still, and the network loses its connection meanwhile.
    ClientStandsAndConnectionBreaks,
    ServerStands,
    ServerDies,
    /// The network holds back what comes from the server, and then delivers it.
    NetworkStalls,
    /// The network holds back what comes from the server, delivers the beginning of it, and loses the connection.
    NetworkLoses,
}

impl Disturbance {
    const ALL: [Self; 7] = [
        Self::ClientStands,
        Self::ClientStandsAndServerDies,
        Self::ClientStandsAndConnectionBreaks,
        Self::ServerStands,
        Self::ServerDies,
        Self::NetworkStalls,
        Self::NetworkLoses,
    ];
}

impl World {
    async fn start(seed: u64) -> Self {
        let app = App { id: "vms".to_owned(), key: "app-key".to_owned(), secret: "app-secret".to_owned() };
        let server = SockudoServer::start(app.clone()).await;
        let relay = Relay::start(server.address()).await;
        let ws_url = Some(relay.socket_url());
        let config = SandboxConfig { app_key: app.key, app_secret: app.secret, ws_url, ..SandboxConfig::default() };
        let sandbox = Sandbox::start(config).await.unwrap();
        let config = log_in(&sandbox, Tls::platform()).await;
        let program = Path::new(env!("CARGO_BIN_EXE_listener"));
        let listener = ListenerProcess::start(program, &ListenerSession::new(&config)).await;
        let mut world = Self {
            server,
            relay,
            listener,
            _sandbox: sandbox,
            session: session(&config),
            sightings: Sightings::default(),
            rng: Rng::with_seed(seed),
            done: [0; Disturbance::ALL.len()],
        };
        for _ in 0..2 {
            world.fresh().await;
        }
        world
    }

    /// Waits until a channel is subscribed for the first time.
    async fn fresh(&mut self) {
        loop {
            let item = self.listener.next().await;
            self.sightings.note(&item);
            if matches!(item, VmsSocketItem::Continuity(VmsContinuity::Fresh { .. })) {
                return;
            }
        }
    }

    async fn disturb(&mut self) {
        let seconds = std::env::var("DISTURBANCES_SECONDS").ok();
        let duration = seconds.map_or(DURATION, |seconds| Duration::from_secs(seconds.parse().expect("seconds")));
        let end = Instant::now() + duration;
        while Instant::now() < end {
            self.listen(0.2, 4.0).await;
            let choice = self.rng.usize(..Disturbance::ALL.len());
            self.done[choice] += 1;
            self.disturb_once(Disturbance::ALL[choice]).await;
        }
    }

    async fn disturb_once(&mut self, disturbance: Disturbance) {
        match disturbance {
            Disturbance::ClientStands => {
                self.listener.suspend();
                self.pass(0.1, 5.0).await;
                self.listener.resume();
            }
            Disturbance::ClientStandsAndServerDies => {
                self.listener.suspend();
                self.pass(0.1, 2.0).await;
                self.server.kill();
                self.pass(0.0, 1.0).await;
                self.server.restart().await;
                self.pass(0.0, 4.0).await;
                self.listener.resume();
            }
            Disturbance::ClientStandsAndConnectionBreaks => {
                self.listener.suspend();
                self.pass(0.1, 2.0).await;
                let bytes = self.rng.usize(..2_000);
                self.relay.break_off(bytes);
                self.pass(0.1, 4.0).await;
                self.listener.resume();
            }
            Disturbance::ServerStands => {
                self.server.pause();
                self.listen(0.1, 8.0).await;
                self.server.resume();
            }
            Disturbance::ServerDies => {
                self.server.kill();
                self.listen(0.0, 1.0).await;
                self.server.restart().await;
            }
            Disturbance::NetworkStalls => {
                self.relay.stall();
                self.listen(0.1, 5.0).await;
                self.relay.resume();
            }
            Disturbance::NetworkLoses => {
                self.relay.stall();
                self.listen(0.1, 5.0).await;
                let bytes = self.rng.usize(..2_000);
                self.relay.break_off(bytes);
                self.listen(0.1, 0.5).await;
                self.relay.resume();
            }
        }
    }

    /// Takes what the client is told, for a time drawn between the two, in seconds.
    async fn listen(&mut self, from: f64, to: f64) {
        let end = Instant::now() + self.draw(from, to);
        while let Ok(item) = tokio::time::timeout_at(end, self.listener.next()).await {
            self.sightings.note(&item);
        }
    }

    /// Lets a time pass that is drawn between the two, in seconds.
    async fn pass(&mut self, from: f64, to: f64) {
        sleep(self.draw(from, to)).await;
    }

    fn draw(&mut self, from: f64, to: f64) -> Duration {
        Duration::from_secs_f64(from + self.rng.f64() * (to - from))
    }

    /// Publishes on until the client has brought the last event of both channels.
    async fn settle(&mut self, histories: &mut [e2e::History; 2]) {
        let end = Instant::now() + RECOVERY;
        let mut publisher = self.server.publisher();
        while !self.sightings.has_the_last(histories) {
            assert!(Instant::now() < end, "the client does not come back: {:?}", self.done);
            e2e::publish_pair(&self.session, histories, async |channel, data| {
                let _ = publisher.publish(channel, USER_PUSH, data).await;
            })
            .await;
            self.listen(0.2, 0.4).await;
        }
    }
}
