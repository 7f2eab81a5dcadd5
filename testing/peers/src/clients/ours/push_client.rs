use std::sync::Arc;

use anyhow::Result;
use channels_client::http::{HttpClient, HttpLimits, HttpUrl};
use channels_client::proto::{AppKey, Event, Secret};
use channels_client::{
    ClientOptions, Clock, Decoded, Decoder, Delivery, HttpAuthorizer, SocketUrl, StaticToken, StreamClient,
    SystemConnector,
};
use http::HeaderMap;
use tokio::runtime::Handle;
use vms_pusher::{VmsDecoder, VmsSocketData};

use crate::blaster::APP_KEY;
use crate::workload::END_EVENT;

/// Makes what is inside `VmsPusherApi`, for as many channels as one likes and with any clock.
pub(crate) fn push_client(
    base_url: &str,
    socket_url: &str,
    clock: Arc<dyn Clock>,
    runtime: &Handle,
) -> Result<(StreamClient<Push>, Delivery<Push>)> {
    let url = HttpUrl::parse(base_url)?;
    let connector = Arc::new(SystemConnector::new().with_clock(clock));
    let http = HttpClient::over(Arc::<SystemConnector>::clone(&connector), url.origin(), HttpLimits::default())?;
    let tokens = Arc::new(StaticToken::new(Secret::new("bench-token")));
    let authorizer = HttpAuthorizer::new(http, url.join("api/v1/broadcasting/auth"), HeaderMap::new(), tokens);
    let mut options = ClientOptions::new(SocketUrl::parse(socket_url)?, AppKey::parse(APP_KEY)?);
    options.connector = connector;
    let decoder = PushDecoder { decoder: VmsDecoder::new(base_url) };
    Ok(StreamClient::new(options, Arc::new(authorizer), decoder, runtime)?)
}

struct PushDecoder {
    decoder: VmsDecoder,
}

/// What an event has become.
pub(crate) enum Push {
    /// Nothing follows.
    End,
    /// It is typed.
    #[expect(dead_code, reason = "a consumer would read it")]
    Data(VmsSocketData),
}

impl Decoder for PushDecoder {
    type Item = Push;

    fn decode(&mut self, event: &Event<'_>) -> Decoded<Push> {
        if event.name() == END_EVENT {
            return Decoded::new(Push::End);
        }
        Decoded::new(Push::Data(self.decoder.decode_event(event)))
    }
}
