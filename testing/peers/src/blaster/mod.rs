//! The server of the benchmarks: it lets every client in, acknowledges every subscription, and then writes frames that
//! were made beforehand, as fast as the client reads or at a pace.

mod connection;
mod http;
mod presence;
mod registry;

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;

use crate::resources::monotonic_nanos;
use crate::websocket::{Opcode, server_frame};
use crate::workload::{Payload, USER_CHANNEL, end_text, presence_channel};
use registry::{Registry, Session};

/// The key of the app; any is let in.
pub const APP_KEY: &str = "bench-key";

/// What the server is to be.
#[derive(Clone)]
pub struct BlasterOptions {
    /// With TLS, by this.
    pub tls: Option<Arc<ServerConfig>>,
    /// How many ports it listens on, so that thousands of clients on one address do not run out of ports.
    pub ports: usize,
}

/// A running server; ends when dropped.
pub struct Blaster {
    addresses: Vec<SocketAddr>,
    options: BlasterOptions,
    registry: Arc<Registry>,
    acceptors: JoinSet<()>,
}

impl Blaster {
    /// Starts it on free ports of the loopback address.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn start(options: BlasterOptions) -> Result<Self> {
        let any = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));
        let addresses = vec![any; options.ports];
        let mut blaster = Self { addresses, options, registry: Arc::default(), acceptors: JoinSet::new() };
        blaster.listen()?;
        Ok(blaster)
    }

    /// Returns the ports it listens on.
    #[must_use]
    pub fn ports(&self) -> Vec<u16> {
        self.addresses.iter().map(SocketAddr::port).collect()
    }

    /// Returns its first address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.addresses.first().copied().unwrap_or(SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)))
    }

    fn listen(&mut self) -> Result<()> {
        for address in &mut self.addresses {
            let listener = bind(*address).with_context(|| format!("cannot listen on {address}"))?;
            *address = listener.local_addr()?;
            let registry = Arc::clone(&self.registry);
            self.acceptors.spawn(connection::accept(listener, self.options.tls.clone(), registry));
        }
        Ok(())
    }

    /// Stops listening and drops every connection, as a server that is killed.
    pub async fn stop(&mut self) {
        self.acceptors.shutdown().await;
        self.registry.end_all();
    }

    /// Listens again on the same ports.
    ///
    /// # Errors
    /// When a port was taken meanwhile.
    pub fn resume(&mut self) -> Result<()> {
        self.listen()
    }

    /// Drops the WebSocket connections, and goes on listening.
    pub fn cut(&self) {
        self.registry.cut();
    }

    /// Returns how many subscriptions were acknowledged so far.
    #[must_use]
    pub fn acknowledged(&self) -> usize {
        *self.registry.acknowledged.borrow()
    }

    /// Returns how many TLS sessions were resumed so far.
    #[must_use]
    pub fn resumed(&self) -> usize {
        self.registry.resumed()
    }

    /// Returns how many clients have been silent since their subscriptions, pings counted.
    #[must_use]
    pub fn pings(&self) -> usize {
        self.registry.pings()
    }

    /// Waits until `count` subscriptions were acknowledged since the start.
    ///
    /// # Errors
    /// When that takes longer than `patience`.
    pub async fn wait_acknowledged(&self, count: usize, patience: Duration) -> Result<()> {
        let mut acknowledged = self.registry.acknowledged.subscribe();
        let reached = acknowledged.wait_for(|reached| *reached >= count);
        match tokio::time::timeout(patience, reached).await {
            Ok(Ok(_)) => Ok(()),
            _ => bail!("{} of {count} subscriptions after {patience:?}", self.acknowledged()),
        }
    }

    /// Sends `events` to each session that is there, as fast as it reads, and then the end.
    ///
    /// # Errors
    /// When a connection ends meanwhile, or no session is there.
    pub async fn blast(&self, payload: Payload, events: usize) -> Result<()> {
        let frames: Arc<[Vec<u8>]> = payload.frames(USER_CHANNEL).into();
        self.to_each(move |session| blast_one(session, Arc::clone(&frames), events)).await
    }

    /// The same over `channels`, an event on each in turn.
    ///
    /// # Errors
    /// As [`blast`](Self::blast).
    pub async fn blast_over(&self, channels: &[String], events: usize) -> Result<()> {
        let per_channel: Vec<Vec<Vec<u8>>> = channels.iter().map(|channel| Payload::Mixed.frames(channel)).collect();
        let rounds = (0..3).flat_map(|turn| {
            per_channel.iter().enumerate().filter_map(move |(index, frames)| frames.get((index + turn) % 3)).cloned()
        });
        let frames: Arc<[Vec<u8>]> = rounds.collect();
        let end = channels.first().map_or_else(Vec::new, |channel| end_frame(channel));
        self.to_each(move |session| {
            let (frames, end) = (Arc::clone(&frames), end.clone());
            async move {
                write_frames(&session, &frames, events).await?;
                session.write(&end).await
            }
        })
        .await
    }

    /// Sends `changes` of the members of `channels` to each session that is there, as fast as it reads, on each channel in
    /// turn: one comes, and goes again. Then the end, on the first channel.
    ///
    /// # Errors
    /// As [`blast`](Self::blast).
    pub async fn blast_changes(&self, channels: usize, changes: usize) -> Result<()> {
        let frames: Arc<[Vec<u8>]> = presence::changes(channels).into();
        self.to_each(move |session| {
            let frames = Arc::clone(&frames);
            async move {
                write_frames(&session, &frames, changes).await?;
                session.write(&end_frame(&presence_channel(0))).await
            }
        })
        .await
    }

    async fn to_each<F, W>(&self, write: F) -> Result<()>
    where
        F: Fn(Arc<Session>) -> W,
        W: Future<Output = Result<()>> + Send + 'static,
    {
        let sessions = self.registry.sessions();
        if sessions.is_empty() {
            bail!("no client is there to send to");
        }
        let mut writers: JoinSet<Result<()>> = sessions.into_iter().map(write).collect();
        while let Some(written) = writers.join_next().await {
            written??;
        }
        Ok(())
    }

    /// Sends `events` to each session that is there, and no end.
    ///
    /// # Errors
    /// As [`blast`](Self::blast).
    pub async fn warm_up(&self, events: usize) -> Result<()> {
        let frames: Arc<[Vec<u8>]> = Payload::Mixed.frames(USER_CHANNEL).into();
        self.to_each(move |session| {
            let frames = Arc::clone(&frames);
            async move { write_frames(&session, &frames, events).await }
        })
        .await
    }

    /// Sends one event every `pace` to the first session, and then the end. Returns when each was about to be written, in
    /// nanoseconds of the monotonic clock.
    ///
    /// # Errors
    /// As [`blast`](Self::blast).
    pub async fn trickle(&self, events: usize, pace: Duration) -> Result<Vec<u64>> {
        let Some(session) = self.registry.sessions().pop() else { bail!("no client is there to send to") };
        let frames = Payload::Mixed.frames(USER_CHANNEL);
        let mut written = Vec::with_capacity(events);
        let mut clock = tokio::time::interval(pace);
        for frame in frames.iter().cycle().take(events) {
            clock.tick().await;
            written.push(monotonic_nanos());
            session.write(frame).await?;
        }
        session.write(&end_frame(USER_CHANNEL)).await?;
        Ok(written)
    }
}

async fn blast_one(session: Arc<Session>, frames: Arc<[Vec<u8>]>, events: usize) -> Result<()> {
    write_frames(&session, &frames, events).await?;
    session.write(&end_frame(USER_CHANNEL)).await
}

/// Whole frames in writes of about 64 KiB, so that the server is never what is waited for.
async fn write_frames(session: &Session, frames: &[Vec<u8>], events: usize) -> Result<()> {
    let rounds = (BLOCK_BYTES / frames.iter().map(Vec::len).sum::<usize>().max(1)).max(1);
    let block = frames.concat().repeat(rounds);
    let in_block = frames.len() * rounds;
    for _ in 0..events / in_block {
        session.write(&block).await?;
    }
    let rest = events % in_block;
    let length = frames.iter().cycle().take(rest).map(Vec::len).sum();
    session.write(block.get(..length).unwrap_or_default()).await
}

/// Returns the frame that says that no event follows.
#[must_use]
pub fn end_frame(channel: &str) -> Vec<u8> {
    server_frame(Opcode::Text, end_text(channel).as_bytes())
}

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

const BLOCK_BYTES: usize = 64 * 1024;
/// Room for thousands of clients that come at once.
const BACKLOG: u32 = 16_384;
