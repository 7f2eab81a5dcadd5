use std::sync::{
    Condvar,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::future::join_all;

use super::*;

/// A resolver of which the tests say when it answers.
struct Door {
    is_open: Mutex<bool>,
    opened: Condvar,
    asked: AtomicUsize,
}

impl Door {
    const fn new() -> Self {
        Self { is_open: Mutex::new(false), opened: Condvar::new(), asked: AtomicUsize::new(0) }
    }

    fn pass(&self) -> io::Result<Vec<SocketAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        drop(self.opened.wait_while(self.is_open.lock().unwrap(), |is_open| !*is_open).unwrap());
        Ok(vec![ADDRESS])
    }

    fn open(&self) {
        *self.is_open.lock().unwrap() = true;
        self.opened.notify_all();
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    async fn reached(&self, times: usize) {
        soon(async {
            while self.asked() < times {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

const ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(30), future).await.expect("it does not end")
}

// Y08: also the failure is shared.
#[tokio::test]
async fn a_thousand_who_want_one_name_at_once_share_one_lookup() {
    static DOOR: Door = Door::new();
    static THREADS: Threads = Threads::new("shared", 8);
    static LOOKUPS: Lookups = Lookups::new(&THREADS, |host| {
        let found = DOOR.pass();
        if host == "found.test" { found } else { Err(io::Error::other("no such host")) }
    });
    let all: Vec<_> = (0..1_000).map(|_| LOOKUPS.find("found.test")).collect();
    let failing: Vec<_> = (0..1_000).map(|_| LOOKUPS.find("missing.test")).collect();
    DOOR.open();
    for found in soon(join_all(all)).await {
        assert_eq!(found.unwrap(), [ADDRESS]);
    }
    for missing in soon(join_all(failing)).await {
        assert_eq!(missing.unwrap_err().to_string(), "no such host");
    }
    assert_eq!(DOOR.asked(), 2);
    assert!(LOOKUPS.lock().is_empty());
    assert_eq!(soon(LOOKUPS.find("found.test")).await.unwrap(), [ADDRESS]);
    assert_eq!(DOOR.asked(), 3);
}

// N02: a name whose lookups hang takes two threads, however often it is asked for.
#[tokio::test]
async fn lookups_that_hang_leave_threads_to_other_names() {
    static DOOR: Door = Door::new();
    static THREADS: Threads = Threads::new("hanging", 3);
    static LOOKUPS: Lookups =
        Lookups::new(&THREADS, |host| if host == "hangs.test" { DOOR.pass() } else { Ok(vec![ADDRESS]) });
    let mut hanging = Vec::new();
    for times in [1, 2, 2, 2] {
        hanging.push(LOOKUPS.find("hangs.test"));
        DOOR.reached(times).await;
        for lookup in LOOKUPS.lock().get_mut("hangs.test").unwrap() {
            lookup.asked_at -= FRESH;
        }
    }
    assert_eq!(soon(LOOKUPS.find("answers.test")).await.unwrap(), [ADDRESS]);
    assert_eq!(DOOR.asked(), 2);
    DOOR.open();
    for found in soon(join_all(hanging)).await {
        assert_eq!(found.unwrap(), [ADDRESS]);
    }
}

// N02: cancelled at once.
#[tokio::test]
async fn a_lookup_that_nobody_waits_for_any_more_is_not_begun() {
    static DOOR: Door = Door::new();
    static THREADS: Threads = Threads::new("cancelled", 1);
    static LOOKUPS: Lookups = Lookups::new(&THREADS, |_| DOOR.pass());
    let hanging = LOOKUPS.find("hangs.test");
    DOOR.reached(1).await;
    let (given_up, wanted) = (LOOKUPS.find("given-up.test"), LOOKUPS.find("wanted.test"));
    drop(given_up);
    DOOR.open();
    soon(hanging).await.unwrap();
    soon(wanted).await.unwrap();
    assert_eq!(DOOR.asked(), 2);
    assert!(LOOKUPS.lock().is_empty());
}

// N01: whoever waits for it is told, and whoever asks then does not wait for it.
#[tokio::test]
async fn a_lookup_that_panics_is_an_error_and_the_name_is_looked_up_anew() {
    static DOOR: Door = Door::new();
    static THREADS: Threads = Threads::new("panicking", 1);
    static LOOKUPS: Lookups = Lookups::new(&THREADS, |_| {
        let is_first = DOOR.asked() == 0;
        let found = DOOR.pass();
        assert!(!is_first, "on purpose");
        found
    });
    let (one, two) = (LOOKUPS.find("name.test"), LOOKUPS.find("name.test"));
    DOOR.open();
    for interrupted in [soon(one).await, soon(two).await] {
        assert_eq!(interrupted.unwrap_err().to_string(), "the lookup was interrupted by a bug");
    }
    assert!(LOOKUPS.lock().is_empty());
    assert_eq!(soon(LOOKUPS.find("name.test")).await.unwrap(), [ADDRESS]);
}

// N04: an address is its own answer.
#[tokio::test]
async fn an_address_needs_no_lookup() {
    let found = SystemResolver.resolve("2001:db8::1", 443).await.unwrap();
    assert_eq!(found, ["[2001:db8::1]:443".parse().unwrap()]);
    assert!(!SYSTEM.lock().contains_key("2001:db8::1"));
}
