//! Private channels, authorized by the program itself: a closure for all channels, and one for a single channel.

#![allow(clippy::print_stdout, clippy::wildcard_enum_match_arm, reason = "an example shows what it gets")]

mod common;

use channels_client::{
    AuthorizationRequest, Authorizer, ChannelItem, Client, HttpAuthorizer,
    proto::{Authorization, AuthorizationError},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (url, key) = common::server();
    let nobody = |request: AuthorizationRequest| async move {
        Err::<Authorization, _>(AuthorizationError::declined(format!("{} is closed", request.channel)))
    };
    let client = Client::builder(url, &key).authorizer(nobody).connect()?;
    for (channel, own) in [("private-closed", false), ("private-orders", true)] {
        let mut channel = if own { client.subscribe_with(channel, sign)? } else { client.subscribe(channel)? };
        match channel.next().await {
            Some(ChannelItem::Subscribed { .. }) => println!("subscribed to {}", channel.name()),
            Some(ChannelItem::Failed { error, .. }) => println!("{error}"),
            other => println!("{other:?}"),
        }
    }
    Ok(())
}

/// Asks whoever can sign. A signature holds for one socket, so this is called again after every reconnect.
async fn sign(request: AuthorizationRequest) -> Result<Authorization, AuthorizationError> {
    let endpoint = common::variable("CHANNELS_AUTH", "http://127.0.0.1:6001/pusher/auth");
    let backend = HttpAuthorizer::at(&endpoint).map_err(|error| AuthorizationError::declined(error.to_string()))?;
    backend.authorize(request).await
}
