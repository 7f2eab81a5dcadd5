//! A running sandbox, as a program holds it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{sync::broadcast, time::timeout};

use crate::{
    Activity, Broadcast, Delivered, Fault, Listening, Outbound, Profile, Push, PushError, RawPush, ReceivedFrame,
    RequestRecord, SandboxConfig, SandboxError, SandboxState, Session, Sockets, Standing, WaitError, commands,
    pusher::hub::Mode, world::World,
};

/// A video-management system on the desk.
///
/// It serves until [`stop`](Self::stop) or [`kill`](Self::kill), or until it is dropped, which is
/// like `kill`. Users, sessions, counters and records outlive a stop; [`restart`](Self::restart)
/// goes on with them on the same port.
///
/// Methods that name [`Sockets`] return how many sockets they were for.
pub struct Sandbox {
    world: Arc<World>,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.world.kill_now();
    }
}

/// Starting and stopping.
impl Sandbox {
    /// Starts serving. Must be called on a Tokio runtime.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on, the certificate is of no use, or a setting makes no
    /// sense.
    #[expect(clippy::unused_async, reason = "it needs a runtime, and the signature says so")]
    pub async fn start(config: SandboxConfig) -> Result<Self, SandboxError> {
        let (world, listener) = World::new(config)?;
        world.serve(listener);
        Ok(Self { world })
    }

    /// Stops the way the profile's server shuts down: `pusher7` sends error and close 4200, the
    /// others drop the connections. Returns when every connection is gone, after 5 s at most.
    pub async fn stop(&self) {
        self.world.stop().await;
    }

    /// Stops as if the process was killed: every connection just ends.
    pub async fn kill(&self) {
        self.world.kill().await;
    }

    /// Serves again on the same port, after a [`kill`](Self::kill) if it still runs.
    ///
    /// # Errors
    ///
    /// When the port cannot be listened on again within 5 s.
    pub async fn restart(&self) -> Result<(), SandboxError> {
        self.world.kill().await;
        let listener = self.world.listen_again().await?;
        self.world.serve(listener);
        Ok(())
    }

    /// Whether it has been neither stopped nor killed.
    #[must_use]
    pub fn is_running(&self) -> bool {
        !self.world.is_stopping()
    }
}

/// Where it is, and who may come.
impl Sandbox {
    /// The base URL of the VMS, such as `http://127.0.0.1:41234`.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.world.base_url()
    }

    /// The socket URL, such as `ws://127.0.0.1:41234/pusher`.
    #[must_use]
    pub fn socket_url(&self) -> String {
        self.world.socket_url()
    }

    /// The address it listens on.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.world.address()
    }

    /// The Pusher application key.
    #[must_use]
    pub fn app_key(&self) -> &str {
        &self.world.app.key
    }

    /// The secret that signs channel authorizations.
    #[must_use]
    pub fn app_secret(&self) -> &str {
        &self.world.app.secret
    }

    /// The profile of the Pusher side.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.world.profile
    }

    /// The sessions, oldest first.
    #[must_use]
    pub fn sessions(&self) -> Vec<Session> {
        self.world.accounts().sessions()
    }

    /// Opens another session of a user; nothing when there is no such user.
    #[must_use]
    pub fn open_session(&self, user_id: i64) -> Option<Session> {
        let session = self.world.accounts().open(user_id);
        self.world.hub.touch();
        session
    }

    /// Pushes `logout` to the session, then makes its token worth 401. The sockets stay. False when
    /// there is no such session.
    pub async fn log_out(&self, access_token_id: &str, subject: Option<&str>) -> bool {
        commands::log_out(&self.world, access_token_id, subject).await
    }

    /// Sets what the session's token is worth; false when there is no such session.
    #[expect(clippy::must_use_candidate, reason = "a command")]
    pub fn set_standing(&self, access_token_id: &str, standing: Standing) -> bool {
        let found = self.world.accounts().set_standing(access_token_id, standing);
        self.world.hub.touch();
        found
    }

    /// Gives the session another token, which is returned; the old one is worth 401.
    #[must_use]
    pub fn rotate_token(&self, access_token_id: &str) -> Option<String> {
        let token = self.world.accounts().rotate(access_token_id);
        self.world.hub.touch();
        token
    }

    /// The `auth` of a channel authorization: `{key}:{signature}`.
    #[must_use]
    pub fn sign(&self, socket_id: &str, channel: &str) -> String {
        self.world.app.authorize(socket_id, channel, None)
    }
}

/// Events.
impl Sandbox {
    /// Pushes an event. It waits for room in the queues of slow sockets, until those are cut.
    ///
    /// # Errors
    ///
    /// When the target does not exist or the body does not fit the envelope.
    pub async fn push(&self, push: Push) -> Result<Delivered, PushError> {
        self.world.push(&push).await
    }

    /// Pushes an event of which nothing is checked.
    pub async fn push_raw(&self, push: RawPush) -> Delivered {
        self.world.push_raw(push).await
    }

    /// The events that a push stands for, to be published through another server; nothing is sent.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push).
    pub fn broadcasts(&self, push: &Push) -> Result<Vec<Broadcast>, PushError> {
        self.world.broadcasts(push)
    }
}

/// Sockets.
#[expect(clippy::must_use_candidate, reason = "these are commands; the count is for whoever wants it")]
impl Sandbox {
    /// Drops connections without a close frame.
    pub fn cut(&self, sockets: &Sockets) -> usize {
        self.world.hub.set_mode(sockets, Mode::Cut).len()
    }

    /// Drops connections with a TCP reset.
    pub fn reset(&self, sockets: &Sockets) -> usize {
        self.world.hub.set_mode(sockets, Mode::Reset).len()
    }

    /// Neither reads nor writes sockets from now on, but keeps their connections.
    pub fn stall(&self, sockets: &Sockets) -> usize {
        commands::stall(&self.world, sockets)
    }

    /// Goes on with sockets that were stalled.
    pub fn resume(&self, sockets: &Sockets) -> usize {
        self.world.hub.set_mode(sockets, Mode::Running).len()
    }

    /// Sends a close frame, then closes the connection as the profile does.
    pub async fn close(&self, sockets: &Sockets, code: u16, reason: &str) -> usize {
        self.send(sockets, Outbound::Close { code, reason: reason.to_owned() }).await
    }

    /// Sends a WebSocket ping.
    pub async fn ping(&self, sockets: &Sockets) -> usize {
        self.send(sockets, Outbound::Ping(Vec::new())).await
    }

    /// Sends something as it stands.
    pub async fn send(&self, sockets: &Sockets, what: Outbound) -> usize {
        self.world.hub.send(sockets, &what).await
    }

    /// Makes every write to a socket wait so long first.
    pub fn set_latency(&self, latency: Duration) {
        self.world.set_latency(latency);
    }

    /// Sets what new connections meet; when it returns, they do.
    ///
    /// # Errors
    ///
    /// When the port cannot be listened on again within 5 s.
    pub async fn set_listening(&self, listening: Listening) -> Result<(), SandboxError> {
        self.world.set_listening(listening).await
    }

    /// Orders a fault.
    pub fn inject(&self, fault: Fault) {
        self.world.faults.add(fault);
    }

    /// Calls off every fault that was ordered.
    pub fn clear_faults(&self) {
        self.world.faults.clear();
    }
}

/// Looking.
impl Sandbox {
    /// How things stand.
    #[must_use]
    pub fn state(&self) -> SandboxState {
        self.world.state()
    }

    /// Waits until things stand as `wanted`.
    ///
    /// # Errors
    ///
    /// When they do not within `patience`.
    pub async fn wait_until(
        &self,
        patience: Duration,
        mut wanted: impl FnMut(&SandboxState) -> bool,
    ) -> Result<SandboxState, WaitError> {
        let mut revisions = self.world.hub.revisions();
        let reached = async {
            loop {
                revisions.mark_unchanged();
                let state = self.state();
                // The hub lives as long as the sandbox, so there is always another revision to come.
                if wanted(&state) || revisions.changed().await.is_err() {
                    return state;
                }
            }
        };
        let state = timeout(patience, reached).await;
        state.map_err(|_| WaitError { timeout: patience, state: Box::new(self.state()) })
    }

    /// Waits until both VMS channels of a session have a subscriber.
    ///
    /// # Errors
    ///
    /// When they do not within `patience`.
    pub async fn wait_subscribed(&self, session: &Session, patience: Duration) -> Result<SandboxState, WaitError> {
        let (token, user) = (session.token_channel(), session.user_channel());
        let both = |state: &SandboxState| state.subscribers(&token) > 0 && state.subscribers(&user) > 0;
        self.wait_until(patience, both).await
    }

    /// The last 256 frames received on a socket, by its number. Of sockets that have ended, the last
    /// 256 are remembered.
    #[must_use]
    pub fn received(&self, socket_number: u64) -> Vec<ReceivedFrame> {
        self.world.hub.received(socket_number)
    }

    /// The last 1,024 REST requests, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.world.journal.requests()
    }

    /// What happens from now on, for printing. A receiver that is 1,024 behind loses the oldest.
    #[must_use]
    pub fn activity(&self) -> broadcast::Receiver<Activity> {
        self.world.journal.listen()
    }
}
