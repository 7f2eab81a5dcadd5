//! The handle of a running server.

use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, Mutex, atomic::AtomicU64},
    time::Duration,
};

use axum::Router;
use serde_json::{Value, json};
use tokio::sync::broadcast;
use tokio_rustls::TlsAcceptor;

use crate::{
    activity::Activity,
    app::App,
    auth_endpoint::AuthEndpoint,
    changes::Changes,
    config::ServerConfig,
    dialect::{self, habits::USER_CHANNEL},
    error::{ServerError, WaitError},
    fault::{Fault, FaultBook, SocketFault},
    hooks::Hooks,
    http_api,
    hub::{exchange::Hub, roster::Mode},
    journal::Journal,
    listening::Listening,
    member::{Member, Membership},
    net::{address::Address, connection::Reception, gate::Gate, stop::Stop},
    profile::Profile,
    push::{Delivered, RawData, RawPush},
    shared::{Latency, Shared},
    sockets::{ReceivedFrame, Sockets},
    state::ServerState,
    timing::Timing,
    upgrade,
    wall_clock::WallClock,
    websocket::{
        frame::{self, opcode},
        outbound::Outbound,
    },
};

/// A Pusher Channels server.
///
/// It serves until [`stop`](Self::stop) or [`kill`](Self::kill), or until it is dropped, which is
/// like `kill`. Counters and records outlive a stop; [`serve`](Self::serve) continues with them on the same port.
///
/// Methods that take [`Sockets`] return how many sockets matched.
pub struct Server {
    shared: Arc<Shared>,
    gate: Gate,
    tls: Option<TlsAcceptor>,
    profile: Profile,
    address: Address,
    /// The clock of the HTTP API, if that is served.
    http_api: Option<WallClock>,
    auth_endpoint: AuthEndpoint,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill_now();
    }
}

/// Starting and stopping.
impl Server {
    /// Starts a server that serves the sockets, the HTTP API and the [`auth_endpoint`](Self::auth_endpoint). Must be called
    /// on a Tokio runtime.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind).
    pub async fn start(config: ServerConfig) -> Result<Self, ServerError> {
        let server = Self::bind(config, Arc::new(()))?;
        server.serve(server.auth_endpoint.routes()).await?;
        Ok(server)
    }

    /// Binds the port. New connections wait for [`serve`](Self::serve). Must be called on a Tokio runtime.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on, the certificate is unusable, or a setting is invalid.
    pub fn bind(config: ServerConfig, hooks: Arc<dyn Hooks>) -> Result<Self, ServerError> {
        config.check()?;
        let client_event_limit = config.client_event_limit();
        let tls = config.tls.as_ref().map(|tls| tls.server_config().map(TlsAcceptor::from)).transpose()?;
        let gate = Gate::new(config.bind, config.send_buffer)?;
        let address = Address { bound: gate.address(), host: config.host, is_tls: tls.is_some() };
        let changes = Changes::default();
        let dialect = dialect::of(config.profile);
        let hub = Hub::new(dialect, config.cache_ttl, config.features.subscription_count, changes.clone());
        let shared = Shared {
            dialect,
            timing: config.timing.unwrap_or_else(|| Timing::of(config.profile)),
            app: App {
                id: config.app_id,
                key: config.app_key,
                secret: config.app_secret,
                encryption_master_key: config.encryption_master_key,
            },
            message_limit: config.message_limit,
            client_event_limit,
            features: config.features,
            hooks,
            hub: Arc::new(hub),
            faults: FaultBook::default(),
            journal: Journal::new(),
            changes,
            stop: Stop::default(),
            latency: Latency::default(),
            ids: Mutex::new(fastrand::Rng::with_seed(config.seed)),
            events: AtomicU64::new(0),
        };
        let http_api = config.http_api.then_some(config.clock);
        let shared = Arc::new(shared);
        let auth_endpoint = AuthEndpoint::new(Arc::clone(&shared));
        Ok(Self { shared, gate, tls, profile: config.profile, address, http_api, auth_endpoint })
    }

    /// Serves the sockets and the HTTP API, and everything else from `routes`, on its port. If it is still running, it is
    /// [killed](Self::kill) first.
    ///
    /// The routes are dropped by `stop`, by `kill` and with the server; if they own the server, it must be stopped or
    /// killed.
    ///
    /// # Errors
    ///
    /// If the port cannot be listened on again within 5 s.
    pub async fn serve(&self, routes: Router) -> Result<(), ServerError> {
        if self.gate.is_open() {
            self.kill().await;
        }
        self.shared.stop.set(false);
        let reception = Reception {
            routes: self.routes().merge(routes),
            tls: self.tls.clone(),
            stop: self.shared.stop.clone(),
            sends_dates: self.shared.dialect.sends_dates(),
            max_head_bytes: self.shared.dialect.max_head_bytes(),
            is_silent: false,
        };
        self.gate.open(reception).await
    }

    fn routes(&self) -> Router {
        let sockets = upgrade::routes(Arc::clone(&self.shared));
        match &self.http_api {
            Some(clock) => sockets.merge(http_api::routes(self.profile, Arc::clone(&self.shared), clock.clone())),
            None => sockets,
        }
    }

    /// Shuts down as the profile's server does: `pusher7`, `sockudo` and `soketi` send error and close 4200, the others
    /// drop the connections. Returns when every connection is gone, after 5 s at most.
    pub async fn stop(&self) {
        self.gate.shut().await;
        self.shared.stop.set(true);
        self.gate.finish(STOP_PATIENCE).await;
    }

    /// Stops as if the process were killed: every connection just ends.
    pub async fn kill(&self) {
        self.gate.shut().await;
        self.shared.stop.set(true);
        self.gate.abort().await;
    }

    /// [`kill`](Self::kill) without waiting for the connections to be gone.
    pub fn kill_now(&self) {
        self.shared.stop.set(true);
        self.gate.abort_now();
    }

    /// Whether it has been neither stopped nor killed.
    #[must_use]
    pub fn is_running(&self) -> bool {
        !self.shared.stop.is_set()
    }

    /// Sets how new connections are treated, effective on return. A server that is not running stays as it is.
    ///
    /// # Errors
    ///
    /// If the port cannot be listened on again within 5 s.
    pub async fn set_listening(&self, listening: Listening) -> Result<(), ServerError> {
        self.gate.set_listening(listening).await
    }
}

/// Where it is, and what it serves.
impl Server {
    /// The base URL, such as `http://127.0.0.1:41234`.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.address.base_url()
    }

    /// The socket URL, such as `ws://127.0.0.1:41234/pusher`.
    #[must_use]
    pub fn socket_url(&self) -> String {
        self.address.socket_url()
    }

    /// The address it listens on.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address.bound
    }

    /// The host used in its URLs instead of its address.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.address.host.as_deref()
    }

    /// Whether it serves https and wss.
    #[must_use]
    pub const fn is_tls(&self) -> bool {
        self.address.is_tls
    }

    /// The application that sockets connect to.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.shared.app
    }

    /// The endpoint that authorizes channels and authenticates users for clients that have no application.
    #[must_use]
    pub const fn auth_endpoint(&self) -> &AuthEndpoint {
        &self.auth_endpoint
    }

    /// Which server it imitates.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.profile
    }
}

/// Events.
impl Server {
    /// Publishes an event. Waits for room in the queues of slow sockets, until those are cut.
    pub async fn publish(&self, push: RawPush) -> Delivered {
        let name = push.event.clone();
        self.publish_as(name, push).await
    }

    /// Publishes an event that is reported under this name in the [`Activity`].
    pub async fn publish_as(&self, name: String, push: RawPush) -> Delivered {
        self.shared.publish(name, push).await
    }
}

/// Members, users, and what they are told.
impl Server {
    /// The members of a presence channel, by their ids.
    #[must_use]
    pub fn members(&self, channel: &str) -> Vec<Member> {
        self.shared.hub.members(channel)
    }

    /// Publishes an event to a user's connections, on the channel `#server-to-user-{user_id}`. On `pusher7` it reaches those
    /// that have subscribed to that, on the others every one that has signed in.
    pub async fn publish_to_user(&self, user_id: &str, event: String, data: RawData) -> Delivered {
        self.publish(RawPush { channel: format!("{USER_CHANNEL}{user_id}"), event, data, except: None }).await
    }

    /// Publishes an event on a `private-encrypted-` channel, its data encrypted for it.
    pub async fn publish_encrypted(&self, channel: String, event: String, data: &str) -> Delivered {
        let data = RawData::Text(self.app().encrypt(&channel, data));
        self.publish(RawPush { channel, event, data, except: None }).await
    }

    /// Ends every connection of a user with 4009; returns how many there are.
    pub async fn terminate_user(&self, user_id: &str) -> usize {
        self.shared.hub.terminate(user_id).await
    }

    /// Tells the subscribers of a presence channel of a new member, though nobody joins.
    pub async fn tell_member_added(&self, channel: &str, user_id: Value, user_info: Option<Value>) -> Delivered {
        let text = self.shared.dialect.member_added(channel, &Membership::new(user_id, user_info));
        self.relay(channel, &text).await
    }

    /// Tells the subscribers of a presence channel that a member has left, though nobody leaves.
    pub async fn tell_member_removed(&self, channel: &str, user_id: Value) -> Delivered {
        let text = self.shared.dialect.member_removed(channel, &Membership::new(user_id, None));
        self.relay(channel, &text).await
    }

    /// Tells the subscribers of a channel how many they are, whether it is true or not.
    pub async fn tell_subscription_count(&self, channel: &str, count: u64) -> Delivered {
        let data = self.shared.dialect.quote(&json!({"subscription_count": count}).to_string());
        let text = self.shared.dialect.internal("pusher_internal:subscription_count", Some(channel), Some(&data));
        self.relay(channel, &text).await
    }

    async fn relay(&self, channel: &str, text: &str) -> Delivered {
        let frame = frame::encode(opcode::TEXT, text.as_bytes()).into();
        Delivered { sockets: self.shared.hub.relay(channel, frame, None).await }
    }
}

/// Sockets.
impl Server {
    /// Drops connections without a close frame.
    pub fn cut(&self, sockets: &Sockets) -> usize {
        self.shared.hub.set_mode(sockets, Mode::Cut).len()
    }

    /// Drops connections with a TCP reset.
    pub fn reset(&self, sockets: &Sockets) -> usize {
        self.shared.hub.set_mode(sockets, Mode::Reset).len()
    }

    /// Stops reading and writing sockets, but keeps their connections.
    pub fn stall(&self, sockets: &Sockets) -> usize {
        let numbers = self.shared.hub.set_mode(sockets, Mode::Stalled);
        for socket in &numbers {
            self.shared.journal.tell(Activity::SocketStalled { socket: *socket });
        }
        numbers.len()
    }

    /// Resumes stalled sockets.
    pub fn resume(&self, sockets: &Sockets) -> usize {
        self.shared.hub.set_mode(sockets, Mode::Running).len()
    }

    /// Sends something verbatim. After a close frame, the connection is closed as the profile's server does.
    pub async fn send(&self, sockets: &Sockets, what: &Outbound) -> usize {
        self.shared.hub.send(sockets, what).await
    }

    /// Delays every write to a socket by this much.
    pub fn set_latency(&self, latency: Duration) {
        self.shared.latency.set(latency);
    }

    /// Injects a fault.
    pub fn inject(&self, fault: Fault<SocketFault>) {
        self.shared.faults.add(fault);
    }

    /// Clears every injected fault.
    pub fn clear_faults(&self) {
        self.shared.faults.clear();
    }
}

/// Inspection.
impl Server {
    /// The current state.
    #[must_use]
    pub fn state(&self) -> ServerState {
        ServerState { upgrades_ever: self.shared.journal.upgrades(), ..self.shared.hub.state() }
    }

    /// Waits until the state is as `wanted`.
    ///
    /// # Errors
    ///
    /// If it is not within `patience`.
    pub async fn wait_until(
        &self,
        patience: Duration,
        wanted: impl FnMut(&ServerState) -> bool,
    ) -> Result<ServerState, WaitError> {
        let waited = self.shared.changes.wait_until(patience, || self.state(), wanted).await;
        waited.map_err(|state| WaitError { timeout: patience, state: Box::new(state) })
    }

    /// Notified of every change of the state; an application reports its own changes here.
    #[must_use]
    pub fn changes(&self) -> &Changes {
        &self.shared.changes
    }

    /// The last 256 frames received on a socket, by its number. Of the ended sockets, the last 256 are
    /// remembered.
    #[must_use]
    pub fn received(&self, socket_number: u64) -> Vec<ReceivedFrame> {
        self.shared.hub.received(socket_number)
    }

    /// Receives what happens from now on, for printing. A receiver that is 1,024 behind loses the oldest.
    #[must_use]
    pub fn activity(&self) -> broadcast::Receiver<Activity> {
        self.shared.journal.listen()
    }

    /// Reports what the application did to the receivers of the [`activity`](Self::activity).
    pub fn tell(&self, activity: Activity) {
        self.shared.journal.tell(activity);
    }

    /// Milliseconds since the server was started.
    #[must_use]
    pub fn millis(&self) -> u64 {
        self.shared.journal.millis()
    }
}

/// Longer than the linger of a close; what has not ended by then is cut.
const STOP_PATIENCE: Duration = Duration::from_secs(5);
