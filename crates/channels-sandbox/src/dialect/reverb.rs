//! Laravel Reverb.

use serde_json::json;

use super::{
    checks::{needs_signature, rfc_upgrade_problem, signed},
    greeting::{self, activity_timeout, greeting_data},
    habits::{Action, Context, Dialect, Silence, UpgradeReply, UpgradeRequest},
    message::ClientMessage,
};
use crate::{php, timing::Timing};

pub(super) struct Reverb;

impl Dialect for Reverb {
    fn judge_upgrade(&self, request: &UpgradeRequest<'_>) -> UpgradeReply {
        if let Some(status) = rfc_upgrade_problem(request) {
            return UpgradeReply::Status(status);
        }
        if request.known_app {
            return UpgradeReply::Accept;
        }
        UpgradeReply::AcceptThen(vec![error(4001, "Application does not exist"), Action::Drop])
    }

    fn greeting(&self, socket_id: &str, timing: &Timing) -> String {
        let data = greeting_data(socket_id, &activity_timeout(timing, false), true);
        format!(r#"{{"event":"pusher:connection_established","data":{}}}"#, quote(&data))
    }

    fn socket_id(&self, rng: &mut fastrand::Rng) -> String {
        format!("{}.{}", rng.u32(1..1_000_000_000), rng.u32(1..1_000_000_000))
    }

    fn message(&self, text: &str, context: &Context<'_>) -> Vec<Action> {
        let Ok(message) = ClientMessage::parse(text) else { return invalid() };
        match message.event.as_str() {
            "pusher:ping" => vec![Action::Send(self.pong())],
            "pusher:pong" => Vec::new(),
            "pusher:subscribe" => subscribe(&message, context),
            "pusher:unsubscribe" => match message.data_text("channel") {
                Some(channel) => vec![Action::Unsubscribe { channel: channel.to_owned() }],
                None => invalid(),
            },
            event if event.starts_with("client-") => {
                vec![error(4301, "The app does not have client messaging enabled.")]
            }
            event if event.starts_with("pusher:") => invalid(),
            _ => Vec::new(),
        }
    }

    fn refuse(&self, channel: &str) -> Vec<Action> {
        refuse(channel)
    }

    fn quote(&self, text: &str) -> String {
        quote(text)
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

    fn ping(&self, client_uses_control_frames: bool) -> Option<String> {
        (!client_uses_control_frames).then(|| r#"{"event":"pusher:ping"}"#.to_owned())
    }

    fn prune(&self) -> Vec<Action> {
        vec![error(4201, "Pong reply not received in time"), Action::Drop]
    }

    fn shutdown(&self) -> Vec<Action> {
        vec![Action::Drop]
    }

    fn frame_limit(&self) -> usize {
        10_001
    }
}

fn subscribe(message: &ClientMessage, context: &Context<'_>) -> Vec<Action> {
    let Some(channel) = message.data_text("channel") else { return invalid() };
    let unsigned = needs_signature(channel) && !signed(context, message, channel);
    if unsigned || channel.starts_with("presence-") {
        return refuse(channel);
    }
    let succeeded =
        format!(r#"{{"event":"pusher_internal:subscription_succeeded","data":"{{}}","channel":{}}}"#, quote(channel));
    let mut actions = vec![Action::Subscribe { channel: channel.to_owned() }, Action::Send(succeeded)];
    // Reverb takes the prefix without its dash.
    if channel.starts_with("cache") || channel.starts_with("private-cache-") {
        let missed = format!(r#"{{"event":"pusher:cache_miss","channel":{}}}"#, quote(channel));
        actions.push(Action::Send(missed));
    }
    actions
}

fn refuse(channel: &str) -> Vec<Action> {
    vec![Action::Refused { channel: channel.to_owned() }, error(4009, "Connection is unauthorized")]
}

fn invalid() -> Vec<Action> {
    vec![error(4200, "Invalid message format")]
}

/// Reverb puts the data of an error into a string.
fn error(code: u16, message: &str) -> Action {
    let data = json!({"code": code, "message": message}).to_string();
    Action::Send(format!(r#"{{"event":"pusher:error","data":{}}}"#, quote(&data)))
}

/// Reverb is written in PHP.
fn quote(text: &str) -> String {
    php::escaped(&greeting::quote(text))
}
