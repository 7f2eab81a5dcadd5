use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use channels_client::proto::ChannelName;
use channels_client::{Item, TokioClock};
use tokio::runtime::{Builder, Handle};

use crate::blaster::{Blaster, BlasterOptions};
use crate::clients::{Push, push_client};
use crate::workload::{Payload, USER_CHANNEL};

/// From the socket to the consumer, everything between them included, and the server of this benchmark too: it is in the
/// same thread, so that the order of all steps is the same in every run. One time is a chunk of 30 events.
///
/// The clock is tokio's: that of the system is read in a way that valgrind does not bear.
pub(super) fn run(times: u64) -> Result<()> {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let blaster = Blaster::start(BlasterOptions { tls: None, ports: 1 })?;
        let address = blaster.address();
        let (base_url, socket_url) = (format!("http://{address}"), format!("ws://{address}/pusher"));
        let clock = Arc::new(TokioClock::default());
        let (client, mut delivery) = push_client(&base_url, &socket_url, clock, &Handle::current())?;
        client.subscribe(ChannelName::parse(USER_CHANNEL)?)?;
        client.connect();
        blaster.wait_acknowledged(1, Duration::from_secs(120)).await?;
        for _ in 0..times {
            blaster.blast(Payload::Mixed, 30).await?;
            loop {
                let item = black_box(delivery.next().await.context("the client is gone")?);
                if matches!(item, Item::Event(Push::End)) {
                    break;
                }
            }
        }
        Ok(())
    })
}
