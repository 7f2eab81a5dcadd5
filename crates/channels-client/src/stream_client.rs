use std::{fmt, sync::Arc, time::Duration};

use channels_proto::{ChannelName, ConnectionState, OptionError, SocketId, SubscribeError, Time};
use tokio::runtime::Handle;

use crate::{
    ClientFigures, ClientOptions, Decoder, Delivery, DynAuthorizer,
    delivery::{Core, Tap},
    task,
};

/// A handle to one client: one connection to one server. Cheap to clone; every method may be called from any thread and
/// from a handler, and none of them but [`close`](Self::close), which is awaited, waits for the network.
///
/// When the last handle is dropped the socket is closed and the client's task ends, both within a second.
pub struct StreamClient<T: Send + 'static> {
    handle: Arc<LastHandle<T>>,
}

/// What the client has dropped or tolerated since it was created.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientCounters {
    /// What the protocol dropped or tolerated.
    pub protocol: channels_proto::Counters,
    /// Events counted in an [`Item::Lagged`](crate::Item::Lagged).
    pub dropped_events: u64,
    /// Those among them that were lost because the decoder panicked.
    pub decoder_panics: u64,
    /// Handler calls that panicked.
    pub handler_panics: u64,
}

/// The name is the purpose: its `Drop` ends the client.
struct LastHandle<T: Send + 'static> {
    core: Arc<Core<T>>,
    max_channels: usize,
}

impl<T: Send + 'static> StreamClient<T> {
    /// Starts a disconnected client, and returns its handle and the consumer's end.
    ///
    /// Its task runs on `runtime`, which needs the network and time drivers. The state is `Disconnected` until
    /// [`connect`](Self::connect) is called; channels may be subscribed before that.
    ///
    /// # Errors
    /// When an option has a value that no client can work with: see [`ClientOptions::check`].
    pub fn new(
        options: ClientOptions,
        authorizer: Arc<dyn DynAuthorizer>,
        decoder: impl Decoder<Item = T>,
        runtime: &Handle,
    ) -> Result<(Self, Delivery<T>), OptionError> {
        let client = Self::start(options, authorizer, decoder, runtime, None)?;
        let delivery = Delivery::new(Arc::clone(client.core()));
        Ok((client, delivery))
    }

    /// Starts a disconnected client that hands everything over to `tap`.
    pub(crate) fn with_tap(
        options: ClientOptions,
        authorizer: Arc<dyn DynAuthorizer>,
        decoder: impl Decoder<Item = T>,
        runtime: &Handle,
        tap: Arc<dyn Tap<T>>,
    ) -> Result<Self, OptionError> {
        Self::start(options, authorizer, decoder, runtime, Some(tap))
    }

    fn start(
        options: ClientOptions,
        authorizer: Arc<dyn DynAuthorizer>,
        decoder: impl Decoder<Item = T>,
        runtime: &Handle,
        tap: Option<Arc<dyn Tap<T>>>,
    ) -> Result<Self, OptionError> {
        options.check()?;
        let core = Arc::new(Core::new(options.queue, runtime.clone(), tap));
        let max_channels = options.protocol.limits.max_channels;
        task::start(options, authorizer, decoder, &core);
        Ok(Self { handle: Arc::new(LastHandle { core, max_channels }) })
    }

    /// Requests a connection. While connecting or connected this does nothing; during a back-off it tries again now;
    /// after a `disconnect` it starts a new session.
    pub fn connect(&self) {
        self.core().change(crate::intent::Intent::connect);
    }

    /// Ends the session, whatever its state. A barrier: nothing of the session is delivered after this has returned,
    /// except for one report that the state is now `Disconnected`, which is then alone in the queue. (There is no
    /// report when the consumer has not been told of any other state.)
    ///
    /// It returns at once or, when a handler is being called on another thread, as soon as that call has ended, after
    /// 50 ms at the latest. The socket is closed in the background. Repeating it, or calling it before `connect`,
    /// does nothing.
    pub fn disconnect(&self) {
        self.core().disconnect();
    }

    /// Closes gracefully: ends the session like [`disconnect`](Self::disconnect), as soon as this is called, and
    /// waits, up to `patience`, until the handler has been told and the socket is closed: the close frame is sent,
    /// and the server has hung up or 2 s have passed. Then the handler is dropped, unless another one was set
    /// meanwhile. Returns whether all of that was done.
    ///
    /// It blocks no thread and works on any executor. A handler that calls this is not waited for. The client stays
    /// usable: [`connect`](Self::connect) starts a new session.
    ///
    /// # Cancel safety
    /// When the future is dropped, the session has ended nevertheless; the handler stays.
    pub fn close(&self, patience: Duration) -> impl Future<Output = bool> + Send + use<T> {
        self.core().close(patience)
    }

    /// Returns whether the connection is established. Channels may not be subscribed yet.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.state() == ConnectionState::Connected
    }

    /// Returns the state of the connection.
    #[must_use]
    pub fn state(&self) -> ConnectionState {
        self.core().state()
    }

    /// Returns the id that the server assigned to the current socket: there is one exactly while connected.
    #[must_use]
    pub fn socket_id(&self) -> Option<SocketId> {
        self.core().socket_id()
    }

    /// Subscribes to `channel`, now and after every reconnect. Repeating it does nothing, except that a channel that
    /// was given up is tried again.
    ///
    /// # Errors
    /// When the kind of the channel is not supported or the limit on the number of channels is reached. The server's
    /// answer is delivered as an item.
    pub fn subscribe(&self, channel: ChannelName) -> Result<(), SubscribeError> {
        check_kind(&channel)?;
        let limit = self.handle.max_channels;
        self.core().change(|intent| intent.subscribe(channel, limit))
    }

    /// Unsubscribes from `channel`. After this has returned, none of its events is delivered, nor any report about it.
    pub fn unsubscribe(&self, channel: &ChannelName) {
        self.core().unsubscribe(channel);
    }

    /// Subscribes to `new` in place of `old`, for a consumer that sees the two as one, such as the channels of two
    /// logins of the same user. What was missed of `old` counts as missed of `new`: when `old` is subscribed, a gap
    /// opens, with [`GapCause::Replaced`](channels_proto::GapCause::Replaced), and the acknowledgement of `new`
    /// closes it. It begins no later than `since`, by the clock in the options, when the first event of `new` may
    /// have been sent.
    ///
    /// Events of `old` that have been received are delivered; failures of either that are still queued are not,
    /// because `new` is tried afresh, even when it is the same as `old`. When `old` is not requested, this is a
    /// [`subscribe`](Self::subscribe) to `new`. When another `new` is requested already, it goes on as it is, and
    /// nothing is told of what was missed of `old`, as after [`unsubscribe`](Self::unsubscribe).
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub fn replace(&self, old: &ChannelName, new: ChannelName, since: Time) -> Result<(), SubscribeError> {
        check_kind(&new)?;
        self.core().replace(old, new, since, self.handle.max_channels)
    }

    /// Tells the client that the device's network has changed: it probes the connection, or reconnects now when there
    /// is none.
    pub fn network_changed(&self) {
        self.core().change(|intent| {
            intent.touch();
            intent.calls.network_changed += 1;
        });
    }

    /// Tells the client that the device or the program has resumed: it probes the connection, or reconnects now when
    /// there is none.
    pub fn resumed(&self) {
        self.core().change(|intent| {
            intent.touch();
            intent.calls.resumed += 1;
        });
    }

    /// Returns what has been dropped or tolerated so far.
    #[must_use]
    pub fn counters(&self) -> ClientCounters {
        self.core().counters()
    }

    /// Returns what the client has sent, received and been through so far.
    #[must_use]
    pub fn figures(&self) -> ClientFigures {
        self.core().figures()
    }

    pub(crate) fn core(&self) -> &Arc<Core<T>> {
        &self.handle.core
    }
}

fn check_kind(channel: &ChannelName) -> Result<(), SubscribeError> {
    let kind = channel.kind();
    if kind.is_supported() {
        return Ok(());
    }
    Err(SubscribeError::UnsupportedKind { channel: channel.clone(), kind })
}

impl<T: Send + 'static> Drop for LastHandle<T> {
    fn drop(&mut self) {
        self.core.change(|intent| {
            intent.touch();
            intent.calls.end = true;
        });
    }
}

impl<T: Send + 'static> Clone for StreamClient<T> {
    fn clone(&self) -> Self {
        Self { handle: Arc::clone(&self.handle) }
    }
}

impl<T: Send + 'static> fmt::Debug for StreamClient<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamClient").field("state", &self.state()).finish_non_exhaustive()
    }
}
