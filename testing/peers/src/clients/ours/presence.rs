use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use channels_client::http::{HttpClient, HttpLimits, HttpUrl};
use channels_client::proto::Secret;
use channels_client::{Channel, ChannelItem, Client, HttpAuthorizer, StaticToken, Tls};
use futures_util::stream::{FuturesUnordered, SelectAll};
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use http::HeaderMap;

use super::{exit_with_stdin, runtime};
use crate::blaster::APP_KEY;
use crate::clients::{Target, print_line};
use crate::workload::{END_EVENT, MEMBERS, presence_channel};

/// One client on many presence channels, the stream of each of which is read. Says so at the end of each blast.
pub(in crate::clients) fn presence(target: &Target) -> Result<()> {
    let runtime = runtime(false)?;
    exit_with_stdin();
    runtime.block_on(async {
        let client = client(target)?;
        let rooms: Result<Vec<_>, _> =
            (0..target.count).map(|room| client.subscribe(presence_channel(room).as_str())).collect();
        let rooms = rooms?;
        rooms.iter().map(Channel::wait_subscribed).collect::<FuturesUnordered<_>>().try_collect::<()>().await?;
        let mut items: SelectAll<Channel> = rooms.iter().cloned().collect();
        let (mut changes, mut dropped) = (0_u64, 0);
        loop {
            let mut next = Some(items.next().await.context("the client is gone")?);
            let mut has_ended = false;
            // What was received before the end is there by then.
            while let Some(item) = next {
                if matches!(item, ChannelItem::MemberAdded { .. } | ChannelItem::MemberRemoved { .. }) {
                    changes += 1;
                } else if let ChannelItem::Event(event) = &item {
                    has_ended |= event.name() == END_EVENT;
                } else if let ChannelItem::Lagged { dropped: more } = item {
                    dropped += more;
                } else if !matches!(item, ChannelItem::Subscribed { .. }) {
                    bail!("{item:?}");
                }
                next = items.next().now_or_never().flatten();
            }
            if has_ended {
                check(&rooms)?;
                print_line(&format!("done {changes} {dropped}"))?;
                (changes, dropped) = (0, 0);
            }
        }
    })
}

fn client(target: &Target) -> Result<Client> {
    let url = HttpUrl::parse(&target.base_url(0))?;
    let http = HttpClient::new(url.origin(), Tls::platform(), HttpLimits::default())?;
    let tokens = Arc::new(StaticToken::new(Secret::new("bench-token")));
    let authorizer = HttpAuthorizer::new(http, url.join("api/v1/broadcasting/auth"), HeaderMap::new(), tokens);
    Ok(Client::builder(target.socket_url(0).as_str(), APP_KEY).authorizer(authorizer).connect()?)
}

/// As many have come as have gone.
fn check(rooms: &[Channel]) -> Result<()> {
    for room in rooms {
        let members = room.members().context("a channel is not subscribed")?;
        ensure!(members.count() == MEMBERS && members.me().is_some(), "{} members", members.count());
    }
    Ok(())
}
