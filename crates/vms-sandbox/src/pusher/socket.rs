//! One open socket: everything that its connection does, on one task.

use std::{collections::BTreeSet, future::pending, io, sync::Arc, time::Duration};

use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::watch,
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{
    assembly::{Assembly, Received},
    dialect::{Action, Context},
    frame::{self, Frame, Parsed, opcode},
    hub::{Mode, Outgoing, Seat},
    liveness::{Due, Liveness},
    message_fault::{self, MessageFault},
    rate::Rate,
};
use crate::{
    Activity, Ending, Outbound,
    net::{connection::stopped, wire::Wire},
    world::World,
};

/// How a socket begins.
#[derive(Debug)]
pub(crate) enum Opening {
    /// With `pusher:connection_established`.
    Greet,
    /// With these actions in its place.
    Act(Vec<Action>),
    /// With nothing, and nothing after that.
    Nothing,
}

/// `Err` is the end of the socket.
type Step = Result<(), Ending>;

/// What a socket waits for.
enum Input {
    Mode,
    Outgoing(Vec<Outgoing>),
    Read(io::Result<usize>),
    Silence,
    Stop,
}

pub(crate) struct Socket {
    world: Arc<World>,
    wire: Wire,
    seat: Seat,
    stop: watch::Receiver<bool>,
    inbox: BytesMut,
    assembly: Assembly,
    subscribed: BTreeSet<String>,
    liveness: Liveness,
    uses_control_frames: bool,
    rate: Option<Rate>,
}

impl Socket {
    pub(crate) fn new(world: Arc<World>, wire: Wire, early: BytesMut) -> Self {
        let now = Instant::now();
        Self {
            seat: world.hub.open(world.next_socket_id()),
            stop: world.stopping(),
            inbox: early,
            assembly: Assembly::new(world.dialect.frame_style(), MAX_MESSAGE),
            subscribed: BTreeSet::new(),
            liveness: Liveness::new(world.dialect.silence(), world.timing.clone(), now),
            uses_control_frames: false,
            rate: world.message_limit.map(|limit| Rate::new(limit, now)),
            world,
            wire,
        }
    }

    pub(crate) async fn run(mut self, opening: Opening) {
        let ending = match self.live(opening).await {
            Ok(()) => Ending::Cut,
            Err(ending) => ending,
        };
        let reset = *self.seat.mode.borrow() == Mode::Reset;
        self.world.journal.tell(Activity::SocketEnded { socket: self.seat.number, ending: ending.clone() });
        let orderly = !matches!(ending, Ending::Cut | Ending::TooSlow | Ending::Lost);
        self.seat.end(ending);
        if reset {
            self.wire.set_reset();
        } else if orderly {
            self.finish().await;
        }
    }

    async fn live(&mut self, opening: Opening) -> Step {
        match opening {
            Opening::Greet => self.greet().await?,
            Opening::Act(actions) => self.act(actions).await?,
            Opening::Nothing => return self.stay_silent().await,
        }
        self.handle_inbox().await?;
        loop {
            self.obey_mode().await?;
            match self.next_input().await {
                Input::Mode => {}
                Input::Outgoing(batch) => self.send_batch(batch).await?,
                Input::Read(Ok(0) | Err(_)) => return Err(Ending::Lost),
                Input::Read(Ok(_)) => self.handle_inbox().await?,
                Input::Silence => self.handle_silence().await?,
                Input::Stop => return self.shut_down().await,
            }
        }
    }

    async fn greet(&mut self) -> Step {
        let greeting = self.world.dialect.greeting(&self.seat.id, &self.world.timing);
        let mut bytes = self.wire.uncork();
        bytes.extend(frame::encode(opcode::TEXT, greeting.as_bytes()));
        self.write(&bytes, 1).await?;
        self.world.journal.tell(Activity::SocketOpened { socket: self.seat.number, id: self.seat.id.clone() });
        Ok(())
    }

    /// Neither reads nor writes until the sandbox stops or cuts the socket.
    async fn stay_silent(&mut self) -> Step {
        tokio::select! {
            () = stopped(&mut self.stop) => Err(Ending::Cut),
            () = cut(&mut self.seat.mode) => Err(Ending::Cut),
        }
    }

    async fn next_input(&mut self) -> Input {
        let mut batch = Vec::new();
        let deadline = self.liveness.deadline();
        let traffic = async {
            tokio::select! {
                _ = self.seat.queue.recv_many(&mut batch, BATCH) => Input::Outgoing(batch),
                read = self.wire.read_buf(&mut self.inbox) => Input::Read(read),
                () = sleep_until(deadline) => Input::Silence,
            }
        };
        tokio::select! {
            // A socket that was told to stall or end does nothing else first.
            biased;
            () = stopped(&mut self.stop) => Input::Stop,
            _ = self.seat.mode.changed() => Input::Mode,
            input = traffic => input,
        }
    }

    /// Stays here while the socket is stalled.
    async fn obey_mode(&mut self) -> Step {
        let mut was_stalled = false;
        loop {
            match *self.seat.mode.borrow_and_update() {
                Mode::Running => break,
                Mode::Cut | Mode::Reset => return Err(Ending::Cut),
                Mode::Stalled => was_stalled = true,
            }
            tokio::select! {
                () = stopped(&mut self.stop) => return Err(Ending::Cut),
                changed = self.seat.mode.changed() => changed.map_err(|_| Ending::Cut)?,
            }
        }
        if was_stalled {
            self.liveness.resumed(Instant::now());
        }
        Ok(())
    }

    async fn handle_inbox(&mut self) -> Step {
        loop {
            match frame::parse(&mut self.inbox, self.world.dialect.frame_limit()) {
                Parsed::Incomplete => return Ok(()),
                Parsed::TooLarge => return self.close(1009, "message too large").await,
                Parsed::Frame(frame) => self.handle_frame(&frame).await?,
            }
        }
    }

    async fn handle_frame(&mut self, frame: &Frame) -> Step {
        self.liveness.received(Instant::now());
        self.uses_control_frames |= frame.opcode >= opcode::CLOSE;
        self.world.hub.record_received(self.seat.number, frame, self.world.journal.millis());
        match self.assembly.accept(frame) {
            Received::Message(text) => self.handle_message(&text).await,
            Received::Part | Received::Pong => Ok(()),
            Received::Ping(payload) => self.write(&frame::encode(opcode::PONG, &payload), 1).await,
            Received::Close { code, reason } => {
                if self.world.dialect.closes_politely() {
                    self.write(&frame::encode(opcode::CLOSE, &frame.payload), 1).await?;
                }
                Err(Ending::ClosedByClient { code, reason })
            }
            Received::Violation { code, reason } => self.close(code, reason).await,
        }
    }

    async fn handle_message(&mut self, text: &str) -> Step {
        if let Some(rate) = &mut self.rate
            && !rate.admits(Instant::now())
            && let Some(actions) = self.world.dialect.over_limit()
        {
            return self.act(actions).await;
        }
        let Some(fault) = message_fault::take(&self.world.faults, text) else {
            let actions = self.answer(text);
            return self.act(actions).await;
        };
        match fault {
            MessageFault::Unanswered => Ok(()),
            MessageFault::Refused(channel) => {
                let actions = self.world.dialect.refuse(&channel);
                self.act(actions).await
            }
            MessageFault::AnsweredTwice => {
                let mut actions = self.answer(text);
                let sends = actions.iter().filter(|action| matches!(action, Action::Send(_)));
                let again: Vec<_> = sends.cloned().collect();
                actions.extend(again);
                self.act(actions).await
            }
        }
    }

    fn answer(&self, text: &str) -> Vec<Action> {
        let context = Context { app: &self.world.app, socket_id: &self.seat.id, subscribed: &self.subscribed };
        self.world.dialect.message(text, &context)
    }

    async fn act(&mut self, actions: Vec<Action>) -> Step {
        for action in actions {
            match action {
                Action::Close { code, reason } => return self.close(code, &reason).await,
                Action::Crash => {
                    self.world.hub.crash();
                    return Err(Ending::DroppedByServer);
                }
                Action::Drop => return Err(Ending::DroppedByServer),
                Action::Refused { channel } => {
                    self.tell(|socket| Activity::SubscriptionRefused { socket, channel });
                }
                Action::Send(text) => {
                    self.write(&frame::encode(opcode::TEXT, text.as_bytes()), 1).await?;
                }
                Action::Subscribe { channel } => self.subscribe(channel).await?,
                Action::Unsubscribe { channel } => {
                    self.subscribed.remove(&channel);
                    self.world.hub.unsubscribe(self.seat.number, &channel);
                    self.tell(|socket| Activity::Unsubscribed { socket, channel });
                }
            }
        }
        Ok(())
    }

    async fn subscribe(&mut self, channel: String) -> Step {
        if self.subscribed.len() >= MAX_CHANNELS {
            return self.close(4100, "too many channels").await;
        }
        self.world.hub.subscribe(self.seat.number, &channel);
        self.subscribed.insert(channel.clone());
        if let Some(frame) = self.world.early_event(&channel) {
            self.write(&frame, 1).await?;
        }
        self.tell(|socket| Activity::Subscribed { socket, channel });
        Ok(())
    }

    async fn send_batch(&mut self, batch: Vec<Outgoing>) -> Step {
        if batch.is_empty() {
            // The hub let go of the socket.
            return Err(Ending::Cut);
        }
        let mut bytes = Vec::new();
        let mut frames = 0;
        for outgoing in batch {
            match outgoing {
                Outgoing::Frames(encoded) => bytes.extend_from_slice(&encoded),
                Outgoing::Raw(Outbound::Close { code, reason }) => {
                    self.write(&bytes, frames).await?;
                    return self.close(code, &reason).await;
                }
                Outgoing::Raw(outbound) => bytes.extend(frame::encode_outbound(&outbound)),
            }
            frames += 1;
        }
        self.write(&bytes, frames).await?;
        self.seat.written(frames);
        self.liveness.delivered(Instant::now());
        Ok(())
    }

    async fn handle_silence(&mut self) -> Step {
        match self.liveness.take_due(Instant::now()) {
            Due::Nothing => Ok(()),
            Due::Prune => self.act(self.world.dialect.prune()).await,
            Due::Ping => {
                let ping = match self.world.dialect.ping(self.uses_control_frames) {
                    Some(text) => frame::encode(opcode::TEXT, text.as_bytes()),
                    None => frame::encode(opcode::PING, b""),
                };
                self.write(&ping, 1).await
            }
        }
    }

    async fn shut_down(&mut self) -> Step {
        self.act(self.world.dialect.shutdown()).await
    }

    /// Sends a close frame, and waits for its answer where servers do.
    async fn close(&mut self, code: u16, reason: &str) -> Step {
        self.write(&frame::encode_close(code, reason), 1).await?;
        if self.world.dialect.closes_politely() {
            let _ = timeout(self.world.timing.close_linger, self.await_close()).await;
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

    async fn write(&mut self, bytes: &[u8], frames: u64) -> Step {
        let latency = self.world.latency();
        let patience = self.world.timing.write_timeout;
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
                self.world.hub.count_sent(self.seat.number, frames);
                Ok(())
            }
            Ok(Err(_)) => Err(Ending::Lost),
            Err(_) => Err(Ending::TooSlow),
        }
    }

    /// Ends the connection in order: what was written arrives even if the client was still sending.
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

    fn tell(&self, activity: impl FnOnce(u64) -> Activity) {
        self.world.journal.tell(activity(self.seat.number));
    }
}

async fn cut(mode: &mut watch::Receiver<Mode>) {
    if mode.wait_for(|mode| matches!(mode, Mode::Cut | Mode::Reset)).await.is_err() {
        pending::<()>().await;
    }
}

/// Messages put into one write.
const BATCH: usize = 64;
const MAX_CHANNELS: usize = 1_000;
const MAX_DISCARDED: usize = 16 << 20;
const MAX_MESSAGE: usize = 1 << 20;
const DRAIN: Duration = Duration::from_millis(200);
