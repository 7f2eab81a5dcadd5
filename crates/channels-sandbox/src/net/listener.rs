//! The listening socket: its port stays reserved while nobody listens on it.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    net::{TcpListener, TcpSocket},
    time::{Instant, sleep},
};

use crate::error::ServerError;

/// Where a server listens, for as long as it lives.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) address: SocketAddr,
    /// Bound but not listening, so that the system gives the port to nobody else between a stop and
    /// a restart. Not every system allows that; the port is then free for a moment.
    _reservation: Option<TcpSocket>,
}

impl Place {
    /// Finds the port and listens on it.
    pub(crate) fn take(address: SocketAddr, send_buffer: Option<u32>) -> io::Result<(Self, TcpListener)> {
        let reservation = bound(address)?;
        let reserved = reservation.local_addr()?;
        if let Ok(listener) = listen(reserved, send_buffer) {
            return Ok((Self { address: reserved, _reservation: Some(reservation) }, listener));
        }
        drop(reservation);
        let listener = listen(reserved, send_buffer)?;
        Ok((Self { address: reserved, _reservation: None }, listener))
    }

    /// Listens again; the system may need a moment to release the port.
    pub(crate) async fn listen_again(&self, send_buffer: Option<u32>) -> io::Result<TcpListener> {
        let give_up = Instant::now() + REBIND_PATIENCE;
        loop {
            match listen(self.address, send_buffer) {
                Err(error) if Instant::now() < give_up => {
                    tracing::debug!(%error, "the port is not free yet");
                    sleep(Duration::from_millis(20)).await;
                }
                result => return result,
            }
        }
    }
}

fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

fn listen(address: SocketAddr, send_buffer: Option<u32>) -> io::Result<TcpListener> {
    let socket = bound(address)?;
    if let Some(bytes) = send_buffer {
        socket.set_send_buffer_size(bytes)?;
    }
    socket.listen(BACKLOG)
}

/// Refuses a port that is in use by another program, with the cause.
pub(crate) fn bind_error(address: SocketAddr) -> impl FnOnce(io::Error) -> ServerError {
    move |source| ServerError::Bind { address, source }
}

const BACKLOG: u32 = 4096;
const REBIND_PATIENCE: Duration = Duration::from_secs(5);
