use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_core::Stream;

use super::{event::ChannelEvent, hub::Hub, mailbox::Mailbox};
use crate::Item;

/// The one ordered stream of everything that a client is told: see [`Client::items`](crate::Client::items).
///
/// It has a bounded queue of its own, and ends when nothing more comes by itself. It does not keep the client alive.
pub struct Items {
    hub: Arc<Hub>,
    mailbox: Arc<Mailbox>,
}

impl Items {
    pub(super) const fn new(hub: Arc<Hub>, mailbox: Arc<Mailbox>) -> Self {
        Self { hub, mailbox }
    }

    /// Returns the next item; none when everything has been taken and nothing more comes by itself: the client is gone,
    /// or it is disconnected or was refused for good. After another [`Client::open`](crate::Client::open) items come
    /// again.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Item<ChannelEvent>> {
        std::future::poll_fn(|cx| self.mailbox.poll(cx, Some)).await
    }

    /// Returns the next item if one is there.
    #[must_use]
    pub fn try_next(&mut self) -> Option<Item<ChannelEvent>> {
        self.mailbox.try_take(Some)
    }
}

impl Stream for Items {
    type Item = Item<ChannelEvent>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Item<ChannelEvent>>> {
        self.mailbox.poll(cx, Some)
    }
}

impl Drop for Items {
    fn drop(&mut self) {
        self.hub.remove_stream(&self.mailbox);
    }
}

impl fmt::Debug for Items {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").finish_non_exhaustive()
    }
}
