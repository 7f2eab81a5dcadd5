//! What a consumer asks to be told of.

use channels_proto::ChannelKind;

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
    /// What concerns the user as whom the client is signed in.
    User,
}

impl Wants {
    pub(super) fn cover(&self, item: &Item<ChannelEvent>) -> bool {
        match self {
            Self::All => true,
            Self::Events => matches!(item, Item::Event(_)),
            Self::Named(name) => matches!(item, Item::Event(event) if event.name() == &**name),
            Self::States => matches!(item, Item::StateChanged { .. }),
            Self::User => is_of_user(item),
        }
    }

    /// Returns whether changes of the connection's state are told.
    pub(super) const fn cover_states(&self) -> bool {
        matches!(self, Self::All | Self::States)
    }
}

fn is_of_user(item: &Item<ChannelEvent>) -> bool {
    let channel = if let Item::Event(event) = item { Some(event.channel()) } else { item.channel() };
    let is_channel = channel.is_some_and(|channel| channel.kind() == ChannelKind::ServerToUser);
    is_channel || matches!(item, Item::SignedIn { .. } | Item::SignInFailed { .. } | Item::Watchlist { .. })
}
