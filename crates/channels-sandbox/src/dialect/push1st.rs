//! push1st, which VMS installations run.

use http::{HeaderName, header};
use serde_json::Value;

use super::{
    checks::{needs_signature, signed},
    greeting::{activity_timeout, greeting_data, quote},
    habits::{Action, Context, Dialect, Silence, UpgradeReply, UpgradeRequest},
    message::{ClientMessage, NoMessage},
};
use crate::{timing::Timing, websocket::assembly::FrameStyle};

pub(super) struct Push1st;

impl Dialect for Push1st {
    fn judge_upgrade(&self, request: &UpgradeRequest<'_>) -> UpgradeReply {
        let starts = request.connection.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("upgrade"));
        let websocket = request.upgrade.eq_ignore_ascii_case("websocket");
        if !starts || !websocket || request.key.is_empty() || !request.in_one_piece {
            return UpgradeReply::Status(426);
        }
        if request.known_app { UpgradeReply::Accept } else { UpgradeReply::Status(403) }
    }

    fn greeting(&self, socket_id: &str, timing: &Timing) -> String {
        let data = greeting_data(socket_id, &activity_timeout(timing, true), false);
        format!(r#"{{"data":{},"event":"pusher:connection_established"}}"#, quote(&data))
    }

    fn socket_id(&self, rng: &mut fastrand::Rng) -> String {
        format!("{}.{:010}", rng.u64(SOCKET_ID_RANGE), rng.u32(1..2_000_000_000))
    }

    fn message(&self, text: &str, context: &Context<'_>) -> Vec<Action> {
        let message = match ClientMessage::parse(text) {
            Ok(message) => message,
            Err(NoMessage::NotJson | NoMessage::Empty) => return protocol_error(),
            // The server throws on its poll thread and exits.
            Err(NoMessage::Nameless) => return vec![Action::Crash],
        };
        match message.event.as_str() {
            "pusher:ping" => vec![Action::Send(self.pong())],
            "pusher:subscribe" => subscribe(&message, context),
            "pusher:unsubscribe" => unsubscribe(&message),
            _ if message.channel.is_some() => client_event(&message),
            _ => protocol_error(),
        }
    }

    fn refuse(&self, channel: &str) -> Vec<Action> {
        refuse(channel)
    }

    fn event(&self, channel: &str, event: &str, data: Option<&str>, id: u64) -> String {
        let data = data.map_or_else(String::new, |data| format!(r#","data":{data}"#));
        let (number, time) = (MESSAGE_ID_BASE + id, 28_083 + id);
        let extra = format!("\"#msg-from\":\"api\",\"#msg-id\":{number},\"#msg-time\":{time}");
        format!(r#"{{{extra},"channel":{}{data},"event":{}}}"#, quote(channel), quote(event))
    }

    /// Its keys are sorted.
    fn internal(&self, event: &str, channel: Option<&str>, data: Option<&str>) -> String {
        let data = data.map_or_else(String::new, |data| format!(r#""data":{data},"#));
        let channel = channel.map_or_else(String::new, |channel| format!(r#""channel":{},"#, quote(channel)));
        format!(r#"{{{channel}{data}"event":{}}}"#, quote(event))
    }

    /// Without data; on a presence channel, whose members it does not know unless it crashes, with none of them.
    fn acknowledgement(&self, channel: &str, _presence: Option<&str>) -> String {
        let nobody = quote(r#"{"presence":{"count":0,"hash":{},"ids":[]}}"#);
        let data = channel.starts_with("presence-").then_some(nobody.as_str());
        self.internal("pusher_internal:subscription_succeeded", Some(channel), data)
    }

    fn is_cache(&self, _channel: &str) -> bool {
        false
    }

    /// It relays none, so there is no limit.
    fn client_event_over_limit(&self, _channel: &str) -> String {
        String::new()
    }

    fn refuse_sign_in(&self) -> Vec<Action> {
        protocol_error()
    }

    fn over_limit(&self) -> Option<Vec<Action>> {
        None
    }

    fn pong(&self) -> String {
        r#"{"event":"pusher:pong"}"#.to_owned()
    }

    fn silence(&self) -> Silence {
        Silence::Close
    }

    fn ping(&self, _client_uses_control_frames: bool) -> Option<String> {
        None
    }

    fn prune(&self) -> Vec<Action> {
        vec![Action::Close { code: 1001, reason: String::new() }]
    }

    fn shutdown(&self) -> Vec<Action> {
        vec![Action::Drop]
    }

    fn frame_style(&self) -> FrameStyle {
        FrameStyle::Push1st
    }

    fn frame_limit(&self) -> usize {
        65_400
    }

    fn closes_politely(&self) -> bool {
        false
    }

    fn greets_with_upgrade(&self) -> bool {
        true
    }

    fn loses_early_bytes(&self) -> bool {
        true
    }

    fn checks_prefix(&self) -> bool {
        false
    }

    fn upgrade_headers(&self) -> Vec<(HeaderName, &'static str)> {
        vec![(header::UPGRADE, "WebSocket"), (header::SEC_WEBSOCKET_VERSION, "13")]
    }

    fn sends_dates(&self) -> bool {
        false
    }

    fn max_head_bytes(&self) -> Option<usize> {
        Some(8_192)
    }
}

fn subscribe(message: &ClientMessage, context: &Context<'_>) -> Vec<Action> {
    let Some(channel) = message.data_text("channel") else { return protocol_error() };
    let refused = message.data_was_text
        || channel.len() > 255
        || channel.starts_with("protected-")
        || (needs_signature(channel) && !signed(context, message, channel));
    if refused {
        return refuse(channel);
    }
    if channel.starts_with("presence-") && has_text_user_id(message) {
        return vec![Action::Crash];
    }
    vec![Action::Subscribe { channel: channel.to_owned(), membership: None }]
}

fn unsubscribe(message: &ClientMessage) -> Vec<Action> {
    message
        .data_text("channel")
        .map_or_else(protocol_error, |channel| vec![Action::Unsubscribe { channel: channel.to_owned() }])
}

/// Accepted and dropped; one whose data does not repeat the channel crashes the server.
fn client_event(message: &ClientMessage) -> Vec<Action> {
    let harmless = !message.data_was_text && message.data.get("channel").is_some();
    if harmless { Vec::new() } else { vec![Action::Crash] }
}

fn refuse(channel: &str) -> Vec<Action> {
    let mut actions = vec![Action::Refused { channel: channel.to_owned() }];
    actions.extend(protocol_error());
    actions
}

fn protocol_error() -> Vec<Action> {
    vec![Action::Close { code: 1002, reason: String::new() }]
}

fn has_text_user_id(message: &ClientMessage) -> bool {
    let member = message.data_text("channel_data").and_then(|text| serde_json::from_str(text).ok());
    member.is_some_and(|member: Value| member["user_id"].is_string())
}

/// Nineteen digits, as its socket ids have.
const SOCKET_ID_RANGE: std::ops::Range<u64> = 1_000_000_000_000_000_000..9_000_000_000_000_000_000;

/// Its message ids are beyond 2^53, where a floating-point number no longer holds them.
pub(crate) const MESSAGE_ID_BASE: u64 = 1_795_521_896_925_195_175;
