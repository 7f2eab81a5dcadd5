use std::hint::black_box;

use anyhow::{Context as _, Result};
use tokio::runtime::Builder;
use vms_pusher::{Secret, VmsAppSocketData, VmsPusherApi, VmsPusherConfig, VmsSocketItem};

use crate::blaster::{APP_KEY, Blaster, BlasterOptions};
use crate::workload::{END_EVENT, Payload};

/// From the socket to the stream, everything between them included, and the server of this benchmark too: it is in the
/// same thread, so that the order of all steps is the same in every run. One time is a chunk of 30 events.
pub(super) fn run(times: u64) -> Result<()> {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let blaster = Blaster::start(BlasterOptions { tls: None, ports: 1 })?;
        let address = blaster.address();
        let api = VmsPusherApi::new(VmsPusherConfig {
            base_url: format!("http://{address}"),
            socket_url: format!("ws://{address}/pusher"),
            app_key: APP_KEY.to_owned(),
            user_token: Secret::new("bench-token"),
            user_id: 42,
            access_token_id: "bench".to_owned(),
            ..VmsPusherConfig::default()
        })?;
        let mut events = api.events();
        api.connect();
        blaster.wait_acknowledged(2, std::time::Duration::from_secs(120)).await?;
        for _ in 0..times {
            blaster.blast(Payload::Mixed, 30).await?;
            loop {
                let item = black_box(events.next().await.context("the stream has ended")?);
                if let VmsSocketItem::AppSocket(VmsAppSocketData::Unknown(unknown)) = &item
                    && unknown.event == END_EVENT
                {
                    break;
                }
            }
        }
        Ok(())
    })
}
