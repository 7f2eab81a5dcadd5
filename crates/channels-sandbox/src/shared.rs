//! What the sockets of a server have in common.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;

use crate::{
    activity::Activity,
    app::App,
    changes::Changes,
    config::{Features, RateLimit},
    dialect::habits::Dialect,
    fault::{FaultBook, SocketFault},
    hooks::Hooks,
    hub::exchange::Hub,
    journal::Journal,
    net::stop::Stop,
    push::{Delivered, RawData, RawPush},
    timing::Timing,
    websocket::frame::{self, opcode},
};

pub(crate) struct Shared {
    pub(crate) dialect: &'static dyn Dialect,
    pub(crate) timing: Timing,
    pub(crate) app: App,
    pub(crate) message_limit: Option<RateLimit>,
    pub(crate) client_event_limit: Option<RateLimit>,
    pub(crate) features: Features,
    pub(crate) hooks: Arc<dyn Hooks>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) faults: FaultBook<SocketFault>,
    pub(crate) journal: Journal,
    pub(crate) changes: Changes,
    pub(crate) stop: Stop,
    pub(crate) latency: Latency,
    pub(crate) ids: Mutex<fastrand::Rng>,
    pub(crate) events: AtomicU64,
}

impl Shared {
    pub(crate) fn next_socket_id(&self) -> String {
        self.dialect.socket_id(&mut self.ids.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Publishes an event that is reported under this name. Waits for room in the queues of slow sockets, until those
    /// are cut.
    pub(crate) async fn publish(&self, name: String, push: RawPush) -> Delivered {
        let frame = self.event_frame(&push);
        let sockets = self.hub.publish(&push.channel, frame, push.except.as_deref()).await;
        self.journal.tell(Activity::Pushed { event: name, channel: push.channel, sockets });
        Delivered { sockets }
    }

    /// Data as JSON text.
    pub(crate) fn json(&self, data: &RawData) -> Option<String> {
        match data {
            RawData::Absent => None,
            RawData::Bare(json) => Some(json.clone()),
            RawData::Text(text) => Some(self.dialect.quote(text)),
        }
    }

    /// The frame of an event.
    pub(crate) fn event_frame(&self, push: &RawPush) -> Bytes {
        let data = self.json(&push.data);
        let id = self.events.fetch_add(1, Ordering::Relaxed);
        let text = self.dialect.event(&push.channel, &push.event, data.as_deref(), id);
        frame::encode(opcode::TEXT, text.as_bytes()).into()
    }
}

/// The delay before every write to a socket.
#[derive(Debug, Default)]
pub(crate) struct Latency {
    micros: AtomicU64,
}

impl Latency {
    pub(crate) fn set(&self, latency: Duration) {
        self.micros.store(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> Duration {
        Duration::from_micros(self.micros.load(Ordering::Relaxed))
    }
}
