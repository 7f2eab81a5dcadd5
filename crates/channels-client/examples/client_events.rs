//! Client events: sent to the other subscribers of a private channel, without a server of one's own.

#![allow(clippy::print_stdout, clippy::wildcard_enum_match_arm, reason = "an example shows what it gets")]

mod common;

use std::time::Duration;

use channels_client::{ChannelItem, Client};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (url, key) = common::server();
    let client = Client::builder(url, &key).authorizer(common::authorizer("ann")?).connect()?;
    let mut game = client.subscribe("private-game")?;
    // It waits for the acknowledgement.
    game.trigger("client-moved", &json!({"from": "e2", "to": "e4"}))?;
    // What can never be sent is an error at once, and so is too large data or a public channel.
    if let Err(error) = game.trigger("moved", &()) {
        println!("not sent: {error}");
    }
    while let Some(item) = game.next().await {
        match item {
            ChannelItem::Event(event) if event.name() == "client-resigned" => break,
            ChannelItem::Event(event) => println!("{}: {}", event.name(), event.data()),
            ChannelItem::ClientEventFailed { event, error } => println!("{event:?} failed: {error}"),
            other => println!("{other:?}"),
        }
    }
    client.close(Duration::from_secs(2)).await;
    Ok(())
}
