//! What a consumer asks to be told of.

use super::event::ChannelEvent;
use crate::Item;

/// What a consumer is told of.
#[derive(Debug)]
pub(super) enum Wants {
    /// Everything.
    All,
    /// Every event and nothing else.
    Events,
    /// The events of this name.
    Named(Box<str>),
    /// Changes of the connection's state.
    States,
}

impl Wants {
    pub(super) fn cover(&self, item: &Item<ChannelEvent>) -> bool {
        match self {
            Self::All => true,
            Self::Events => matches!(item, Item::Event(_)),
            Self::Named(name) => matches!(item, Item::Event(event) if event.name() == &**name),
            Self::States => matches!(item, Item::StateChanged { .. }),
        }
    }
}
