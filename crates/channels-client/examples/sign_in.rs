//! A user who signs in, and what the server sends to that user alone.

#![allow(clippy::print_stdout, clippy::wildcard_enum_match_arm, reason = "an example shows what it gets")]

mod common;

use channels_client::{Client, UserItem};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (url, key) = common::server();
    let client = Client::builder(url, &key).authorizer(common::authorizer("ann")?).connect()?;
    let mut items = client.user_items();
    client.sign_in();
    println!("signed in as {}", client.wait_signed_in().await?.id());
    while let Some(item) = items.next().await {
        match item {
            UserItem::Event(event) => println!("for me: {}: {}", event.name(), event.data()),
            UserItem::Watchlist { online: true, user_ids } => println!("online: {user_ids:?}"),
            UserItem::Watchlist { online: false, user_ids } => println!("offline: {user_ids:?}"),
            other => println!("{other:?}"),
        }
    }
    Ok(())
}
