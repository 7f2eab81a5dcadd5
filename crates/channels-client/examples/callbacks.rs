//! The same with callbacks, on several channels, for programs that are written around them.

#![allow(clippy::print_stdout, clippy::wildcard_enum_match_arm, reason = "an example shows what it gets")]

mod common;

use std::time::Duration;

use channels_client::Client;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (url, key) = common::server();
    let client = Client::builder(url, &key).build()?;
    client.on_state(|from, to| println!("{from:?} -> {to:?}"));
    for name in ["news", "weather"] {
        let channel = client.subscribe(name)?;
        channel.bind("added", move |event| println!("added to {name}: {}", event.data()));
        channel.bind_all(move |item| println!("{name}: {item:?}"));
        // Nobody reads its stream, and no handle is kept.
        channel.detach();
    }
    // Ends the program when somebody says so.
    let (done, end) = std::sync::mpsc::sync_channel(1);
    client.bind("end", move |_| done.try_send(()).unwrap_or_default());
    client.open();
    tokio::task::spawn_blocking(move || end.recv()).await??;
    client.close(Duration::from_secs(2)).await;
    Ok(())
}
