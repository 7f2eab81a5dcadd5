//! The queue of a socket.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::timeout,
};

use crate::websocket::outbound::Outbound;

/// Something for a socket to send.
#[derive(Clone, Debug)]
pub(crate) enum Outgoing {
    /// Whole frames, encoded.
    Frames(Bytes),
    Raw(Outbound),
}

/// What is in a queue, and the room that it takes there until it is received.
#[derive(Debug)]
struct Queued {
    what: Outgoing,
    _room: Option<OwnedSemaphorePermit>,
}

/// A new queue: both of its ends.
pub(super) fn queue() -> (Sender, Receiver) {
    let (sender, receiver) = mpsc::channel(LENGTH + NOTICES);
    let waiting = Arc::new(AtomicU64::new(0));
    let room = Arc::new(Semaphore::new(LENGTH));
    (Sender { sender, room, waiting: Arc::clone(&waiting) }, Receiver { receiver, waiting })
}

/// The end of a queue that a socket reads.
#[derive(Debug)]
pub(crate) struct Receiver {
    receiver: mpsc::Receiver<Queued>,
    waiting: Arc<AtomicU64>,
}

impl Receiver {
    /// Receives at least one, unless the sender is gone, and at most `limit`.
    pub(crate) async fn receive(&mut self, batch: &mut Vec<Outgoing>, limit: usize) {
        let mut queued = Vec::new();
        self.receiver.recv_many(&mut queued, limit).await;
        batch.extend(queued.into_iter().map(|queued| queued.what));
    }

    /// This many of those received have been written.
    pub(super) fn written(&self, frames: u64) {
        self.waiting.fetch_sub(frames, Ordering::Relaxed);
    }
}

/// The end of a queue that is written to.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    sender: mpsc::Sender<Queued>,
    room: Arc<Semaphore>,
    waiting: Arc<AtomicU64>,
}

impl Sender {
    /// What was sent and is not yet written.
    pub(super) fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Sends at once what has to stay in order with the state of the hub, beyond the room for everything else. False if
    /// even that is full.
    pub(super) fn notify(&self, what: Outgoing) -> bool {
        self.send(Queued { what, _room: None })
    }

    fn send(&self, queued: Queued) -> bool {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let is_sent = self.sender.try_send(queued).is_ok();
        if !is_sent {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
        is_sent
    }

    /// Waits for room if there is none, as long as somebody reads.
    async fn room(&self) -> Option<OwnedSemaphorePermit> {
        let room = Arc::clone(&self.room).acquire_owned();
        tokio::select! {
            room = timeout(PATIENCE, room) => room.ok()?.ok(),
            () = self.sender.closed() => None,
        }
    }
}

/// The end of a socket's queue, and whether anybody reads it.
pub(super) struct Queue {
    pub(super) sender: Sender,
    pub(super) stalled: bool,
}

/// Waits for room in a queue that is full, but not in that of a stalled socket, which never gets any.
pub(super) async fn offer(queues: Vec<Queue>, what: &Outgoing) -> usize {
    let mut taken = 0;
    for Queue { sender, stalled } in queues {
        let room = match Arc::clone(&sender.room).try_acquire_owned() {
            Ok(room) => Some(room),
            Err(_) if stalled => None,
            Err(_) => sender.room().await,
        };
        if room.is_some() && sender.send(Queued { what: what.clone(), _room: room }) {
            taken += 1;
        }
    }
    taken
}

/// Messages that wait for a socket to write them.
const LENGTH: usize = 1024;
/// Changes of members and users that wait beyond those: a presence channel of 10,000 may fill at once.
const NOTICES: usize = 32_768;
/// Longer than any profile's write timeout: by then the socket has been cut.
const PATIENCE: Duration = Duration::from_secs(15);
