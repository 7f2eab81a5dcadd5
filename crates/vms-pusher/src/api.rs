use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Weak};
use std::time::Duration;

use channels_client::{Authorizer as _, ClientCounters};

use crate::config::VmsPusherConfig;
use crate::config_error::ConfigError;
use crate::connection::ConnectionState;
use crate::delegate::{self, VmsSocketManager, VmsSocketManagerDelegate};
use crate::events::{Outlet, VmsEvents};
use crate::item::{Raw, Told};
use crate::rest::{LiveSocket, VmsApi};
use crate::session::VmsSession;
use crate::shared::Shared;

/// The realtime pushes of one login session. Cheap to clone; every method may be called from any thread and from a
/// delegate, and none but [`close`](Self::close), which is awaited, waits for the network.
///
/// It subscribes to the session's and the user's channel, keeps the connection up, and delivers every push to the
/// delegate or the stream. When the last clone is dropped, the connection is closed.
#[doc(alias = "VMSPusherApi")]
#[derive(Clone)]
pub struct VmsPusherApi {
    shared: Arc<Shared>,
}

impl VmsPusherApi {
    /// Checks the configuration and creates a disconnected client: call [`connect`](Self::connect).
    ///
    /// # Errors
    /// When something in the configuration is invalid; the error names it with its value. The network is not used.
    pub fn new(config: VmsPusherConfig) -> Result<Self, ConfigError> {
        Ok(Self { shared: Arc::new(Shared::new(config)?) })
    }

    /// Requests a connection; see [`VmsSocketManager::connect`].
    pub fn connect(&self) {
        self.shared.client.connect();
    }

    /// Ends the connection; see [`VmsSocketManager::disconnect`]. It returns within 50 ms.
    ///
    /// Within that time it waits for a call of the delegate that is in progress on another thread. The socket is
    /// closed in the background: before `main` returns, await [`close`](Self::close) instead.
    pub fn disconnect(&self) {
        self.shared.client.disconnect();
        self.shared.outlet.end_session();
    }

    /// Returns whether the connection is established.
    #[doc(alias = "isConnected")]
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.shared.client.is_connected()
    }

    /// Returns the state of the connection.
    #[must_use]
    pub fn state(&self) -> ConnectionState {
        self.shared.client.state().into()
    }

    /// Returns the id of the socket: there is one exactly while connected.
    #[doc(alias = "getSocketId")]
    #[must_use]
    pub fn socket_id(&self) -> Option<String> {
        self.shared.client.socket_id().map(|id| id.as_str().to_owned())
    }

    /// Delivers everything to `delegate` from now on, in place of an earlier one and of the stream. It is held
    /// weakly: once the app has dropped it, nothing more is delivered to it, and what comes then is for the stream.
    /// Items already queued are delivered first.
    pub fn set_delegate<D: VmsSocketManagerDelegate + ?Sized>(&self, delegate: &Arc<D>) {
        let delegate = Arc::downgrade(delegate);
        let outlet = Arc::downgrade(&self.shared.outlet);
        let channels = self.shared.channels.clone();
        self.shared.outlet.set_handler(Box::new(move |item| {
            let (Some(outlet), Some(delegate)) = (outlet.upgrade(), delegate.upgrade()) else {
                return Some(item);
            };
            let (raw, told) = channels.tell_raw(item);
            call(&outlet, delegate.as_ref(), raw, told);
            None
        }));
    }

    /// Removes the delegate: items go to the stream again.
    pub fn remove_delegate(&self) {
        self.shared.outlet.remove_handler();
    }

    /// Returns everything that a delegate would be told, as a stream. While there is a delegate, the stream yields
    /// nothing.
    ///
    /// It returns `None`, which ends a `while let`, when everything has been taken and nothing more will come by
    /// itself: the state is [`Disconnected`](ConnectionState::Disconnected), because the server has ended the session
    /// (a `logout` push) or refused the connection for good, or because of [`disconnect`](Self::disconnect) or
    /// [`close`](Self::close); or both channels were given up for good
    /// ([`VmsContinuity::Unavailable`](crate::VmsContinuity::Unavailable) with `is_final`), as they are when the
    /// token is no longer valid. After another [`connect`](Self::connect), or a [`set_session`](Self::set_session) on
    /// a live connection, the same stream continues; before the first `connect` it waits.
    ///
    /// There is one stream at a time: another call ends the earlier one, and the new one continues where it was. What
    /// happened before the first call waits in the queue. When the last clone of the API is dropped, the stream ends
    /// for ever.
    #[must_use]
    pub fn events(&self) -> VmsEvents {
        VmsEvents::take(&self.shared.outlet)
    }

    /// Returns the HTTP API for the same user. Its calls carry the id of the live socket.
    #[must_use]
    pub fn rest(&self) -> VmsApi {
        let socket = Arc::downgrade(&self.shared);
        VmsApi::of_socket(&self.shared.rest, socket as Weak<dyn LiveSocket>)
    }

    /// Tells the client that the device's network has changed: it probes the connection, or reconnects now when there
    /// is none.
    pub fn network_changed(&self) {
        self.shared.client.network_changed();
    }

    /// Tells the client that the device or the app has resumed: it probes the connection, or reconnects now when
    /// there is none.
    pub fn resumed(&self) {
        self.shared.client.resumed();
    }

    /// Returns what has been dropped or tolerated so far.
    #[must_use]
    pub fn counters(&self) -> ClientCounters {
        self.shared.client.counters()
    }

    /// Returns `text`, received from the server, with `***` in place of the tokens last sent to it, however they are
    /// spelled. Error messages are already treated so; what a push contains, such as the reason of a `logout`, is
    /// delivered as received: call this before you log it.
    #[must_use]
    pub fn hide_secrets(&self, text: &str) -> String {
        self.shared.authorizer.hide_secrets(text).unwrap_or_else(|| text.to_owned())
    }

    /// Closes gracefully: disconnects, as soon as this is called, and waits, up to `patience`, until the delegate has
    /// been told and the connection is closed: the close frame is sent, and the server has hung up or 2 s have
    /// passed. Then the delegate is removed, unless another one was set meanwhile. Returns whether all of that was done.
    ///
    /// Await it before `main` returns: what a [`disconnect`](Self::disconnect) or a drop leaves to the background is
    /// cut off with the runtime, and the server then sees a lost connection. It blocks no thread and works on any
    /// executor. A delegate that calls this is not waited for. The client stays usable: [`connect`](Self::connect)
    /// starts again.
    ///
    /// ```no_run
    /// # async fn run(vms: vms_pusher::VmsPusherApi) {
    /// vms.close(std::time::Duration::from_secs(2)).await;
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// When the future is dropped, the client is disconnected nevertheless; the delegate stays.
    pub fn close(&self, patience: Duration) -> impl Future<Output = bool> + Send + use<> {
        let closing = self.shared.client.close(patience);
        self.shared.outlet.end_session();
        closing
    }

    /// Switches to another session, even on a live connection: after another login of the same user, or for another
    /// user.
    ///
    /// For the same user this is a gap. The new session's channel replaces the old one's: what was missed is
    /// announced as [`Interrupted`](crate::VmsContinuity::Interrupted), with
    /// [`SessionChanged`](crate::VmsGapKind::SessionChanged), and as
    /// [`ResyncNeeded`](crate::VmsContinuity::ResyncNeeded) once the new one is subscribed, from before the login on.
    /// The user's channel stays subscribed and misses nothing; if it was given up, it is tried again. For another
    /// user both channels begin afresh, and nothing of the old user is delivered after this has returned.
    ///
    /// Without a [`token_provider`](crate::VmsPusherOptions::token_provider) the session's token is used for
    /// everything from now on, including [`rest`](Self::rest); a provider has to return it by itself. A client that
    /// is disconnected, as after a `logout`, begins the session with the next [`connect`](Self::connect).
    ///
    /// ```no_run
    /// # async fn run(vms: vms_pusher::VmsPusherApi, credentials: vms_pusher::VmsCredentials) -> Result<(), Box<dyn std::error::Error>> {
    /// let login = vms.rest().login(&credentials).await?;
    /// vms.set_session(login.session().ok_or("the server gave no session id")?)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the token or an id is invalid; then nothing changes.
    pub fn set_session(&self, session: VmsSession) -> Result<(), ConfigError> {
        self.shared.set_session(session)
    }
}

/// A delegate that panics on the first of two items is still told the second, unless the session has ended meanwhile.
fn call<D: VmsSocketManagerDelegate + ?Sized>(outlet: &Outlet, delegate: &D, raw: Raw, (first, second): Told) {
    let session = outlet.session();
    let told = catch_unwind(AssertUnwindSafe(|| delegate::call(delegate, raw, first)));
    if let Some(second) = second.filter(|_| outlet.session() == session) {
        delegate::call(delegate, None, second);
    }
    if let Err(panic) = told {
        resume_unwind(panic);
    }
}

impl VmsSocketManager for VmsPusherApi {
    fn is_connected(&self) -> bool {
        self.is_connected()
    }

    fn connect(&self) {
        self.connect();
    }

    fn disconnect(&self) {
        self.disconnect();
    }

    fn socket_id(&self) -> Option<String> {
        self.socket_id()
    }
}

impl fmt::Debug for VmsPusherApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VmsPusherApi").field("state", &self.state()).finish_non_exhaustive()
    }
}
