use super::*;

/// A device whose clocks, and a server whose clock, are the test's. All in milliseconds.
#[derive(Debug, Default)]
struct World(Mutex<Times>);

#[derive(Clone, Copy, Debug, Default)]
struct Times {
    monotonic: u64,
    wall: i64,
    server: i64,
    /// How long the process stands still once it has looked at the device's clock.
    pause: u64,
}

impl Clock for World {
    fn now(&self) -> Time {
        Time::ZERO + Duration::from_millis(self.times().monotonic)
    }

    fn wall(&self) -> SystemTime {
        let Times { wall, pause, .. } = self.times();
        self.change(|times| times.pause = 0);
        self.pass(pause);
        time(wall)
    }
}

impl World {
    /// A device that is `fast` ahead of the server.
    fn new(fast: i64) -> (Arc<Self>, ServerTime) {
        let world = Arc::new(Self(Mutex::new(Times { monotonic: 5_000_000, wall: NOW + fast, server: NOW, pause: 0 })));
        (Arc::clone(&world), ServerTime::new(world))
    }

    fn times(&self) -> Times {
        *self.0.lock().unwrap()
    }

    fn change(&self, change: impl FnOnce(&mut Times)) {
        change(&mut self.0.lock().unwrap());
    }

    fn pass(&self, millis: u64) {
        self.change(|times| {
            times.monotonic += millis;
            times.wall += i64::try_from(millis).unwrap();
            times.server += i64::try_from(millis).unwrap();
        });
    }

    /// One exchange: the request is under way for so long, and the answer for so long.
    fn exchange(&self, server_time: &ServerTime, there: u64, back: u64) {
        let sent = server_time.now();
        self.pass(there);
        let date = time(self.times().server);
        self.pass(back);
        server_time.learn(sent, &headers(date));
    }

    /// Checks that what is said of now, of earlier and of the device's clock is true, and returns the uncertainty.
    fn check(&self, server_time: &ServerTime) -> Duration {
        let times = self.times();
        let now = self.now();
        let bounds = server_time.bounds(now).expect("an estimate");
        let server = time(times.server);
        assert!(bounds.earliest(now) <= server && server <= bounds.latest(now), "{bounds:?} do not hold {server:?}");
        let told = server_time.tell(bounds);
        let ahead = times.server - times.wall;
        let wrong = u64::try_from((told.ahead_ms - ahead).abs()).unwrap();
        assert!(Duration::from_millis(wrong) <= told.uncertainty, "{told:?}, but it is {ahead} ms");
        told.uncertainty
    }
}

fn time(millis: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap())
}

fn headers(date: SystemTime) -> HeaderMap {
    HeaderMap::from_iter([(header::DATE, httpdate::fmt_http_date(date).parse().unwrap())])
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const NOW: i64 = 1_709_633_472_345;
const FIVE_MINUTES: i64 = 5 * 60 * 1000;

// Z01: a second of the date and a tenth for its lateness, and the round trip, whatever the device's clock says.
#[test]
fn one_answer_tells_the_servers_time_to_half_a_second_and_half_the_round_trip() {
    for fast in [FIVE_MINUTES, 0, -FIVE_MINUTES] {
        let (world, server_time) = World::new(fast);
        assert_eq!(server_time.bounds(server_time.now()), None);
        world.exchange(&server_time, 40, 60);
        let uncertainty = world.check(&server_time);
        assert!((millis(600)..millis(602)).contains(&uncertainty), "{uncertainty:?}");
    }
}

#[test]
fn a_delay_in_one_direction_is_covered() {
    for (there, back) in [(3_000, 0), (0, 3_000), (1, 9_000)] {
        for phase in 0..10 {
            let (world, server_time) = World::new(FIVE_MINUTES);
            world.pass(phase * 97);
            world.exchange(&server_time, there, back);
            world.check(&server_time);
        }
    }
}

// Each answer narrows it, and a slow one does not spoil what a quick one told.
#[test]
fn several_answers_are_better_than_the_best_of_them() {
    let (world, server_time) = World::new(0);
    world.exchange(&server_time, 10, 10);
    let first = world.check(&server_time);
    world.exchange(&server_time, 20, 8_000);
    assert!(world.check(&server_time) <= first + millis(2));
    for _ in 0..50 {
        world.pass(1_050);
        world.exchange(&server_time, 10, 10);
        world.check(&server_time);
    }
    assert!(world.check(&server_time) < millis(150), "{:?}", world.check(&server_time));
}

// Z01: only the monotonic clock counts on this side.
#[test]
fn setting_the_devices_clock_changes_what_it_is_compared_with_and_nothing_else() {
    let (world, server_time) = World::new(0);
    world.exchange(&server_time, 10, 10);
    let (then, before) = (world.now(), server_time.bounds(world.now()).unwrap());
    world.change(|times| times.wall += 3_600_000);
    assert_eq!(server_time.bounds(then).unwrap(), before);
    world.check(&server_time);
    assert!(server_time.tell(before).ahead_ms < -3_590_000);
}

// Z10, I27
#[test]
fn a_pause_while_the_clocks_are_compared_is_not_taken_for_a_difference() {
    let (world, server_time) = World::new(FIVE_MINUTES);
    world.exchange(&server_time, 10, 10);
    world.change(|times| times.pause = 5_000);
    world.check(&server_time);
}

#[test]
fn a_servers_clock_that_is_set_is_believed_at_the_next_answer() {
    for set in [3_600_000, -3_600_000, 5_000, -5_000] {
        let (world, server_time) = World::new(FIVE_MINUTES);
        world.exchange(&server_time, 10, 10);
        world.pass(60_000);
        world.change(|times| times.server += set);
        world.exchange(&server_time, 10, 10);
        world.check(&server_time);
    }
}

// Two clocks that part by 100 parts in a million are a second apart after three hours.
#[test]
fn drift_is_covered_and_a_new_answer_ends_it() {
    for drift in [-1, 1] {
        let (world, server_time) = World::new(0);
        world.exchange(&server_time, 10, 10);
        let fresh = world.check(&server_time);
        for _ in 0..24 {
            world.pass(3_600_000);
            world.change(|times| times.server += drift * 360);
            world.check(&server_time);
        }
        assert!(world.check(&server_time) > fresh + millis(8_000));
        world.exchange(&server_time, 10, 10);
        assert!(world.check(&server_time) <= fresh + millis(2));
    }
}

// I27: the beginning of a long gap is told by an answer from its end.
#[test]
fn drift_is_covered_for_the_time_before_the_answer_too() {
    for drift in [-1, 1] {
        let (world, server_time) = World::new(0);
        let (then, server) = (world.now(), time(world.times().server));
        for _ in 0..24 {
            world.pass(3_600_000);
            world.change(|times| times.server += drift * 360);
        }
        world.exchange(&server_time, 10, 10);
        let bounds = server_time.bounds(then).unwrap();
        assert!(bounds.earliest(then) <= server && server <= bounds.latest(then), "{bounds:?} do not hold {server:?}");
    }
}

#[test]
fn an_answer_out_of_a_cache_or_without_a_date_teaches_nothing() {
    let (world, server_time) = World::new(0);
    for age in ["0", "1", "3600", "nonsense"] {
        let mut headers = headers(time(NOW - 3_600_000));
        headers.insert(header::AGE, age.parse().unwrap());
        server_time.learn(world.now(), &headers);
    }
    for date in ["", "yesterday", "1709633472", "\u{ff}"] {
        let headers = HeaderMap::from_iter([(header::DATE, http::HeaderValue::from_bytes(date.as_bytes()).unwrap())]);
        server_time.learn(world.now(), &headers);
    }
    server_time.learn(world.now(), &HeaderMap::new());
    assert_eq!(server_time.bounds(world.now()), None);
}

// Z06, Z08
#[test]
fn no_date_and_no_clock_makes_it_panic() {
    let (world, server_time) = World::new(0);
    for date in ["Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        let headers = HeaderMap::from_iter([(header::DATE, date.parse().unwrap())]);
        for sent in [Time::ZERO, world.now(), Time::from_nanos(u64::MAX)] {
            server_time.learn(sent, &headers);
        }
        for at in [Time::ZERO, world.now(), Time::from_nanos(u64::MAX)] {
            let bounds = server_time.bounds(at).unwrap();
            assert!(bounds.earliest(at) <= bounds.latest(at));
            server_time.tell(bounds);
        }
    }
}
