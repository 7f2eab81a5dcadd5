//! A graceful close on Ctrl-C: the client sends the server a close frame before the program ends.

#![allow(clippy::print_stdout, reason = "an example shows what it gets")]

mod common;

use std::time::Duration;

use vms_pusher::{VmsPusherApi, VmsSocketItem};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let vms = VmsPusherApi::new(common::log_in().await?)?;
    let mut events = vms.events();
    let stop = tokio::signal::ctrl_c();
    tokio::pin!(stop);
    vms.connect();
    loop {
        tokio::select! {
            asked = &mut stop => {
                asked?;
                break;
            }
            item = events.next() => match item {
                Some(VmsSocketItem::AppSocket(push)) => println!("{}", push.name()),
                Some(_) => {}
                None => break,
            }
        }
    }
    // A `disconnect()` alone would be cut off by the end of `main`.
    if !vms.close(Duration::from_secs(2)).await {
        println!("the server did not hang up in time");
    }
    Ok(())
}
