//! Another login when the session is no longer valid, on the same client: what was missed meanwhile is announced as a gap.

#![allow(clippy::print_stdout, reason = "an example shows what it gets")]

mod common;

use std::time::Duration;

use vms_pusher::{VmsContinuity, VmsPusherApi, VmsSocketItem};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let vms = VmsPusherApi::new(common::log_in().await?)?;
    let mut events = vms.events();
    vms.connect();
    while let Some(item) = events.next().await {
        match item {
            VmsSocketItem::Continuity(VmsContinuity::Unavailable {
                is_final: true, session_is_invalid: true, ..
            }) => {
                println!("logging in again");
                let login = vms.rest().login(&common::credentials()?).await?;
                vms.set_session(login.session().ok_or("the session has no id")?)?;
            }
            VmsSocketItem::Continuity(VmsContinuity::ResyncNeeded { channel, .. }) => println!("{channel} is back"),
            VmsSocketItem::AppSocket(push) => println!("{}", push.name()),
            VmsSocketItem::IntercomSocket(_)
            | VmsSocketItem::Continuity(_)
            | VmsSocketItem::ConnectionState { .. }
            | VmsSocketItem::Error(_)
            | VmsSocketItem::Info { .. } => {}
        }
    }
    vms.close(Duration::from_secs(2)).await;
    Ok(())
}
