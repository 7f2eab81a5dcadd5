//! Laravel Reverb.

use serde_json::json;

use super::{
    checks::{needs_signature, rfc_upgrade_problem, signed},
    client_event,
    greeting::{self, activity_timeout, greeting_data},
    habits::{Action, Context, Dialect, Silence, UpgradeReply, UpgradeRequest},
    message::ClientMessage,
    presence,
};
use crate::{member::Membership, php, timing::Timing};

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
            event if event.starts_with("pusher:") => invalid(),
            event if event.starts_with("client-") => client_event(&message, context),
            _ => Vec::new(),
        }
    }

    fn refuse(&self, channel: &str) -> Vec<Action> {
        refuse(channel)
    }

    fn quote(&self, text: &str) -> String {
        quote(text)
    }

    /// Nobody is a member where a member has no id, and an empty PHP array is a list.
    fn presence(&self, members: Option<&[Membership]>) -> String {
        match members {
            Some(members) => presence::members(members),
            None => r#"{"presence":{"count":0,"ids":[],"hash":[]}}"#.to_owned(),
        }
    }

    /// All of the channel data.
    fn member_added(&self, channel: &str, member: &Membership) -> String {
        let data = quote(&php::escaped(&json!(member.data()).to_string()));
        self.internal("pusher_internal:member_added", Some(channel), Some(&data))
    }

    /// It takes the first prefix without its dash.
    fn is_cache(&self, channel: &str) -> bool {
        let prefixes = ["cache", "private-cache-", "presence-cache-"];
        prefixes.iter().any(|prefix| channel.starts_with(prefix))
    }

    fn client_event_over_limit(&self, _channel: &str) -> String {
        error_text(4301, "Rate limit exceeded")
    }

    fn refuse_sign_in(&self) -> Vec<Action> {
        invalid()
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
    if needs_signature(channel) && !signed(context, message, channel) {
        return refuse(channel);
    }
    let membership = if channel.starts_with("presence-") {
        let Some(membership) = Membership::parse(message.data_text("channel_data").unwrap_or("{}")) else {
            return invalid();
        };
        Some(Box::new(membership))
    } else {
        None
    };
    vec![Action::Subscribe { channel: channel.to_owned(), membership }]
}

/// From whoever is subscribed, on channels of every kind. Text that is JSON is sent on as what it says.
fn client_event(message: &ClientMessage, context: &Context<'_>) -> Vec<Action> {
    let Some(channel) = message.channel.as_deref() else { return invalid() };
    let is_array = message.data.is_object() || message.data.is_array() || message.data.is_null();
    if !is_array {
        return invalid();
    }
    if !context.features.client_events {
        return vec![error(4301, "The app does not have client messaging enabled.")];
    }
    if !context.subscribed.contains_key(channel) {
        return vec![error(4009, "The client is not a member of the specified channel.")];
    }
    let user_id = client_event::user_id(context, channel);
    let data = message.data.to_string();
    let Action::Relay { channel, event, frame } = client_event::relay(message, channel, Some(&data), user_id.as_ref())
    else {
        return Vec::new();
    };
    vec![Action::Relay { channel, event, frame: php::escaped(&frame) }]
}

fn refuse(channel: &str) -> Vec<Action> {
    vec![Action::Refused { channel: channel.to_owned() }, error(4009, "Connection is unauthorized")]
}

fn invalid() -> Vec<Action> {
    vec![error(4200, "Invalid message format")]
}

/// Reverb puts the data of an error into a string.
fn error_text(code: u16, message: &str) -> String {
    let data = json!({"code": code, "message": message}).to_string();
    format!(r#"{{"event":"pusher:error","data":{}}}"#, quote(&data))
}

fn error(code: u16, message: &str) -> Action {
    Action::Send(error_text(code, message))
}

/// Reverb is written in PHP.
fn quote(text: &str) -> String {
    php::escaped(&greeting::quote(text))
}
