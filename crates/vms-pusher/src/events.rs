//! The two ways to consume items: the stream, and the handler that calls the delegate.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use channels_client::{Delivery, Item};
use futures_core::Stream;

use crate::item::{Channels, VmsSocketItem};
use crate::raw::{Incoming, VmsPushOrigin, VmsRawPush};

/// Returns what it does not take.
pub(crate) type Handler = Box<dyn FnMut(Item<Incoming>) -> Option<Item<Incoming>> + Send>;

/// The consumer's end of the client, whoever the consumer is at the moment.
pub(crate) struct Outlet {
    delivery: Delivery<Incoming>,
    source: Mutex<Source>,
    /// Grows with every disconnect and every other login.
    session: AtomicU64,
    channels: Channels,
}

#[derive(Default)]
struct Source {
    /// Grows when a stream takes over from another.
    stream: u64,
    waker: Option<Waker>,
    /// The second item of a report of two, for the stream's next poll, and its session.
    pending: Option<(u64, VmsSocketItem)>,
}

impl Outlet {
    pub(crate) fn new(delivery: Delivery<Incoming>, channels: Channels) -> Self {
        Self { delivery, source: Mutex::default(), session: AtomicU64::new(0), channels }
    }

    pub(crate) fn set_handler(&self, handler: Handler) {
        self.delivery.set_leaving_handler(handler);
    }

    pub(crate) fn remove_handler(&self) {
        self.delivery.set_handler(None);
        // Both channels may have been given up meanwhile: that ends the stream, and only the handler was told.
        let waker = lock(&self.source).waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(crate) fn session(&self) -> u64 {
        self.session.load(Ordering::Acquire)
    }

    /// Nothing of the session that was disconnected is given out after this.
    pub(crate) fn end_session(&self) {
        self.session.fetch_add(1, Ordering::AcqRel);
        let old = lock(&self.source).pending.take();
        drop(old);
    }

    /// Has `begin` begin another session; what the stream was about to be told of the old one is not given out after this.
    pub(crate) fn begin_session(&self, begin: impl FnOnce()) {
        // Nothing is taken meanwhile, so that no failure of the old session is taken for one of the new.
        let mut source = lock(&self.source);
        self.session.fetch_add(1, Ordering::AcqRel);
        begin();
        let old = source.pending.take();
        drop(source);
        drop(old);
    }

    fn poll_next(&self, stream: u64, cx: &mut Context<'_>) -> Poll<Option<VmsReceived>> {
        let mut source = lock(&self.source);
        if source.stream != stream {
            return Poll::Ready(None);
        }
        if let Some(item) = self.take_pending(&mut source) {
            return Poll::Ready(Some(VmsReceived { item, raw: None, origin: None }));
        }
        let session = self.session();
        let polled = self.delivery.poll_item(cx);
        if polled.is_pending() {
            if self.channels.are_given_up() {
                return Poll::Ready(None);
            }
            source.waker = Some(cx.waker().clone());
        }
        polled.map(|item| item.map(|item| self.tell(&mut source, session, item)))
    }

    /// The first is waited for; `max` counts from one.
    fn poll_batch(&self, stream: u64, cx: &mut Context<'_>, max: usize) -> Poll<Vec<VmsSocketItem>> {
        let mut batch: Vec<_> = ready!(self.poll_next(stream, cx)).into_iter().map(|received| received.item).collect();
        let mut source = lock(&self.source);
        // The stream may have ended meanwhile; what was taken is still its own.
        while !batch.is_empty() && batch.len() < max && source.stream == stream {
            match self.take(&mut source) {
                Some(received) => batch.push(received.item),
                None => break,
            }
        }
        Poll::Ready(batch)
    }

    fn try_next(&self, stream: u64) -> Option<VmsReceived> {
        let mut source = lock(&self.source);
        if source.stream == stream { self.take(&mut source) } else { None }
    }

    fn take(&self, source: &mut Source) -> Option<VmsReceived> {
        if let Some(item) = self.take_pending(source) {
            return Some(VmsReceived { item, raw: None, origin: None });
        }
        let session = self.session();
        self.delivery.try_next().map(|item| self.tell(source, session, item))
    }

    /// The session may have ended since the item was taken, so `session` is the one before that.
    fn tell(&self, source: &mut Source, session: u64, item: Item<Incoming>) -> VmsReceived {
        let origin = if let Item::Event(incoming) = &item { Some(incoming.origin) } else { None };
        let (raw, (item, second)) = self.channels.tell_raw(item);
        if let Some(second) = second {
            source.pending = Some((session, second));
        }
        VmsReceived { item, raw, origin }
    }

    fn take_pending(&self, source: &mut Source) -> Option<VmsSocketItem> {
        let (session, item) = source.pending.take()?;
        (session == self.session()).then_some(item)
    }
}

/// An item of the stream, and the push it was made from.
#[derive(Debug, Clone, PartialEq)]
pub struct VmsReceived {
    /// The item itself.
    pub item: VmsSocketItem,
    /// The push as received: present for every push if
    /// [`VmsPusherOptions::keep_raw`](crate::VmsPusherOptions::keep_raw) is set, and for nothing else.
    pub raw: Option<Box<VmsRawPush>>,
    /// Where the push came from; none for everything else.
    pub origin: Option<VmsPushOrigin>,
}

/// Everything that happens, in order: see [`VmsPusherApi::events`](crate::VmsPusherApi::events).
pub struct VmsEvents {
    outlet: Arc<Outlet>,
    stream: u64,
}

impl VmsEvents {
    /// Takes over from the stream before, which ends.
    pub(crate) fn take(outlet: &Arc<Outlet>) -> Self {
        let mut source = lock(&outlet.source);
        source.stream += 1;
        let (stream, waker) = (source.stream, source.waker.take());
        drop(source);
        if let Some(waker) = waker {
            waker.wake();
        }
        Self { outlet: Arc::clone(outlet), stream }
    }

    /// Returns the next item, or none when everything has been taken and nothing more will come by itself: see
    /// [`VmsPusherApi::events`](crate::VmsPusherApi::events).
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<VmsSocketItem> {
        self.next_with_raw().await.map(|received| received.item)
    }

    /// Returns the next item and, if it is a push and
    /// [`VmsPusherOptions::keep_raw`](crate::VmsPusherOptions::keep_raw) is set, the push as received. The other
    /// methods drop that.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next_with_raw(&mut self) -> Option<VmsReceived> {
        std::future::poll_fn(|cx| self.outlet.poll_next(self.stream, cx)).await
    }

    /// Waits for an item and returns up to `max` of those available; empty where [`next`](Self::next) returns none.
    /// This is the cheapest way to take many.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next_batch(&mut self, max: usize) -> Vec<VmsSocketItem> {
        std::future::poll_fn(|cx| self.outlet.poll_batch(self.stream, cx, max)).await
    }

    /// Returns the next item if one is available.
    pub fn try_next(&mut self) -> Option<VmsSocketItem> {
        self.try_next_with_raw().map(|received| received.item)
    }

    /// Returns the next item if one is available, like [`next_with_raw`](Self::next_with_raw).
    pub fn try_next_with_raw(&mut self) -> Option<VmsReceived> {
        self.outlet.try_next(self.stream)
    }
}

impl Stream for VmsEvents {
    type Item = VmsSocketItem;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<VmsSocketItem>> {
        self.outlet.poll_next(self.stream, cx).map(|received| received.map(|received| received.item))
    }
}

impl fmt::Debug for VmsEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VmsEvents").finish_non_exhaustive()
    }
}

/// Nothing under these locks can panic and leave something half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use channels_client::proto::{AppKey, AuthorizationError, ChannelName};
    use channels_client::{ClientOptions, Decoded, Decoder, HttpAuthorizer, SocketUrl, StaticToken, StreamClient, Tls};

    use super::*;

    struct NoDecoder;

    impl Decoder for NoDecoder {
        type Item = Incoming;

        fn decode(&mut self, _: &channels_proto::Event<'_>) -> Decoded<Incoming> {
            unreachable!("there is no connection")
        }
    }

    // I13: between the pop and the telling, another thread disconnects.
    #[tokio::test]
    async fn the_second_item_of_an_ended_session_is_not_given_out() {
        let url = channels_client::http::HttpUrl::parse("http://127.0.0.1/").unwrap();
        let http = channels_client::http::HttpClient::new(url.origin(), Tls::platform(), Default::default()).unwrap();
        let token = Arc::new(StaticToken::new(channels_proto::Secret::new("t")));
        let authorizer = Arc::new(HttpAuthorizer::new(http, url, http::HeaderMap::new(), token));
        let options = ClientOptions::new(SocketUrl::parse("ws://127.0.0.1/").unwrap(), AppKey::parse("key").unwrap());
        let (_client, delivery) =
            StreamClient::new(options, authorizer, NoDecoder, &tokio::runtime::Handle::current()).unwrap();
        let channel = |name| ChannelName::parse(name).unwrap();
        let outlet = Arc::new(Outlet::new(delivery, Channels::default()));
        let mut events = VmsEvents::take(&outlet);
        let failed = || Item::SubscriptionFailed {
            channel: channel("private-user.1"),
            error: AuthorizationError::denied(403).into(),
            since: std::time::SystemTime::UNIX_EPOCH,
            failures: 1,
            retry_in: None,
        };
        let session = outlet.session();
        outlet.end_session();
        outlet.tell(&mut lock(&outlet.source), session, failed());
        assert_eq!(events.try_next(), None);
        outlet.tell(&mut lock(&outlet.source), outlet.session(), failed());
        assert!(matches!(events.try_next(), Some(VmsSocketItem::Continuity(_))));
    }
}
