//! Realtime pushes of a video-management system (VMS), typed and in order.
//!
//! [`VmsPusherApi`] is the start: it keeps a connection up and hands over what the server pushes, to a
//! [`VmsSocketManagerDelegate`] or as the stream [`VmsPusherApi::events`]. A push is a [`VmsAppSocketData`] or a
//! [`VmsIntercomSocketData`]; what this version does not know or cannot read comes as `Unknown` or `Undecodable`. What
//! was missed while there was no connection is announced as [`VmsContinuity::ResyncNeeded`]. [`VmsApi`] is the HTTP side:
//! log in, find the socket, change a camera's groups. [`VmsDecoder`] decodes alone, without any input or output.
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
//! let api = VmsPusherApi::new(VmsPusherConfig {
//!     base_url: base_url.into(),
//!     socket_url: socket.ws_url,
//!     app_key: socket.app_key,
//!     user_token: login.access_token,
//!     user_id: login.user.id,
//!     access_token_id: login.user.access_token_id.unwrap_or_default(),
//!     ..VmsPusherConfig::default()
//! })?;
//! let mut events = api.events();
//! api.connect();
//! while let Some(item) = events.next().await {
//!     match item {
//!         VmsSocketItem::AppSocket(push) => println!("{}", push.name()),
//!         VmsSocketItem::IntercomSocket(push) => println!("{}", push.name()),
//!         other => println!("{other:?}"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod api;
mod config;
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
#[cfg(test)]
mod shape;
mod socket;
#[cfg(test)]
mod tests;
mod time;
mod whole_number;

pub use api::VmsPusherApi;
pub use channels_client::{
    CertificateDer, ClientCounters, QueueLimits, RootCertificateError, SocketAddressError, StaticToken, Tls,
    TokenError, TokenProvider, UrlError,
};
pub use channels_proto::{AppKeyError, ChannelNameError, OptionError, Printable, Secret, is_unprintable};
pub use config::{ConfigError, VmsPusherConfig, VmsPusherOptions};
pub use connection::{ConnectionState, PusherError, PusherErrorKind};
pub use continuity::{VmsChannel, VmsContinuity, VmsGapKind, VmsResyncScope, VmsServerClock};
pub use decode::VmsDecoder;
pub use delegate::{VmsSocketManager, VmsSocketManagerDelegate};
pub use discovery::{VmsSocketDiscovery, VmsSocketUrlProvider};
pub use events::VmsEvents;
pub use item::VmsSocketItem;
pub use model::*;
pub use push_type::{
    BROADCAST_NOTIFICATION, TOKEN_PUSH, USER_PUSH, VmsAppSocketType, VmsIntercomPushType, VmsPushStatus,
};
pub use raw::{VmsRawPush, VmsReceived};
pub use rest::{ApiError, ApiErrorKind, GroupSync, VmsApi, VmsClientInfo, VmsCredentials, VmsLogin, VmsSocketUrl};
pub use socket::{
    VmsAppSocketData, VmsArchiveLinkSocket, VmsCallCanceledSocket, VmsCamerasUpdateSocket, VmsDownloadUrlData,
    VmsFavoriteCamerasUpdateSocket, VmsIntercomDeleteSocket, VmsIntercomErrorSocket, VmsIntercomKeyConfirmedSocket,
    VmsIntercomSocketData, VmsSocketData, VmsUndecodableSocket, VmsUnknownSocket,
};
pub use time::{VmsTime, VmsTimeRangeError};
