//! The calls that go with the socket: a change of a camera's groups, which the server carries out later and reports
//! with a push.

#![allow(clippy::print_stdout, reason = "an example shows what it gets")]

mod common;

use std::time::Duration;

use vms_pusher::{GroupSync, VmsAppSocketData, VmsChannel, VmsContinuity, VmsPusherApi, VmsSocketItem};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let vms = VmsPusherApi::new(common::log_in().await?)?;
    let mut events = vms.events();
    vms.connect();
    while let Some(item) = events.next().await {
        match item {
            // From here on no push to the session is missed.
            VmsSocketItem::Continuity(VmsContinuity::Fresh { channel: VmsChannel::Token }) => {
                match vms.rest().sync_groups(17, &[7, 8]).await? {
                    GroupSync::Sync => break,
                    GroupSync::Async => println!("it will be done"),
                }
            }
            VmsSocketItem::AppSocket(VmsAppSocketData::CameraGroupsSynced) => break,
            VmsSocketItem::AppSocket(_)
            | VmsSocketItem::IntercomSocket(_)
            | VmsSocketItem::Continuity(_)
            | VmsSocketItem::ConnectionState { .. }
            | VmsSocketItem::Error(_)
            | VmsSocketItem::Info { .. } => {}
        }
    }
    println!("it is done");
    vms.close(Duration::from_secs(2)).await;
    Ok(())
}
