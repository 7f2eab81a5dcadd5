//! A network of which every crossing is counted: a proxy that carries bytes in turns. A turn is one round trip: all that
//! the clients have sent so far goes to the server, and all that the server answers goes back.
//!
//! The number of turns does not depend on how fast anyone is, as long as a side that has something to say says it within
//! [`QUIET`].

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// A running proxy; ends when dropped.
pub struct TurnProxy {
    port: u16,
    server: SocketAddr,
    events: mpsc::Receiver<Event>,
    sender: mpsc::Sender<Event>,
    connections: BTreeMap<u64, Connection>,
    tasks: JoinSet<()>,
}

enum Event {
    Accepted(u64, TcpStream),
    FromClient(u64, Vec<u8>),
    FromServer(u64, Vec<u8>),
}

struct Connection {
    client: OwnedWriteHalf,
    /// None until the connection itself has crossed: a `SYN` takes a turn before the first byte does.
    server: Option<OwnedWriteHalf>,
    up: Pending,
    down: Pending,
}

/// What waits for the next turn.
#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    is_end: bool,
}

impl Pending {
    fn add(&mut self, bytes: &[u8]) {
        self.is_end |= bytes.is_empty();
        self.bytes.extend_from_slice(bytes);
    }

    const fn is_empty(&self) -> bool {
        self.bytes.is_empty() && !self.is_end
    }

    async fn carry(&mut self, to: &mut OwnedWriteHalf) {
        // Whoever has gone away meanwhile does not get it.
        let _ = to.write_all(&self.bytes).await;
        self.bytes.clear();
        if std::mem::take(&mut self.is_end) {
            let _ = to.shutdown().await;
        }
    }
}

impl TurnProxy {
    /// Starts a proxy before `server`.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn start(server: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let (sender, events) = mpsc::channel(1_024);
        let mut tasks = JoinSet::new();
        let accepted = sender.clone();
        tasks.spawn(async move {
            for id in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                if accepted.send(Event::Accepted(id, stream)).await.is_err() {
                    return;
                }
            }
        });
        Ok(Self { port, server, events, sender, connections: BTreeMap::new(), tasks })
    }

    /// Returns its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Waits until a client has something to say, and makes one round trip.
    ///
    /// # Errors
    /// When nobody says anything for half a minute, or the server cannot be reached.
    pub async fn turn(&mut self) -> Result<()> {
        if !self.connections.values().any(|connection| connection.server.is_none() || !connection.up.is_empty()) {
            let event =
                timeout(PATIENCE, self.events.recv()).await.ok().flatten().context("no client says anything")?;
            self.take(event);
        }
        self.until_quiet().await;
        self.cross().await?;
        self.until_quiet().await;
        for connection in self.connections.values_mut().filter(|connection| !connection.down.is_empty()) {
            connection.down.carry(&mut connection.client).await;
        }
        Ok(())
    }

    /// Carries everything at once until a client opens a new connection.
    ///
    /// # Errors
    /// When none does within half a minute.
    pub async fn until_new_connection(&mut self) -> Result<()> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            for connection in self.connections.values_mut() {
                if let Some(server) = &mut connection.server {
                    connection.up.carry(server).await;
                }
                connection.down.carry(&mut connection.client).await;
            }
            let event = tokio::time::timeout_at(deadline, self.events.recv()).await;
            let Ok(Some(event)) = event else { bail!("no client has connected again") };
            let is_new = matches!(event, Event::Accepted(..));
            self.take(event);
            if is_new {
                return Ok(());
            }
        }
    }

    async fn until_quiet(&mut self) {
        while let Ok(Some(event)) = timeout(QUIET, self.events.recv()).await {
            self.take(event);
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Accepted(id, stream) => {
                let _ = stream.set_nodelay(true);
                let (reader, client) = stream.into_split();
                self.tasks.spawn(pump(reader, self.sender.clone(), move |bytes| Event::FromClient(id, bytes)));
                let (up, down) = Default::default();
                self.connections.insert(id, Connection { client, server: None, up, down });
            }
            Event::FromClient(id, bytes) => {
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection.up.add(&bytes);
                }
            }
            Event::FromServer(id, bytes) => {
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection.down.add(&bytes);
                }
            }
        }
    }

    /// What the clients have said goes to the server; of a new connection only the connection itself.
    async fn cross(&mut self) -> Result<()> {
        for (&id, connection) in &mut self.connections {
            if let Some(server) = &mut connection.server {
                connection.up.carry(server).await;
                continue;
            }
            let stream = TcpStream::connect(self.server).await.context("the server is not there")?;
            stream.set_nodelay(true)?;
            let (reader, server) = stream.into_split();
            connection.server = Some(server);
            self.tasks.spawn(pump(reader, self.sender.clone(), move |bytes| Event::FromServer(id, bytes)));
        }
        Ok(())
    }
}

/// Hands on what is read; nothing at all is the end.
async fn pump(mut reader: OwnedReadHalf, events: mpsc::Sender<Event>, event: impl Fn(Vec<u8>) -> Event) {
    loop {
        let mut bytes = vec![0; 16 * 1024];
        let read = reader.read(&mut bytes).await.unwrap_or(0);
        bytes.truncate(read);
        if events.send(event(bytes)).await.is_err() || read == 0 {
            return;
        }
    }
}

/// A side that has said nothing for so long has nothing more to say in this turn.
pub const QUIET: Duration = Duration::from_millis(150);
const PATIENCE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_question_and_its_answer_take_two_turns_and_the_next_one_a_third() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let mut proxy = TurnProxy::start(server.local_addr().unwrap()).await.unwrap();
        let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).await.unwrap();
        client.write_all(b"ping").await.unwrap();
        let echo = tokio::task::spawn(async move {
            let (mut stream, _) = server.accept().await.unwrap();
            let mut bytes = [0; 4];
            while stream.read_exact(&mut bytes).await.is_ok() {
                stream.write_all(&bytes).await.unwrap();
            }
        });
        let mut bytes = [0; 4];

        proxy.turn().await.unwrap();
        assert!(timeout(QUIET, client.read_exact(&mut bytes)).await.is_err(), "the connection alone has crossed");
        proxy.turn().await.unwrap();
        client.read_exact(&mut bytes).await.unwrap();
        client.write_all(b"pong").await.unwrap();
        proxy.turn().await.unwrap();
        client.read_exact(&mut bytes).await.unwrap();

        assert_eq!(&bytes, b"pong");
        echo.abort();
    }
}
