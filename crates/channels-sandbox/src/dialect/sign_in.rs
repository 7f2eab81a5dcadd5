//! Signing in.

use serde_json::Value;

use super::{
    habits::{Context, SignedIn},
    message::ClientMessage,
};
use crate::member::text;

/// The user of a `pusher:signin` with the right signature; `Err` says what is wrong.
pub(super) fn user(message: &ClientMessage, context: &Context<'_>) -> Result<SignedIn, &'static str> {
    let (Some(auth), Some(user_data)) = (message.data_text("auth"), message.data_text("user_data")) else {
        return Err("auth or user_data is missing");
    };
    if auth != context.app.authenticate_user(context.socket_id, user_data) {
        return Err("Invalid signature");
    }
    let Ok(data) = serde_json::from_str::<Value>(user_data) else { return Err("user_data is not JSON") };
    let id = Some(&data["id"]).filter(|id| id.is_number() || id.as_str().is_some_and(|id| !id.is_empty()));
    let Some(id) = id.map(text) else { return Err("user_data has no id") };
    let texts = |ids: &Vec<Value>| ids.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let watchlist = data["watchlist"].as_array().map(texts);
    Ok(SignedIn { id, info: data.get("user_info").cloned(), watchlist })
}
