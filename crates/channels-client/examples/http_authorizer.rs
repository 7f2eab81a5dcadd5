//! A private channel, authorized by an HTTP endpoint of the application's backend.

#![allow(clippy::print_stdout, clippy::wildcard_enum_match_arm, reason = "an example shows what it gets")]

mod common;

use channels_client::{ChannelItem, Client, EndpointExtras, HttpAuthorizer};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (url, key) = common::server();
    let endpoint = common::variable("CHANNELS_AUTH", "http://127.0.0.1:6001/pusher/auth");
    // The same for all requests, and what is found out anew for each.
    let authorizer = HttpAuthorizer::builder(&endpoint)
        .header("X-Device", "7")
        .per_request(|_| async { EndpointExtras::new().with_header("X-Session", "what the session is now") })
        .build()?;
    let client = Client::builder(url, &key).authorizer(authorizer).connect()?;
    let mut orders = client.subscribe("private-orders")?;
    while let Some(item) = orders.next().await {
        match item {
            ChannelItem::Subscribed { .. } => println!("subscribed to {}", orders.name()),
            ChannelItem::Event(event) if event.name() == "end" => return Ok(()),
            ChannelItem::Event(event) => println!("{}: {}", event.name(), event.data()),
            ChannelItem::Failed { error, retry_in, .. } => println!("{error} (again in {retry_in:?})"),
            other => println!("{other:?}"),
        }
    }
    Ok(())
}
