//! Which sockets a command is for, in the terms of a VMS.

use serde::{Deserialize, Serialize};

use crate::accounts::{token_channel, user_channel};

/// Which sockets a command is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sockets {
    /// Every open socket.
    #[default]
    All,
    /// The socket with this Pusher socket id.
    Id(String),
    /// The socket that was opened last.
    Latest,
    /// Those subscribed to `private-token.{access_token_id}`.
    Session(String),
    /// Those subscribed to `private-user.{user_id}`.
    User(i64),
}

impl From<&Sockets> for channels_sandbox::Sockets {
    fn from(sockets: &Sockets) -> Self {
        match sockets {
            Sockets::All => Self::All,
            Sockets::Id(id) => Self::Id(id.clone()),
            Sockets::Latest => Self::Latest,
            Sockets::Session(id) => Self::Channel(token_channel(id)),
            Sockets::User(id) => Self::Channel(user_channel(*id)),
        }
    }
}
