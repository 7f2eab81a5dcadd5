use std::time::Duration;

use anyhow::{Context as _, Result};
use vms_pusher::{ApiErrorKind, Tls, VmsContinuity, VmsPusherApi, VmsSocketItem};

use super::{config, runtime, tls};
use crate::clients::{Target, print_line, wait_for_stdin};
use crate::resources::own_cpu;

/// Sends a request, then connects twice, one after the other. Prints the CPU time of making the TLS settings, of the
/// request, and of each connection until both channels were acknowledged, in nanoseconds.
pub(in crate::clients) fn connect(target: &Target) -> Result<()> {
    let runtime = runtime(false)?;
    runtime.block_on(async {
        let start = own_cpu();
        let tls = tls(target)?;
        let made = own_cpu() - start;
        let request = request_once(target, &tls).await?;
        let (first, api) = connect_once(target, tls.clone()).await?;
        let (second, _) = connect_once(target, tls).await?;
        drop(api);
        print_line(&format!(
            "cpu {} {} {} {}",
            made.as_nanos(),
            request.as_nanos(),
            first.as_nanos(),
            second.as_nanos()
        ))
    })?;
    wait_for_stdin();
    Ok(())
}

/// The answer is not what a VMS answers; the handshake is all that counts.
async fn request_once(target: &Target, tls: &Tls) -> Result<Duration> {
    let start = own_cpu();
    let api = VmsPusherApi::new(config(target, 0, tls.clone()))?;
    if let Err(error) = api.rest().socket_url().await
        && matches!(error.kind(), ApiErrorKind::Unreachable | ApiErrorKind::TimedOut)
    {
        return Err(error.into());
    }
    Ok(own_cpu() - start)
}

async fn connect_once(target: &Target, tls: Tls) -> Result<(Duration, VmsPusherApi)> {
    let start = own_cpu();
    let api = VmsPusherApi::new(config(target, 0, tls))?;
    let mut events = api.events();
    api.connect();
    let mut subscribed = 0;
    while subscribed < 2 {
        let item = events.next().await.context("the stream has ended")?;
        if matches!(item, VmsSocketItem::Continuity(VmsContinuity::Fresh { .. })) {
            subscribed += 1;
        }
    }
    Ok((own_cpu() - start, api))
}
