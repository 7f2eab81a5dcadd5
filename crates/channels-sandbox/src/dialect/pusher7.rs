//! Hosted Pusher Channels, protocol 7.

use serde_json::json;

use super::{
    checks::{is_channel_name, needs_signature, own_key, rfc_upgrade_problem, signed},
    client_event,
    greeting::{activity_timeout, greeting_data, quote},
    habits::{Action, Context, Dialect, Silence, TERMINATED, USER_CHANNEL, UpgradeReply, UpgradeRequest},
    message::ClientMessage,
    sign_in,
};
use crate::{member::Membership, timing::Timing, websocket::outbound::Outbound};

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
            "pusher:signin" => sign_in(self, &message, context),
            event if event.starts_with("client-") => client_event(&message, context),
            _ => Vec::new(),
        }
    }

    fn refuse(&self, channel: &str) -> Vec<Action> {
        refuse(channel, 401, "Invalid signature")
    }

    fn subscription_count(&self, channel: &str, count: usize) -> Option<String> {
        if channel.starts_with("presence-") {
            return None;
        }
        let data = quote(&json!({"subscription_count": count}).to_string());
        Some(self.internal("pusher_internal:subscription_count", Some(channel), Some(&data)))
    }

    fn client_event_over_limit(&self, _channel: &str) -> String {
        error_text(Some(4301), "Client event rejected - the client sends them too fast")
    }

    fn refuse_sign_in(&self) -> Vec<Action> {
        vec![Action::SignInRefused, error(Some(4009), "Invalid signature")]
    }

    fn watchlist(&self, online: &[String], offline: &[String]) -> Vec<String> {
        let events = [("online", online), ("offline", offline)].into_iter().filter(|(_, ids)| !ids.is_empty());
        let events: Vec<_> = events.map(|(name, user_ids)| json!({"name": name, "user_ids": user_ids})).collect();
        if events.is_empty() {
            return Vec::new();
        }
        let data = quote(&json!({"events": events}).to_string());
        vec![self.internal("pusher_internal:watchlist_events", None, Some(&data))]
    }

    fn user_channel_needs_subscription(&self) -> bool {
        true
    }

    fn terminate(&self) -> Vec<Outbound> {
        let error = error_text(Some(4009), TERMINATED);
        vec![Outbound::Text(error), Outbound::Close { code: 4009, reason: TERMINATED.to_owned() }]
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
    let is_own = |user: &str| context.user.is_some_and(|own| own.id == user);
    if channel.strip_prefix(USER_CHANNEL).is_some_and(is_own) {
        return vec![Action::Subscribe { channel: channel.to_owned(), membership: None }];
    }
    if !is_channel_name(channel, 164) {
        return refuse(channel, 400, "Invalid channel name");
    }
    if context.subscribed.contains_key(channel) {
        return vec![error(None, &format!("Existing subscription to channel {channel}"))];
    }
    if needs_signature(channel) && !(signed(context, message, channel) && own_key(message, context)) {
        return refuse(channel, 401, "Invalid signature");
    }
    let membership = channel.starts_with("presence-").then(|| membership(message, context));
    if matches!(&membership, Some(None)) {
        return refuse(channel, 400, "Invalid channel data: a user_id is needed");
    }
    vec![Action::Subscribe { channel: channel.to_owned(), membership: membership.flatten().map(Box::new) }]
}

/// Of the channel data or, if there is none, of the user who is signed in. Ids are text.
fn membership(message: &ClientMessage, context: &Context<'_>) -> Option<Membership> {
    let membership = match (message.data_text("channel_data"), context.user) {
        (Some(channel_data), _) => Membership::parse(channel_data)?,
        (None, Some(user)) => Membership::new(user.id.clone().into(), user.info.clone()),
        (None, None) => return None,
    };
    membership.key().map(|_| membership.with_text_id())
}

fn sign_in(dialect: &Pusher7, message: &ClientMessage, context: &Context<'_>) -> Vec<Action> {
    if !context.features.sign_in {
        return vec![error(Some(4009), "Sign-in is not enabled for this app")];
    }
    match sign_in::user(message, context) {
        Err(problem) => vec![Action::SignInRefused, error(Some(4009), problem)],
        Ok(user) => {
            let data = quote(&json!({"user_data": message.data["user_data"]}).to_string());
            let answer = dialect.internal("pusher:signin_success", None, Some(&data));
            vec![Action::SignIn { user: Box::new(user), answer }]
        }
    }
}

fn client_event(message: &ClientMessage, context: &Context<'_>) -> Vec<Action> {
    let channel = message.channel.as_deref().unwrap_or_default();
    let problem = if !context.features.client_events {
        "client events are not enabled for this app"
    } else if !client_event::is_admitted_on(channel) {
        "only supported on private and presence channels"
    } else if !context.subscribed.contains_key(channel) {
        "the client is not subscribed to the channel"
    } else if message.event.len() > client_event::MAX_NAME {
        "the name is too long"
    } else if client_event::size(message) > client_event::MAX_DATA {
        "the data is too large"
    } else {
        let text = message.given.as_ref().map(|data| data.as_str().map_or_else(|| data.to_string(), str::to_owned));
        let user_id = client_event::user_id(context, channel);
        return vec![client_event::relay(message, channel, text.map(|text| quote(&text)).as_deref(), user_id.as_ref())];
    };
    vec![error(Some(4301), &format!("Client event rejected - {problem}"))]
}

fn unsubscribe(message: &ClientMessage, context: &Context<'_>) -> Vec<Action> {
    match message.data_text("channel") {
        Some(channel) if context.subscribed.contains_key(channel) => {
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
    Action::Send(error_text(code, message))
}

fn error_text(code: Option<u16>, message: &str) -> String {
    let data = json!({"code": code, "message": message});
    format!(r#"{{"event":"pusher:error","data":{data}}}"#)
}

fn close(code: u16, reason: &str) -> Vec<Action> {
    vec![error(Some(code), reason), Action::Close { code, reason: reason.to_owned() }]
}

fn refused(code: u16, reason: &str) -> UpgradeReply {
    UpgradeReply::AcceptThen(close(code, reason))
}
