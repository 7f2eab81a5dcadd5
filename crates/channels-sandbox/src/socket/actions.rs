//! What a socket does about a message.

use tokio::time::Instant;

use super::{Socket, line::Step};
use crate::{
    activity::Activity,
    dialect::habits::{Action, SignedIn},
    ending::Ending,
    hub::exchange::Joined,
    member::Membership,
    push::RawData,
    websocket::frame::{self, opcode},
};

/// How a subscription is acknowledged.
#[derive(Clone, Debug)]
pub(super) enum Acknowledgement {
    Right,
    Twice,
    Wrong(RawData),
}

impl Socket {
    pub(super) async fn act(&mut self, actions: Vec<Action>) -> Step {
        self.act_with(actions, &Acknowledgement::Right).await
    }

    pub(super) async fn act_with(&mut self, actions: Vec<Action>, acknowledgement: &Acknowledgement) -> Step {
        for action in actions {
            match action {
                Action::Close { code, reason } => return self.line.close(code, &reason).await,
                Action::Crash => {
                    self.shared.hub.crash();
                    return Err(Ending::DroppedByServer);
                }
                Action::Drop => return Err(Ending::DroppedByServer),
                Action::Refused { channel } => {
                    self.tell(|socket| Activity::SubscriptionRefused { socket, channel });
                }
                Action::Relay { channel, event, frame } => self.relay(channel, event, &frame).await?,
                Action::Send(text) => self.send_text(&text).await?,
                Action::SignIn { user, answer } => self.sign_in(user, &answer).await?,
                Action::SignInRefused => self.tell(|socket| Activity::SignInRefused { socket }),
                Action::Subscribe { channel, membership } => {
                    self.subscribe(channel, membership, acknowledgement).await?;
                }
                Action::Unsubscribe { channel } => self.unsubscribe(channel),
            }
        }
        Ok(())
    }

    async fn send_text(&mut self, text: &str) -> Step {
        self.line.send(opcode::TEXT, text.as_bytes()).await?;
        self.liveness.sent(Instant::now());
        Ok(())
    }

    async fn subscribe(
        &mut self,
        channel: String,
        membership: Option<Box<Membership>>,
        acknowledgement: &Acknowledgement,
    ) -> Step {
        if self.subscribed.len() >= MAX_CHANNELS {
            return self.line.close(4100, "too many channels").await;
        }
        let joined = self.line.seat.join(&channel, membership.as_deref());
        self.subscribed.entry(channel.clone()).or_insert(membership);
        if let Some(push) = self.shared.hooks.before_acknowledgement(&channel) {
            self.line.write(&self.shared.event_frame(&push), 1).await?;
        }
        self.acknowledge(&channel, &joined, acknowledgement).await?;
        if let Some(user) = joined.added {
            self.shared.journal.tell(Activity::MemberAdded { channel: channel.clone(), user });
        }
        self.tell(|socket| Activity::Subscribed { socket, channel });
        Ok(())
    }

    async fn acknowledge(&mut self, channel: &str, joined: &Joined, acknowledgement: &Acknowledgement) -> Step {
        let dialect = self.shared.dialect;
        let presence = joined.members.as_ref().map(|members| dialect.presence(members.as_deref()));
        let right = dialect.acknowledgement(channel, presence.as_deref());
        match acknowledgement {
            Acknowledgement::Right => self.send_text(&right).await?,
            Acknowledgement::Twice => {
                self.send_text(&right).await?;
                self.send_text(&right).await?;
            }
            Acknowledgement::Wrong(data) => {
                let data = self.shared.json(data);
                let wrong = dialect.internal("pusher_internal:subscription_succeeded", Some(channel), data.as_deref());
                self.send_text(&wrong).await?;
            }
        }
        if let Some(frame) = &joined.cached {
            self.line.write(frame, 1).await?;
        } else if dialect.is_cache(channel) {
            self.send_text(&dialect.cache_miss(channel)).await?;
        }
        if self.shared.features.subscription_count
            && let Some(count) = dialect.subscription_count(channel, joined.subscribers)
        {
            self.send_text(&count).await?;
        }
        Ok(())
    }

    fn unsubscribe(&mut self, channel: String) {
        self.subscribed.remove(&channel);
        for (channel, user) in self.line.seat.unsubscribe(&channel) {
            self.shared.journal.tell(Activity::MemberRemoved { channel, user });
        }
        self.tell(|socket| Activity::Unsubscribed { socket, channel });
    }

    /// Sends a client event to the others who are subscribed.
    async fn relay(&mut self, channel: String, event: String, text: &str) -> Step {
        if let Some(rate) = &mut self.client_event_rate
            && !rate.admits(Instant::now())
        {
            let refusal = self.shared.dialect.client_event_over_limit(&channel);
            return self.send_text(&refusal).await;
        }
        let frame = frame::encode(opcode::TEXT, text.as_bytes()).into();
        let sockets = self.shared.hub.relay(&channel, frame, Some(&self.line.seat.id)).await;
        self.tell(|socket| Activity::ClientEvent { socket, event, channel, sockets });
        Ok(())
    }

    async fn sign_in(&mut self, user: Box<SignedIn>, answer: &str) -> Step {
        let statuses = self.line.seat.sign_in(&user.id, user.watchlist.as_deref());
        let id = user.id.clone();
        self.user = Some(user);
        let is_first = self.shared.dialect.watchlist_comes_first();
        let (before, after) = if is_first { (statuses, Vec::new()) } else { (Vec::new(), statuses) };
        for text in before.iter().map(String::as_str).chain([answer]).chain(after.iter().map(String::as_str)) {
            self.send_text(text).await?;
        }
        self.tell(|socket| Activity::SignedIn { socket, user: id });
        Ok(())
    }
}

const MAX_CHANNELS: usize = 1_000;
