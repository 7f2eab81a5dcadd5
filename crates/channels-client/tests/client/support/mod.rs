mod client;
mod log;
mod server;
mod tls;

use std::time::Duration;

pub use self::{
    client::{Signer, Under, event_of, options_for, private, public},
    log::{Log, unheard},
    server::{Listener, Peer, Raw, established, frame, header, switching},
    tls::{Authority, acceptor},
};

/// Waits for what must come; a slow machine has time for it.
pub async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(output) => output,
        Err(_) => panic!("{what} did not come within {} s", PATIENCE.as_secs()),
    }
}

/// Waits until `holds`.
pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    soon(what, async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

const PATIENCE: Duration = Duration::from_secs(30);
