//! What may happen in a step, beside what happens by itself: to the caller, the device, the network and the server.

use super::*;

impl Simulation {
    pub(super) fn act(&mut self, action: Action) {
        if !matches!(action, Action::Nothing) {
            self.note(|| format!("{action:?}"));
        }
        match action {
            Action::Nothing => {}
            Action::Connect => self.connect(),
            Action::Disconnect => {
                self.checks.disconnect();
                self.world.command(Connection::disconnect);
            }
            Action::Subscribe => {
                let channel = self.any_channel();
                self.subscribe(channel);
            }
            Action::Unsubscribe => {
                let channel = self.any_channel();
                self.checks.unsubscribe(channel);
                self.world.unsubscribe(channel);
            }
            Action::Replace => self.replace(),
            Action::Hint => self.hint(Connection::network_changed),
            Action::Sleep => self.sleep(),
            _ => self.act_outside(action),
        }
        self.check();
    }

    /// Puts one channel in the place of another, or of itself.
    fn replace(&mut self) {
        let (old, new) = (self.any_channel(), self.any_channel());
        // What waits for a key when its channel is replaced is said to be lost of that, which is not wanted any more.
        let old = if old == ENCRYPTED { PRESENCE } else { old };
        if self.checks.wanted.contains(old) && (old == new || !self.checks.wanted.contains(new)) {
            self.note(|| format!("{new} replaces {old}"));
            self.checks.replace(old, new);
            self.world.replace(old, new, self.world.now);
        }
    }

    /// What the network and the server do; the client knows nothing of it.
    fn act_outside(&mut self, action: Action) {
        let now = self.world.now;
        let (first, rest) = (now + self.up_to(15.0), self.up_to(20.0));
        let channel = self.any_channel();
        let Some(socket) = &mut self.socket else { return };
        match action {
            Action::StallDown => {
                socket.down.stall(now, first, first + rest);
                // Whether the rest comes, or the socket ends before it does.
                if self.rng.bool() {
                    socket.breaks = Some(first + rest.mul_f64(self.rng.f64()));
                }
            }
            Action::StallUp => socket.up.stall(now, first, first + rest),
            Action::Break => self.break_socket(),
            Action::Delay => socket.busy_until = first + rest,
            Action::Close => {
                let codes = [None, Some(1001), Some(1002), Some(1011), Some(4001), Some(4100), Some(4200)];
                let code = codes[self.rng.usize(0..codes.len())];
                self.close(code);
            }
            Action::Forget => socket.forget(),
            Action::EndSubscription => self.end_subscription(channel),
            Action::Ping => self.say(PING, Answer::Nothing),
            Action::Fragment => self.send(Message::Fragment { sent: now }),
            _ => panic!("{action:?} happens inside"),
        }
    }

    /// The process stands still while the server and the network go on; what came in meanwhile is read at once.
    fn sleep(&mut self) {
        self.is_asleep = true;
        let longest = [0.5, 5.0, 20.0, 60.0, 600.0][self.rng.usize(0..5)];
        for _ in 0..3 {
            let outside = [Action::StallDown, Action::Break, Action::Close, Action::Forget, Action::EndSubscription];
            if let Some(action) = outside.get(self.rng.usize(0..10)) {
                self.act_outside(*action);
            }
            let seconds = longest / 3.0 * self.rng.f64();
            self.advance(seconds);
        }
        self.is_asleep = false;
        self.checks.requests.probed(self.world.now, 10);
        if self.rng.bool() {
            self.hint(Connection::resumed);
        }
    }

    pub(super) fn connect(&mut self) {
        self.checks.wants_connection = true;
        self.world.command(Connection::connect);
        self.check();
    }

    fn hint(&mut self, hint: impl for<'m> FnOnce(&'m mut Connection, Time) -> Outputs<'m, 'static>) {
        self.checks.requests.probed(self.world.now, 5);
        self.world.command(hint);
    }

    pub(super) fn subscribe(&mut self, channel: &'static str) {
        self.checks.wanted.insert(channel);
        self.world.subscribe(channel);
    }
}
