//! What every task of a sandbox shares.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::{net::TcpListener, sync::watch};
use tokio_rustls::TlsAcceptor;

use crate::{
    Activity, Broadcast, Delivered, Encoding, GroupSync, Listening, Profile, Push, PushError, PushEvent, RateLimit,
    RawData, RawPush, SandboxConfig, SandboxError, SandboxState, Session, Timing,
    accounts::{self, Accounts},
    fault::{FaultBook, matches_pattern},
    journal::Journal,
    net::{
        listener::{self, Place},
        tasks::Tasks,
    },
    push::envelope,
    pusher::{
        dialect::{self, Dialect},
        frame::{self, opcode},
        hub::Hub,
        signature::App,
    },
};

pub(crate) struct World {
    pub(crate) profile: Profile,
    pub(crate) dialect: &'static dyn Dialect,
    pub(crate) timing: Timing,
    pub(crate) app: App,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) message_limit: Option<RateLimit>,
    pub(crate) group_sync: GroupSync,
    pub(crate) serves_control: bool,
    pub(crate) hub: Arc<Hub>,
    pub(crate) faults: FaultBook,
    pub(crate) journal: Journal,
    /// Connections, and the sockets that they become.
    pub(crate) connections: Tasks,
    /// Pushes that come later than the request that caused them.
    pub(crate) later: Tasks,
    accepting: Tasks,
    place: Place,
    host: Option<String>,
    ws_url: Option<String>,
    open_channels: Vec<String>,
    early_events: bool,
    send_buffer: Option<u32>,
    accounts: Mutex<Accounts>,
    rng: Mutex<fastrand::Rng>,
    messages: AtomicU64,
    latency_micros: AtomicU64,
    silent: AtomicBool,
    stop: watch::Sender<bool>,
}

impl World {
    pub(crate) fn new(config: SandboxConfig) -> Result<(Arc<Self>, TcpListener), SandboxError> {
        check(&config)?;
        let tls = config.tls.as_ref().map(|tls| tls.server_config().map(TlsAcceptor::from)).transpose()?;
        let (place, listener) =
            Place::take(config.bind, config.send_buffer).map_err(listener::bind_error(config.bind))?;
        let world = Self {
            profile: config.profile,
            dialect: dialect::of(config.profile),
            timing: config.timing.unwrap_or_else(|| Timing::of(config.profile)),
            app: App { key: config.app_key, secret: config.app_secret },
            tls,
            message_limit: config.message_limit,
            group_sync: config.group_sync,
            serves_control: config.control,
            hub: Arc::new(Hub::new()),
            faults: FaultBook::default(),
            journal: Journal::new(),
            connections: Tasks::default(),
            later: Tasks::default(),
            accepting: Tasks::default(),
            place,
            host: config.host,
            ws_url: config.ws_url,
            open_channels: config.open_channels,
            early_events: config.event_before_acknowledgement,
            send_buffer: config.send_buffer,
            accounts: Mutex::new(Accounts::new(config.users, config.seed)),
            rng: Mutex::new(fastrand::Rng::with_seed(config.seed.wrapping_add(1))),
            messages: AtomicU64::new(0),
            latency_micros: AtomicU64::new(0),
            silent: AtomicBool::new(false),
            stop: watch::Sender::new(false),
        };
        Ok((Arc::new(world), listener))
    }

    // Where it is.

    pub(crate) const fn address(&self) -> SocketAddr {
        self.place.address
    }

    pub(crate) fn base_url(&self) -> String {
        format!("{}://{}", if self.tls.is_some() { "https" } else { "http" }, self.authority())
    }

    pub(crate) fn socket_url(&self) -> String {
        format!("{}://{}/pusher", if self.tls.is_some() { "wss" } else { "ws" }, self.authority())
    }

    /// What `GET wsurl` answers.
    pub(crate) fn announced_socket_url(&self) -> String {
        self.ws_url.clone().unwrap_or_else(|| self.socket_url())
    }

    /// The name that it gives out in place of its address.
    pub(crate) fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    fn authority(&self) -> String {
        let address = self.address();
        match (&self.host, address.ip()) {
            (Some(host), _) => format!("{host}:{}", address.port()),
            (None, IpAddr::V4(Ipv4Addr::UNSPECIFIED)) => format!("127.0.0.1:{}", address.port()),
            (None, IpAddr::V6(Ipv6Addr::UNSPECIFIED)) => format!("[::1]:{}", address.port()),
            (None, _) => address.to_string(),
        }
    }

    // Running and stopping.

    pub(crate) fn serve(self: &Arc<Self>, listener: TcpListener) {
        self.stop.send_replace(false);
        self.silent.store(false, Ordering::Relaxed);
        self.accepting.spawn(listener::accept(listener, Arc::clone(self)));
    }

    pub(crate) async fn listen_again(&self) -> Result<TcpListener, SandboxError> {
        let listener = self.place.listen_again(self.send_buffer).await;
        listener.map_err(listener::bind_error(self.address()))
    }

    pub(crate) async fn set_listening(self: &Arc<Self>, listening: Listening) -> Result<(), SandboxError> {
        self.accepting.abort().await;
        if listening != Listening::Refuse {
            let listener = self.listen_again().await?;
            self.silent.store(listening == Listening::Silent, Ordering::Relaxed);
            self.accepting.spawn(listener::accept(listener, Arc::clone(self)));
        }
        Ok(())
    }

    pub(crate) async fn stop(&self) {
        self.accepting.abort().await;
        self.later.abort().await;
        self.stop.send_replace(true);
        self.connections.finish(STOP_PATIENCE).await;
    }

    pub(crate) async fn kill(&self) {
        self.accepting.abort().await;
        self.later.abort().await;
        self.stop.send_replace(true);
        self.connections.abort().await;
    }

    pub(crate) fn kill_now(&self) {
        self.stop.send_replace(true);
        self.accepting.abort_now();
        self.later.abort_now();
        self.connections.abort_now();
    }

    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.silent.load(Ordering::Relaxed)
    }

    /// push1st sends no `Date`.
    pub(crate) fn sends_dates(&self) -> bool {
        self.profile != Profile::Push1st
    }

    /// push1st reads no longer head of a request.
    pub(crate) fn max_head_bytes(&self) -> Option<usize> {
        (self.profile == Profile::Push1st).then_some(8_192)
    }

    pub(crate) fn set_latency(&self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.latency_micros.store(micros, Ordering::Relaxed);
    }

    pub(crate) fn latency(&self) -> Duration {
        Duration::from_micros(self.latency_micros.load(Ordering::Relaxed))
    }

    // People and their channels.

    pub(crate) fn accounts(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn may_join(&self, session: &Session, channel: &str) -> bool {
        channel == session.token_channel()
            || channel == session.user_channel()
            || self.open_channels.iter().any(|pattern| matches_pattern(pattern, channel))
    }

    pub(crate) fn next_socket_id(&self) -> String {
        self.dialect.socket_id(&mut self.rng())
    }

    fn rng(&self) -> MutexGuard<'_, fastrand::Rng> {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // Events.

    pub(crate) fn broadcasts(&self, push: &Push) -> Result<Vec<Broadcast>, PushError> {
        let id = uuid(&mut self.rng());
        envelope::broadcasts(push, &self.accounts(), &id)
    }

    pub(crate) async fn push(&self, push: &Push) -> Result<Delivered, PushError> {
        let mut delivered = Delivered::default();
        for broadcast in self.broadcasts(push)? {
            let json = broadcast.data.to_string();
            let data = match push.encoding {
                Encoding::Bare => RawData::Bare(json),
                Encoding::Text => RawData::Text(json),
            };
            let frame = self.event_frame(&broadcast.channel, &broadcast.event, data);
            let sockets = self.hub.publish(&broadcast.channel, frame, push.except.as_deref()).await;
            self.tell_pushed(&push.type_, broadcast.channel, sockets);
            delivered.sockets += sockets;
        }
        Ok(delivered)
    }

    pub(crate) async fn push_raw(&self, push: RawPush) -> Delivered {
        let frame = self.event_frame(&push.channel, &push.event, push.data);
        let sockets = self.hub.publish(&push.channel, frame, push.except.as_deref()).await;
        self.tell_pushed(&push.event, push.channel, sockets);
        Delivered { sockets }
    }

    /// The event that comes before an acknowledgement, where that was asked for.
    pub(crate) fn early_event(&self, channel: &str) -> Option<Bytes> {
        let event = match channel {
            channel if channel.starts_with("private-token.") => PushEvent::Token,
            channel if channel.starts_with("private-user.") => PushEvent::User,
            _ => return None,
        };
        let data = r#"{"data":{"type":"permissions_updated","status":"ok","data":null},"subject":null,"message":null}"#;
        self.early_events.then(|| self.event_frame(channel, event.as_str(), RawData::Text(data.to_owned())))
    }

    fn event_frame(&self, channel: &str, event: &str, data: RawData) -> Bytes {
        let data = match data {
            RawData::Absent => None,
            RawData::Bare(json) => Some(json),
            RawData::Text(text) => Some(serde_json::Value::String(text).to_string()),
        };
        let id = self.messages.fetch_add(1, Ordering::Relaxed);
        let text = self.dialect.event(channel, event, data.as_deref(), id);
        frame::encode(opcode::TEXT, text.as_bytes()).into()
    }

    fn tell_pushed(&self, event: &str, channel: String, sockets: usize) {
        self.journal.tell(Activity::Pushed { event: event.to_owned(), channel, sockets });
    }

    // Looking.

    pub(crate) fn state(&self) -> SandboxState {
        let hub = self.hub.view();
        SandboxState {
            base_url: self.base_url(),
            socket_url: self.socket_url(),
            app_key: self.app.key.clone(),
            profile: self.profile,
            sessions: self.accounts().infos(),
            sockets: hub.sockets,
            ended: hub.ended,
            sockets_ever: hub.ever,
            upgrades_ever: self.journal.upgrades(),
            channels: hub.channels,
            requests: self.journal.counts(),
            crashes: hub.crashes,
        }
    }
}

fn check(config: &SandboxConfig) -> Result<(), SandboxError> {
    let problem = |setting, problem: &str| Err(SandboxError::Config { setting, problem: problem.to_owned() });
    if config.app_key.is_empty() || config.app_key.contains(['/', '?', '#', ':']) {
        return problem("app_key", "it must not be empty, nor hold `/`, `?`, `#` or `:`");
    }
    if config.app_secret.is_empty() {
        return problem("app_secret", "it must not be empty");
    }
    let mut ids: Vec<_> = config.users.iter().map(|user| user.id).collect();
    ids.sort_unstable();
    if ids.windows(2).any(|pair| pair[0] == pair[1]) {
        return problem("users", "two users have the same id");
    }
    Ok(())
}

/// A random UUID of version 4.
fn uuid(rng: &mut fastrand::Rng) -> String {
    let mut part = |digits| accounts::hex(rng, digits);
    format!("{}-{}-4{}-8{}-{}", part(8), part(4), part(3), part(3), part(12))
}

/// Longer than the linger of a close; what has not ended by then is cut.
const STOP_PATIENCE: Duration = Duration::from_secs(5);
