//! The Pusher Channels protocol (version 7, client side) as a state machine: no sockets, no clock, no runtime, no
//! global randomness.
//!
//! [`Connection`] is the machine: start with its documentation, which gives the order in which its methods are called.
//! Everything else describes what goes in and out: [`Options`] and names go in at the start, each call yields
//! [`Outputs`], events among them, and results from the network go back in with the [`Epoch`] of their socket.
#![warn(clippy::indexing_slicing)] // The core reads hostile input: every index must be proved valid.

mod authorization;
mod authorization_error;
mod backoff;
mod client_event;
mod close;
mod connection;
mod counters;
mod decryption_error;
mod envelope;
mod errors;
mod event;
mod event_name;
mod json;
mod liveness;
mod members;
mod name;
mod options;
mod output;
mod outputs;
mod printable;
mod secret;
#[cfg(feature = "encryption")]
mod secretbox;
mod spelling;
mod text_type;
mod time;
mod user;
mod wire;

pub use authorization::UserAuthentication;
pub use authorization_error::AuthorizationError;
pub use client_event::{ClientEventError, TriggerError};
pub use connection::{Connection, ConnectionState, SendError};
pub use counters::Counters;
pub use decryption_error::DecryptionError;
pub use envelope::FrameError;
pub use errors::{ConnectionError, ProtocolViolation, SubscribeError, SubscriptionError};
pub use event::{Data, Event, OwnedEvent};
pub use json::JsonError;
pub use members::{Member, Members};
pub use name::{AppKey, AppKeyError, ChannelKind, ChannelName, ChannelNameError, SocketId, SocketIdError};
pub use options::{Limits, OptionError, Options};
pub use output::{
    Authorization, AuthorizationId, CloseFrame, Closed, ConnectFailure, ConnectFailureKind, Continuity, Epoch,
    FailureClass, GapCause, Message, Output, Report,
};
pub use outputs::Outputs;
pub use printable::{Printable, is_unprintable};
pub use secret::Secret;
pub use time::Time;
pub use user::{SignInError, User};
