//! Events as a stream, until the session ends.

#![allow(clippy::print_stdout, reason = "an example shows what it gets")]

mod common;

use std::time::Duration;

use vms_pusher::{VmsAppSocketData, VmsContinuity, VmsPusherApi, VmsSocketItem};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let vms = VmsPusherApi::new(common::log_in().await?)?;
    let mut events = vms.events();
    vms.connect();
    while let Some(item) = events.next().await {
        match item {
            VmsSocketItem::AppSocket(VmsAppSocketData::CamerasUpdate(cameras)) => {
                println!("cameras: {:?} more, {:?} gone", cameras.attached, cameras.detached);
            }
            VmsSocketItem::AppSocket(VmsAppSocketData::Logout(reason)) => println!("logged out: {reason:?}"),
            VmsSocketItem::AppSocket(push) => println!("{}", push.name()),
            VmsSocketItem::IntercomSocket(push) => println!("{}", push.name()),
            // Pushes sent meanwhile are lost: ask the API for what changed.
            VmsSocketItem::Continuity(VmsContinuity::ResyncNeeded { scopes, since, .. }) => {
                println!("load {scopes:?} again, from {since} on");
            }
            VmsSocketItem::ConnectionState { to, .. } => println!("{to}"),
            VmsSocketItem::Error(error) => println!("{error}"),
            VmsSocketItem::Continuity(_) | VmsSocketItem::Info { .. } => {}
        }
    }
    vms.close(Duration::from_secs(2)).await;
    Ok(())
}
