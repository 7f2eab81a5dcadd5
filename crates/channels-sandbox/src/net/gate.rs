//! The listening socket, and the tasks of the connections that it accepted.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{net::TcpListener, time::sleep};

use super::{
    connection::{self, Reception},
    listener::{Place, bind_error},
    tasks::Tasks,
};
use crate::{error::ServerError, listening::Listening};

pub(crate) struct Gate {
    place: Place,
    send_buffer: Option<u32>,
    state: Mutex<State>,
    accepting: Tasks,
    /// Connections, and the sockets that they become.
    connections: Arc<Tasks>,
}

#[derive(Default)]
struct State {
    /// Already listening, but not accepting yet.
    idle: Option<TcpListener>,
    /// How connections are received while the gate is open.
    reception: Option<Reception>,
}

impl Gate {
    /// Binds the port and listens on it; new connections wait until the gate opens.
    pub(crate) fn new(bind: SocketAddr, send_buffer: Option<u32>) -> Result<Self, ServerError> {
        let (place, listener) = Place::take(bind, send_buffer).map_err(bind_error(bind))?;
        let state = Mutex::new(State { idle: Some(listener), reception: None });
        Ok(Self { place, send_buffer, state, accepting: Tasks::default(), connections: Arc::default() })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.place.address
    }

    /// Whether connections are received, or would be without [`Listening::Refuse`].
    pub(crate) fn is_open(&self) -> bool {
        self.lock().reception.is_some()
    }

    /// Accepts connections from now on.
    pub(crate) async fn open(&self, reception: Reception) -> Result<(), ServerError> {
        let idle = self.lock().idle.take();
        let listener = match idle {
            Some(listener) => listener,
            None => self.listen().await?,
        };
        self.lock().reception = Some(reception.clone());
        self.accept(listener, reception);
        Ok(())
    }

    /// Sets how new connections are treated; nothing changes while the gate is shut.
    pub(crate) async fn set_listening(&self, listening: Listening) -> Result<(), ServerError> {
        let Some(mut reception) = self.lock().reception.clone() else { return Ok(()) };
        self.accepting.abort().await;
        if listening != Listening::Refuse {
            let listener = self.listen().await?;
            reception.is_silent = listening == Listening::Silent;
            self.accept(listener, reception);
        }
        Ok(())
    }

    /// Stops accepting.
    pub(crate) async fn shut(&self) {
        self.forget();
        self.accepting.abort().await;
    }

    /// Waits for the connections to end by themselves, and aborts those that do not within `patience`.
    pub(crate) async fn finish(&self, patience: Duration) {
        self.connections.finish(patience).await;
    }

    /// Ends every connection.
    pub(crate) async fn abort(&self) {
        self.connections.abort().await;
    }

    /// Stops accepting and ends every connection, without waiting.
    pub(crate) fn abort_now(&self) {
        self.forget();
        self.accepting.abort_now();
        self.connections.abort_now();
    }

    async fn listen(&self) -> Result<TcpListener, ServerError> {
        self.place.listen_again(self.send_buffer).await.map_err(bind_error(self.place.address))
    }

    fn accept(&self, listener: TcpListener, reception: Reception) {
        self.accepting.spawn(accept(listener, Arc::new(reception), Arc::clone(&self.connections)));
    }

    /// The application's routes may hold what is dropped with them, which must not happen under the lock.
    fn forget(&self) {
        let _forgotten = std::mem::take(&mut *self.lock());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Accepts connections until it is aborted.
async fn accept(listener: TcpListener, reception: Arc<Reception>, connections: Arc<Tasks>) {
    loop {
        match listener.accept().await {
            Ok((stream, _peer)) => {
                let _ = stream.set_nodelay(true);
                connections.spawn(connection::serve(stream, Arc::clone(&reception)));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}
