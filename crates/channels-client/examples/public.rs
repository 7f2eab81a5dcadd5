//! The events of a public channel, until the server refuses or Ctrl-C ends the program.

#![allow(clippy::print_stdout, clippy::wildcard_enum_match_arm, reason = "an example shows what it gets")]

mod common;

use channels_client::{ChannelItem, Client, Continuity};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (url, key) = common::server();
    let client = Client::connect(url, &key)?;
    let mut news = client.subscribe("news")?;
    while let Some(item) = news.next().await {
        match item {
            ChannelItem::Event(event) => println!("{}: {}", event.name(), event.data()),
            ChannelItem::Subscribed { continuity: Continuity::Fresh, .. } => println!("subscribed to {}", news.name()),
            // What was sent meanwhile is lost: load it from where it is kept.
            ChannelItem::Subscribed { continuity, .. } => println!("subscribed again: {continuity:?}"),
            other => println!("{other:?}"),
        }
    }
    client.wait_connected().await?;
    Ok(())
}
