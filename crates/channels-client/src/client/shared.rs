//! What the handles of a client hold together.

use std::sync::Arc;

use channels_proto::{ChannelKind, ChannelName, ConnectionError, Limits};

use super::{
    authorizers::Authorizers,
    error::{SubscribeError, WaitError},
    event::ChannelEvent,
    hub::Hub,
    joining::Seat,
};
use crate::{DynAuthorizer, StreamClient, delivery::Core};

/// A client and what gives out what it delivers. With the last handle that holds this, the client ends.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) stream: StreamClient<ChannelEvent>,
    pub(super) hub: Arc<Hub>,
    pub(super) limits: Limits,
    pub(super) authorizers: Arc<Authorizers>,
}

impl Shared {
    pub(super) fn core(&self) -> &Arc<Core<ChannelEvent>> {
        self.stream.core()
    }

    pub(super) fn subscribe(&self, name: &ChannelName) -> Result<Seat, SubscribeError> {
        let kind = name.kind();
        if !kind.is_supported() {
            return Err(channels_proto::SubscribeError::UnsupportedKind { channel: name.clone(), kind }.into());
        }
        if kind != ChannelKind::Public {
            if self.hub.channel(name.as_str()).is_none() {
                self.authorizers.forget(name);
            }
            if !self.authorizers.cover(name) {
                return Err(SubscribeError::NoAuthorizer { channel: name.clone() });
            }
        }
        self.join(name)
    }

    /// The same with somebody who signs for this channel alone.
    pub(super) fn subscribe_with(
        &self,
        name: &ChannelName,
        authorizer: Arc<dyn DynAuthorizer>,
    ) -> Result<Seat, SubscribeError> {
        let kind = name.kind();
        if !kind.is_supported() {
            return Err(channels_proto::SubscribeError::UnsupportedKind { channel: name.clone(), kind }.into());
        }
        self.authorizers.give(name.clone(), authorizer, |channel| self.hub.channel(channel.as_str()).is_none());
        self.join(name)
    }

    fn join(&self, name: &ChannelName) -> Result<Seat, SubscribeError> {
        self.hub.subscribe(self.core(), name, self.limits.max_channels)
    }

    /// Returns why nothing comes any more.
    pub(super) fn end_of(refusal: Option<ConnectionError>) -> WaitError {
        refusal.map_or(WaitError::Disconnected, WaitError::Refused)
    }
}
