//! The queue of a socket.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::{sync::mpsc, time::timeout};

use crate::websocket::outbound::Outbound;

/// Something for a socket to send.
#[derive(Clone, Debug)]
pub(crate) enum Outgoing {
    /// Whole frames, encoded.
    Frames(Bytes),
    Raw(Outbound),
}

/// A new queue: both of its ends, and how much is in it.
pub(super) fn queue() -> (mpsc::Sender<Outgoing>, mpsc::Receiver<Outgoing>, Arc<AtomicU64>) {
    let (sender, receiver) = mpsc::channel(LENGTH);
    (sender, receiver, Arc::new(AtomicU64::new(0)))
}

/// The end of a socket's queue, and whether anybody reads it.
pub(super) struct Queue {
    pub(super) sender: mpsc::Sender<Outgoing>,
    pub(super) waiting: Arc<AtomicU64>,
    pub(super) stalled: bool,
}

/// Waits for room in a queue that is full, but not in that of a stalled socket, which never gets any.
pub(super) async fn offer(queues: Vec<Queue>, what: &Outgoing) -> usize {
    let mut taken = 0;
    for queue in queues {
        queue.waiting.fetch_add(1, Ordering::Relaxed);
        let took = match queue.sender.try_send(what.clone()) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Full(what)) if !queue.stalled => {
                matches!(timeout(PATIENCE, queue.sender.send(what)).await, Ok(Ok(())))
            }
            Err(_) => false,
        };
        if took {
            taken += 1;
        } else {
            queue.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }
    taken
}

/// Messages that wait for a socket to write them.
const LENGTH: usize = 1024;
/// Longer than any profile's write timeout: by then the socket has been cut.
const PATIENCE: Duration = Duration::from_secs(15);
