use std::{
    net::{Ipv4Addr, TcpListener},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use channels_client::{
    ClientOptions, Item, SocketUrl, SystemConnector, Tls,
    proto::{AppKey, ConnectionState},
};

use crate::support::{Authority, Listener, Under, eventually, soon};

/// Handlers that do not return before the test does.
#[derive(Default)]
struct Stuck {
    count: AtomicUsize,
    is_over: Mutex<bool>,
    over: Condvar,
}

impl Stuck {
    fn call(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
        drop(self.over.wait_while(self.is_over.lock().unwrap(), |is_over| !*is_over).unwrap());
    }
}

/// Lets them go also when the test fails: a runtime waits for its blocking threads.
struct Released(Arc<Stuck>);

impl Drop for Released {
    fn drop(&mut self) {
        *self.0.is_over.lock().unwrap() = true;
        self.0.over.notify_all();
    }
}

/// A port that refuses: its clients are told that they connect, and that is enough to call their handlers.
fn refusing() -> ClientOptions {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    options(&format!("ws://{}/", listener.local_addr().unwrap()))
}

fn options(url: &str) -> ClientOptions {
    ClientOptions::new(SocketUrl::parse(url).unwrap(), AppKey::parse("key").unwrap())
}

// K04, N02: names are resolved and certificates loaded while every thread that tokio has for blocking work is taken.
#[tokio::test]
async fn handlers_that_block_do_not_stop_another_client_from_connecting_by_name() {
    let stuck = Arc::new(Stuck::default());
    let _released = Released(Arc::clone(&stuck));
    let options_of_stuck = refusing();
    let blocked: Vec<Under> = (0..TOKIOS_BLOCKING_THREADS)
        .map(|_| {
            let under = Under::new(options_of_stuck.clone());
            let stuck = Arc::clone(&stuck);
            under.delivery.set_handler(Some(Box::new(move |_| stuck.call())));
            under.client.connect();
            under
        })
        .collect();
    eventually("all handlers", || stuck.count.load(Ordering::SeqCst) == blocked.len()).await;

    let listener = Listener::bind().await;
    let port = listener.address().port();
    let mut plain = Under::new(options(&format!("ws://localhost:{port}/")));
    plain.client.connect();
    let _peer = listener.establish("1.1").await;
    plain.until(is_connected).await;

    let authority = Authority::new("own");
    let mut secured = options(&format!("wss://localhost:{port}/"));
    let tls = Tls::with_extra_roots([authority.root()]).unwrap();
    secured.connector = Arc::new(SystemConnector::new().with_tls(tls));
    let mut secured = Under::new(secured);
    secured.client.connect();
    let server = authority.server("localhost", (2020, 2090));
    let raw = listener.accept().await.secure(&server);
    let mut peer = soon("the handshake", raw).await.unwrap().upgrade().await;
    peer.establish("1.2").await;
    secured.until(is_connected).await;
}

fn is_connected<T>(item: &Item<T>) -> bool {
    matches!(item, Item::StateChanged { to: ConnectionState::Connected, .. })
}

const TOKIOS_BLOCKING_THREADS: usize = 512;
