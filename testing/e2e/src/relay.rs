//! A TCP relay between clients and one server, whose way back can stall as a bad network does: what the server sends
//! meanwhile is delivered later, or in part, or never.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A running relay; dropping it cuts every connection.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    network: Arc<watch::Sender<Network>>,
    _tasks: JoinSet<()>,
}

/// How the way from the server to the clients is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Network {
    Open,
    Stalled,
    /// Connections of before lose all but this many bytes, and are reset.
    Broken {
        still_delivered: usize,
        times: u64,
    },
}

impl Relay {
    /// Starts a relay to `server` on a free loopback port.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a loopback port");
        let address = listener.local_addr().expect("an address");
        let network = Arc::new(watch::Sender::new(Network::Open));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, server, Arc::clone(&network)));
        Self { address, network, _tasks: tasks }
    }

    /// The URL for `VmsPusherConfig::socket_url`.
    #[must_use]
    pub fn socket_url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// Holds back what the server sends.
    pub fn stall(&self) {
        self.network.send_replace(Network::Stalled);
    }

    /// Delivers what was held back, and everything after it.
    pub fn resume(&self) {
        self.network.send_replace(Network::Open);
    }

    /// Delivers the first `still_delivered` bytes of what was held back on each connection, and resets it. New connections
    /// are not affected.
    pub fn break_off(&self, still_delivered: usize) {
        self.network.send_modify(|network| {
            let times = if let Network::Broken { times, .. } = network { *times + 1 } else { 0 };
            *network = Network::Broken { still_delivered, times };
        });
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, network: Arc<watch::Sender<Network>>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        connections.spawn(relay(client, server, network.subscribe()));
        while connections.try_join_next().is_some() {}
    }
}

/// Ends with the connection; both sockets are closed then.
async fn relay(mut client: TcpStream, server: SocketAddr, mut network: watch::Receiver<Network>) {
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let there = async {
        let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
    };
    let back = async {
        // A break of before this connection is none of its business.
        network.borrow_and_update();
        let mut piece = vec![0; 16 * 1024];
        loop {
            let state = *network.borrow();
            match state {
                Network::Stalled => {
                    if network.changed().await.is_err() {
                        return;
                    }
                    let state = *network.borrow_and_update();
                    if let Network::Broken { still_delivered, .. } = state {
                        let piece = piece.get_mut(..still_delivered).expect("no more than a piece");
                        if let Ok(length) = from_server.try_read(piece) {
                            let _ = to_client.write_all(piece.get(..length).unwrap_or_default()).await;
                        }
                        return;
                    }
                }
                Network::Open | Network::Broken { .. } => tokio::select! {
                    changed = network.changed() => {
                        if changed.is_err() || matches!(*network.borrow_and_update(), Network::Broken { .. }) {
                            return;
                        }
                    }
                    read = from_server.read(&mut piece) => {
                        let Ok(length @ 1..) = read else { return };
                        if to_client.write_all(piece.get(..length).unwrap_or_default()).await.is_err() {
                            return;
                        }
                    }
                },
            }
        }
    };
    tokio::select! {
        () = there => {}
        () = back => {}
    }
}
