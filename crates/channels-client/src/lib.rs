#![doc = include_str!("../README.md")]

#[cfg(not(any(feature = "ring", feature = "aws-lc-rs")))]
compile_error!("channels-client needs the cryptography of TLS: turn on its feature `ring` or `aws-lc-rs`");
#[cfg(not(any(feature = "platform-verifier", feature = "webpki-roots")))]
compile_error!(
    "channels-client needs to know whom to trust: turn on its feature `platform-verifier` or `webpki-roots`"
);

mod address;
mod authorize;
mod client;
mod clock;
mod connector;
mod delivery;
mod dial;
mod endpoint;
mod entropy;
pub mod http;
mod incoming;
mod intent;
mod item;
mod options;
mod outgoing;
mod response_head;
mod retry_after;
mod server_time;
mod socket;
mod socket_url;
mod stream_client;
mod task;
mod threads;
mod tls;
mod upgrade;

pub use address::{SocketAddress, SocketAddressError, SocketAddressProvider};
pub use authorize::{
    AuthenticationRequest, AuthorizationRequest, AuthorizeFuture, Authorizer, DynAuthorizer, DynTokenProvider,
    EndpointExtras, EndpointRequest, HttpAuthorizer, HttpAuthorizerBuilder, HttpAuthorizerError, SharedTokens,
    StaticToken, TokenError, TokenFuture, TokenProvider, WithUserAuthentication, current_token,
};
#[cfg(feature = "signer")]
pub use authorize::{MasterKeyError, Signer};
pub use channels_proto as proto;
pub use client::{
    Binding, BuildError, Channel, ChannelEvent, ChannelItem, ChannelState, Client, ClientBuilder, EventDefect, Events,
    Items, SubscribeError, TriggerError, UserItem, UserItems, WaitError,
};
pub use clock::{Clock, SystemClock, TokioClock};
pub use connector::{Connector, MemoryConnector, MemoryListener, UpgradeRequest, Upgraded};
pub use delivery::{ClientFigures, Delivery};
#[cfg(feature = "proxy")]
pub use dial::{Proxies, Proxy, ProxyError};
pub use dial::{Resolver, Stream, SystemConnector};
pub use endpoint::{Endpoint, UrlError, presentable_url};
pub use item::{Continuity, Decoded, Decoder, Item, RawDecoder, ServerClock};
pub use options::{ClientOptions, QueueLimits};
pub use rustls_pki_types::{CertificateDer, PrivateKeyDer};
pub use server_time::ServerTime;
pub use socket_url::SocketUrl;
pub use stream_client::{ClientCounters, StreamClient};
pub use tls::{PublicKeyPin, PublicKeyPinError, RootCertificateError, Tls, TlsBuilder, TlsError};
