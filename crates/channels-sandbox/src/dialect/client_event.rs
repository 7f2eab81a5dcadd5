//! Client events.

use serde_json::Value;

use super::{
    greeting::quote,
    habits::{Action, Context},
    message::ClientMessage,
};

/// The longest name of an event (Pusher's documentation, "HTTP API").
pub(super) const MAX_NAME: usize = 200;
/// The largest data of a client event, in bytes (Pusher's documentation, "Channel limits").
pub(super) const MAX_DATA: usize = 10_240;

/// Whether a channel admits client events on most servers.
pub(super) fn is_admitted_on(channel: &str) -> bool {
    !channel.starts_with("private-encrypted-") && (channel.starts_with("private-") || channel.starts_with("presence-"))
}

/// The id of the client on a presence channel, as it was given.
pub(super) fn user_id(context: &Context<'_>, channel: &str) -> Option<Value> {
    context.subscribed.get(channel)?.as_ref()?.id().cloned()
}

/// The size of the data in bytes, as JSON or, if it is a string, as that.
pub(super) fn size(message: &ClientMessage) -> usize {
    match &message.given {
        None => 0,
        Some(Value::String(text)) => text.len(),
        Some(data) => data.to_string().len(),
    }
}

/// Relays the event with this data, JSON text, and with the id of its sender.
pub(super) fn relay(message: &ClientMessage, channel: &str, data: Option<&str>, user_id: Option<&Value>) -> Action {
    let data = data.map_or_else(String::new, |data| format!(r#","data":{data}"#));
    let user_id = user_id.map_or_else(String::new, |id| format!(r#","user_id":{id}"#));
    let (event, name) = (quote(&message.event), quote(channel));
    let frame = format!(r#"{{"event":{event}{data},"channel":{name}{user_id}}}"#);
    Action::Relay { channel: channel.to_owned(), event: message.event.clone(), frame }
}
