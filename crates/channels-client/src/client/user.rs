use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use channels_proto::{SignInError, User};
use futures_core::Stream;

use super::{event::ChannelEvent, hub::Hub, item::ChannelItem, mailbox::Mailbox};
use crate::Item;

/// What concerns the user as whom a client is signed in.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum UserItem {
    /// The server knows this client as `user` from now on, until the socket ends; after a reconnect it is told again.
    SignedIn {
        /// The user.
        user: User,
    },
    /// An attempt to sign in failed.
    SignInFailed {
        /// The reason.
        error: SignInError,
        /// Time until the next attempt, which comes sooner when the socket is replaced; none when there is no further
        /// attempt until the caller signs in or opens the client again.
        retry_in: Option<Duration>,
    },
    /// An event for this user alone.
    Event(ChannelEvent),
    /// Users whom this user watches came online, or went offline.
    Watchlist {
        /// Whether they are online now.
        online: bool,
        /// Their ids.
        user_ids: Vec<Box<str>>,
    },
    /// Events were dropped here, because this stream is read too slowly.
    Lagged {
        /// How many.
        dropped: u64,
    },
    /// What else happened on the user's own channel, such as the end of a gap.
    Channel(ChannelItem),
}

/// A stream of what concerns the user: see [`Client::user_items`](crate::Client::user_items).
///
/// It has a bounded queue of its own, and ends when nothing more comes by itself. It does not keep the client alive.
pub struct UserItems {
    hub: Arc<Hub>,
    mailbox: Arc<Mailbox>,
}

impl UserItems {
    pub(super) const fn new(hub: Arc<Hub>, mailbox: Arc<Mailbox>) -> Self {
        Self { hub, mailbox }
    }

    /// Returns the next item; none when everything has been taken and nothing more comes by itself.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<UserItem> {
        std::future::poll_fn(|cx| self.mailbox.poll(cx, UserItem::of)).await
    }
}

impl UserItem {
    fn of(item: Item<ChannelEvent>) -> Option<Self> {
        if let Item::SignedIn { user } = item {
            return Some(Self::SignedIn { user });
        }
        if let Item::SignInFailed { error, retry_in } = item {
            return Some(Self::SignInFailed { error, retry_in });
        }
        if let Item::Watchlist { online, user_ids } = item {
            return Some(Self::Watchlist { online, user_ids });
        }
        ChannelItem::of(item).map(Self::from)
    }
}

impl From<ChannelItem> for UserItem {
    fn from(item: ChannelItem) -> Self {
        if let ChannelItem::Event(event) = item {
            Self::Event(event)
        } else if let ChannelItem::Lagged { dropped } = item {
            Self::Lagged { dropped }
        } else {
            Self::Channel(item)
        }
    }
}

impl Stream for UserItems {
    type Item = UserItem;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<UserItem>> {
        self.mailbox.poll(cx, UserItem::of)
    }
}

impl Drop for UserItems {
    fn drop(&mut self) {
        self.hub.remove_stream(&self.mailbox);
    }
}

impl fmt::Debug for UserItems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserItems").finish_non_exhaustive()
    }
}
