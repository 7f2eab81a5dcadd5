use std::fmt;

/// The state of a connection. It starts as [`Disconnected`](Self::Disconnected).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectionState {
    /// An attempt to connect is in progress.
    Connecting,
    /// The server established the connection; there is a socket id.
    Connected,
    /// The client is closing the connection.
    Disconnecting,
    /// There is no connection and none is requested, or the server refused it for good.
    Disconnected,
    /// The connection was lost or an attempt failed; the next attempt comes after a back-off.
    Reconnecting,
}

impl fmt::Display for ConnectionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Disconnecting => "disconnecting",
            Self::Disconnected => "disconnected",
            Self::Reconnecting => "reconnecting",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::ConnectionState::*;

    #[test]
    fn a_state_is_shown_by_its_name_as_other_clients_write_it() {
        let shown = [Connecting, Connected, Disconnecting, Disconnected, Reconnecting].map(|state| state.to_string());
        assert_eq!(shown, ["connecting", "connected", "disconnecting", "disconnected", "reconnecting"]);
        assert_eq!(format!("{Connected:>12}"), "   connected");
    }
}
