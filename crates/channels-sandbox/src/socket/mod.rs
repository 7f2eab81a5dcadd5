//! One open socket: everything that its connection does, on one task.

mod actions;
mod line;
mod liveness;
mod message_fault;
mod rate;

use std::{collections::BTreeMap, sync::Arc};

use bytes::BytesMut;
use tokio::time::Instant;

use actions::Acknowledgement;
use line::{Input, Line, Step};
use liveness::{Due, Liveness};
use message_fault::MessageFault;
use rate::Rate;

use crate::{
    activity::Activity,
    dialect::habits::{Action, Context, SignedIn},
    ending::Ending,
    hub::queue::Outgoing,
    member::Membership,
    net::wire::Wire,
    shared::Shared,
    websocket::{
        assembly::{Assembly, Received},
        frame::{self, Frame, Parsed, opcode},
        outbound::Outbound,
    },
};

/// How a socket begins.
#[derive(Debug)]
pub(crate) enum Opening {
    /// With `pusher:connection_established`.
    Greet,
    /// With these actions instead.
    Act(Vec<Action>),
    /// With nothing, and nothing after that.
    Nothing,
}

pub(crate) struct Socket {
    shared: Arc<Shared>,
    line: Line,
    assembly: Assembly,
    subscribed: BTreeMap<String, Option<Box<Membership>>>,
    user: Option<Box<SignedIn>>,
    liveness: Liveness,
    uses_control_frames: bool,
    rate: Option<Rate>,
    client_event_rate: Option<Rate>,
}

impl Socket {
    pub(crate) fn new(shared: Arc<Shared>, wire: Wire, early: BytesMut) -> Self {
        let now = Instant::now();
        Self {
            line: Line::new(Arc::clone(&shared), wire, early),
            assembly: Assembly::new(shared.dialect.frame_style(), MAX_MESSAGE),
            subscribed: BTreeMap::new(),
            user: None,
            liveness: Liveness::new(shared.dialect.silence(), shared.timing.clone(), now),
            uses_control_frames: false,
            rate: shared.message_limit.map(|limit| Rate::new(limit, now)),
            client_event_rate: shared.client_event_limit.map(|limit| Rate::new(limit, now)),
            shared,
        }
    }

    pub(crate) async fn run(mut self, opening: Opening) {
        let ending = match self.live(opening).await {
            Ok(()) => Ending::Cut,
            Err(ending) => ending,
        };
        self.tell(|socket| Activity::SocketEnded { socket, ending: ending.clone() });
        self.line.end(ending).await;
    }

    async fn live(&mut self, opening: Opening) -> Step {
        match opening {
            Opening::Greet => self.greet().await?,
            Opening::Act(actions) => self.act(actions).await?,
            Opening::Nothing => return self.line.stay_silent().await,
        }
        self.handle_inbox().await?;
        loop {
            if self.line.obey_mode().await? {
                self.liveness.resumed(Instant::now());
            }
            match self.line.next_input(self.liveness.deadline()).await {
                Input::Mode => {}
                Input::Outgoing(batch) => self.send_batch(batch).await?,
                Input::Read(Ok(0) | Err(_)) => return Err(Ending::Lost),
                Input::Read(Ok(_)) => self.handle_inbox().await?,
                Input::Silence => self.handle_silence().await?,
                Input::Stop => return self.act(self.shared.dialect.shutdown()).await,
            }
        }
    }

    async fn greet(&mut self) -> Step {
        let greeting = self.shared.dialect.greeting(&self.line.seat.id, &self.shared.timing);
        self.line.send_first(&greeting).await?;
        let id = self.line.seat.id.clone();
        self.tell(|socket| Activity::SocketOpened { socket, id });
        Ok(())
    }

    async fn handle_inbox(&mut self) -> Step {
        loop {
            match self.line.next_frame() {
                Parsed::Incomplete => return Ok(()),
                Parsed::TooLarge => return self.line.close(1009, "message too large").await,
                Parsed::Frame(frame) => self.handle_frame(&frame).await?,
            }
        }
    }

    async fn handle_frame(&mut self, frame: &Frame) -> Step {
        self.uses_control_frames |= frame.opcode >= opcode::CLOSE;
        self.line.seat.record_received(frame, self.shared.journal.millis());
        let received = self.assembly.accept(frame);
        self.liveness.received(Instant::now(), self.shared.dialect.answers_ping(&received));
        match received {
            Received::Message(text) => self.handle_message(&text).await,
            Received::Part | Received::Pong => Ok(()),
            Received::Ping(payload) => self.line.send(opcode::PONG, &payload).await,
            Received::Close { code, reason } => {
                if self.shared.dialect.closes_politely() {
                    self.line.send(opcode::CLOSE, &frame.payload).await?;
                }
                Err(Ending::ClosedByClient { code, reason })
            }
            Received::Violation { code, reason } => self.line.close(code, reason).await,
        }
    }

    async fn handle_message(&mut self, text: &str) -> Step {
        if let Some(rate) = &mut self.rate
            && !rate.admits(Instant::now())
            && let Some(actions) = self.shared.dialect.over_limit()
        {
            return self.act(actions).await;
        }
        let Some(fault) = message_fault::take(&self.shared.faults, text) else {
            let actions = self.answer(text);
            return self.act(actions).await;
        };
        match fault {
            MessageFault::Unanswered => Ok(()),
            MessageFault::Refused(channel) => {
                let actions = self.shared.dialect.refuse(&channel);
                self.act(actions).await
            }
            MessageFault::SignInRefused => {
                let actions = self.shared.dialect.refuse_sign_in();
                self.act(actions).await
            }
            MessageFault::Acknowledged(data) => {
                let actions = self.answer(text);
                self.act_with(actions, &Acknowledgement::Wrong(data)).await
            }
            MessageFault::AnsweredTwice => {
                let mut actions = self.answer(text);
                let sends = actions.iter().filter(|action| matches!(action, Action::Send(_)));
                let again: Vec<_> = sends.cloned().collect();
                actions.extend(again);
                self.act_with(actions, &Acknowledgement::Twice).await
            }
        }
    }

    fn answer(&self, text: &str) -> Vec<Action> {
        let context = Context {
            app: &self.shared.app,
            socket_id: &self.line.seat.id,
            subscribed: &self.subscribed,
            user: self.user.as_deref(),
            features: &self.shared.features,
        };
        self.shared.dialect.message(text, &context)
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
                    self.line.write(&bytes, frames).await?;
                    return self.line.close(code, &reason).await;
                }
                Outgoing::Raw(outbound) => bytes.extend(frame::encode_outbound(&outbound)),
            }
            frames += 1;
        }
        self.line.write(&bytes, frames).await?;
        self.line.seat.written(frames);
        self.liveness.sent(Instant::now());
        Ok(())
    }

    async fn handle_silence(&mut self) -> Step {
        match self.liveness.take_due(Instant::now()) {
            Due::Nothing => Ok(()),
            Due::Prune => self.act(self.shared.dialect.prune()).await,
            Due::Ping => match self.shared.dialect.ping(self.uses_control_frames) {
                Some(text) => self.line.send(opcode::TEXT, text.as_bytes()).await,
                None => self.line.send(opcode::PING, b"").await,
            },
        }
    }

    fn tell(&self, activity: impl FnOnce(u64) -> Activity) {
        self.shared.journal.tell(activity(self.line.seat.number));
    }
}

const MAX_MESSAGE: usize = 1 << 20;
