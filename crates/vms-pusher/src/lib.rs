//! Realtime events of a video-management system (VMS), typed and in order.
//!
//! - [`VmsDecoder`]: from an event's name and payload to a typed push.
//! - [`VmsAppSocketData`], [`VmsIntercomSocketData`]: what a push becomes.
//! - [`VmsEvent`], [`VmsIntercom`] and the other models: the objects in it.

mod api;
mod config;
mod connection;
mod continuity;
mod decode;
mod delegate;
mod events;
mod item;
mod lenient;
mod model;
mod names;
mod push_type;
mod rest;
mod runtime;
#[cfg(test)]
mod sample;
mod socket;
#[cfg(test)]
mod tests;
mod time;

pub use api::VmsPusherApi;
pub use channels_client::{
    CertificateDer, ClientCounters, QueueLimits, RootCertificateError, StaticToken, Tls, TokenError, TokenProvider,
    UrlError,
};
pub use channels_proto::{AppKeyError, ChannelNameError, Secret};
pub use config::{ConfigError, VmsPusherConfig, VmsPusherOptions};
pub use connection::{ConnectionState, PusherError};
pub use continuity::{VmsChannel, VmsContinuity, VmsResyncScope};
pub use decode::VmsDecoder;
pub use delegate::{VmsSocketManager, VmsSocketManagerDelegate};
pub use events::VmsEvents;
pub use item::VmsSocketItem;
pub use model::*;
pub use push_type::{
    BROADCAST_NOTIFICATION, TOKEN_PUSH, USER_PUSH, VmsAppSocketType, VmsIntercomPushType, VmsPushStatus,
};
pub use rest::{ApiError, ApiErrorKind, GroupSync, VmsApi, VmsClientInfo, VmsCredentials, VmsLogin, VmsSocketUrl};
pub use socket::{
    VmsAppSocketData, VmsArchiveLinkSocket, VmsCallCanceledSocket, VmsCamerasUpdateSocket, VmsDownloadUrlData,
    VmsFavoriteCamerasUpdateSocket, VmsIntercomDeleteSocket, VmsIntercomErrorSocket, VmsIntercomKeyConfirmedSocket,
    VmsIntercomSocketData, VmsSocketData, VmsUndecodableSocket, VmsUnknownSocket,
};
pub use time::{VmsTime, VmsTimeRangeError};
