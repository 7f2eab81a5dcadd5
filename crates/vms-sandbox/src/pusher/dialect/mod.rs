//! What each server answers. Nothing here does I/O: a message goes in, actions come out.

mod push1st;
mod pusher7;
mod reverb;

use std::collections::BTreeSet;

use serde_json::Value;

use super::{assembly::FrameStyle, message::ClientMessage, signature::App};
use crate::{Profile, config::Timing};

/// Something that a server does to the socket, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Send a close frame, then end the connection as [`Dialect::closes_politely`] says.
    Close { code: u16, reason: String },
    /// The whole server comes down: every connection is dropped.
    Crash,
    /// Drop the connection without a close frame.
    Drop,
    /// Tell that a subscription was refused.
    Refused { channel: String },
    /// Send a text frame.
    Send(String),
    /// Subscribe the socket.
    Subscribe { channel: String },
    /// Unsubscribe the socket.
    Unsubscribe { channel: String },
}

/// What is known of the socket that a message came from.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) app: &'a App,
    pub(crate) socket_id: &'a str,
    pub(crate) subscribed: &'a BTreeSet<String>,
}

/// An upgrade request, as far as servers look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UpgradeRequest<'a> {
    pub(crate) connection: &'a str,
    pub(crate) upgrade: &'a str,
    pub(crate) version: &'a str,
    pub(crate) key: &'a str,
    pub(crate) protocol: Option<&'a str>,
    pub(crate) known_app: bool,
    /// The whole request came in one read.
    pub(crate) in_one_piece: bool,
}

/// The answer to an upgrade request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// 101, then the socket is greeted.
    Accept,
    /// 101, then these actions in place of the greeting.
    AcceptThen(Vec<Action>),
    /// This status.
    Status(u16),
}

/// What a server does when the client is silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// Close after [`Timing::idle_close`] without traffic either way.
    Close,
    /// Ping after [`Timing::ping_after`], prune after [`Timing::pong_timeout`] more.
    Ping,
}

/// A server's habits.
pub(crate) trait Dialect: Send + Sync {
    fn judge_upgrade(&self, request: &UpgradeRequest<'_>) -> Verdict;
    fn greeting(&self, socket_id: &str, timing: &Timing) -> String;
    fn socket_id(&self, rng: &mut fastrand::Rng) -> String;
    /// Answers a message.
    fn message(&self, text: &str, context: &Context<'_>) -> Vec<Action>;
    /// Refuses a subscription as one with a bad signature.
    fn refuse(&self, channel: &str) -> Vec<Action>;
    /// The frame of an event. `data` is JSON text, as it shall stand; `id` counts messages.
    fn event(&self, channel: &str, event: &str, data: Option<&str>, id: u64) -> String;
    /// The answer to a message over the rate limit; nothing where there is no such thing.
    fn over_limit(&self) -> Option<Vec<Action>>;
    fn pong(&self) -> String;
    fn silence(&self) -> Silence;
    /// What is sent to a silent client; `None` is a WebSocket ping.
    fn ping(&self, client_uses_control_frames: bool) -> Option<String>;
    /// What a client that stays silent gets.
    fn prune(&self) -> Vec<Action>;
    /// What every socket gets when the server stops.
    fn shutdown(&self) -> Vec<Action>;
    fn frame_style(&self) -> FrameStyle;
    /// A frame of so many bytes is answered with 1009.
    fn frame_limit(&self) -> usize;
    /// Close frames are answered, and an answer to one's own is waited for.
    fn closes_politely(&self) -> bool;
    /// The greeting travels in the same write as the 101.
    fn greets_with_upgrade(&self) -> bool;
    /// Bytes that came before the 101 was sent are lost.
    fn loses_early_bytes(&self) -> bool;
    /// The first part of `/{prefix}/app/{key}` is looked at.
    fn checks_prefix(&self) -> bool;
}

pub(crate) fn of(profile: Profile) -> &'static dyn Dialect {
    match profile {
        Profile::Pusher7 => &pusher7::Pusher7,
        Profile::Push1st => &push1st::Push1st,
        Profile::Reverb => &reverb::Reverb,
    }
}

/// The upgrade as RFC 6455, 4.2.1 has it: `None` when all is well, else the status.
fn rfc_upgrade_problem(request: &UpgradeRequest<'_>) -> Option<u16> {
    let mut tokens = request.connection.split(',').map(str::trim);
    let asks = tokens.any(|token| token.eq_ignore_ascii_case("upgrade"));
    if !asks || !request.upgrade.eq_ignore_ascii_case("websocket") || request.version != "13" {
        return Some(426);
    }
    // 16 bytes in base64.
    (request.key.len() != 24 || !request.key.ends_with("==")).then_some(400)
}

fn quote(text: &str) -> String {
    Value::from(text).to_string()
}

/// `activity_timeout` in a greeting: a number or a numeric string, unless the test wants otherwise.
fn activity_timeout(timing: &Timing, as_text: bool) -> Value {
    if let Some(chosen) = &timing.activity_timeout_on_wire {
        return chosen.clone();
    }
    let seconds = timing.activity_timeout.as_secs().max(1);
    if as_text { Value::from(seconds.to_string()) } else { Value::from(seconds) }
}

/// The data of a greeting with its keys in the order given; a null `activity_timeout` is left out.
fn greeting_data(socket_id: &str, timeout: &Value, socket_id_first: bool) -> String {
    let id = format!("\"socket_id\":{}", quote(socket_id));
    match (timeout, socket_id_first) {
        (Value::Null, _) => format!("{{{id}}}"),
        (timeout, true) => format!("{{{id},\"activity_timeout\":{timeout}}}"),
        (timeout, false) => format!("{{\"activity_timeout\":{timeout},{id}}}"),
    }
}

fn needs_signature(channel: &str) -> bool {
    channel.starts_with("private-") || channel.starts_with("presence-")
}

/// Whether the signature in `auth` is right; what stands before the colon is not looked at.
fn signed(context: &Context<'_>, message: &ClientMessage, channel: &str) -> bool {
    let Some(auth) = message.data_text("auth") else { return false };
    let given = auth.rsplit(':').next().unwrap_or_default();
    given == context.app.signature(context.socket_id, channel, message.data_text("channel_data"))
}
