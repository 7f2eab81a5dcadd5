//! Soketi.

use serde_json::json;

use super::{
    checks::{needs_signature, own_key, rfc_upgrade_problem, signed},
    greeting::{activity_timeout, greeting_data, quote},
    habits::{Action, Context, Dialect, Silence, UpgradeReply, UpgradeRequest},
    message::ClientMessage,
};
use crate::timing::Timing;

pub(super) struct Soketi;

impl Dialect for Soketi {
    fn judge_upgrade(&self, request: &UpgradeRequest<'_>) -> UpgradeReply {
        if let Some(status) = rfc_upgrade_problem(request) {
            return UpgradeReply::Status(status);
        }
        if request.known_app {
            return UpgradeReply::Accept;
        }
        let unknown = error(4001, "The app key does not exist.");
        UpgradeReply::AcceptThen(vec![unknown, Action::Close { code: 4001, reason: String::new() }])
    }

    fn greeting(&self, socket_id: &str, timing: &Timing) -> String {
        let data = greeting_data(socket_id, &activity_timeout(timing, false), true);
        format!(r#"{{"event":"pusher:connection_established","data":{}}}"#, quote(&data))
    }

    fn socket_id(&self, rng: &mut fastrand::Rng) -> String {
        format!("{}.{}", rng.u64(1..10_000_000_000), rng.u64(1..10_000_000_000))
    }

    fn message(&self, text: &str, context: &Context<'_>) -> Vec<Action> {
        let Ok(message) = ClientMessage::parse(text) else { return Vec::new() };
        match (message.event.as_str(), message.data_text("channel")) {
            ("pusher:ping", _) => vec![Action::Send(self.pong())],
            ("pusher:subscribe", Some(channel)) => subscribe(&message, channel, context),
            ("pusher:unsubscribe", Some(channel)) => vec![Action::Unsubscribe { channel: channel.to_owned() }],
            (event, _) if event.starts_with("client-") => {
                vec![error(4301, "The app does not have client messaging enabled.")]
            }
            _ => Vec::new(),
        }
    }

    fn refuse(&self, channel: &str) -> Vec<Action> {
        refuse(channel, 401, "The connection is unauthorized.")
    }

    fn over_limit(&self) -> Option<Vec<Action>> {
        Some(vec![error(4301, "The rate limit for messages of the client is exceeded.")])
    }

    fn pong(&self) -> String {
        r#"{"event":"pusher:pong","data":{}}"#.to_owned()
    }

    fn silence(&self) -> Silence {
        Silence::CloseUnsent
    }

    fn ping(&self, _client_uses_control_frames: bool) -> Option<String> {
        None
    }

    fn prune(&self) -> Vec<Action> {
        vec![Action::Close { code: 4201, reason: String::new() }]
    }

    fn shutdown(&self) -> Vec<Action> {
        let closing = "The server is closing. Connect again shortly.";
        vec![error(4200, closing), Action::Close { code: 4200, reason: String::new() }]
    }
}

fn subscribe(message: &ClientMessage, channel: &str, context: &Context<'_>) -> Vec<Action> {
    if needs_signature(channel) && !(signed(context, message, channel) && own_key(message, context)) {
        return refuse(channel, 401, "The connection is unauthorized.");
    }
    if channel.starts_with("presence-") {
        return refuse(channel, 403, "Presence channels are not served here.");
    }
    let name = quote(channel);
    let mut actions = vec![
        Action::Subscribe { channel: channel.to_owned() },
        Action::Send(format!(r#"{{"event":"pusher_internal:subscription_succeeded","channel":{name}}}"#)),
    ];
    if channel.starts_with("cache-") || channel.starts_with("private-cache-") {
        actions.push(Action::Send(format!(r#"{{"event":"pusher:cache_miss","channel":{name}}}"#)));
    }
    actions
}

fn refuse(channel: &str, status: u16, text: &str) -> Vec<Action> {
    let data = json!({"type": "AuthError", "error": text, "status": status});
    let frame = format!(r#"{{"event":"pusher:subscription_error","channel":{},"data":{data}}}"#, quote(channel));
    vec![Action::Refused { channel: channel.to_owned() }, Action::Send(frame)]
}

fn error(code: u16, message: &str) -> Action {
    let data = json!({"code": code, "message": message});
    Action::Send(format!(r#"{{"event":"pusher:error","data":{data}}}"#))
}
