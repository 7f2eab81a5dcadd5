use std::sync::Arc;

use channels_client::{
    AuthorizationRequest, Authorizer, ClientOptions, Delivery, Item, RawDecoder, SocketUrl, StreamClient,
    SystemConnector,
    proto::{AppKey, Authorization, AuthorizationError, ChannelName, ConnectionState, OwnedEvent},
};
use tokio::runtime::Handle;

use super::{Listener, soon};

/// A client under test, with the consumer in the test's hands.
pub struct Under {
    pub client: StreamClient<OwnedEvent>,
    pub delivery: Delivery<OwnedEvent>,
}

/// An authorizer that signs at once.
pub struct Signer;

impl Authorizer for Signer {
    async fn authorize(&self, request: AuthorizationRequest) -> Result<Authorization, AuthorizationError> {
        Ok(Authorization::new(format!("key:signed-{}-{}", request.socket_id, request.channel)))
    }
}

/// Options for a client of `listener`, with the retries of a fixed seed.
pub fn options_for(listener: &Listener) -> ClientOptions {
    let url = SocketUrl::parse(&listener.socket_url()).unwrap();
    let mut options = ClientOptions::new(url, AppKey::parse("key").unwrap());
    options.connector = Arc::new(SystemConnector::new().with_random(|| 7));
    options
}

pub fn private(name: &str) -> ChannelName {
    ChannelName::parse(&format!("private-{name}")).unwrap()
}

pub fn public(name: &str) -> ChannelName {
    ChannelName::parse(name).unwrap()
}

impl Under {
    pub fn new(options: ClientOptions) -> Self {
        let (client, delivery) = StreamClient::new(options, Arc::new(Signer), RawDecoder, &Handle::current()).unwrap();
        Self { client, delivery }
    }

    pub async fn next(&mut self) -> Item<OwnedEvent> {
        soon("an item", self.delivery.next()).await.expect("the client is there")
    }

    /// Takes items until one of them `fits`, and returns that.
    pub async fn until(&mut self, fits: impl Fn(&Item<OwnedEvent>) -> bool) -> Item<OwnedEvent> {
        soon("the item that fits", async {
            loop {
                let item = self.next().await;
                if fits(&item) {
                    return item;
                }
            }
        })
        .await
    }

    pub async fn until_state(&mut self, state: ConnectionState) {
        self.until(|item| matches!(item, Item::StateChanged { to, .. } if *to == state)).await;
    }
}

/// The name and the document of an event.
pub fn event_of(item: &Item<OwnedEvent>) -> Option<(String, String)> {
    let Item::Event(event) = item else { return None };
    let event = event.as_event();
    Some((event.name().to_owned(), event.data().payload().unwrap().into_owned()))
}
