//! Sockudo.

use serde_json::{Value, json};

use super::{
    checks::{needs_signature, own_key, rfc_upgrade_problem, signed},
    client_event,
    greeting::{activity_timeout, greeting_data, quote},
    habits::{Action, Context, Dialect, Silence, TERMINATED, UpgradeReply, UpgradeRequest},
    message::ClientMessage,
    sign_in,
};
use crate::{
    member::Membership,
    timing::Timing,
    websocket::{assembly::Received, outbound::Outbound},
};

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
            "pusher:signin" => sign_in(&message, context),
            event if event.starts_with("client-") => client_event(&message, context),
            _ => Vec::new(),
        }
    }

    fn refuse(&self, channel: &str) -> Vec<Action> {
        refuse(channel)
    }

    fn cache_miss(&self, channel: &str) -> String {
        self.internal("pusher:cache_miss", Some(channel), Some("\"{}\""))
    }

    fn client_event_over_limit(&self, _channel: &str) -> String {
        error_text(4301, "Client event rate limit exceeded")
    }

    fn refuse_sign_in(&self) -> Vec<Action> {
        vec![Action::SignInRefused, error(4009, "Authentication error: Invalid signature")]
    }

    fn watchlist(&self, online: &[String], offline: &[String]) -> Vec<String> {
        let events = [("online", online), ("offline", offline)].into_iter().filter(|(_, ids)| !ids.is_empty());
        events.map(|(name, ids)| self.internal(name, None, Some(&json!({"user_ids": ids}).to_string()))).collect()
    }

    fn watchlist_comes_first(&self) -> bool {
        true
    }

    fn watchers_are_watched(&self) -> bool {
        true
    }

    fn terminate(&self) -> Vec<Outbound> {
        let error = error_text(4009, TERMINATED);
        vec![Outbound::Text(error), Outbound::Close { code: 4009, reason: TERMINATED.to_owned() }]
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
    if !channel.is_empty() && !is_channel_name(channel) {
        return vec![Action::Refused { channel: channel.to_owned() }, error(4300, "Invalid channel name")];
    }
    if needs_signature(channel) && !(signed(context, message, channel) && own_key(message, context)) {
        return refuse(channel);
    }
    let channel_data = message.data_text("channel_data").filter(|_| channel.starts_with("presence-"));
    if channel_data.is_some_and(|data| serde_json::from_str::<Value>(data).is_err()) {
        return vec![
            Action::Refused { channel: channel.to_owned() },
            error(4000, "Invalid channel_data JSON for presence"),
        ];
    }
    let membership = channel_data.map(membership);
    if matches!(&membership, Some(None)) {
        return vec![
            Action::Refused { channel: channel.to_owned() },
            error(4300, "Channel error: Missing user_id in channel_data"),
        ];
    }
    vec![Action::Subscribe { channel: channel.to_owned(), membership: membership.flatten().map(Box::new) }]
}

/// At most 200 bytes; `#` is allowed, for the channels of users.
fn is_channel_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=@,;.#".contains(&byte);
    name.len() <= 200 && name.bytes().all(allowed)
}

/// Ids are strings, and a member without info has an empty one.
fn membership(channel_data: &str) -> Option<Membership> {
    let membership = Membership::parse(channel_data)?;
    let id = membership.id().filter(|id| id.is_string())?.clone();
    let info = membership.info().cloned().unwrap_or_else(|| json!({}));
    Some(Membership::new(id, Some(info)))
}

fn sign_in(message: &ClientMessage, context: &Context<'_>) -> Vec<Action> {
    if !context.features.sign_in {
        return vec![error(4009, "Authentication error: User authentication is disabled for this app")];
    }
    let user_data = message.data_text("user_data").and_then(|data| serde_json::from_str::<Value>(data).ok());
    let user = match sign_in::user(message, context) {
        // Ids are strings.
        Ok(_) if user_data.is_none_or(|data| !data["id"].is_string()) => Err("Missing 'id' field in user_data"),
        user => user,
    };
    match user {
        Err(problem) => vec![Action::SignInRefused, error(4009, &format!("Authentication error: {problem}"))],
        Ok(user) => {
            let data = json!({"user_data": message.data["user_data"]});
            let answer = format!(r#"{{"event":"pusher:signin_success","data":{data}}}"#);
            vec![Action::SignIn { user: Box::new(user), answer }]
        }
    }
}

/// The data is sent on as it came, and the sender is not named.
fn client_event(message: &ClientMessage, context: &Context<'_>) -> Vec<Action> {
    let channel = message.channel.as_deref().unwrap_or_default();
    if !context.features.client_events {
        return vec![error(4301, "Client events are not enabled for this app")];
    }
    if message.event.len() > client_event::MAX_NAME {
        return vec![error(4000, "The event name is too long")];
    }
    // On encrypted channels, too.
    if !needs_signature(channel) || !context.subscribed.contains_key(channel) {
        return vec![error(4301, "Client events can only be sent to private or presence channels of the socket")];
    }
    let data = message.given.as_ref().map(ToString::to_string);
    vec![client_event::relay(message, channel, data.as_deref(), None)]
}

/// Reported without its channel.
fn refuse(channel: &str) -> Vec<Action> {
    let refused = Action::Refused { channel: channel.to_owned() };
    vec![refused, error(4009, "Authentication error: Invalid signature")]
}

fn error(code: u16, message: &str) -> Action {
    Action::Send(error_text(code, message))
}

fn error_text(code: u16, message: &str) -> String {
    let data = json!({"message": message, "code": code});
    format!(r#"{{"event":"pusher:error","data":{data}}}"#)
}

fn close(code: u16, reason: &str) -> Vec<Action> {
    vec![error(code, reason), Action::Close { code, reason: reason.to_owned() }]
}
