//! The realtime events of a video-management system (VMS), typed and in order.
//!
//! [`VmsPusherApi`] keeps a connection up and delivers what the server pushes, as a stream or to a delegate. Pushes
//! missed while there was no connection are announced as a gap, with what to reload.
//!
//! ```no_run
//! use vms_pusher::{Secret, Tls, VmsApi, VmsClientInfo, VmsCredentials, VmsPusherApi, VmsPusherConfig, VmsSocketItem};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let base_url = "https://vms.example.com";
//! let rest = VmsApi::new(base_url, Tls::platform(), &VmsClientInfo::default())?;
//! let login = rest.login(&VmsCredentials::new("ada", Secret::new(std::env::var("VMS_PASSWORD")?))).await?;
//! let socket = rest.with_token(&login.access_token)?.socket_url().await?;
//!
//! let vms = VmsPusherApi::new(VmsPusherConfig {
//!     base_url: base_url.into(),
//!     socket_url: socket.ws_url,
//!     app_key: socket.app_key,
//!     user_token: login.access_token,
//!     user_id: login.user.id,
//!     access_token_id: login.user.access_token_id.ok_or("the session has no id")?,
//!     ..VmsPusherConfig::default()
//! })?;
//! let mut events = vms.events();
//! vms.connect();
//! while let Some(item) = events.next().await {
//!     match item {
//!         VmsSocketItem::AppSocket(push) => println!("{}", push.name()),
//!         VmsSocketItem::IntercomSocket(push) => println!("{}", push.name()),
//!         other => println!("{other:?}"),
//!     }
//! }
//! vms.close(std::time::Duration::from_secs(2)).await;
//! # Ok(())
//! # }
//! ```
//!
//! # Listen
//!
//! - [`VmsPusherApi::events`]: everything that happens, as a stream of [`VmsSocketItem`] that ends with the session
//!   (`examples/stream.rs`)
//! - [`VmsSocketManagerDelegate`]: the same as method calls, as in the mobile SDKs (`examples/delegate.rs`)
//! - [`VmsSocketManager`]: what an app can do with its socket: connect, disconnect, and look at its state
//! - [`VmsPusherApi::close`]: a graceful close, before `main` returns (`examples/shutdown.rs`)
//! - several accounts: one client for each (`examples/accounts.rs`)
//!
//! # What is delivered
//!
//! - [`VmsSocketData`] has the table of all events: types on the wire, variants, names in JSON and in the published
//!   API. A push is a [`VmsAppSocketData`] or a [`VmsIntercomSocketData`]; it carries objects such as [`VmsEvent`],
//!   [`VmsCamera`] and [`VmsIntercom`].
//! - [`VmsUnknownSocket`] and [`VmsUndecodableSocket`]: what this version does not know, and what it cannot read
//! - [`VmsContinuity`]: where pushes may be missing, and what to reload
//! - [`ConnectionState`] and [`PusherError`]: the state of the connection, and its failures
//! - [`VmsRawPush`]: a push as it was received, on request
//!
//! # Sessions and tokens
//!
//! - [`TokenProvider`]: fresh tokens of the same login, from an `async fn` or a closure
//!   (`examples/token_provider.rs`)
//! - [`VmsPusherApi::set_session`]: another login on a running client (`examples/new_session.rs`)
//! - [`Secret`]: the type of tokens and passwords, which keeps them out of logs
//!
//! # The API of the VMS
//!
//! - [`VmsApi`]: log in, find the socket, change a camera's groups (`examples/rest.rs`); [`ApiError`] says what went wrong
//! - [`VmsSocketDiscovery`]: where the client looks for the Pusher server when its address no longer works
//!
//! # Settings
//!
//! - [`VmsPusherConfig`]: who connects and to which server; [`VmsPusherOptions`]: everything that has a default
//! - [`Tls`]: certificates; [`QueueLimits`]: how much may wait for a slow consumer
//! - [`ConfigError`]: what is wrong with a configuration, before anything is sent
//!
//! # Without a connection
//!
//! - [`VmsDecoder`] only decodes, without any I/O.
//! - The crate `vms-sandbox` is a simulated VMS for tests of your own program (`examples/own_test.rs`).

mod api;
mod config;
mod config_error;
mod connection;
mod continuity;
mod decode;
mod delegate;
mod discovery;
mod events;
mod item;
mod lenient;
mod model;
mod names;
mod push_type;
mod quoted;
mod raw;
mod rest;
mod runtime;
#[cfg(test)]
mod sample;
mod session;
#[cfg(test)]
mod shape;
mod shared;
mod socket;
#[cfg(test)]
mod tests;
mod time;
mod whole_number;

pub use api::VmsPusherApi;
pub use channels_client::{
    CertificateDer, ClientCounters, DynTokenProvider, QueueLimits, RootCertificateError, SocketAddressError,
    StaticToken, Tls, TokenError, TokenFuture, TokenProvider, UrlError,
};
pub use channels_proto::{AppKeyError, ChannelNameError, OptionError, Printable, Secret, is_unprintable};
pub use config::{VmsPusherConfig, VmsPusherOptions};
pub use config_error::ConfigError;
pub use connection::{ConnectionState, PusherError, PusherErrorKind};
pub use continuity::{VmsChannel, VmsContinuity, VmsGapKind, VmsResyncScope, VmsServerClock};
pub use decode::VmsDecoder;
pub use delegate::{VmsSocketManager, VmsSocketManagerDelegate};
pub use discovery::{DynVmsSocketUrlProvider, VmsSocketDiscovery, VmsSocketUrlFuture, VmsSocketUrlProvider};
pub use events::{VmsEvents, VmsReceived};
pub use item::VmsSocketItem;
pub use model::*;
pub use push_type::{
    BROADCAST_NOTIFICATION, TOKEN_PUSH, USER_PUSH, VmsAppSocketType, VmsIntercomPushType, VmsPushStatus,
};
pub use raw::{VmsPushOrigin, VmsRawPush};
pub use rest::{ApiError, ApiErrorKind, GroupSync, VmsApi, VmsClientInfo, VmsCredentials, VmsLogin, VmsSocketUrl};
pub use session::VmsSession;
pub use socket::{
    VmsAppSocketData, VmsArchiveLinkSocket, VmsCallCanceledSocket, VmsCamerasUpdateSocket, VmsDownloadUrlData,
    VmsFavoriteCamerasUpdateSocket, VmsIntercomDeleteSocket, VmsIntercomErrorSocket, VmsIntercomKeyConfirmedSocket,
    VmsIntercomSocketData, VmsSocketData, VmsUndecodableSocket, VmsUnknownSocket,
};
pub use time::{VmsTime, VmsTimeRangeError};
