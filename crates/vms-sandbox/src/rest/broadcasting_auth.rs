//! `POST broadcasting/auth`: who may subscribe to what.

use std::sync::Arc;

use axum::{Json, body::Bytes, extract::State};
use channels_sandbox::is_socket_id;
use http::{HeaderMap, header};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{answer::ApiError, caller::bearer, vms::Vms};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Form {
    socket_id: String,
    channel_name: String,
}

/// Signs a session's own channels, without checking that the socket is open here: it may be another
/// server's.
pub(super) async fn authorize(
    State(vms): State<Arc<Vms>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    let session = bearer(&vms, &headers)?;
    let form = if is_form(&headers) { form(&body) } else { Form::default() };
    if !is_socket_id(&form.socket_id) {
        return Err(ApiError::invalid("socket_id", "The socket id is missing or malformed."));
    }
    if form.channel_name.is_empty() {
        return Err(ApiError::invalid("channel_name", "The channel name is missing."));
    }
    if !vms.may_join(&session, &form.channel_name) {
        return Err(ApiError::FORBIDDEN);
    }
    if !form.channel_name.starts_with("presence-") {
        let auth = vms.server.app().authorize(&form.socket_id, &form.channel_name, None);
        return Ok(Json(json!({"auth": auth})));
    }
    let member = json!({"user_id": session.user_id, "user_info": {"name": user_name(&vms, session.user_id)}});
    let data = member.to_string();
    let auth = vms.server.app().authorize(&form.socket_id, &form.channel_name, Some(&data));
    Ok(Json(json!({"auth": auth, "channel_data": data})))
}

/// The channel that a body asks for, if it does.
pub(super) fn channel_of(body: &[u8]) -> Option<String> {
    let channel = form(body).channel_name;
    (!channel.is_empty()).then_some(channel)
}

fn form(body: &[u8]) -> Form {
    let uri = std::str::from_utf8(body).ok().and_then(|body| format!("/?{body}").parse().ok());
    let parsed = uri.and_then(|uri| axum::extract::Query::try_from_uri(&uri).ok());
    parsed.map(|axum::extract::Query(form)| form).unwrap_or_default()
}

fn is_form(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"))
}

fn user_name(vms: &Vms, id: i64) -> String {
    vms.accounts().user(id).map(|user| user.name.clone()).unwrap_or_default()
}
