use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use vms_pusher::{Tls, VmsAppSocketData, VmsContinuity, VmsPusherApi, VmsSocketItem};

use super::{config, tls};
use crate::clients::{Target, print_line, wait_for_stdin};
use crate::workload::END_EVENT;

/// Opens many sessions in one process and takes their events, until stdin ends. When each has seen the end of its events,
/// it says so.
pub(in crate::clients) fn sessions(target: &Target) -> Result<()> {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let opening = Arc::new(Semaphore::new(AT_ONCE));
    let ended = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    let tls = tls(target)?;
    let target = Arc::new(target.clone());
    for session in 0..target.count {
        let (target, tls, count) = (Arc::clone(&target), tls.clone(), target.count);
        let (opening, ended) = (Arc::clone(&opening), Arc::clone(&ended));
        let task = async move {
            // Boxed, so that what opening takes is given back: a task is as large as the largest thing it waits for.
            let api = Box::pin(open(target, session, tls, &opening)).await?;
            consume(api, &ended, count).await
        };
        tasks.spawn_on(task, runtime.handle());
    }
    wait_for_stdin();
    runtime.shutdown_background();
    Ok(())
}

async fn open(target: Arc<Target>, session: usize, tls: Tls, opening: &Semaphore) -> Result<VmsPusherApi> {
    let _turn = opening.acquire().await?;
    let mut config = config(&target, session, tls);
    if let Some(period) = activity_timeout() {
        config.options.activity_timeout = period;
    }
    let api = VmsPusherApi::new(config)?;
    let mut events = api.events();
    api.connect();
    let mut subscribed = 0;
    while subscribed < 2 {
        let item = events.next().await.context("the session has ended")?;
        subscribed += usize::from(matches!(item, VmsSocketItem::Continuity(VmsContinuity::Fresh { .. })));
    }
    Ok(api)
}

async fn consume(api: VmsPusherApi, ended: &AtomicUsize, sessions: usize) -> Result<()> {
    let mut events = api.events();
    while let Some(item) = events.next().await {
        if let VmsSocketItem::AppSocket(VmsAppSocketData::Unknown(unknown)) = &item
            && unknown.event == END_EVENT
            && ended.fetch_add(1, Ordering::Relaxed) + 1 == sessions
        {
            ended.store(0, Ordering::Relaxed);
            print_line("done 0 0")?;
        }
        if let VmsSocketItem::Continuity(VmsContinuity::Lagged { dropped }) = item {
            print_line(&format!("lagged {dropped}"))?;
        }
    }
    Ok(())
}

/// The environment variable `BENCH_ACTIVITY_MILLIS` shortens the activity period, to see several of them soon.
fn activity_timeout() -> Option<Duration> {
    std::env::var("BENCH_ACTIVITY_MILLIS").ok()?.parse().ok().map(Duration::from_millis)
}

/// Connects and takes nothing, until stdin ends.
pub(in crate::clients) fn stopped(target: &Target) -> Result<()> {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let guard = runtime.enter();
    let api = VmsPusherApi::new(config(target, 0, tls(target)?))?;
    drop(guard);
    let events = api.events();
    api.connect();
    wait_for_stdin();
    drop(events);
    runtime.shutdown_background();
    Ok(())
}

/// As many connect at the same time.
const AT_ONCE: usize = 100;
