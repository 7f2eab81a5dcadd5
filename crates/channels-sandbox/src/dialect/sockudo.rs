//! Sockudo.

use serde_json::json;

use super::{
    checks::{is_channel_name, needs_signature, own_key, rfc_upgrade_problem, signed},
    greeting::{activity_timeout, greeting_data, quote},
    habits::{Action, Context, Dialect, Silence, UpgradeReply, UpgradeRequest},
    message::ClientMessage,
};
use crate::{timing::Timing, websocket::assembly::Received};

pub(super) struct Sockudo;

impl Dialect for Sockudo {
    fn judge_upgrade(&self, request: &UpgradeRequest<'_>) -> UpgradeReply {
        if let Some(status) = rfc_upgrade_problem(request) {
            return UpgradeReply::Status(status);
        }
        if request.protocol.is_some_and(|protocol| protocol.parse::<u8>().is_err()) {
            return UpgradeReply::Status(400);
        }
        if request.known_app { UpgradeReply::Accept } else { UpgradeReply::AcceptThen(vec![Action::Drop]) }
    }

    fn greeting(&self, socket_id: &str, timing: &Timing) -> String {
        let data = greeting_data(socket_id, &activity_timeout(timing, false), false);
        format!(r#"{{"event":"pusher:connection_established","data":{}}}"#, quote(&data))
    }

    fn socket_id(&self, rng: &mut fastrand::Rng) -> String {
        format!("{}.{}", rng.u64(1..10_000_000_000), rng.u64(1..10_000_000_000))
    }

    fn message(&self, text: &str, context: &Context<'_>) -> Vec<Action> {
        let Ok(message) = ClientMessage::parse(text) else { return vec![error(4000, "Invalid message format")] };
        match message.event.as_str() {
            "pusher:ping" => vec![Action::Send(self.pong())],
            "pusher:subscribe" => subscribe(&message, context),
            "pusher:unsubscribe" => match message.data_text("channel") {
                Some(channel) => vec![Action::Unsubscribe { channel: channel.to_owned() }],
                None => vec![error(4000, "Missing channel")],
            },
            "pusher:signin" => vec![error(4009, "Sign-in is not enabled for this app")],
            event if event.starts_with("client-") => {
                vec![error(4301, "Client events are not enabled for this app")]
            }
            _ => Vec::new(),
        }
    }

    fn refuse(&self, channel: &str) -> Vec<Action> {
        refuse(channel)
    }

    fn over_limit(&self) -> Option<Vec<Action>> {
        Some(vec![error(4301, "Rate limit exceeded")])
    }

    fn pong(&self) -> String {
        r#"{"event":"pusher:pong"}"#.to_owned()
    }

    fn silence(&self) -> Silence {
        Silence::Ping
    }

    fn ping(&self, _client_uses_control_frames: bool) -> Option<String> {
        Some(r#"{"event":"pusher:ping"}"#.to_owned())
    }

    /// Whatever else arrives, the ping stays unanswered.
    fn answers_ping(&self, received: &Received) -> bool {
        match received {
            Received::Message(text) => ClientMessage::parse(text).is_ok_and(|message| message.event == "pusher:pong"),
            Received::Ping(_) => true,
            Received::Close { .. } | Received::Part | Received::Pong | Received::Violation { .. } => false,
        }
    }

    fn prune(&self) -> Vec<Action> {
        close(4201, "Pong reply not received in time")
    }

    fn shutdown(&self) -> Vec<Action> {
        close(4200, "Server shutting down")
    }
}

fn subscribe(message: &ClientMessage, context: &Context<'_>) -> Vec<Action> {
    let Some(channel) = message.data_text("channel") else { return vec![error(4000, "Missing channel")] };
    if channel.starts_with("presence-") && message.data_text("channel_data").is_none() {
        // The task of the socket panics.
        return vec![Action::Drop];
    }
    // An empty name is taken.
    if !channel.is_empty() && !is_channel_name(channel, 200) {
        return vec![Action::Refused { channel: channel.to_owned() }, error(4300, "Invalid channel name")];
    }
    if needs_signature(channel) && !(signed(context, message, channel) && own_key(message, context)) {
        return refuse(channel);
    }
    if channel.starts_with("presence-") {
        return vec![Action::Refused { channel: channel.to_owned() }, error(4300, "Presence is not served here")];
    }
    let name = quote(channel);
    let mut actions = vec![
        Action::Subscribe { channel: channel.to_owned() },
        Action::Send(format!(r#"{{"event":"pusher_internal:subscription_succeeded","channel":{name},"data":"{{}}"}}"#)),
    ];
    if channel.starts_with("cache-") || channel.starts_with("private-cache-") {
        actions.push(Action::Send(format!(r#"{{"event":"pusher:cache_miss","channel":{name},"data":"{{}}"}}"#)));
    }
    actions
}

/// Reported without its channel.
fn refuse(channel: &str) -> Vec<Action> {
    let refused = Action::Refused { channel: channel.to_owned() };
    vec![refused, error(4009, "Authentication error: Invalid signature")]
}

fn error(code: u16, message: &str) -> Action {
    let data = json!({"message": message, "code": code});
    Action::Send(format!(r#"{{"event":"pusher:error","data":{data}}}"#))
}

fn close(code: u16, reason: &str) -> Vec<Action> {
    vec![error(code, reason), Action::Close { code, reason: reason.to_owned() }]
}
