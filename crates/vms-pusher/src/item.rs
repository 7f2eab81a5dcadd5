//! What the consumer gets: everything the delegate has methods for, as one enum.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use channels_client::{Continuity, Item};
use channels_proto::{ChannelName, ConnectionError, SubscriptionError};
use serde::{Deserialize, Serialize};

use crate::connection::{ConnectionState, PusherError};
use crate::continuity::{VmsChannel, VmsContinuity, describe};
use crate::socket::{VmsAppSocketData, VmsIntercomSocketData, VmsSocketData};
use crate::time::VmsTime;

/// Everything that the delegate is told, in the order in which it happened.
///
/// Written as JSON, each is an object whose `item` is the variant's name in `snake_case`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "item", rename_all = "snake_case")]
pub enum VmsSocketItem {
    /// The connection went from one state to another, never to the same.
    ConnectionState {
        /// The state before.
        from: ConnectionState,
        /// The state now.
        to: ConnectionState,
    },
    /// Something went wrong.
    Error(PusherError),
    /// A push about cameras, groups, marks, archive and the session.
    AppSocket(VmsAppSocketData),
    /// A push about intercoms.
    IntercomSocket(VmsIntercomSocketData),
    /// Something for a developer to know.
    Info {
        /// What it is. It holds no secret and nothing of a push.
        message: String,
    },
    /// The stream of pushes was interrupted, or goes on.
    Continuity(VmsContinuity),
}

impl From<VmsSocketData> for VmsSocketItem {
    fn from(socket: VmsSocketData) -> Self {
        match socket {
            VmsSocketData::AppSocket(socket) => Self::AppSocket(socket),
            VmsSocketData::IntercomSocket(socket) => Self::IntercomSocket(socket),
        }
    }
}

impl VmsSocketItem {
    fn error(code: Option<u16>, message: impl Into<String>) -> Self {
        Self::Error(PusherError { code, message: message.into() })
    }

    fn info(message: impl Into<String>) -> Self {
        Self::Info { message: message.into() }
    }
}

/// The names of a client's two channels.
#[derive(Debug, Clone)]
pub(crate) struct Channels {
    pub(crate) token: ChannelName,
    pub(crate) user: ChannelName,
    denied: Arc<Denied>,
}

/// Which channels were denied in this session.
#[derive(Debug, Default)]
struct Denied {
    token: AtomicBool,
    user: AtomicBool,
}

impl Denied {
    fn of(&self, channel: VmsChannel) -> &AtomicBool {
        match channel {
            VmsChannel::Token => &self.token,
            VmsChannel::User => &self.user,
        }
    }

    fn set(&self, channel: VmsChannel, denied: bool) {
        self.of(channel).store(denied, Ordering::Release);
    }

    fn both(&self) -> bool {
        [VmsChannel::Token, VmsChannel::User].into_iter().all(|channel| self.of(channel).load(Ordering::Acquire))
    }
}

/// One or two items, in this order.
pub(crate) type Told = (VmsSocketItem, Option<VmsSocketItem>);

impl Channels {
    pub(crate) fn new(token: ChannelName, user: ChannelName) -> Self {
        Self { token, user, denied: Arc::default() }
    }

    fn of(&self, name: &ChannelName) -> VmsChannel {
        if *name == self.token { VmsChannel::Token } else { VmsChannel::User }
    }

    /// Turns what the client reports into what the consumer gets.
    pub(crate) fn tell(&self, item: Item<VmsSocketData>) -> Told {
        let item = match item {
            Item::StateChanged { from, to } => {
                let (from, to) = (from.into(), to.into());
                if to == ConnectionState::Disconnected {
                    self.denied.set(VmsChannel::Token, false);
                    self.denied.set(VmsChannel::User, false);
                }
                VmsSocketItem::ConnectionState { from, to }
            }
            Item::Event(socket) => socket.into(),
            Item::Subscribed { channel, continuity } => {
                VmsSocketItem::Continuity(self.subscribed(self.of(&channel), continuity))
            }
            Item::Interrupted { channel, since, cause } => VmsSocketItem::Continuity(VmsContinuity::Interrupted {
                channel: self.of(&channel),
                since: at(since),
                cause: describe(cause),
            }),
            Item::SubscriptionFailed { channel, error } => return self.subscription_failed(&channel, &error),
            Item::Lagged { dropped } => VmsSocketItem::Continuity(VmsContinuity::Lagged { dropped }),
            Item::ConnectionFailed { error, retry_in } => return connection_failed(&error, retry_in),
            Item::ServerError { code, message } => VmsSocketItem::error(code, message),
            Item::Suspended { since } => VmsSocketItem::Continuity(VmsContinuity::Suspended { since: at(since) }),
            Item::Coalesced { reports } => VmsSocketItem::info(format!("{reports} reports were folded into these")),
            Item::HandlerPanicked { message } => {
                VmsSocketItem::error(None, format!("the delegate panicked, and goes on being called: {message}"))
            }
        };
        (item, None)
    }

    fn subscribed(&self, channel: VmsChannel, continuity: Continuity) -> VmsContinuity {
        self.denied.set(channel, false);
        if let Continuity::Gap { since, until, .. } = continuity {
            let scopes = channel.scopes().to_vec();
            VmsContinuity::ResyncNeeded { channel, scopes, since: at(since), until: at(until) }
        } else {
            VmsContinuity::Fresh { channel }
        }
    }

    fn subscription_failed(&self, channel: &ChannelName, error: &SubscriptionError) -> Told {
        let code = if let SubscriptionError::RejectedByServer { code, .. } = error { *code } else { None };
        let message = format!("the channel `{channel}` was given up: {error}");
        let channel = self.of(channel);
        self.denied.set(channel, matches!(error, SubscriptionError::Denied { .. }));
        // A 403 on one channel alone says that this channel is someone else's.
        let session_is_invalid = matches!(error, SubscriptionError::Denied { status: 401 | 419 })
            || matches!(error, SubscriptionError::Denied { status: 403 }) && self.denied.both();
        let lost = VmsContinuity::Unavailable { channel, session_is_invalid };
        (VmsSocketItem::error(code, message), Some(VmsSocketItem::Continuity(lost)))
    }
}

fn connection_failed(error: &ConnectionError, retry_in: Option<Duration>) -> Told {
    let code = if let ConnectionError::Refused { code, .. } = error {
        Some(*code)
    } else if let ConnectionError::Closed { code, .. } | ConnectionError::ClosedEarly { code, .. } = error {
        *code
    } else {
        None
    };
    let next = match retry_in {
        Some(wait) => format!("the next attempt follows in {:.1} s", wait.as_secs_f32()),
        None => "no attempt follows until connect() is called".to_owned(),
    };
    (VmsSocketItem::error(code, error.to_string()), Some(VmsSocketItem::info(next)))
}

fn at(time: SystemTime) -> VmsTime {
    VmsTime::saturating_from(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    // S01: an answer on one channel says nothing of the session unless it is about the token
    #[test]
    fn the_session_is_invalid_by_401_and_419_and_when_both_channels_are_denied() {
        let [token, user] = ["private-token.a", "private-user.1"].map(|name| ChannelName::parse(name).unwrap());
        let channels = Channels::new(token.clone(), user.clone());
        let denied = |channel: &ChannelName, status| {
            let error = SubscriptionError::Denied { status };
            let (_, second) = channels.clone().tell(Item::SubscriptionFailed { channel: channel.clone(), error });
            matches!(
                second,
                Some(VmsSocketItem::Continuity(VmsContinuity::Unavailable { session_is_invalid: true, .. }))
            )
        };
        assert!(denied(&user, 401) && denied(&user, 419));
        assert!(!denied(&user, 403) && !denied(&user, 403));
        assert!(denied(&token, 403) && denied(&user, 403));
        channels.tell(Item::Subscribed { channel: token.clone(), continuity: Continuity::Fresh });
        assert!(!denied(&user, 403));
        use channels_proto::ConnectionState::{Connected, Disconnected};
        channels.tell(Item::StateChanged { from: Connected, to: Disconnected });
        assert!(!denied(&token, 403) && denied(&user, 403));
    }
}
