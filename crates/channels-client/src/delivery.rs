//! The way from the client's task to the consumer.

mod channels;
mod closing;
mod core;
mod entry;
mod fold;
mod handler;
mod muted;
mod queue;
mod slot;
mod turn;

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_core::Stream;

use self::slot::Handler;
pub(crate) use self::{core::Core, entry::Entry, turn::Turn};
use crate::Item;

/// The consumer's end of a client: a stream, or a handler that is called.
///
/// What waits is bounded by [`QueueLimits`](crate::QueueLimits): when events come faster than they are taken, the oldest
/// are dropped and an [`Item::Lagged`] with their number stands in their place. Everything else is never dropped. It is
/// bounded all the same: a [`Item::ConnectionFailed`] that follows another replaces it, a repeated
/// [`Item::ServerError`] is not repeated, and when a thousand reports wait they are folded into an [`Item::Coalesced`]
/// and the ones that say where things stand: one change of state, and a `Subscribed` for every channel with one gap that
/// spans all of them.
///
/// Dropping it lets go of what waits and of the handler; the client stays connected and nothing is queued any more.
pub struct Delivery<T: Send + 'static> {
    core: Arc<Core<T>>,
}

impl<T: Send + 'static> Delivery<T> {
    pub(crate) const fn new(core: Arc<Core<T>>) -> Self {
        Self { core }
    }

    /// Returns the next item, or none when everything has been taken and nothing more will come by itself: the client is
    /// gone, or its state is `Disconnected`, after a [`disconnect`](crate::Client::disconnect), a
    /// [`Decoded::disconnect`](crate::Decoded::disconnect) or a final refusal of the server. After another
    /// [`connect`](crate::Client::connect) items come again; before the first one they are waited for.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Item<T>> {
        std::future::poll_fn(|cx| self.core.poll_next(cx)).await
    }

    /// Waits for an item and returns up to `max` of those that are there; empty where [`next`](Self::next) returns none.
    /// This is the cheapest way to take many.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next_batch(&mut self, max: usize) -> Vec<Item<T>> {
        let mut batch = Vec::new();
        std::future::poll_fn(|cx| self.core.poll_batch(cx, max.max(1), &mut batch)).await;
        batch
    }

    /// Returns the next item if one is there.
    #[must_use]
    pub fn try_next(&self) -> Option<Item<T>> {
        self.core.try_next()
    }

    /// Polls for the next item, as a [`Stream`] does. One task at a time is woken: the one that polled last.
    pub fn poll_item(&self, cx: &mut Context<'_>) -> Poll<Option<Item<T>>> {
        self.core.poll_next(cx)
    }

    /// Has `handler` called with every item, or with none goes back to being a stream.
    ///
    /// Calls come one at a time, from the runtime's pool for blocking work, which holds no thread while there is nothing
    /// to deliver. The handler may block (later items wait, within the limits) and may call anything of the client. A
    /// handler that panics goes on being called; the first panic is reported as [`Item::HandlerPanicked`]. A handler
    /// set while the consumer already knows of a state is first told that state.
    ///
    /// A call of the old handler in progress is waited for, for 50 ms at most, unless it is the caller itself. While there
    /// is a handler, the stream rests.
    pub fn set_handler(&self, handler: Option<Box<dyn FnMut(Item<T>) + Send>>) {
        self.core.set_handler(handler.map(|mut handler| -> Handler<T> {
            Box::new(move |item| {
                handler(item);
                None
            })
        }));
    }

    /// Like [`set_handler`](Self::set_handler), for a handler that may find that nobody listens any more: it then returns
    /// the item and is called no more. The item is the first one that the next handler, or the stream, gets.
    pub fn set_leaving_handler(&self, handler: Box<dyn FnMut(Item<T>) -> Option<Item<T>> + Send>) {
        self.core.set_handler(Some(handler));
    }

    /// Waits until the handler is not being called, up to `patience`, and returns whether it is not. A call on the calling
    /// thread is not waited for. As long as a handler is set, the next call may begin at any time.
    #[expect(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn wait_for_call(&self, patience: Duration) -> bool {
        self.core.is_call_over_within(patience)
    }
}

impl<T: Send + 'static> Stream for Delivery<T> {
    type Item = Item<T>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Item<T>>> {
        self.core.poll_next(cx)
    }
}

impl<T: Send + 'static> Drop for Delivery<T> {
    fn drop(&mut self) {
        self.core.leave();
    }
}

impl<T: Send + 'static> fmt::Debug for Delivery<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").finish_non_exhaustive()
    }
}
