use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use channels_proto::{ChannelKind, ChannelName, Members};
use futures_core::Stream;
use serde_core::Serialize;

use super::{
    callbacks::Binding,
    error::{TriggerError, WaitError},
    event::ChannelEvent,
    events::Events,
    item::{ChannelItem, ChannelState},
    joining::Seat,
    mailbox::Mailbox,
    shared::Shared,
    subscription::Subscription,
    wants::Wants,
};

/// A handle to a subscribed channel, and the stream of what happens on it.
///
/// Clones share the subscription, and each has a queue of its own, from when it was cloned: it is bounded by the
/// [`QueueLimits`](crate::QueueLimits) of the client, beyond which the oldest events are dropped and replaced by a
/// [`ChannelItem::Lagged`]. Reading one handle slowly costs the others nothing.
///
/// The subscription is kept through every reconnect. It ends when the last handle is dropped, unless it was
/// [detached](Self::detach), or with [`unsubscribe`](Self::unsubscribe). A handle keeps its client alive.
///
/// The stream ends when nothing more comes by itself: the channel is unsubscribed, or the client is disconnected or was
/// refused for good. After another [`Client::open`](crate::Client::open) the same handle yields again.
pub struct Channel {
    client: Arc<Shared>,
    subscription: Arc<Subscription>,
    mailbox: Arc<Mailbox>,
}

impl Channel {
    pub(super) fn new(client: Arc<Shared>, (subscription, mailbox): Seat) -> Self {
        Self { client, subscription, mailbox }
    }

    /// Returns the name of the channel.
    #[must_use]
    pub fn name(&self) -> &ChannelName {
        &self.subscription.name
    }

    /// Returns the kind of the channel, which its name tells.
    #[must_use]
    pub fn kind(&self) -> ChannelKind {
        self.name().kind()
    }

    /// Returns what has become of the subscription.
    #[must_use]
    pub fn state(&self) -> ChannelState {
        self.subscription.state()
    }

    /// Returns whether the server has acknowledged the subscription.
    #[must_use]
    pub fn is_subscribed(&self) -> bool {
        self.state() == ChannelState::Subscribed
    }

    /// Returns who is on the channel now: none unless it is a subscribed presence channel.
    #[must_use]
    pub fn members(&self) -> Option<Members> {
        self.subscription.members()
    }

    /// Returns how many connections are subscribed to the channel, where the server has told it.
    #[must_use]
    pub fn subscription_count(&self) -> Option<u64> {
        self.subscription.count()
    }

    /// Sends the client event `event`, whose name begins with `client-`, to the other subscribers of a private or
    /// presence channel: now, or as soon as the channel is acknowledged. Those of a channel keep their order.
    ///
    /// Nothing acknowledges a client event. One that turns out not to be sent, because of the rate (10 in a second by
    /// default), of an unsubscribe or of the server, which may also refuse it later, is told as
    /// [`ChannelItem::ClientEventFailed`]; after an unsubscribe, to the client's [`items`](crate::Client::items). A
    /// [`disconnect`](crate::Client::disconnect) drops what waits.
    ///
    /// # Errors
    /// When it may not be sent: the name, the data or the kind of the channel is wrong, the channel was unsubscribed, or
    /// too many are waiting.
    pub fn trigger(&self, event: &str, data: &(impl Serialize + ?Sized)) -> Result<(), TriggerError> {
        let data = serde_json::to_string(data).map_err(|error| TriggerError::Data { message: error.to_string() })?;
        self.trigger_json(event, &data)
    }

    /// Sends a client event whose data is JSON text; otherwise like [`trigger`](Self::trigger).
    ///
    /// # Errors
    /// As `trigger`, and when `data` is not JSON.
    pub fn trigger_json(&self, event: &str, data: &str) -> Result<(), TriggerError> {
        self.client.trigger(&self.subscription, event, data)
    }

    /// Waits until the server has acknowledged the subscription.
    ///
    /// # Errors
    /// When an attempt to subscribe has failed, although most failures are tried again: read the stream to wait through
    /// them. When the channel is unsubscribed, or the client is disconnected or was refused for good.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn wait_subscribed(&self) -> Result<(), WaitError> {
        loop {
            let changed = self.subscription.changed.notified();
            match self.state() {
                ChannelState::Subscribed => return Ok(()),
                ChannelState::Failed(error) => return Err(WaitError::Subscription(error)),
                ChannelState::Unsubscribed => return Err(WaitError::Unsubscribed),
                ChannelState::Pending => {}
            }
            if let Some(refusal) = self.client.hub.rest() {
                return Err(Shared::end_of(refusal));
            }
            changed.await;
        }
    }

    /// Returns the next item; none when everything has been taken and nothing more comes by itself.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<ChannelItem> {
        std::future::poll_fn(|cx| self.mailbox.poll(cx, ChannelItem::of)).await
    }

    /// Returns the next item if one is there.
    #[must_use]
    pub fn try_next(&mut self) -> Option<ChannelItem> {
        self.mailbox.try_take(ChannelItem::of)
    }

    /// Returns a stream of the events alone, which come from now on. What may have been missed is not told there.
    #[must_use]
    pub fn events(&self) -> Events {
        self.new_events(Wants::Events)
    }

    /// Returns a stream of the events of this name, which come from now on; no others take room in its queue.
    #[must_use]
    pub fn events_named(&self, name: &str) -> Events {
        self.new_events(Wants::Named(name.into()))
    }

    /// Calls `callback` with every event of this name, from now on.
    ///
    /// The callbacks of a channel are called in the order in which they were bound, one at a time, on the runtime's pool
    /// for blocking work; no thread is held while there is nothing to tell. A callback may block: what waits for it is
    /// bounded like a handle's queue, and what is dropped is told to those that are [bound to all](Self::bind_all). It
    /// may call every method, and one that panics is called again the next time; the first panic of each is
    /// reported as [`Item::HandlerPanicked`](crate::Item::HandlerPanicked) to the client's streams.
    ///
    /// Callbacks stay bound through every reconnect and until the channel is unsubscribed. They do not keep it
    /// subscribed: keep a handle, or [detach](Self::detach) it. A callback that holds a handle of its own channel keeps
    /// that subscribed, and its client alive, until it is unbound.
    ///
    /// A handle that callbacks are bound on keeps nothing for its own stream until that is read.
    pub fn bind(&self, event: &str, mut callback: impl FnMut(&ChannelEvent) + Send + 'static) -> Binding {
        self.bind_to(
            Wants::Named(event.into()),
            Box::new(move |item| {
                if let crate::Item::Event(event) = item {
                    callback(event);
                }
            }),
        )
    }

    /// Calls `callback` with everything that happens on this channel, from now on; otherwise like [`bind`](Self::bind).
    pub fn bind_all(&self, mut callback: impl FnMut(&ChannelItem) + Send + 'static) -> Binding {
        self.bind_to(
            Wants::All,
            Box::new(move |item| {
                if let Some(item) = ChannelItem::of(item.clone()) {
                    callback(&item);
                }
            }),
        )
    }

    /// Unbinds a callback of this channel, and returns whether it was bound. It is not called any more after this has
    /// returned, but a call in progress on another thread goes on.
    #[expect(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn unbind(&self, binding: Binding) -> bool {
        self.subscription.callbacks.unbind(binding)
    }

    /// Unbinds all callbacks of this channel that are bound to events of this name.
    pub fn unbind_event(&self, event: &str) {
        self.subscription.callbacks.unbind_event(event);
    }

    /// Unbinds all callbacks of this channel.
    pub fn unbind_all(&self) {
        self.subscription.callbacks.unbind_all();
    }

    /// Unsubscribes from the channel, for all of its handles. After this has returned none of its events is delivered to
    /// any of them, nor any report about it, and their streams end. Its callbacks are unbound.
    pub fn unsubscribe(&self) {
        self.client.hub.unsubscribe(self.client.core(), &self.subscription);
    }

    /// Drops this handle and keeps the subscription, for the callbacks that are bound, as long as the client lives or
    /// until it is [unsubscribed](crate::Client::unsubscribe).
    pub fn detach(self) {
        self.subscription.detach();
    }

    fn bind_to(&self, wants: Wants, callback: super::callbacks::Callback) -> Binding {
        self.mailbox.expect_no_reading();
        self.subscription.callbacks.bind(self.client.hub.next_binding(), wants, callback)
    }

    fn new_events(&self, wants: Wants) -> Events {
        let mailbox = self.client.hub.add_mailbox(&self.subscription, wants);
        Events::new(Arc::clone(&self.client), Arc::clone(&self.subscription), mailbox)
    }
}

impl Stream for Channel {
    type Item = ChannelItem;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ChannelItem>> {
        self.mailbox.poll(cx, ChannelItem::of)
    }
}

impl Clone for Channel {
    fn clone(&self) -> Self {
        let mailbox = self.client.hub.add_mailbox(&self.subscription, Wants::All);
        Self::new(Arc::clone(&self.client), (Arc::clone(&self.subscription), mailbox))
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.client.hub.leave(self.client.core(), &self.subscription, &self.mailbox);
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("name", &self.name().as_str())
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}
