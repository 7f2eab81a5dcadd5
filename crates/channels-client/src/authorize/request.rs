use channels_proto::{ChannelName, SocketId};

/// What an [`Authorizer`](crate::Authorizer) is asked to sign for a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthorizationRequest {
    /// The channel to sign for.
    pub channel: ChannelName,
    /// The socket to sign for.
    pub socket_id: SocketId,
    /// The current token was refused: get another one first.
    pub refresh_token: bool,
}

impl AuthorizationRequest {
    /// Creates a request for one channel on one socket.
    #[must_use]
    pub const fn new(channel: ChannelName, socket_id: SocketId) -> Self {
        Self { channel, socket_id, refresh_token: false }
    }

    /// Returns the same with the demand for another token.
    #[must_use]
    pub const fn with_refresh_token(mut self, refresh_token: bool) -> Self {
        self.refresh_token = refresh_token;
        self
    }
}

/// What an [`Authorizer`](crate::Authorizer) is asked to sign for a user.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthenticationRequest {
    /// The socket to sign for.
    pub socket_id: SocketId,
    /// The current token was refused: get another one first.
    pub refresh_token: bool,
}

impl AuthenticationRequest {
    /// Creates a request for one socket.
    #[must_use]
    pub const fn new(socket_id: SocketId) -> Self {
        Self { socket_id, refresh_token: false }
    }

    /// Returns the same with the demand for another token.
    #[must_use]
    pub const fn with_refresh_token(mut self, refresh_token: bool) -> Self {
        self.refresh_token = refresh_token;
        self
    }
}
