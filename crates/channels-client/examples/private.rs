//! A private channel, signed for by the HTTP endpoint of an application.

#![allow(clippy::print_stdout, clippy::wildcard_enum_match_arm, reason = "an example shows what it gets")]

mod common;

use channels_client::{Client, HttpAuthorizer};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (url, key) = common::server();
    let endpoint = common::variable("CHANNELS_AUTH", "http://127.0.0.1:6001/pusher/auth");
    let authorizer = HttpAuthorizer::builder(&endpoint).header("x-api-key", "an example").build()?;
    let client = Client::builder(url, &key).authorizer(authorizer).connect()?;
    let orders = client.subscribe("private-orders")?;
    orders.wait_subscribed().await?;
    println!("subscribed to {}", orders.name());
    let mut placed = orders.events_named("placed");
    while let Some(event) = placed.next().await {
        println!("placed: {}", event.data());
    }
    Ok(())
}
