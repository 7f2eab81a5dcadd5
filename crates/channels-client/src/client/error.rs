//! What the methods of the client refuse, and why.

use std::convert::Infallible;

use channels_proto::{
    AppKeyError, ChannelName, ChannelNameError, ConnectionError, OptionError, SignInError, SubscriptionError,
};
use thiserror::Error;

use crate::UrlError;

/// Why a [`Client`](crate::Client) could not be made. Nothing has been sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The URL of the server cannot be used.
    #[error("the URL of the server cannot be used: {0}")]
    Url(#[from] UrlError),
    /// The key of the application cannot be used.
    #[error("{0}")]
    AppKey(#[from] AppKeyError),
    /// An option has a value that no client can work with.
    #[error("{0}")]
    Option(#[from] OptionError),
    /// The calling thread is on no tokio runtime, and none was given.
    #[error("there is no tokio runtime here: call this on one, or give its handle to `ClientBuilder::runtime`")]
    NoRuntime,
}

/// Why there is no handle to a channel. Nothing has been sent, and no other handle is affected.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SubscribeError {
    /// The name is not a valid channel name.
    #[error("{0}")]
    Name(#[from] ChannelNameError),
    /// The client does not subscribe to this channel.
    #[error("{0}")]
    Refused(#[from] channels_proto::SubscribeError),
    /// The channel needs an authorization, and the client was made without an authorizer.
    #[error("`{channel}` needs an authorization: give an authorizer to `Client::builder`")]
    NoAuthorizer {
        /// The channel.
        channel: ChannelName,
    },
    /// The client has ended with the runtime that it ran on.
    #[error("the client has ended with its runtime")]
    Ended,
}

/// Why a client event was refused before anything was sent. No other handle is affected.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TriggerError {
    /// It may not be sent.
    #[error("{0}")]
    Refused(#[from] channels_proto::TriggerError),
    /// The client has ended with the runtime that it ran on.
    #[error("the client has ended with its runtime")]
    Ended,
    /// The data cannot be written as JSON.
    #[error("the data of the client event cannot be written as JSON: {message}")]
    Data {
        /// Why.
        message: String,
    },
}

/// Why a connection or a subscription that was waited for does not come.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WaitError {
    /// The server refused the connection for good; [`Client::open`](crate::Client::open) tries again.
    #[error("{0}")]
    Refused(#[source] ConnectionError),
    /// The client was disconnected.
    #[error("the client was disconnected")]
    Disconnected,
    /// The last attempt to subscribe failed. Most failures are tried again: see
    /// [`ChannelItem::Failed`](crate::ChannelItem::Failed).
    #[error("{0}")]
    Subscription(#[source] SubscriptionError),
    /// The last attempt to sign in failed. Most failures are tried again: see
    /// [`UserItem::SignInFailed`](crate::UserItem::SignInFailed).
    #[error("{0}")]
    SignIn(#[source] SignInError),
    /// The channel was unsubscribed.
    #[error("the channel was unsubscribed")]
    Unsubscribed,
}

impl From<Infallible> for BuildError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<Infallible> for SubscribeError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
