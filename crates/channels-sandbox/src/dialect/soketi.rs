//! Soketi.

use serde_json::json;

use super::{
    checks::{needs_signature, own_key, rfc_upgrade_problem, signed},
    client_event,
    greeting::{activity_timeout, greeting_data, quote},
    habits::{Action, Context, Dialect, Silence, TERMINATED, UpgradeReply, UpgradeRequest},
    message::ClientMessage,
    sign_in,
};
use crate::{member::Membership, timing::Timing, websocket::outbound::Outbound};

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
            ("pusher:signin", _) if context.features.sign_in => sign_in(&message, context),
            (event, _) if event.starts_with("client-") => client_event(&message, context),
            _ => Vec::new(),
        }
    }

    fn refuse(&self, channel: &str) -> Vec<Action> {
        refuse(channel, 401, "The connection is unauthorized.")
    }

    fn empty_acknowledgement(&self) -> Option<&'static str> {
        None
    }

    fn client_event_over_limit(&self, channel: &str) -> String {
        client_event_error(channel, "The rate limit for sending client events exceeded the quota.")
    }

    /// It closes the connection.
    fn refuse_sign_in(&self) -> Vec<Action> {
        refuse_sign_in("Connection not authorized.")
    }

    fn terminate(&self) -> Vec<Outbound> {
        let data = json!({"code": 4009, "message": TERMINATED});
        let error = format!(r#"{{"event":"pusher:error","data":{data}}}"#);
        vec![Outbound::Text(error), Outbound::Close { code: 4009, reason: String::new() }]
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
    let membership = channel.starts_with("presence-").then(|| {
        let membership = message.data_text("channel_data").and_then(Membership::parse);
        membership.filter(|membership| membership.key().is_some())
    });
    if matches!(&membership, Some(None)) {
        return refuse_as(channel, "ServerError", 4302, "A server error has occured.");
    }
    vec![Action::Subscribe { channel: channel.to_owned(), membership: membership.flatten().map(Box::new) }]
}

fn sign_in(message: &ClientMessage, context: &Context<'_>) -> Vec<Action> {
    match sign_in::user(message, context) {
        Err(problem) => refuse_sign_in(problem),
        Ok(user) => {
            let answer = format!(r#"{{"event":"pusher:signin_success","data":{}}}"#, message.data);
            vec![Action::SignIn { user: Box::new(user), answer }]
        }
    }
}

fn refuse_sign_in(problem: &str) -> Vec<Action> {
    vec![Action::SignInRefused, error(4009, problem), Action::Close { code: 4009, reason: String::new() }]
}

/// An event on a channel without a subscription is ignored.
fn client_event(message: &ClientMessage, context: &Context<'_>) -> Vec<Action> {
    let channel = message.channel.as_deref().unwrap_or_default();
    let problem = if !context.features.client_events {
        "The app does not have client messaging enabled."
    } else if message.event.len() > client_event::MAX_NAME {
        "Event name is too long."
    } else if client_event::size(message) > MAX_EVENT_DATA {
        "The event data should be less than 100 KB."
    } else if context.subscribed.contains_key(channel) {
        let data = message.given.as_ref().map(ToString::to_string);
        let user_id = client_event::user_id(context, channel);
        return vec![client_event::relay(message, channel, data.as_deref(), user_id.as_ref())];
    } else {
        return Vec::new();
    };
    vec![Action::Send(client_event_error(channel, problem))]
}

/// Names the channel.
fn client_event_error(channel: &str, message: &str) -> String {
    let data = json!({"code": 4301, "message": message});
    format!(r#"{{"event":"pusher:error","channel":{},"data":{data}}}"#, quote(channel))
}

fn refuse(channel: &str, status: u16, text: &str) -> Vec<Action> {
    refuse_as(channel, "AuthError", status, text)
}

fn refuse_as(channel: &str, kind: &str, status: u16, text: &str) -> Vec<Action> {
    let data = json!({"type": kind, "error": text, "status": status});
    let frame = format!(r#"{{"event":"pusher:subscription_error","channel":{},"data":{data}}}"#, quote(channel));
    vec![Action::Refused { channel: channel.to_owned() }, Action::Send(frame)]
}

fn error(code: u16, message: &str) -> Action {
    let data = json!({"code": code, "message": message});
    Action::Send(format!(r#"{{"event":"pusher:error","data":{data}}}"#))
}

/// Its default, in bytes.
const MAX_EVENT_DATA: usize = 102_400;
