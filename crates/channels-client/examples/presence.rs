//! A chat on a presence channel: who is there, who comes and goes, and what they say. Lines of the standard input are said.

#![allow(clippy::print_stdout, clippy::wildcard_enum_match_arm, reason = "an example shows what it gets")]

mod common;

use std::time::Duration;

use channels_client::{ChannelItem, Client};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (url, key) = common::server();
    let me = common::variable("CHANNELS_USER", "ann");
    let client = Client::builder(url, &key).authorizer(common::authorizer(&me)?).connect()?;
    let mut room = client.subscribe("presence-room")?;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    loop {
        tokio::select! {
            line = lines.next_line() => match line? {
                Some(line) => room.trigger("client-said", &json!({ "text": line }))?,
                None => break,
            },
            item = room.next() => match item {
                Some(ChannelItem::Event(event)) => {
                    println!("{}: {}", event.user_id().unwrap_or("somebody"), event.json::<Value>()?["text"]);
                }
                Some(ChannelItem::Subscribed { members: Some(members), .. }) => println!("{} here", members.count()),
                Some(ChannelItem::MemberAdded { member }) => println!("{} came", member.id()),
                Some(ChannelItem::MemberRemoved { member }) => println!("{} left", member.id()),
                Some(other) => println!("{other:?}"),
                None => break,
            },
        }
    }
    client.close(Duration::from_secs(2)).await;
    Ok(())
}
