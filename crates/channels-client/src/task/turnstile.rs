//! Of all clients in the process, those that connect to one server at the same time. After its restart they come back within
//! a second; if thousands of them did so at once, the sockets and buffers that connecting takes would all exist at once.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::endpoint::Endpoint;

/// The way to one server, which all its clients share.
#[derive(Clone, Debug)]
pub(super) struct Turnstile(Arc<Semaphore>);

/// The turn of one client to connect; it is over when dropped.
pub(super) type Turn = OwnedSemaphorePermit;

impl Turnstile {
    pub(super) fn of(server: &Endpoint) -> Self {
        static ALL: Mutex<BTreeMap<String, Weak<Semaphore>>> = Mutex::new(BTreeMap::new());
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        let server = server.to_string();
        if let Some(known) = all.get(&server).and_then(Weak::upgrade) {
            return Self(known);
        }
        all.retain(|_, turns| turns.strong_count() > 0);
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        all.insert(server, Arc::downgrade(&turns));
        Self(turns)
    }

    /// Returns a turn if there is one.
    pub(super) fn try_turn(&self) -> Option<Turn> {
        Arc::clone(&self.0).try_acquire_owned().ok()
    }

    /// Waits for a turn. Whoever has waited long goes on without one: those before may be stuck.
    pub(super) async fn turn(self) -> Option<Turn> {
        timeout(LONGEST_WAIT, self.0.acquire_owned()).await.ok().and_then(Result::ok)
    }
}

/// As many sockets as a server of this size has in its queue of new connections by default.
const AT_ONCE: usize = 128;
/// Half of the time that an attempt has.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    fn server(host: &str) -> Endpoint {
        Endpoint { secure: true, host: host.into(), port: 443 }
    }

    // R03
    #[tokio::test(start_paused = true)]
    async fn those_who_connect_to_one_server_take_turns_and_hold_up_no_other() {
        let turnstile = Turnstile::of(&server("crowded.test"));
        let mut turns: Vec<Turn> = (0..AT_ONCE).map(|_| turnstile.try_turn().unwrap()).collect();
        assert!(Turnstile::of(&server("crowded.test")).try_turn().is_none());
        assert!(Turnstile::of(&server("other.test")).try_turn().is_some());
        let (waiting, ()) = tokio::join!(turnstile.clone().turn(), async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            turns.pop();
        });
        assert!(waiting.is_some() && turnstile.try_turn().is_none());
    }

    // N07, R03: those before may be stuck.
    #[tokio::test(start_paused = true)]
    async fn whoever_has_waited_for_five_seconds_goes_on_without_a_turn() {
        let turnstile = Turnstile::of(&server("stuck.test"));
        let _turns: Vec<Turn> = (0..AT_ONCE).map(|_| turnstile.try_turn().unwrap()).collect();
        let started = Instant::now();
        assert!(turnstile.turn().await.is_none());
        assert_eq!(started.elapsed(), Duration::from_secs(5));
    }
}
