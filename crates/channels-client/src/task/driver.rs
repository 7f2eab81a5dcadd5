//! All that is the client's but the machine: it does what the machine wants.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use channels_proto::{AppKey, AuthorizationId, Epoch, Secret};
use futures_core::future::BoxFuture;
use tokio::task::AbortHandle;
use tracing::Instrument as _;

use super::{
    address::AddressSearch,
    gap_times::GapTimes,
    job_set::JobSet,
    jobs::{Done, Opener},
};
use crate::{
    Clock, Decoder, DynAuthorizer,
    delivery::{Core, Traffic, Turn},
    socket::{Received, Socket},
};

pub(super) struct Driver<D: Decoder> {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) gap_times: GapTimes,
    pub(super) opener: Arc<Opener>,
    pub(super) search: AddressSearch,
    pub(super) core: Arc<Core<D::Item>>,
    pub(super) decoder: D,
    pub(super) authorizer: Arc<dyn DynAuthorizer>,
    pub(super) socket: SocketState,
    pub(super) jobs: JobSet<Done>,
    /// Sockets that are being closed.
    pub(super) closing: JobSet<()>,
    pub(super) authorizations: BTreeMap<AuthorizationId, AbortHandle>,
    /// What the server was shown on the last socket.
    pub(super) signatures: Vec<Secret>,
    /// How many authorizations the socket that is being opened will need at a time.
    pub(super) authorizations_needed: usize,
    /// The authorizer has been told to prepare and not yet to release.
    pub(super) prepared: bool,
    pub(super) preparing: Option<AbortHandle>,
    /// What holds the turn to connect.
    pub(super) connecting: Option<AbortHandle>,
    /// The key of the address at which the next socket is opened, which the machine does not know yet.
    pub(super) new_app_key: Option<AppKey>,
    pub(super) turn: Turn<D::Item>,
    /// An event of this turn asks to disconnect after it.
    pub(super) leave: bool,
    /// The connection of this session was lost.
    pub(super) lost: bool,
    /// Messages received and sent since the last turn.
    pub(super) messages: [u32; 2],
}

/// The state of the machine's socket.
pub(super) enum SocketState {
    Down,
    /// What opens it is not a job of its own: its memory would be kept by the wakers of the socket.
    Opening(Epoch, BoxFuture<'static, Done>),
    Up(Epoch, Box<Socket>),
}

/// What comes of the socket.
pub(super) enum FromSocket {
    Received(Received),
    /// It has been opened, or something on the way there has been done.
    Opening(Done),
}

impl<D: Decoder> Driver<D> {
    /// Runs a job beside the task, in the span of the client.
    pub(super) fn spawn(&mut self, job: impl Future<Output = Done> + Send + 'static) -> AbortHandle {
        self.jobs.spawn(job.in_current_span())
    }

    /// Returns what has gone over the socket since the last time.
    pub(super) fn take_traffic(&mut self) -> Traffic {
        let [messages_in, messages_out] = std::mem::take(&mut self.messages);
        let (bytes_in, bytes_out) = match &mut self.socket {
            SocketState::Up(_, socket) => socket.take_bytes(),
            SocketState::Down | SocketState::Opening(..) => (0, 0),
        };
        Traffic { bytes_in, bytes_out, messages_in, messages_out }
    }

    /// Takes the socket of `epoch` out, if it is up.
    pub(super) fn take_socket(&mut self, epoch: Epoch) -> Option<Box<Socket>> {
        if !matches!(self.socket, SocketState::Up(current, _) if current == epoch) {
            return None;
        }
        let traffic = self.take_traffic();
        self.core.count_traffic(traffic);
        match std::mem::replace(&mut self.socket, SocketState::Down) {
            SocketState::Up(_, socket) => Some(socket),
            SocketState::Down | SocketState::Opening(..) => None,
        }
    }

    /// Lets the next client connect, and the authorizer go of what it prepared, once nothing more will be authorized on
    /// this socket. Returns whether the latter was now.
    pub(super) fn release(&mut self) -> bool {
        if let Some(connecting) = self.connecting.take() {
            connecting.abort();
        }
        let released = self.prepared && self.authorizations.is_empty();
        if released {
            self.prepared = false;
            if let Some(preparing) = self.preparing.take() {
                preparing.abort();
            }
            if catch_unwind(AssertUnwindSafe(|| self.authorizer.release())).is_err() {
                tracing::warn!("the authorizer panicked while releasing");
            }
        }
        released
    }
}

impl SocketState {
    /// Waits for what comes in or of opening it; for ever when there is no socket. After [`FromSocket::Opening`] the state has
    /// to change.
    pub(super) async fn next(&mut self) -> FromSocket {
        match self {
            Self::Up(_, socket) => FromSocket::Received(std::future::poll_fn(|cx| socket.poll_received(cx)).await),
            Self::Opening(_, opening) => FromSocket::Opening(opening.await),
            Self::Down => std::future::pending().await,
        }
    }

    pub(super) fn try_received(&mut self) -> Option<Received> {
        match self {
            Self::Up(_, socket) => socket.try_received(),
            Self::Down | Self::Opening(..) => None,
        }
    }
}
