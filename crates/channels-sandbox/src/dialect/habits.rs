//! The differences between the servers.

use std::collections::BTreeSet;

use http::HeaderName;

use super::greeting;
use crate::{
    app::App,
    timing::Timing,
    websocket::assembly::{FrameStyle, Received},
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
    /// Subscribe the socket.
    Subscribe { channel: String },
    /// Unsubscribe the socket.
    Unsubscribe { channel: String },
}

/// What is known about the socket that sent a message.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) app: &'a App,
    pub(crate) socket_id: &'a str,
    pub(crate) subscribed: &'a BTreeSet<String>,
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
