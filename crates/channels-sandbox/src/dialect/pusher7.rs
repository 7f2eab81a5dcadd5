//! Hosted Pusher Channels, protocol 7.

use serde_json::json;

use super::{
    checks::{is_channel_name, needs_signature, own_key, rfc_upgrade_problem, signed},
    greeting::{activity_timeout, greeting_data, quote},
    habits::{Action, Context, Dialect, Silence, UpgradeReply, UpgradeRequest},
    message::ClientMessage,
};
use crate::timing::Timing;

pub(super) struct Pusher7;

impl Dialect for Pusher7 {
    fn judge_upgrade(&self, request: &UpgradeRequest<'_>) -> UpgradeReply {
        if let Some(status) = rfc_upgrade_problem(request) {
            return UpgradeReply::Status(status);
        }
        if !request.known_app {
            return refused(4001, "App key not in this cluster. Did you forget to specify the cluster?");
        }
        match request.protocol {
            None => refused(4008, "No protocol version supplied"),
            Some("5" | "6" | "7") => UpgradeReply::Accept,
            Some(_) => refused(4007, "Unsupported protocol version"),
        }
    }

    fn greeting(&self, socket_id: &str, timing: &Timing) -> String {
        let data = greeting_data(socket_id, &activity_timeout(timing, false), true);
        format!(r#"{{"event":"pusher:connection_established","data":{}}}"#, quote(&data))
    }

    fn socket_id(&self, rng: &mut fastrand::Rng) -> String {
        format!("{}.{}", rng.u32(1..1_000_000), rng.u32(1..100_000_000))
    }

    fn message(&self, text: &str, context: &Context<'_>) -> Vec<Action> {
        let Ok(message) = ClientMessage::parse(text) else {
            return vec![error(None, "Invalid message: not JSON, or no event")];
        };
        match message.event.as_str() {
            "pusher:ping" => vec![Action::Send(self.pong())],
            "pusher:subscribe" => subscribe(&message, context),
            "pusher:unsubscribe" => unsubscribe(&message, context),
            "pusher:signin" => vec![error(Some(4009), "Sign-in is not enabled for this app")],
            event if event.starts_with("client-") => {
                vec![error(Some(4301), "Client events are not enabled for this app")]
            }
            _ => Vec::new(),
        }
    }

    fn refuse(&self, channel: &str) -> Vec<Action> {
        refuse(channel, 401, "Invalid signature")
    }

    fn over_limit(&self) -> Option<Vec<Action>> {
        Some(vec![error(Some(4301), "The client sends messages too fast")])
    }

    fn pong(&self) -> String {
        r#"{"event":"pusher:pong","data":"{}"}"#.to_owned()
    }

    fn silence(&self) -> Silence {
        Silence::Ping
    }

    fn ping(&self, _client_uses_control_frames: bool) -> Option<String> {
        Some(r#"{"event":"pusher:ping","data":"{}"}"#.to_owned())
    }

    fn prune(&self) -> Vec<Action> {
        close(4201, "Pong reply not received in time")
    }

    fn shutdown(&self) -> Vec<Action> {
        close(4200, "Server shutting down, reconnect")
    }
}

fn subscribe(message: &ClientMessage, context: &Context<'_>) -> Vec<Action> {
    let Some(channel) = message.data_text("channel") else {
        return vec![error(None, "Invalid subscription: no channel")];
    };
    if !is_channel_name(channel, 164) {
        return refuse(channel, 400, "Invalid channel name");
    }
    if context.subscribed.contains(channel) {
        return vec![error(None, &format!("Existing subscription to channel {channel}"))];
    }
    if needs_signature(channel) && !(signed(context, message, channel) && own_key(message, context)) {
        return refuse(channel, 401, "Invalid signature");
    }
    if channel.starts_with("presence-") {
        return refuse(channel, 403, "Presence channels are not enabled for this app");
    }
    let succeeded =
        format!(r#"{{"event":"pusher_internal:subscription_succeeded","data":"{{}}","channel":{}}}"#, quote(channel));
    let mut actions = vec![Action::Subscribe { channel: channel.to_owned() }, Action::Send(succeeded)];
    if channel.starts_with("cache-") || channel.starts_with("private-cache-") {
        let missed = format!(r#"{{"event":"pusher:cache_miss","channel":{}}}"#, quote(channel));
        actions.push(Action::Send(missed));
    }
    actions
}

fn unsubscribe(message: &ClientMessage, context: &Context<'_>) -> Vec<Action> {
    match message.data_text("channel") {
        Some(channel) if context.subscribed.contains(channel) => {
            vec![Action::Unsubscribe { channel: channel.to_owned() }]
        }
        Some(channel) => vec![error(None, &format!("No current subscription to channel {channel}"))],
        None => vec![error(None, "Invalid unsubscription: no channel")],
    }
}

fn refuse(channel: &str, status: u16, text: &str) -> Vec<Action> {
    let data = json!({"type": "AuthError", "error": text, "status": status});
    let frame = format!(r#"{{"event":"pusher:subscription_error","data":{data},"channel":{}}}"#, quote(channel));
    vec![Action::Refused { channel: channel.to_owned() }, Action::Send(frame)]
}

fn error(code: Option<u16>, message: &str) -> Action {
    let data = json!({"code": code, "message": message});
    Action::Send(format!(r#"{{"event":"pusher:error","data":{data}}}"#))
}

fn close(code: u16, reason: &str) -> Vec<Action> {
    vec![error(Some(code), reason), Action::Close { code, reason: reason.to_owned() }]
}

fn refused(code: u16, reason: &str) -> UpgradeReply {
    UpgradeReply::AcceptThen(close(code, reason))
}
