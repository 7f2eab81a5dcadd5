//! All that is the client's but the machine: it does what the machine wants.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use channels_proto::{AppKey, AuthorizationId, Epoch, Secret};
use tokio::task::{AbortHandle, JoinSet};

use super::{
    address::AddressSearch,
    gap_times::GapTimes,
    jobs::{Done, Opener},
};
use crate::{
    Authorizer, Clock, Decoder,
    delivery::{Core, Turn},
    socket::{Received, Socket},
};

pub(super) struct Driver<D: Decoder> {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) gap_times: GapTimes,
    pub(super) opener: Arc<Opener>,
    pub(super) search: AddressSearch,
    pub(super) core: Arc<Core<D::Item>>,
    pub(super) decoder: D,
    pub(super) authorizer: Arc<dyn Authorizer>,
    pub(super) socket: SocketState,
    pub(super) jobs: JoinSet<Done>,
    /// Sockets that are being closed.
    pub(super) closing: JoinSet<()>,
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
}

/// The state of the machine's socket.
pub(super) enum SocketState {
    Down,
    Opening(Epoch, AbortHandle),
    Up(Epoch, Box<Socket>),
}

impl<D: Decoder> Driver<D> {
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
    /// Waits for what comes in; for ever when there is no socket.
    pub(super) async fn received(&mut self) -> Received {
        match self {
            Self::Up(_, socket) => std::future::poll_fn(|cx| socket.poll_received(cx)).await,
            Self::Down | Self::Opening(..) => std::future::pending().await,
        }
    }

    pub(super) fn try_received(&mut self) -> Option<Received> {
        match self {
            Self::Up(_, socket) => socket.try_received(),
            Self::Down | Self::Opening(..) => None,
        }
    }
}
