//! An encrypted channel: the server and everybody on the way see nothing but ciphertext.

#![allow(clippy::print_stdout, clippy::wildcard_enum_match_arm, reason = "an example shows what it gets")]

mod common;

use channels_client::{ChannelItem, Client};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (url, key) = common::server();
    let client = Client::builder(url, &key).authorizer(common::authorizer("ann")?).connect()?;
    let mut letters = client.subscribe("private-encrypted-letters")?;
    while let Some(item) = letters.next().await {
        match item {
            ChannelItem::Event(event) => println!("{}: {}", event.name(), event.data()),
            // Only the plaintext ever gets here: what cannot be decrypted is lost, and said to be.
            ChannelItem::Undecryptable { event, error } => println!("{event} cannot be read: {error}"),
            other => println!("{other:?}"),
        }
    }
    Ok(())
}
