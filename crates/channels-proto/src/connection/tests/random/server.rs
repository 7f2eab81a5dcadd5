//! The server: what it answers, and when it publishes.

use super::*;

impl Simulation {
    pub(super) fn server_reads(&mut self) {
        let now = self.world.now;
        let Some(socket) = &mut self.socket else { return };
        let Some(request) = socket.up.receive(now) else { return };
        if socket.is_forgotten {
            return;
        }
        socket.busy_until = now + self.habits.work(&mut self.rng);
        self.note(|| format!("the server reads {:?}", request.kind));
        match request.kind.clone() {
            Kind::Ping => self.say(PONG, Answer::Yes(request)),
            Kind::Pong => {}
            Kind::Subscribe { channel, auth } => {
                let id = self.socket.as_ref().map(|socket| socket_id(socket.epoch));
                let signed_for = auth.as_deref().and_then(|auth| auth.strip_prefix("key:"));
                assert_eq!(signed_for, id.as_deref().filter(|_| channel.starts_with("pr")), "I17");
                self.answer_subscribe(&channel, request);
            }
            Kind::Unsubscribe { channel } => {
                self.unsubscribe_at_server(&channel);
                self.publish(&channel);
            }
        }
    }

    fn answer_subscribe(&mut self, channel: &str, request: Request) {
        // An event right before and right behind the moment from which it counts.
        self.publish(channel);
        let ids: Vec<_> = self.members.iter().map(u32::to_string).collect();
        let data = if channel == PRESENCE {
            format!(r#","data":"{{\"presence\":{{\"ids\":[{}],\"hash\":{{}}}}}}""#, ids.join(","))
        } else {
            String::new()
        };
        let ack = format!(r#"{{"event":"pusher_internal:subscription_succeeded","channel":"{channel}"{data}}}"#);
        if self.is_calm || self.rng.u32(0..100) >= self.habits.refusals {
            self.subscribe_at_server(channel);
            self.publish(channel);
            self.say(&ack, Answer::Yes(request));
            return;
        }
        match self.rng.u32(0..8) {
            0 => {}
            1 => self.subscribe_at_server(channel),
            2 => self.close(Some(1008)),
            3 => {
                let nameless = r#"{"event":"pusher:error","data":{"code":4300,"message":"no"}}"#;
                self.say(nameless, Answer::Nothing);
            }
            4 => {
                let named = format!(r#"{{"event":"pusher:error","channel":"{channel}","data":{{"code":4301}}}}"#);
                self.say(&named, Answer::No(request));
            }
            5 => {
                self.subscribe_at_server(channel);
                self.say(&ack, Answer::Yes(request));
                self.end_subscription(channel);
            }
            _ => {
                // What was subscribed before may be over with it, or not.
                if self.rng.bool() {
                    self.unsubscribe_at_server(channel);
                }
                let refusal = self.subscription_error(channel);
                self.say(&refusal, Answer::No(request));
            }
        }
    }

    pub(super) fn end_subscription(&mut self, channel: &str) {
        if self.socket.as_mut().is_some_and(|socket| socket.subscribed.remove(channel)) {
            let error = self.subscription_error(channel);
            self.say(&error, Answer::Nothing);
            self.publish(channel);
        }
    }

    fn subscription_error(&mut self, channel: &str) -> String {
        let status = [403, 429, 500][self.rng.usize(0..3)];
        format!(r#"{{"event":"pusher:subscription_error","channel":"{channel}","data":{{"status":{status}}}}}"#)
    }

    pub(super) fn publish(&mut self, channel: &str) {
        let number = self.checks.history.published(self.world.now, channel);
        self.note(|| format!("e{number} is published on {channel}"));
        if self.socket.as_ref().is_some_and(|socket| socket.subscribed.contains(channel)) {
            let data = self.data_on(channel);
            self.say(&format!(r#"{{"event":"e{number}","channel":"{channel}","data":{data}}}"#), Answer::Nothing);
        }
    }

    /// Publishes on any channel, and settles when it does so next.
    pub(super) fn publish_any(&mut self) {
        let pause = if self.is_calm || self.is_asleep { 20.0 } else { [0.05, 0.5, 4.0][self.rng.usize(0..3)] };
        self.next_event = self.world.now + Duration::from_secs_f64(self.rng.f64() * pause);
        let channel = self.any_channel();
        if channel == PRESENCE && self.rng.bool() {
            self.change_members();
        }
        // The authorization endpoint may still give the key before this one.
        if channel == ENCRYPTED && !self.is_calm && self.rng.u32(0..10) == 0 {
            self.key = self.key.wrapping_add(1);
        }
        self.publish(channel);
    }

    #[cfg(feature = "encryption")]
    fn data_on(&self, channel: &str) -> String {
        if channel == ENCRYPTED {
            crate::secretbox::tests::seal_with(&[self.key; 32], "{}")
        } else {
            r#""{}""#.to_owned()
        }
    }

    #[cfg(not(feature = "encryption"))]
    fn data_on(&self, _: &str) -> String {
        r#""{}""#.to_owned()
    }

    /// Somebody comes, perhaps from a second device, or goes.
    fn change_members(&mut self) {
        let id = self.rng.u32(1..6);
        let event = if self.rng.bool() {
            self.members.insert(id);
            "member_added"
        } else {
            self.members.remove(&id);
            "member_removed"
        };
        if self.socket.as_ref().is_some_and(|socket| socket.subscribed.contains(PRESENCE)) {
            let text = format!(
                r#"{{"event":"pusher_internal:{event}","channel":"{PRESENCE}","data":"{{\"user_id\":\"{id}\"}}"}}"#
            );
            self.say(&text, Answer::Nothing);
        }
    }

    /// Sends a message on the live socket.
    pub(super) fn say(&mut self, text: &str, answer: Answer) {
        let message = Message::Text { text: text.to_owned(), sent: self.world.now, answer };
        self.send(message);
    }

    pub(super) fn send(&mut self, message: Message) {
        let delay = self.habits.delay(&mut self.rng);
        if let Some(socket) = self.socket.as_mut().filter(|socket| !socket.is_forgotten) {
            socket.down.send(self.world.now, delay, message);
        }
    }

    /// The server closes the socket behind all that it sent.
    pub(super) fn close(&mut self, code: Option<u16>) {
        self.send(Message::Closed(Closed { code, ..Closed::default() }));
        if let Some(socket) = &mut self.socket {
            socket.forget();
        }
    }

    /// The network breaks the socket: whatever was under way is lost.
    pub(super) fn break_socket(&mut self) {
        let delay = self.habits.delay(&mut self.rng);
        let now = self.world.now;
        if let Some(socket) = &mut self.socket {
            socket.breaks = None;
            socket.down.lose(now);
            let closed = Closed { error: Some("reset".to_owned()), ..Closed::default() };
            socket.down.send(now, delay, Message::Closed(closed));
            socket.forget();
        }
    }

    fn subscribe_at_server(&mut self, channel: &str) {
        if let Some(socket) = &mut self.socket {
            socket.subscribed.insert(channel.to_owned());
        }
    }

    fn unsubscribe_at_server(&mut self, channel: &str) {
        if let Some(socket) = &mut self.socket {
            socket.subscribed.remove(channel);
        }
    }
}

pub(super) fn socket_id(epoch: Epoch) -> String {
    format!("1.{}", epoch.0)
}
