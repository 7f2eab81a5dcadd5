//! The handle of a running sandbox.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use channels_sandbox::{Activity, Delivered, Listening, Outbound, Profile, RawPush, ReceivedFrame};
use tokio::sync::broadcast;

use crate::{
    accounts::{Session, TokenStatus},
    config::SandboxConfig,
    error::{SandboxError, WaitError},
    fault::Fault,
    push::{Broadcast, Push, PushError},
    requests::RequestRecord,
    routes,
    sockets::Sockets,
    state::SandboxState,
    vms::Vms,
};

/// A local simulator of a video-management system.
///
/// It serves until [`stop`](Self::stop) or [`kill`](Self::kill), or until it is dropped, which is
/// like `kill`. Users, sessions, counters and records outlive a stop; [`restart`](Self::restart)
/// continues with them on the same port.
///
/// Methods that take [`Sockets`] return how many sockets matched.
pub struct Sandbox {
    vms: Arc<Vms>,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.vms.later.abort_now();
        // The routes hold the VMS, and with it the server that holds them.
        self.vms.server.kill_now();
    }
}

/// Starting and stopping.
impl Sandbox {
    /// Starts serving. Must be called on a Tokio runtime.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on, the certificate is unusable, or a setting is invalid.
    pub async fn start(config: SandboxConfig) -> Result<Self, SandboxError> {
        let vms = Arc::new(Vms::new(config)?);
        let sandbox = Self { vms };
        sandbox.serve().await?;
        Ok(sandbox)
    }

    /// Shuts down as the profile's server does: `pusher7`, `sockudo` and `soketi` send error and close 4200, the others
    /// drop the connections. Returns when every connection is gone, after 5 s at most.
    pub async fn stop(&self) {
        self.vms.later.abort().await;
        self.vms.server.stop().await;
    }

    /// Stops as if the process were killed: every connection just ends.
    pub async fn kill(&self) {
        self.vms.later.abort().await;
        self.vms.server.kill().await;
    }

    /// Serves again on the same port, after a [`kill`](Self::kill) if it still runs.
    ///
    /// # Errors
    ///
    /// If the port cannot be listened on again within 5 s.
    pub async fn restart(&self) -> Result<(), SandboxError> {
        self.kill().await;
        self.serve().await
    }

    async fn serve(&self) -> Result<(), SandboxError> {
        Ok(self.vms.server.serve(routes::router(&self.vms)).await?)
    }

    /// Whether it has been neither stopped nor killed.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.vms.server.is_running()
    }
}

/// Its addresses and sessions.
impl Sandbox {
    /// The base URL of the VMS, such as `http://127.0.0.1:41234`.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.vms.server.base_url()
    }

    /// The socket URL, such as `ws://127.0.0.1:41234/pusher`.
    #[must_use]
    pub fn socket_url(&self) -> String {
        self.vms.server.socket_url()
    }

    /// The address it listens on.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.vms.server.local_addr()
    }

    /// The Pusher application key.
    #[must_use]
    pub fn app_key(&self) -> &str {
        &self.vms.server.app().key
    }

    /// The secret that signs channel authorizations.
    #[must_use]
    pub fn app_secret(&self) -> &str {
        &self.vms.server.app().secret
    }

    /// The profile of the Pusher side.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.vms.server.profile()
    }

    /// The sessions, oldest first.
    #[must_use]
    pub fn sessions(&self) -> Vec<Session> {
        self.vms.accounts().sessions()
    }

    /// Opens another session of a user; `None` if there is no such user.
    #[must_use]
    pub fn open_session(&self, user_id: i64) -> Option<Session> {
        self.vms.open_session(user_id)
    }

    /// Pushes `logout` to the session, then revokes its token (401). The sockets stay. False if there
    /// is no such session.
    pub async fn log_out(&self, access_token_id: &str, subject: Option<&str>) -> bool {
        self.vms.log_out(access_token_id, subject).await
    }

    /// Sets whether the session's token is accepted; false if there is no such session.
    #[expect(clippy::must_use_candidate, reason = "a command")]
    pub fn set_token_status(&self, access_token_id: &str, status: TokenStatus) -> bool {
        self.vms.set_token_status(access_token_id, status)
    }

    /// Gives the session another token, which is returned; the old one is answered with 401.
    #[must_use]
    pub fn rotate_token(&self, access_token_id: &str) -> Option<String> {
        self.vms.rotate_token(access_token_id)
    }

    /// The `auth` of a channel authorization: `{key}:{signature}`.
    #[must_use]
    pub fn sign(&self, socket_id: &str, channel: &str) -> String {
        self.vms.server.app().authorize(socket_id, channel, None)
    }
}

/// Events.
impl Sandbox {
    /// Pushes an event. Waits for room in the queues of slow sockets, until those are cut.
    ///
    /// # Errors
    ///
    /// If the target does not exist or the body does not fit the envelope.
    pub async fn push(&self, push: Push) -> Result<Delivered, PushError> {
        self.vms.push(&push).await
    }

    /// Pushes an event without any checks.
    pub async fn push_raw(&self, push: RawPush) -> Delivered {
        self.vms.server.publish(push).await
    }

    /// The events that make up a push, to be published through another server; nothing is sent.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push).
    pub fn broadcasts(&self, push: &Push) -> Result<Vec<Broadcast>, PushError> {
        self.vms.broadcasts(push)
    }
}

/// Sockets.
#[expect(clippy::must_use_candidate, reason = "these are commands; the count is for whoever wants it")]
impl Sandbox {
    /// Drops connections without a close frame.
    pub fn cut(&self, sockets: &Sockets) -> usize {
        self.vms.server.cut(&sockets.into())
    }

    /// Drops connections with a TCP reset.
    pub fn reset(&self, sockets: &Sockets) -> usize {
        self.vms.server.reset(&sockets.into())
    }

    /// Stops reading and writing sockets, but keeps their connections.
    pub fn stall(&self, sockets: &Sockets) -> usize {
        self.vms.server.stall(&sockets.into())
    }

    /// Resumes stalled sockets.
    pub fn resume(&self, sockets: &Sockets) -> usize {
        self.vms.server.resume(&sockets.into())
    }

    /// Sends a close frame, then closes the connection as the profile's server does.
    pub async fn close(&self, sockets: &Sockets, code: u16, reason: &str) -> usize {
        self.send(sockets, Outbound::Close { code, reason: reason.to_owned() }).await
    }

    /// Sends a WebSocket ping.
    pub async fn ping(&self, sockets: &Sockets) -> usize {
        self.send(sockets, Outbound::Ping(Vec::new())).await
    }

    /// Sends something verbatim.
    pub async fn send(&self, sockets: &Sockets, what: Outbound) -> usize {
        self.vms.server.send(&sockets.into(), &what).await
    }

    /// Delays every write to a socket by this much.
    pub fn set_latency(&self, latency: Duration) {
        self.vms.server.set_latency(latency);
    }

    /// Sets how new connections are treated, effective on return.
    ///
    /// # Errors
    ///
    /// If the port cannot be listened on again within 5 s.
    pub async fn set_listening(&self, listening: Listening) -> Result<(), SandboxError> {
        Ok(self.vms.server.set_listening(listening).await?)
    }

    /// Injects a fault.
    pub fn inject(&self, fault: Fault) {
        self.vms.inject(fault);
    }

    /// Clears every injected fault.
    pub fn clear_faults(&self) {
        self.vms.clear_faults();
    }
}

/// Inspection.
impl Sandbox {
    /// The current state.
    #[must_use]
    pub fn state(&self) -> SandboxState {
        self.vms.state()
    }

    /// Waits until the state is as `wanted`.
    ///
    /// # Errors
    ///
    /// If it is not within `patience`.
    pub async fn wait_until(
        &self,
        patience: Duration,
        wanted: impl FnMut(&SandboxState) -> bool,
    ) -> Result<SandboxState, WaitError> {
        let waited = self.vms.server.changes().wait_until(patience, || self.state(), wanted).await;
        waited.map_err(|state| WaitError { timeout: patience, state: Box::new(state) })
    }

    /// Waits until both VMS channels of a session have a subscriber.
    ///
    /// # Errors
    ///
    /// If they do not within `patience`.
    pub async fn wait_subscribed(&self, session: &Session, patience: Duration) -> Result<SandboxState, WaitError> {
        let (token, user) = (session.token_channel(), session.user_channel());
        let both = |state: &SandboxState| state.subscribers(&token) > 0 && state.subscribers(&user) > 0;
        self.wait_until(patience, both).await
    }

    /// The last 256 frames received on a socket, by its number. Of the ended sockets, the last 256 are
    /// remembered.
    #[must_use]
    pub fn received(&self, socket_number: u64) -> Vec<ReceivedFrame> {
        self.vms.server.received(socket_number)
    }

    /// The last 1,024 REST requests, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.vms.requests.last()
    }

    /// Receives what happens from now on, for printing. A receiver that is 1,024 behind loses the oldest.
    #[must_use]
    pub fn activity(&self) -> broadcast::Receiver<Activity> {
        self.vms.server.activity()
    }
}
