use crate::connection::{ConnectionState, PusherError};
use crate::continuity::VmsContinuity;
use crate::item::{Raw, VmsSocketItem};
use crate::raw::VmsRawPush;
use crate::socket::{VmsAppSocketData, VmsIntercomSocketData};

/// What an app can do with its socket.
#[doc(alias = "VMSSocketManager")]
pub trait VmsSocketManager {
    /// Returns whether the connection is established.
    #[doc(alias = "isConnected")]
    fn is_connected(&self) -> bool;

    /// Requests a connection, which is kept up until [`disconnect`](Self::disconnect). While connecting or connected
    /// this does nothing; while waiting for the next attempt it tries again now.
    fn connect(&self);

    /// Ends the connection, whatever its state. After this has returned, nothing is delivered except for one report
    /// that the state is now `Disconnected`.
    fn disconnect(&self);

    /// Returns the id of the socket: there is one exactly while connected.
    #[doc(alias = "getSocketId")]
    fn socket_id(&self) -> Option<String>;
}

/// What an app is told about its socket.
///
/// The methods are called one at a time, in the order in which things happened, and never on the thread that keeps
/// the connection alive: they may block (later items wait, within limits), may call any method of
/// [`VmsPusherApi`](crate::VmsPusherApi), and are called for the next item even after a panic.
#[doc(alias = "VMSSocketManagerDelegate")]
pub trait VmsSocketManagerDelegate: Send + Sync + 'static {
    /// The connection went from one state to another.
    #[doc(alias = "changedConnectionState")]
    fn changed_connection_state(&self, from: ConnectionState, to: ConnectionState) {
        let _ = (from, to);
    }

    /// A failure: see [`PusherError`].
    #[doc(alias = "receivedError")]
    fn received_error(&self, error: PusherError) {
        let _ = error;
    }

    /// A push was received: this is how it was on the wire. Called right before the method for the push itself, and
    /// only with [`VmsPusherOptions::keep_raw`](crate::VmsPusherOptions::keep_raw).
    fn received_raw_push(&self, raw: VmsRawPush) {
        let _ = raw;
    }

    /// A push about cameras, groups, marks, the archive or the session was received.
    #[doc(alias = "receivedAppSocket")]
    fn received_app_socket(&self, socket: VmsAppSocketData);

    /// A push about intercoms was received.
    #[doc(alias = "receivedIntercomSocket")]
    fn received_intercom_socket(&self, socket: VmsIntercomSocketData);

    /// Information for a developer.
    fn received_info(&self, message: String) {
        let _ = message;
    }

    /// The stream of pushes was interrupted, or resumed.
    fn continuity_changed(&self, continuity: VmsContinuity) {
        let _ = continuity;
    }
}

/// Calls the method that an item is for.
pub(crate) fn call<D: VmsSocketManagerDelegate + ?Sized>(delegate: &D, raw: Raw, item: VmsSocketItem) {
    if let Some(raw) = raw {
        delegate.received_raw_push(*raw);
    }
    match item {
        VmsSocketItem::ConnectionState { from, to } => delegate.changed_connection_state(from, to),
        VmsSocketItem::Error(error) => delegate.received_error(error),
        VmsSocketItem::AppSocket(socket) => delegate.received_app_socket(socket),
        VmsSocketItem::IntercomSocket(socket) => delegate.received_intercom_socket(socket),
        VmsSocketItem::Info { message } => delegate.received_info(message),
        VmsSocketItem::Continuity(continuity) => delegate.continuity_changed(continuity),
    }
}
