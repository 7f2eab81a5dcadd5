//! What stands for the opening of encrypted events where the crate is built without it: no such channel is subscribed.

use super::{
    Channels, SocketContext,
    channel::{Channel, Extra},
};
use crate::{Authorization, AuthorizationError, AuthorizationId, ChannelName, Event, Time, outputs::Queue};

#[derive(Debug)]
pub(super) enum Seal {}

pub(super) fn extra_of(_: Option<&Authorization>) -> Result<Extra, String> {
    Ok(Extra::None)
}

impl Channel {
    pub(super) const fn key_deadline(&self) -> Option<Time> {
        None
    }

    pub(super) const fn is_key_asked(&self, _: AuthorizationId) -> bool {
        false
    }

    pub(super) fn end_extra(&mut self, _: &ChannelName, _: &mut Queue) {
        self.extra = Extra::None;
    }
}

impl Channels {
    pub(in crate::connection) fn take_sealed(&mut self, _: Event<'static>, _: &mut SocketContext<'_>) {}

    pub(super) fn open_waiting(&mut self, _: &ChannelName, _: &mut SocketContext<'_>) {}

    pub(super) fn ask_keys(&mut self, _: &mut SocketContext<'_>) {}

    pub(super) fn take_key(
        &mut self,
        _: &ChannelName,
        _: Result<Authorization, AuthorizationError>,
        _: &mut SocketContext<'_>,
    ) {
    }

    pub(super) fn miss_key(&mut self, _: &ChannelName, _: &mut SocketContext<'_>) {}

    pub(super) fn cancel_key(&mut self, _: &ChannelName, _: &mut Queue) {}

    pub(in crate::connection) const fn is_sealed(&self, _: &ChannelName) -> bool {
        false
    }
}
