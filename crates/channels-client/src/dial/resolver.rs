//! From a name to addresses. The operating system's resolver blocks, possibly for half a minute, so it runs on its
//! own threads, and once for all who look up the same name at the same time.

use std::{
    collections::BTreeMap,
    future::ready,
    io,
    net::{IpAddr, SocketAddr, ToSocketAddrs as _},
    panic::catch_unwind,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_core::future::BoxFuture;
use tokio::{sync::oneshot, time::Instant};

use crate::threads::Threads;

/// Turns a name into addresses, anew for every attempt (faults N04, N05).
pub trait Resolver: Send + Sync + 'static {
    /// Looks up `host`, which may also be an address already; the addresses are for `port`.
    fn resolve(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;
}

/// The resolver of the operating system, shared by all clients of the process.
pub(super) struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Box::pin(ready(Ok(vec![SocketAddr::new(address, port)])));
        }
        let found = SYSTEM.find(host);
        Box::pin(async move {
            let mut addresses = found.await?;
            for address in &mut addresses {
                address.set_port(port);
            }
            Ok(addresses)
        })
    }
}

static SYSTEM: Lookups = Lookups::new(&THREADS, |host| Ok((host, 0).to_socket_addrs()?.collect()));
static THREADS: Threads = Threads::new("channels-lookup", MOST_AT_ONCE);

/// The lookups under way. The addresses carry no port, but for IPv6 the scope.
struct Lookups {
    threads: &'static Threads,
    look_up: fn(&str) -> io::Result<Vec<SocketAddr>>,
    under_way: Mutex<BTreeMap<Arc<str>, Vec<Lookup>>>,
}

struct Lookup {
    asked_at: Instant,
    number: u64,
    waiters: Vec<Waiter>,
}

type Waiter = oneshot::Sender<io::Result<Vec<SocketAddr>>>;

impl Lookups {
    const fn new(threads: &'static Threads, look_up: fn(&str) -> io::Result<Vec<SocketAddr>>) -> Self {
        Self { threads, look_up, under_way: Mutex::new(BTreeMap::new()) }
    }

    /// Dropping the future gives up at once, whatever the resolver does.
    fn find(&'static self, host: &str) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + use<> {
        let (waiter, told) = oneshot::channel();
        let asked = self.ask(host, waiter);
        async move {
            asked?;
            told.await.unwrap_or_else(|_| Err(interrupted()))
        }
    }

    /// Joins a lookup that has just been asked for, or asks for another; joins an old one only when there are too many.
    fn ask(&'static self, host: &str, waiter: Waiter) -> io::Result<()> {
        let now = Instant::now();
        let mut under_way = self.lock();
        let host: Arc<str> = host.into();
        let of_host = under_way.entry(Arc::clone(&host)).or_default();
        let (count, number) = (of_host.len(), of_host.last().map_or(0, |newest| newest.number + 1));
        if let Some(newest) = of_host.last_mut()
            && (count >= MOST_OF_A_NAME || now.saturating_duration_since(newest.asked_at) < FRESH)
        {
            // Those who gave up take no room for as long as the resolver hangs.
            if newest.waiters.len() == newest.waiters.capacity() {
                newest.waiters.retain(|waiter| !waiter.is_closed());
            }
            newest.waiters.push(waiter);
            return Ok(());
        }
        of_host.push(Lookup { asked_at: now, number, waiters: vec![waiter] });
        drop(under_way);
        let asked = Arc::clone(&host);
        let started = self.threads.start(move || self.carry_out(&asked, number));
        started.inspect_err(|error| answer(self.take(&host, number), &Err(copy(error))))
    }

    fn carry_out(&self, host: &str, number: u64) {
        if self.is_wanted(host, number) {
            let look_up = self.look_up;
            // Also a lookup that panics is over, and nobody may join it any more.
            let found = catch_unwind(|| look_up(host)).unwrap_or_else(|_| Err(interrupted()));
            answer(self.take(host, number), &found);
        }
    }

    /// Returns whether anybody still waits for a lookup; otherwise it is forgotten.
    fn is_wanted(&self, host: &str, number: u64) -> bool {
        let mut under_way = self.lock();
        let lookup = under_way.get(host).and_then(|all| all.iter().find(|lookup| lookup.number == number));
        let is_wanted = lookup.is_some_and(|lookup| lookup.waiters.iter().any(|waiter| !waiter.is_closed()));
        if !is_wanted {
            take_from(&mut under_way, host, number);
        }
        is_wanted
    }

    fn take(&self, host: &str, number: u64) -> Vec<Waiter> {
        take_from(&mut self.lock(), host, number)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Vec<Lookup>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn take_from(under_way: &mut BTreeMap<Arc<str>, Vec<Lookup>>, host: &str, number: u64) -> Vec<Waiter> {
    let Some(of_host) = under_way.get_mut(host) else { return Vec::new() };
    let taken = of_host.iter().position(|lookup| lookup.number == number).map(|place| of_host.remove(place));
    if of_host.is_empty() {
        under_way.remove(host);
    }
    taken.map_or_else(Vec::new, |lookup| lookup.waiters)
}

fn answer(waiters: Vec<Waiter>, found: &io::Result<Vec<SocketAddr>>) {
    for waiter in waiters {
        let found = match found {
            Ok(addresses) => Ok(addresses.clone()),
            Err(error) => Err(copy(error)),
        };
        // Whoever gave up meanwhile needs no answer.
        let _ = waiter.send(found);
    }
}

fn interrupted() -> io::Error {
    io::Error::other("the lookup was interrupted by a bug")
}

fn copy(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}

/// Threads; so many names may be looked up at the same time.
const MOST_AT_ONCE: usize = 16;
/// A name whose server does not answer leaves threads to the others.
const MOST_OF_A_NAME: usize = 2;
/// A lookup asked for longer ago may be about to bring what was true on another network.
const FRESH: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
