use std::hint::black_box;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use channels_client::proto::ChannelName;
use channels_client::{Item, SystemClock};

use super::push_client::{Push, push_client};
use super::{exit_with_stdin, runtime};
use crate::clients::{Target, print_line};

/// One client on many channels, with the decoder of a VMS: `VmsPusherApi` has two. Says so at the end of each blast.
pub(in crate::clients) fn channels(target: &Target) -> Result<()> {
    let runtime = runtime(false)?;
    let clock = Arc::new(SystemClock::default());
    let (client, mut delivery) = push_client(&target.base_url(0), &target.socket_url(0), clock, runtime.handle())?;
    for channel in 0..target.count {
        client.subscribe(ChannelName::parse(&format!("private-user.{channel}"))?)?;
    }
    client.connect();
    exit_with_stdin();
    runtime.block_on(async {
        let (mut events, mut dropped) = (0_u64, 0);
        loop {
            match delivery.next().await.context("the client is gone")? {
                Item::Event(Push::End) => {
                    print_line(&format!("done {events} {dropped}"))?;
                    (events, dropped) = (0, 0);
                }
                Item::Event(push) => {
                    black_box(push);
                    events += 1;
                }
                Item::Lagged { dropped: more, .. } => dropped += more,
                Item::ConnectionFailed { error, .. } => anyhow::bail!("the connection was lost: {error}"),
                Item::SubscriptionFailed { error, .. } => anyhow::bail!("a channel was refused: {error}"),
                Item::StateChanged { .. }
                | Item::Subscribed { .. }
                | Item::Interrupted { .. }
                | Item::Coalesced { .. }
                | Item::ServerError { .. }
                | Item::Suspended { .. }
                | Item::Unreadable { .. }
                | Item::HandlerPanicked { .. }
                | _ => {}
            }
        }
    })
}
