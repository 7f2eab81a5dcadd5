//! The connection of a socket: what is awaited from it, what is written to it, and how it is closed.

use std::{future::pending, io, sync::Arc, time::Duration};

use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::watch,
    time::{Instant, sleep, sleep_until, timeout},
};

use crate::{
    activity::Activity,
    ending::Ending,
    hub::{queue::Outgoing, roster::Mode, seat::Seat},
    net::{stop::Stopping, wire::Wire},
    shared::Shared,
    websocket::frame::{self, Parsed, opcode},
};

/// `Err` is the end of the socket.
pub(super) type Step = Result<(), Ending>;

/// What a socket waits for.
pub(super) enum Input {
    Mode,
    Outgoing(Vec<Outgoing>),
    Read(io::Result<usize>),
    Silence,
    Stop,
}

pub(super) struct Line {
    shared: Arc<Shared>,
    wire: Wire,
    pub(super) seat: Seat,
    stopping: Stopping,
    inbox: BytesMut,
}

impl Line {
    /// `early` is what the client has sent already.
    pub(super) fn new(shared: Arc<Shared>, wire: Wire, early: BytesMut) -> Self {
        let seat = Seat::open(&shared.hub, shared.next_socket_id());
        Self { seat, stopping: shared.stop.listen(), inbox: early, shared, wire }
    }

    /// The next frame of what was read.
    pub(super) fn next_frame(&mut self) -> Parsed {
        frame::parse(&mut self.inbox, self.shared.dialect.frame_limit())
    }

    pub(super) async fn next_input(&mut self, silence: Instant) -> Input {
        let mut batch = Vec::new();
        let traffic = async {
            tokio::select! {
                () = self.seat.queue.receive(&mut batch, BATCH) => Input::Outgoing(batch),
                read = self.wire.read_buf(&mut self.inbox) => Input::Read(read),
                () = sleep_until(silence) => Input::Silence,
            }
        };
        tokio::select! {
            // A socket that was told to stall or end does nothing else first.
            biased;
            () = self.stopping.asked() => Input::Stop,
            _ = self.seat.mode.changed() => Input::Mode,
            input = traffic => input,
        }
    }

    /// Stays here while the socket is stalled; true when it was.
    pub(super) async fn obey_mode(&mut self) -> Result<bool, Ending> {
        let mut was_stalled = false;
        loop {
            match *self.seat.mode.borrow_and_update() {
                Mode::Running => return Ok(was_stalled),
                Mode::Cut | Mode::Reset => return Err(Ending::Cut),
                Mode::Stalled => was_stalled = true,
            }
            tokio::select! {
                () = self.stopping.asked() => return Err(Ending::Cut),
                changed = self.seat.mode.changed() => changed.map_err(|_| Ending::Cut)?,
            }
        }
    }

    /// Neither reads nor writes until the server stops or the socket is cut.
    pub(super) async fn stay_silent(&mut self) -> Step {
        tokio::select! {
            () = self.stopping.asked() => Err(Ending::Cut),
            () = cut(&mut self.seat.mode) => Err(Ending::Cut),
        }
    }

    /// Sends a text frame in one write with the 101, if that was held back.
    pub(super) async fn send_first(&mut self, text: &str) -> Step {
        let mut bytes = self.wire.uncork();
        bytes.extend(frame::encode(opcode::TEXT, text.as_bytes()));
        self.write(&bytes, 1).await
    }

    pub(super) async fn send(&mut self, opcode: u8, payload: &[u8]) -> Step {
        self.write(&frame::encode(opcode, payload), 1).await
    }

    /// Writes this many whole frames.
    pub(super) async fn write(&mut self, bytes: &[u8], frames: u64) -> Step {
        let latency = self.shared.latency.get();
        let patience = self.shared.timing.write_timeout;
        let wire = &mut self.wire;
        let write = async {
            if !latency.is_zero() {
                sleep(latency).await;
            }
            timeout(patience, async {
                wire.write_all(bytes).await?;
                wire.flush().await
            })
            .await
        };
        let mode = &mut self.seat.mode;
        let result = tokio::select! {
            result = write => result,
            () = cut(mode) => return Err(Ending::Cut),
        };
        match result {
            Ok(Ok(())) => {
                self.seat.count_sent(frames);
                Ok(())
            }
            Ok(Err(_)) => Err(Ending::Lost),
            Err(_) => Err(Ending::TooSlow),
        }
    }

    /// Sends a close frame, and waits for its answer if the profile's server does.
    pub(super) async fn close(&mut self, code: u16, reason: &str) -> Step {
        self.write(&frame::encode_close(code, reason), 1).await?;
        if self.shared.dialect.closes_politely() {
            let _ = timeout(self.shared.timing.close_linger, self.await_close()).await;
        }
        Err(Ending::ClosedByServer { code, reason: reason.to_owned() })
    }

    async fn await_close(&mut self) {
        loop {
            match frame::parse(&mut self.inbox, MAX_DISCARDED) {
                Parsed::Frame(frame) if frame.opcode == opcode::CLOSE => return,
                Parsed::Frame(_) => {}
                Parsed::TooLarge => return,
                Parsed::Incomplete => match self.wire.read_buf(&mut self.inbox).await {
                    Ok(0) | Err(_) => return,
                    Ok(_) => {}
                },
            }
        }
    }

    /// Ends the connection as the ending asks for.
    pub(super) async fn end(mut self, ending: Ending) {
        let reset = *self.seat.mode.borrow() == Mode::Reset;
        let orderly = !matches!(ending, Ending::Cut | Ending::TooSlow | Ending::Lost);
        for (channel, user) in self.seat.end(ending) {
            self.shared.journal.tell(Activity::MemberRemoved { channel, user });
        }
        if reset {
            self.wire.set_reset();
        } else if orderly {
            self.finish().await;
        }
    }

    /// Data already written arrives even if the client was still sending.
    async fn finish(&mut self) {
        let wire = &mut self.wire;
        let drain = async {
            if wire.shutdown().await.is_err() {
                return;
            }
            let mut rest = [0; 4096];
            while wire.read(&mut rest).await.is_ok_and(|read| read > 0) {}
        };
        let _ = timeout(DRAIN, drain).await;
    }
}

async fn cut(mode: &mut watch::Receiver<Mode>) {
    if mode.wait_for(|mode| matches!(mode, Mode::Cut | Mode::Reset)).await.is_err() {
        pending::<()>().await;
    }
}

/// Messages put into one write.
const BATCH: usize = 64;
const MAX_DISCARDED: usize = 16 << 20;
const DRAIN: Duration = Duration::from_millis(200);
