//! The way from the client's task to the consumer.

mod channels;
mod closing;
mod core;
mod entry;
mod figures;
mod fold;
mod handler;
mod muted;
mod queue;
mod slot;
mod tap;
mod turn;

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_core::Stream;

pub use self::figures::ClientFigures;
use self::slot::Handler;
pub(crate) use self::{
    core::Core,
    entry::Entry,
    figures::{Tally, Traffic},
    handler::{describe_panic, let_go},
    queue::Queue,
    tap::Tap,
    turn::Turn,
};
use crate::Item;

/// The consumer's end of a client: a stream, or a handler that is called.
///
/// What waits is bounded by [`QueueLimits`](crate::QueueLimits): when events come faster than they are taken, the
/// oldest are dropped and replaced by an [`Item::Lagged`] with their number, never without notice. Everything else is
/// never dropped, but still bounded: an [`Item::ConnectionFailed`] that follows another replaces it, a repeated
/// [`Item::ServerError`] is not queued again, and when a thousand reports wait, they are folded into an
/// [`Item::Coalesced`] and the ones that describe the current state: one change of state, and a `Subscribed` for
/// every channel with one gap that spans all of its gaps.
///
/// Dropping it drops what waits and the handler; the client stays connected, and nothing more is queued.
pub struct Delivery<T: Send + 'static> {
    core: Arc<Core<T>>,
}

impl<T: Send + 'static> Delivery<T> {
    pub(crate) const fn new(core: Arc<Core<T>>) -> Self {
        Self { core }
    }

    /// Returns the next item, or none when everything has been taken and nothing more will come by itself: the client
    /// is gone, or its state is `Disconnected`, after a [`disconnect`](crate::StreamClient::disconnect), a
    /// [`Decoded::disconnect`](crate::Decoded::disconnect) or a final refusal by the server. After another
    /// [`connect`](crate::StreamClient::connect) items come again; before the first `connect` this waits for them.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Item<T>> {
        std::future::poll_fn(|cx| self.core.poll_next(cx)).await
    }

    /// Waits for an item and returns up to `max` of those available; empty where [`next`](Self::next) returns none.
    /// This is the cheapest way to take many.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next_batch(&mut self, max: usize) -> Vec<Item<T>> {
        let mut batch = Vec::new();
        std::future::poll_fn(|cx| self.core.poll_batch(cx, max.max(1), &mut batch)).await;
        batch
    }

    /// Returns the next item if one is available.
    #[must_use]
    pub fn try_next(&self) -> Option<Item<T>> {
        self.core.try_next()
    }

    /// Polls for the next item, like a [`Stream`]. Only one task is woken: the one that polled last.
    pub fn poll_item(&self, cx: &mut Context<'_>) -> Poll<Option<Item<T>>> {
        self.core.poll_next(cx)
    }

    /// Sets a handler that is called with every item; `None` turns this back into a stream.
    ///
    /// Calls are made one at a time, on the runtime's pool for blocking work; no thread is held while there is
    /// nothing to deliver. The handler may block (later items wait, within the limits) and may call any method of the
    /// client. A handler that panics is still called afterwards; the first panic is reported as
    /// [`Item::HandlerPanicked`]. A handler set when the consumer already knows of a state is first told that state.
    ///
    /// This waits at most 50 ms for a call of the old handler that is in progress, unless that call is the caller
    /// itself. While there is a handler, the stream yields nothing.
    pub fn set_handler(&self, handler: Option<Box<dyn FnMut(Item<T>) + Send>>) {
        self.core.set_handler(handler.map(|mut handler| -> Handler<T> {
            Box::new(move |item| {
                handler(item);
                None
            })
        }));
    }

    /// Like [`set_handler`](Self::set_handler), for a handler that may find that nobody is listening any more: it
    /// then returns the item and is not called again. The next handler, or the stream, gets that item first.
    pub fn set_leaving_handler(&self, handler: Box<dyn FnMut(Item<T>) -> Option<Item<T>> + Send>) {
        self.core.set_handler(Some(handler));
    }

    /// Waits, up to `patience`, until no call of the handler is in progress, and returns whether that is so. A call
    /// on the calling thread is not waited for. As long as a handler is set, the next call may begin at any time.
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
