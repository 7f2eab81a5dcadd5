use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_core::Stream;

use super::{event::ChannelEvent, mailbox::Mailbox, shared::Shared, subscription::Subscription};
use crate::Item;

/// A stream of the events of a channel, or of those of one name: see [`Channel::events`](crate::Channel::events).
///
/// It is a handle like a [`Channel`](crate::Channel): it keeps the channel subscribed, has a bounded queue of its own,
/// and ends when nothing more comes by itself.
pub struct Events {
    client: Arc<Shared>,
    subscription: Arc<Subscription>,
    mailbox: Arc<Mailbox>,
}

impl Events {
    pub(super) const fn new(client: Arc<Shared>, subscription: Arc<Subscription>, mailbox: Arc<Mailbox>) -> Self {
        Self { client, subscription, mailbox }
    }

    /// Returns the next event; none when everything has been taken and nothing more comes by itself.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<ChannelEvent> {
        std::future::poll_fn(|cx| self.mailbox.poll(cx, event_of)).await
    }

    /// Returns how many events have been dropped so far because this stream is read too slowly.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.mailbox.dropped()
    }
}

impl Stream for Events {
    type Item = ChannelEvent;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ChannelEvent>> {
        self.mailbox.poll(cx, event_of)
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.client.hub.leave(self.client.core(), &self.subscription, &self.mailbox);
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("channel", &self.subscription.name.as_str()).finish_non_exhaustive()
    }
}

fn event_of(item: Item<ChannelEvent>) -> Option<ChannelEvent> {
    if let Item::Event(event) = item { Some(event) } else { None }
}
