//! The differences between the servers.

use std::collections::BTreeMap;

use http::HeaderName;
use serde_json::Value;

use super::{greeting, presence};
use crate::{
    app::App,
    config::Features,
    member::Membership,
    timing::Timing,
    websocket::{
        assembly::{FrameStyle, Received},
        outbound::Outbound,
    },
};

/// Something that a server does to the socket, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Send a close frame, then end the connection as [`Dialect::closes_politely`] says.
    Close { code: u16, reason: String },
    /// The whole server crashes: every connection is dropped.
    Crash,
    /// Drop the connection without a close frame.
    Drop,
    /// Report that a subscription was refused.
    Refused { channel: String },
    /// Send a text frame.
    Send(String),
    /// Send a client event to the other subscribers, if the client is not too fast.
    Relay { channel: String, event: String, frame: String },
    /// Sign the socket in, and answer with this text.
    SignIn { user: Box<SignedIn>, answer: String },
    /// Report that a sign-in was refused.
    SignInRefused,
    /// Subscribe the socket, and acknowledge that; on a presence channel with what the client says of itself.
    Subscribe { channel: String, membership: Option<Box<Membership>> },
    /// Unsubscribe the socket.
    Unsubscribe { channel: String },
}

/// What is known about the socket that sent a message.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) app: &'a App,
    pub(crate) socket_id: &'a str,
    /// Its channels, with what it said of itself on presence channels.
    pub(crate) subscribed: &'a BTreeMap<String, Option<Box<Membership>>>,
    /// The user who is signed in.
    pub(crate) user: Option<&'a SignedIn>,
    pub(crate) features: &'a Features,
}

/// A user, as signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignedIn {
    pub(crate) id: String,
    pub(crate) info: Option<Value>,
    pub(crate) watchlist: Option<Vec<String>>,
}

/// An upgrade request, as far as servers check it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UpgradeRequest<'a> {
    pub(crate) connection: &'a str,
    pub(crate) upgrade: &'a str,
    pub(crate) version: &'a str,
    pub(crate) key: &'a str,
    pub(crate) protocol: Option<&'a str>,
    pub(crate) known_app: bool,
    /// Whether the whole request arrived in one read.
    pub(crate) in_one_piece: bool,
}

/// The answer to an upgrade request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum UpgradeReply {
    /// 101, then the greeting.
    Accept,
    /// 101, then these actions instead of the greeting.
    AcceptThen(Vec<Action>),
    /// This status.
    Status(u16),
}

/// What a server does when the client is silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// Close after [`Timing::idle_close`] without traffic either way.
    Close,
    /// Close after [`Timing::idle_close`] in which no text was sent. A WebSocket ping, which is not a text, is sent whenever
    /// nothing was received for [`Timing::ping_after`].
    CloseUnsent,
    /// Ping after [`Timing::ping_after`], prune after [`Timing::pong_timeout`] more.
    Ping,
}

/// The behaviour of a server. The defaults are what most servers do.
pub(crate) trait Dialect: Send + Sync {
    fn judge_upgrade(&self, request: &UpgradeRequest<'_>) -> UpgradeReply;
    fn greeting(&self, socket_id: &str, timing: &Timing) -> String;
    fn socket_id(&self, rng: &mut fastrand::Rng) -> String;
    /// Answers a message.
    fn message(&self, text: &str, context: &Context<'_>) -> Vec<Action>;
    /// Refuses a subscription as one with a bad signature.
    fn refuse(&self, channel: &str) -> Vec<Action>;
    /// Acknowledges a subscription; `presence` is the data for a presence channel.
    fn acknowledgement(&self, channel: &str, presence: Option<&str>) -> String {
        let data = presence.or_else(|| self.empty_acknowledgement()).map(|data| self.quote(data));
        self.internal("pusher_internal:subscription_succeeded", Some(channel), data.as_deref())
    }
    /// The data of an acknowledgement that has nothing to say, if it has data.
    fn empty_acknowledgement(&self) -> Option<&'static str> {
        Some("{}")
    }
    /// A message of the protocol; `data` is JSON text.
    fn internal(&self, event: &str, channel: Option<&str>, data: Option<&str>) -> String {
        let data = data.map_or_else(String::new, |data| format!(r#","data":{data}"#));
        let channel = channel.map_or_else(String::new, |channel| format!(r#","channel":{}"#, self.quote(channel)));
        format!(r#"{{"event":{}{data}{channel}}}"#, self.quote(event))
    }
    /// The data of a presence channel's acknowledgement; `None` means that a member has no id.
    fn presence(&self, members: Option<&[Membership]>) -> String {
        presence::members(members.unwrap_or_default())
    }
    /// Tells of a new member.
    fn member_added(&self, channel: &str, member: &Membership) -> String {
        let data = self.quote(&presence::added(member));
        self.internal("pusher_internal:member_added", Some(channel), Some(&data))
    }
    /// Tells of a member that has left.
    fn member_removed(&self, channel: &str, member: &Membership) -> String {
        let data = self.quote(&presence::removed(member));
        self.internal("pusher_internal:member_removed", Some(channel), Some(&data))
    }
    /// Tells how many are subscribed; `None` if it does not.
    fn subscription_count(&self, _channel: &str, _count: usize) -> Option<String> {
        None
    }
    /// Whether the last event of a channel is sent to those who subscribe later.
    fn is_cache(&self, channel: &str) -> bool {
        CACHE_PREFIXES.iter().any(|prefix| channel.starts_with(prefix))
    }
    /// Tells that a cache channel has no last event.
    fn cache_miss(&self, channel: &str) -> String {
        self.internal("pusher:cache_miss", Some(channel), None)
    }
    /// The answer to client events that come too fast.
    fn client_event_over_limit(&self, channel: &str) -> String;
    /// Refuses a sign-in as one with a bad signature.
    fn refuse_sign_in(&self) -> Vec<Action>;
    /// Tells of users on a watchlist, in as many messages as it takes.
    fn watchlist(&self, _online: &[String], _offline: &[String]) -> Vec<String> {
        Vec::new()
    }
    /// Whether the watchlist is reported before the sign-in is answered.
    fn watchlist_comes_first(&self) -> bool {
        false
    }
    /// Whether those who watch others are the only ones who can be watched, and are told of themselves, too, when they come.
    fn watchers_are_watched(&self) -> bool {
        false
    }
    /// Whether a user's sockets have to subscribe to the channel of their user to get its events.
    fn user_channel_needs_subscription(&self) -> bool {
        false
    }
    /// What is sent to the connections of a user that are ended.
    fn terminate(&self) -> Vec<Outbound> {
        vec![Outbound::Close { code: 4009, reason: TERMINATED.to_owned() }]
    }
    /// The frame of an event. `data` is JSON text, inserted verbatim; `id` counts messages.
    fn event(&self, channel: &str, event: &str, data: Option<&str>, _id: u64) -> String {
        let data = data.map_or_else(String::new, |data| format!(r#","data":{data}"#));
        format!(r#"{{"event":{}{data},"channel":{}}}"#, self.quote(event), self.quote(channel))
    }
    /// A string in a frame.
    fn quote(&self, text: &str) -> String {
        greeting::quote(text)
    }
    /// The answer to a message over the rate limit; `None` if the server has no such limit.
    fn over_limit(&self) -> Option<Vec<Action>>;
    fn pong(&self) -> String;
    fn silence(&self) -> Silence;
    /// What is sent to a silent client; `None` is a WebSocket ping.
    fn ping(&self, client_uses_control_frames: bool) -> Option<String>;
    /// Whether a frame of the client is an answer to a ping.
    fn answers_ping(&self, _received: &Received) -> bool {
        true
    }
    /// What is done to a client that stays silent.
    fn prune(&self) -> Vec<Action>;
    /// What is done to every socket when the server stops.
    fn shutdown(&self) -> Vec<Action>;
    fn frame_style(&self) -> FrameStyle {
        FrameStyle::Rfc
    }
    /// The frame size in bytes that is answered with 1009.
    fn frame_limit(&self) -> usize {
        1 << 20
    }
    /// Whether it answers close frames, and waits for the answer to its own.
    fn closes_politely(&self) -> bool {
        true
    }
    /// Whether the greeting is sent in the same write as the 101.
    fn greets_with_upgrade(&self) -> bool {
        false
    }
    /// Whether bytes that arrived before the 101 was sent are lost.
    fn loses_early_bytes(&self) -> bool {
        false
    }
    /// Whether the first part of `/{prefix}/app/{key}` is checked.
    fn checks_prefix(&self) -> bool {
        true
    }
    /// Headers that its 101 has in addition to those of RFC 6455, or instead of them.
    fn upgrade_headers(&self) -> Vec<(HeaderName, &'static str)> {
        Vec::new()
    }
    /// Whether its responses have a `Date`.
    fn sends_dates(&self) -> bool {
        true
    }
    /// The maximum size of a request head in bytes; `None` is the HTTP library's limit.
    fn max_head_bytes(&self) -> Option<usize> {
        None
    }
}

/// Pusher's documentation, "Cache channels".
const CACHE_PREFIXES: [&str; 4] = ["cache-", "private-cache-", "presence-cache-", "private-encrypted-cache-"];
/// What a connection is told that is ended with its user's others.
pub(super) const TERMINATED: &str = "You got disconnected by the app.";
/// What the channel of a user's own begins with.
pub(crate) const USER_CHANNEL: &str = "#server-to-user-";
