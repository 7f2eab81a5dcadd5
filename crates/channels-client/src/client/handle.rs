use std::{fmt, sync::Arc, time::Duration};

use channels_proto::{ChannelName, ConnectionState, SendError, SocketId, User};
use tokio::{sync::watch, task::JoinSet, time::timeout};

use super::{
    callbacks::{Binding, Callback},
    channel::Channel,
    error::{SubscribeError, WaitError},
    event::ChannelEvent,
    hub::{Outcome, SignedIn},
    items::Items,
    shared::Shared,
    user::UserItems,
    wants::Wants,
};
use crate::{Authorizer, ClientCounters, ClientFigures, Item};

/// A client of one server, with a handle for every channel. Cheap to clone; every method may be called from any thread
/// and from a callback, and none of them but those that are awaited waits for the network.
///
/// [`connect`](Self::connect) begins to connect and keeps trying until [`disconnect`](Self::disconnect), or until the
/// server refuses the application for good. When the last `Client`, [`Channel`] and [`Events`](crate::Events) is
/// dropped, the socket is closed and the client's task ends, both within a second.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

impl Client {
    pub(super) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    /// Subscribes to a channel, now and after every reconnect, and returns a handle to it. Every further handle to the
    /// same channel shares the subscription; subscribing again to a channel that was given up tries it again.
    ///
    /// # Errors
    /// When the name is not valid, when channels of its kind are not supported or need an authorizer that the client
    /// does not have, and when the limit on the number of channels is reached. The server's answer is an item.
    pub fn subscribe<N>(&self, name: N) -> Result<Channel, SubscribeError>
    where
        N: TryInto<ChannelName>,
        SubscribeError: From<N::Error>,
    {
        let seat = self.0.subscribe(&name.try_into()?)?;
        Ok(Channel::new(Arc::clone(&self.0), seat))
    }

    /// Subscribes to a channel that has an authorizer of its own, in place of that of the client: such as a closure that
    /// returns the authorization for a socket. Until all handles of the channel are gone it is asked on every new socket,
    /// and so it is for a channel that is subscribed already, from the next socket on.
    ///
    /// There is no way to give an authorization as a value: it is signed for the id of one socket, which is known only
    /// once that socket is established, and is worth nothing on the next.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    ///
    /// # Examples
    /// ```
    /// use channels_client::{AuthorizationRequest, Client, SubscribeError, proto::Authorization};
    ///
    /// # async fn sign(_: &str) -> String { String::new() }
    /// # fn subscribe(client: &Client) -> Result<(), SubscribeError> {
    /// let channel = client.subscribe_with("private-orders", |request: AuthorizationRequest| async move {
    ///     Ok(Authorization::new(sign(request.socket_id.as_str()).await))
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe_with<N>(&self, name: N, authorizer: impl Authorizer) -> Result<Channel, SubscribeError>
    where
        N: TryInto<ChannelName>,
        SubscribeError: From<N::Error>,
    {
        let seat = self.0.subscribe_with(&name.try_into()?, Arc::new(authorizer))?;
        Ok(Channel::new(Arc::clone(&self.0), seat))
    }

    /// Unsubscribes from a channel, for all of its handles: see [`Channel::unsubscribe`].
    pub fn unsubscribe(&self, name: &str) {
        if let Some(subscription) = self.0.hub.channel(name) {
            self.0.hub.unsubscribe(self.0.core(), &subscription);
        }
    }

    /// Unsubscribes from all channels.
    pub fn unsubscribe_all(&self) {
        for subscription in self.0.hub.channels() {
            self.0.hub.unsubscribe(self.0.core(), &subscription);
        }
    }

    /// Returns another handle to a channel that has been subscribed, and whose subscription may still be pending.
    #[must_use]
    pub fn channel(&self, name: &str) -> Option<Channel> {
        self.0.hub.join(name).map(|seat| Channel::new(Arc::clone(&self.0), seat))
    }

    /// Returns another handle to each channel that has been subscribed, in the order of their names.
    #[must_use]
    pub fn channels(&self) -> Vec<Channel> {
        self.0.hub.join_all().into_iter().map(|seat| Channel::new(Arc::clone(&self.0), seat)).collect()
    }

    /// Requests a connection. While connecting or connected this does nothing; during a back-off it tries again now;
    /// after a [`disconnect`](Self::disconnect) or a refusal it begins a new session, in which every handle goes on.
    pub fn open(&self) {
        self.0.hub.open(self.0.core());
    }

    /// Ends the session, whatever its state. A barrier: nothing of the session is delivered to any handle or callback
    /// after this has returned, except for one report that the state is now `Disconnected`, to those who are told of the
    /// connection. The streams end, and the channels stay wanted: [`open`](Self::open) begins another session with them.
    ///
    /// It returns at once or, when a callback is being called on another thread, as soon as that call has ended, after
    /// 50 ms at the latest. The socket is closed in the background.
    pub fn disconnect(&self) {
        self.0.hub.disconnect(self.0.core());
    }

    /// Closes gracefully: ends the session like [`disconnect`](Self::disconnect), as soon as this is called, and waits,
    /// up to `patience`, until callbacks have been told and the socket is closed: the close frame is sent, and the
    /// server has hung up or 2 s have passed. Returns whether all of that was done. A callback that calls this is not
    /// waited for.
    ///
    /// # Cancel safety
    /// When the future is dropped, the session has ended nevertheless.
    pub fn close(&self, patience: Duration) -> impl Future<Output = bool> + Send + use<> {
        let core = Arc::clone(self.0.core());
        let mut closing = None;
        let callbacks = self.0.hub.end_session(&core, |core| closing = Some(core.close(patience)));
        let waited_for: Vec<_> = callbacks.into_iter().filter(|one| !one.is_called_by_this_thread()).collect();
        async move {
            let mut telling = JoinSet::new();
            let told = async move {
                for callbacks in waited_for {
                    callbacks.idle().await;
                }
            };
            telling.spawn_on(async move { timeout(patience, told).await.is_ok() }, core.runtime());
            let is_closed = match closing {
                Some(closing) => closing.await,
                None => true,
            };
            matches!(telling.join_next().await, Some(Ok(true))) && is_closed
        }
    }

    /// Returns the state of the connection.
    #[must_use]
    pub fn state(&self) -> ConnectionState {
        self.0.stream.state()
    }

    /// Returns whether the connection is established. Channels may not be subscribed yet.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.state() == ConnectionState::Connected
    }

    /// Returns the id that the server assigned to the current socket: there is one exactly while connected.
    #[must_use]
    pub fn socket_id(&self) -> Option<SocketId> {
        self.0.stream.socket_id()
    }

    /// Returns the state of the connection as a value to watch. Who looks seldom may miss states, but never the last.
    ///
    /// What `borrow` returns is a lock: copy the state out of it at once. As long as it is held the client stands still,
    /// and [`disconnect`](Self::disconnect) waits for it.
    #[must_use]
    pub fn watch_state(&self) -> watch::Receiver<ConnectionState> {
        self.0.hub.watch()
    }

    /// Waits until the connection is established, and returns its socket id. Before the first [`open`](Self::open) it
    /// waits for that.
    ///
    /// # Errors
    /// When the server refused for good, or the client was disconnected. Other failures are tried again.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn wait_connected(&self) -> Result<SocketId, WaitError> {
        loop {
            match self.0.hub.outcome().await {
                Outcome::AtRest(refusal) => return Err(Shared::end_of(refusal)),
                Outcome::Connected | Outcome::Pending => {}
            }
            // It may be lost by now, which the hub is about to be told.
            match self.socket_id() {
                Some(socket_id) => return Ok(socket_id),
                None => tokio::task::yield_now().await,
            }
        }
    }

    /// Returns a stream of everything that the client is told from now on, of all channels, in one order. It begins with
    /// the state of the connection if there is one.
    #[must_use]
    pub fn items(&self) -> Items {
        Items::new(Arc::clone(&self.0.hub), self.0.hub.add_stream(Wants::All))
    }

    /// Signs the user in, now and after every reconnect: the authorizer says who that is. Then the server sends what is
    /// for this user alone: see [`user_items`](Self::user_items). Repeating it does nothing, except that a sign-in that
    /// failed is tried again now.
    pub fn sign_in(&self) {
        self.0.hub.sign_in(self.0.core(), true);
    }

    /// Signs the user in no more, and leaves the user's own channel. The protocol has no message for it: to the server
    /// this client is the user until the socket ends.
    pub fn sign_out(&self) {
        self.0.hub.sign_in(self.0.core(), false);
    }

    /// Returns the user as whom the client is signed in on the current socket.
    #[must_use]
    pub fn user(&self) -> Option<User> {
        if let SignedIn::Yes(user) = self.0.hub.user() { Some(user) } else { None }
    }

    /// Waits until the user is signed in. Without a [`sign_in`](Self::sign_in) it waits for that.
    ///
    /// # Errors
    /// When an attempt has failed, although most failures are tried again; when the client is disconnected or was refused
    /// for good.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn wait_signed_in(&self) -> Result<User, WaitError> {
        match self.0.hub.sign_in_outcome().await {
            (SignedIn::Yes(user), _) => Ok(user),
            (SignedIn::Failed(error), _) => Err(WaitError::SignIn(error)),
            (SignedIn::No, refusal) => Err(Shared::end_of(refusal.flatten())),
        }
    }

    /// Returns a stream of what concerns the user from now on: the sign-ins, the events for this user alone, and who of
    /// those that the user watches comes online and goes offline.
    #[must_use]
    pub fn user_items(&self) -> UserItems {
        UserItems::new(Arc::clone(&self.0.hub), self.0.hub.add_stream(Wants::User))
    }

    /// Sends one message as it is: `event`, `channel` if there is one, and `data`, which is JSON text. Nothing is checked
    /// that the server would check, and nothing is done again on another socket. It is sent also when the future is
    /// dropped.
    ///
    /// # Errors
    /// When there is no connection, `data` is not JSON, or the message is too large; when the server is push1st.
    pub fn send_event(
        &self,
        event: &str,
        channel: Option<&ChannelName>,
        data: &str,
    ) -> impl Future<Output = Result<(), SendError>> + Send + use<> {
        self.0.send_event(event, channel, data)
    }

    /// Calls `callback` with every event of this name, on whatever channel; otherwise like [`Channel::bind`]. The
    /// callbacks of the client are called one at a time, but not in one order with those of a channel.
    pub fn bind(&self, event: &str, mut callback: impl FnMut(&ChannelEvent) + Send + 'static) -> Binding {
        self.bind_to(
            Wants::Named(event.into()),
            Box::new(move |item| {
                if let Item::Event(event) = item {
                    callback(event);
                }
            }),
        )
    }

    /// Calls `callback` with everything that the client is told from now on, of all channels, in one order: the items of
    /// [`items`](Self::items).
    pub fn bind_all(&self, callback: impl FnMut(&Item<ChannelEvent>) + Send + 'static) -> Binding {
        self.bind_to(Wants::All, Box::new(callback))
    }

    /// Calls `callback` with the state before and the state after, whenever the state of the connection has changed.
    pub fn on_state(&self, mut callback: impl FnMut(ConnectionState, ConnectionState) + Send + 'static) -> Binding {
        self.bind_to(
            Wants::States,
            Box::new(move |item| {
                if let Item::StateChanged { from, to } = item {
                    callback(*from, *to);
                }
            }),
        )
    }

    /// Unbinds a callback of the client, and returns whether it was bound: see [`Channel::unbind`].
    #[expect(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn unbind(&self, binding: Binding) -> bool {
        self.0.hub.callbacks.unbind(binding)
    }

    /// Unbinds all callbacks of the client that are bound to events of this name.
    pub fn unbind_event(&self, event: &str) {
        self.0.hub.callbacks.unbind_event(event);
    }

    /// Unbinds all callbacks of the client. Those of channels stay.
    pub fn unbind_all(&self) {
        self.0.hub.callbacks.unbind_all();
    }

    /// Tells the client that the device's network has changed: it probes the connection, or reconnects now when there
    /// is none.
    pub fn network_changed(&self) {
        self.0.stream.network_changed();
    }

    /// Tells the client that the device or the program has resumed: it probes the connection, or reconnects now when
    /// there is none.
    pub fn resumed(&self) {
        self.0.stream.resumed();
    }

    /// Returns what has been dropped or tolerated so far. Events that several handles or callbacks dropped count once for
    /// each.
    #[must_use]
    pub fn counters(&self) -> ClientCounters {
        let mut counters = self.0.stream.counters();
        let status = &self.0.hub.status;
        counters.dropped_events = counters.dropped_events.saturating_add(status.dropped_events());
        counters.handler_panics = counters.handler_panics.saturating_add(status.callback_panics());
        counters
    }

    /// Returns what the client has sent, received and been through so far.
    #[must_use]
    pub fn figures(&self) -> ClientFigures {
        let mut figures = self.0.stream.figures();
        figures.counters = self.counters();
        figures
    }

    fn bind_to(&self, wants: Wants, callback: Callback) -> Binding {
        self.0.hub.bind(wants, callback)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("state", &self.state()).finish_non_exhaustive()
    }
}
