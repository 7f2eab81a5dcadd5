//! Ours, as a program that uses `vms-pusher` would: nothing is switched off.

mod channels;
mod connect;
mod presence;
mod push_client;
mod sessions;

use std::hint::black_box;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use anyhow::{Context as _, Result};
use tokio::runtime::{Builder, Runtime};
use vms_pusher::{
    Secret, Tls, VmsAppSocketData, VmsContinuity, VmsIntercomSocketData, VmsPusherApi, VmsPusherConfig,
    VmsPusherOptions, VmsSocketItem, VmsSocketManagerDelegate,
};

use super::{Mode, Seen, Target, wait_for_stdin};
use crate::blaster::APP_KEY;
use crate::workload::END_EVENT;
pub(super) use channels::channels;
pub(super) use connect::connect;
pub(super) use presence::presence;
pub(crate) use push_client::{Push, push_client};
pub(super) use sessions::{sessions, stopped};

/// Takes every item from the stream: one by one, or in batches; in the thread of the client, or in one of two.
pub(super) fn events(client: &str, mode: Mode, target: &Target) -> Result<Seen> {
    let runtime = runtime(client == "stream-threads")?;
    let api = {
        let _guard = runtime.enter();
        VmsPusherApi::new(config(target, 0, tls(target)?))?
    };
    let mut events = api.events();
    api.connect();
    let (mut seen, is_batch) = (Seen::new(mode), client == "batch");
    // A task like any other, as in most programs.
    let consumer = runtime.spawn(async move {
        loop {
            if is_batch {
                let batch = events.next_batch(256).await;
                anyhow::ensure!(!batch.is_empty(), "the stream has ended");
                for item in batch {
                    if !seen.take(item)? {
                        return Ok(seen);
                    }
                }
            } else {
                let item = events.next().await.context("the stream has ended")?;
                if !seen.take(item)? {
                    return Ok(seen);
                }
            }
        }
    });
    runtime.block_on(consumer)?
}

/// The stream on a runtime of two threads; says at each end what there was.
pub(super) fn chunks(target: &Target) -> Result<()> {
    exit_with_stdin();
    let runtime = runtime(true)?;
    let guard = runtime.enter();
    let api = VmsPusherApi::new(config(target, 0, tls(target)?))?;
    drop(guard);
    let mut events = api.events();
    api.connect();
    let mut seen = Seen::new(Mode::Chunks);
    runtime.block_on(async {
        loop {
            let item = events.next().await.context("the stream has ended")?;
            if !seen.take(item)? {
                std::mem::take(&mut seen).print()?;
            }
        }
    })
}

/// The same with a delegate.
pub(super) fn delegate_chunks(target: &Target) -> Result<()> {
    let (ended, end) = mpsc::sync_channel(1);
    let delegate = Arc::new(Counter { seen: Mutex::new(Seen::new(Mode::Chunks)), ended });
    let api = VmsPusherApi::new(config(target, 0, tls(target)?))?;
    api.set_delegate(&delegate);
    api.connect();
    exit_with_stdin();
    loop {
        end.recv().context("the delegate is gone")?;
        std::mem::take(&mut *delegate.seen.lock().unwrap_or_else(PoisonError::into_inner)).print()?;
    }
}

fn exit_with_stdin() {
    std::thread::spawn(|| {
        wait_for_stdin();
        std::process::exit(0);
    });
}

/// Is called by the runtime of the process, which is there when the app has none.
pub(super) fn delegate(mode: Mode, target: &Target) -> Result<Seen> {
    let (ended, end) = mpsc::sync_channel(1);
    let delegate = Arc::new(Counter { seen: Mutex::new(Seen::new(mode)), ended });
    let api = VmsPusherApi::new(config(target, 0, tls(target)?))?;
    api.set_delegate(&delegate);
    api.connect();
    end.recv().context("the delegate is gone")?;
    let mut seen = delegate.seen.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(std::mem::take(&mut *seen))
}

struct Counter {
    seen: Mutex<Seen>,
    ended: mpsc::SyncSender<()>,
}

impl Counter {
    fn take(&self, item: VmsSocketItem) {
        let goes_on = self.seen.lock().unwrap_or_else(PoisonError::into_inner).take(item).unwrap_or(false);
        if !goes_on {
            // Only the first is waited for.
            let _ = self.ended.try_send(());
        }
    }
}

impl VmsSocketManagerDelegate for Counter {
    fn received_app_socket(&self, socket: VmsAppSocketData) {
        self.take(VmsSocketItem::AppSocket(socket));
    }

    fn received_intercom_socket(&self, socket: VmsIntercomSocketData) {
        self.take(VmsSocketItem::IntercomSocket(socket));
    }

    fn continuity_changed(&self, continuity: VmsContinuity) {
        self.take(VmsSocketItem::Continuity(continuity));
    }
}

impl Seen {
    /// Counts an item; returns whether more will come.
    fn take(&mut self, item: VmsSocketItem) -> Result<bool> {
        match black_box(item) {
            VmsSocketItem::AppSocket(VmsAppSocketData::Unknown(unknown)) if unknown.event == END_EVENT => {
                return Ok(false);
            }
            VmsSocketItem::AppSocket(VmsAppSocketData::Unknown(_) | VmsAppSocketData::Undecodable(_))
            | VmsSocketItem::IntercomSocket(
                VmsIntercomSocketData::Unknown(_) | VmsIntercomSocketData::Undecodable(_),
            ) => {
                anyhow::bail!("an event was not understood");
            }
            VmsSocketItem::AppSocket(_) | VmsSocketItem::IntercomSocket(_) => self.event(),
            VmsSocketItem::Continuity(VmsContinuity::Lagged { dropped }) => self.dropped += dropped,
            VmsSocketItem::Error(error) => anyhow::bail!("the connection was lost: {}", error.message),
            VmsSocketItem::Continuity(_) | VmsSocketItem::ConnectionState { .. } | VmsSocketItem::Info { .. } => {}
        }
        Ok(true)
    }
}

fn runtime(threads: bool) -> Result<Runtime> {
    let mut builder = if threads { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    Ok(builder.worker_threads(2).enable_all().build()?)
}

fn tls(target: &Target) -> Result<Tls> {
    Ok(match &target.authority {
        Some(file) => Tls::with_extra_roots_pem(&std::fs::read(file)?)?,
        None => Tls::platform(),
    })
}

fn config(target: &Target, session: usize, tls: Tls) -> VmsPusherConfig {
    VmsPusherConfig {
        base_url: target.base_url(session),
        socket_url: target.socket_url(session),
        app_key: APP_KEY.to_owned(),
        user_token: Secret::new("bench-token"),
        user_id: 42,
        access_token_id: "bench".to_owned(),
        options: VmsPusherOptions { tls, ..VmsPusherOptions::default() },
    }
}
