use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use channels_client::{
    Clock, Continuity, HttpAuthorizer, Item, RawDecoder, ServerClock, ServerTime, StaticToken, StreamClient,
    SystemClock, SystemConnector, Tls,
    http::{HttpClient, HttpLimits, HttpUrl},
    proto::{ConnectionState, Secret, Time},
};
use http::HeaderMap;
use tokio::runtime::Handle;

use crate::support::{Listener, Peer, Under, options_for, private, switching};

/// A device whose wall clock is wrong; what the system's says is the server's time.
#[derive(Debug)]
struct Wrong {
    fast: bool,
    clock: SystemClock,
}

impl Clock for Wrong {
    fn now(&self) -> Time {
        self.clock.now()
    }

    fn wall(&self) -> SystemTime {
        let wall = self.clock.wall();
        if self.fast { wall + FIVE_MINUTES } else { wall - FIVE_MINUTES }
    }
}

const FIVE_MINUTES: Duration = Duration::from_secs(300);

fn date() -> String {
    format!("Date: {}\r\n", httpdate::fmt_http_date(SystemTime::now()))
}

/// Accepts and upgrades with `headers`, made when the request is in, in the answer, and establishes.
async fn establish(listener: &Listener, socket_id: &str, headers: impl Fn() -> String) -> Peer {
    let mut raw = listener.accept().await;
    let request = raw.read_head().await;
    raw.write(switching(&request).replace("\r\n\r\n", &format!("\r\n{}\r\n", headers()))).await;
    let mut peer = Peer::upgraded(raw.stream, request).await;
    peer.establish(socket_id).await;
    peer
}

/// What a gap said, and the server's time around it.
struct Gap {
    interrupted: (SystemTime, Option<ServerClock>),
    since: SystemTime,
    until: SystemTime,
    clock: Option<ServerClock>,
    /// Before the first subscription, at an event that is missed, and after the second subscription.
    times: [SystemTime; 3],
}

impl Gap {
    /// Checks that the gap contains the missed event by the server's clock, and is no wider than the clock is uncertain.
    fn check(&self, fast: bool) {
        let [before, missed, after] = self.times;
        let clock = self.clock.expect("the server said the time");
        assert!(self.since <= missed && missed <= self.until, "{:?} {missed:?} {:?}", self.since, self.until);
        let allowed = UNDER_WAY + clock.uncertainty * 4;
        assert!(self.since >= before - allowed, "{:?} is long before {before:?}", self.since);
        assert!(self.until <= after + allowed, "{:?} is long after {after:?}", self.until);
        let (since, by) = self.interrupted;
        assert!(by.is_some() && since >= self.since);
        let ahead = if fast { -300_000 } else { 300_000 };
        let wrong = Duration::from_millis((clock.ahead_ms - ahead).unsigned_abs());
        assert!(wrong <= clock.uncertainty, "{clock:?}");
        let longest_exchange = after.duration_since(before).unwrap();
        assert!(clock.uncertainty <= Duration::from_millis(602) + longest_exchange, "{clock:?}");
    }
}

/// How much earlier than the last receipt a gap may begin.
const UNDER_WAY: Duration = Duration::from_secs(2);

/// Loses a connection, misses an event, and is subscribed again.
async fn gap(listener: &Listener, under: &mut Under, headers: impl Fn() -> String) -> Gap {
    let before = SystemTime::now();
    under.client.subscribe(private("a")).unwrap();
    under.client.connect();
    let mut peer = establish(listener, "1.1", &headers).await;
    peer.acknowledge_all(1).await;
    under.until(|item| matches!(item, Item::Subscribed { .. })).await;
    drop(peer);
    let interrupted = under.until(|item| matches!(item, Item::Interrupted { .. })).await;
    let Item::Interrupted { since, clock, .. } = interrupted else { unreachable!() };
    let interrupted = (since, clock);
    let missed = SystemTime::now();
    let mut peer = establish(listener, "2.2", &headers).await;
    peer.acknowledge_all(1).await;
    let subscribed = under.until(|item| matches!(item, Item::Subscribed { .. })).await;
    let Item::Subscribed { continuity: Continuity::Gap { since, until, clock, .. }, .. } = subscribed else {
        panic!("{subscribed:?}")
    };
    Gap { interrupted, since, until, clock, times: [before, missed, SystemTime::now()] }
}

fn on_wrong_device(listener: &Listener, fast: bool) -> channels_client::ClientOptions {
    let mut options = options_for(listener);
    let clock = Arc::new(Wrong { fast, clock: SystemClock::new() });
    options.connector = Arc::new(SystemConnector::new().with_random(|| 7).with_clock(clock));
    options
}

// Z01, I27: who asks the VMS for what is newer than `since` finds everything that was missed.
#[tokio::test]
async fn a_gap_is_told_by_the_servers_clock_on_a_device_that_is_five_minutes_wrong() {
    for fast in [true, false] {
        let listener = Listener::bind().await;
        let mut under = Under::new(on_wrong_device(&listener, fast));
        gap(&listener, &mut under, date).await.check(fast);
    }
}

// Z01
#[tokio::test]
async fn without_a_date_a_gap_is_told_by_the_devices_clock_and_says_so() {
    let listener = Listener::bind().await;
    let mut under = Under::new(on_wrong_device(&listener, true));
    // A cache on the way does not know the time.
    let told = gap(&listener, &mut under, || format!("{}Age: 7\r\n", date())).await;
    assert_eq!((told.clock, told.interrupted.1), (None, None));
    let [_, missed, _] = told.times;
    assert!(told.since <= missed + FIVE_MINUTES && missed + FIVE_MINUTES <= told.until);
}

// Z01: push1st dates no upgrade, and the API does.
#[tokio::test]
async fn the_authorizations_tell_the_servers_time_when_the_upgrade_does_not() {
    let (listener, api) = (Listener::bind().await, Listener::bind().await);
    let mut options = on_wrong_device(&listener, true);
    let server_time = ServerTime::new(options.connector.clock());
    options.server_time = Some(server_time.clone());
    let url = HttpUrl::parse(&api.http_url("/auth")).unwrap();
    let http = HttpClient::new(url.origin(), Tls::platform(), HttpLimits::default()).unwrap().telling(server_time);
    let authorizer = HttpAuthorizer::new(http, url, HeaderMap::new(), Arc::new(StaticToken::new(Secret::new("t"))));
    let (client, delivery) = StreamClient::new(options, Arc::new(authorizer), RawDecoder, &Handle::current()).unwrap();
    let mut under = Under { client, delivery };
    let answers = async {
        loop {
            let mut raw = api.accept().await;
            // What is opened ahead and let go again sends nothing.
            if raw.stream.peek(&mut [0]).await.is_ok_and(|bytes| bytes > 0) {
                raw.read_request().await;
                raw.answer("200 OK", &format!("Connection: close\r\n{}", date()), r#"{"auth":"key:abc"}"#).await;
            }
        }
    };
    tokio::select! {
        told = gap(&listener, &mut under, String::new) => told.check(true),
        () = answers => unreachable!(),
    }
    under.client.disconnect();
    under.until_state(ConnectionState::Disconnected).await;
}
