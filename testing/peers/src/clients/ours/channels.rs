use std::hint::black_box;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use channels_client::http::{HttpClient, HttpLimits, HttpUrl};
use channels_client::proto::{AppKey, ChannelName, Event, Scratch, Secret};
use channels_client::{Client, ClientOptions, Decoded, Decoder, HttpAuthorizer, Item, SocketUrl, StaticToken, Tls};
use http::HeaderMap;
use vms_pusher::{VmsDecoder, VmsSocketData};

use super::{exit_with_stdin, runtime};
use crate::blaster::APP_KEY;
use crate::clients::{Target, print_line};
use crate::workload::END_EVENT;

/// One client on many channels, with the decoder of a VMS: `VmsPusherApi` has two. Says so at the end of each blast.
pub(in crate::clients) fn channels(target: &Target) -> Result<()> {
    let runtime = runtime(false)?;
    let handle = runtime.handle().clone();
    let url = HttpUrl::parse(&target.base_url(0))?;
    let http = HttpClient::new(url.origin(), Tls::platform(), HttpLimits::default());
    let tokens = Arc::new(StaticToken::new(Secret::new("bench-token")));
    let authorizer = HttpAuthorizer::new(http, url.join("api/v1/broadcasting/auth"), HeaderMap::new(), tokens);
    let options = ClientOptions::new(SocketUrl::parse(&target.socket_url(0))?, AppKey::parse(APP_KEY)?);
    let decoder = PushDecoder { decoder: VmsDecoder::new(&target.base_url(0)), scratch: Scratch::default() };
    let (client, mut delivery) = Client::new(options, Arc::new(authorizer), decoder, &handle);
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
                Item::Lagged { dropped: more } => dropped += more,
                Item::ConnectionFailed { error, .. } => anyhow::bail!("the connection was lost: {error}"),
                Item::SubscriptionFailed { error, .. } => anyhow::bail!("a channel was refused: {error}"),
                Item::StateChanged { .. }
                | Item::Subscribed { .. }
                | Item::Interrupted { .. }
                | Item::Coalesced { .. }
                | Item::ServerError { .. }
                | Item::Suspended { .. }
                | Item::HandlerPanicked { .. } => {}
            }
        }
    })
}

struct PushDecoder {
    decoder: VmsDecoder,
    scratch: Scratch,
}

enum Push {
    End,
    #[expect(dead_code, reason = "a consumer would read it")]
    Data(VmsSocketData),
}

impl Decoder for PushDecoder {
    type Item = Push;

    fn decode(&mut self, event: &Event<'_>) -> Decoded<Push> {
        if event.name() == END_EVENT {
            return Decoded::new(Push::End);
        }
        let payload = event.data().payload_in(&mut self.scratch).unwrap_or_default();
        Decoded::new(Push::Data(self.decoder.decode(event.name(), event.channel().as_str(), payload)))
    }
}
