//! Realtime events of a video-management system (VMS), typed and in order.
//!
//! - [`VmsDecoder`]: from an event's name and payload to a typed push.
//! - [`VmsAppSocketData`], [`VmsIntercomSocketData`]: what a push becomes.
//! - [`VmsEvent`], [`VmsIntercom`] and the other models: the objects in it.

mod decode;
mod lenient;
mod model;
mod push_type;
#[cfg(test)]
mod sample;
mod socket;
#[cfg(test)]
mod tests;
mod time;

pub use decode::VmsDecoder;
pub use model::*;
pub use push_type::{
    BROADCAST_NOTIFICATION, TOKEN_PUSH, USER_PUSH, VmsAppSocketType, VmsIntercomPushType, VmsPushStatus,
};
pub use socket::{
    VmsAppSocketData, VmsArchiveLinkSocket, VmsCallCanceledSocket, VmsCamerasUpdateSocket, VmsDownloadUrlData,
    VmsFavoriteCamerasUpdateSocket, VmsIntercomDeleteSocket, VmsIntercomErrorSocket, VmsIntercomKeyConfirmedSocket,
    VmsIntercomSocketData, VmsSocketData, VmsUndecodableSocket, VmsUnknownSocket,
};
pub use time::{VmsTime, VmsTimeRangeError};
