//! A cache channel: its last event comes with the subscription.

#![allow(clippy::print_stdout, clippy::wildcard_enum_match_arm, reason = "an example shows what it gets")]

mod common;

use channels_client::{ChannelItem, Client};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (url, key) = common::server();
    let client = Client::connect(url, &key)?;
    let mut price = client.subscribe("cache-price")?;
    while let Some(item) = price.next().await {
        match item {
            ChannelItem::Event(event) => println!("{}: {}", event.name(), event.data()),
            // Nothing was published lately: load it from where it is kept.
            ChannelItem::CacheMiss => println!("no price yet"),
            other => println!("{other:?}"),
        }
    }
    Ok(())
}
