//! The realtime events of a video-management system (VMS), typed and in order.
//!
//! [`VmsPusherApi`] keeps a connection up and hands over what the server pushes, as a stream or to a delegate. What was missed
//! while there was no connection is announced, with what to load again.
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
//! - [`VmsSocketManagerDelegate`]: the same by methods that are called, as in the mobile SDKs (`examples/delegate.rs`)
//! - [`VmsSocketManager`]: what an app does with its socket: connect, disconnect, and whether it is there
//! - [`VmsPusherApi::close`]: the orderly end, before `main` returns (`examples/shutdown.rs`)
//! - one client an account, as many as there are accounts (`examples/accounts.rs`)
//!
//! # What comes
//!
//! - [`VmsSocketData`] has the table of all events: types on the wire, variants, names in JSON and in the published API. A push
//!   is a [`VmsAppSocketData`] or a [`VmsIntercomSocketData`]; it carries objects such as [`VmsEvent`], [`VmsCamera`] and
//!   [`VmsIntercom`].
//! - [`VmsUnknownSocket`] and [`VmsUndecodableSocket`]: what this version does not know, and what it cannot read
//! - [`VmsContinuity`]: where pushes may be missing, and what to load again
//! - [`ConnectionState`] and [`PusherError`]: how the connection is
//! - [`VmsRawPush`]: a push as it came, on request
//!
//! # Sessions and tokens
//!
//! - [`TokenProvider`]: fresh tokens of the same login, by an `async fn` or a closure (`examples/token_provider.rs`)
//! - [`VmsPusherApi::set_session`]: another login on a running client (`examples/new_session.rs`)
//! - [`Secret`]: what a token and a password are, so that none of them gets into a log
//!
//! # The API of the VMS
//!
//! - [`VmsApi`]: log in, find the socket, change a camera's groups (`examples/rest.rs`); [`ApiError`] says what went wrong
//! - [`VmsSocketDiscovery`]: where the socket is looked for when it is not found any more
//!
//! # Settings
//!
//! - [`VmsPusherConfig`]: who connects and to which server; [`VmsPusherOptions`]: everything that has a default
//! - [`Tls`]: certificates; [`QueueLimits`]: what a slow consumer costs
//! - [`ConfigError`]: what cannot be right, before anything is sent
//!
//! # Without a connection
//!
//! - [`VmsDecoder`] decodes alone, without any input or output.
//! - The crate `vms-sandbox` is a VMS for tests of a program of one's own (`examples/own_test.rs`).

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
