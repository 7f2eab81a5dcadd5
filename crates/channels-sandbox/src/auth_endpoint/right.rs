//! The right answers of the endpoint, and what may be wrong with them.

use axum::{
    Json,
    response::{IntoResponse as _, Response},
};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::request::AuthRequest;
use crate::app::{App, is_socket_id};

/// What is wrong with an answer that is right otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    None,
    Secret,
    Signature,
}

pub(super) fn authorization(app: &App, request: &AuthRequest, flaw: Flaw) -> Response {
    let (socket_id, channel) = (request.field("socket_id"), request.field("channel_name"));
    if !is_socket_id(socket_id) {
        return problem(StatusCode::BAD_REQUEST, "socket_id is not two numbers with a dot between them");
    }
    let is_presence = channel.starts_with("presence-");
    if !is_presence && !channel.starts_with("private-") {
        return problem(StatusCode::FORBIDDEN, "channel_name is not that of a private or presence channel");
    }
    let Ok(user_info) = request.user_info() else {
        return problem(StatusCode::BAD_REQUEST, "user_info is not JSON");
    };
    let is_member = is_presence && !request.user_id().is_empty();
    let channel_data = is_member.then(|| App::channel_data(request.user_id(), user_info.as_ref()));
    let socket_id = if flaw == Flaw::Signature { "1.1" } else { socket_id };
    let mut body = json!({"auth": app.authorize(socket_id, channel, channel_data.as_deref())});
    if let Some(channel_data) = channel_data {
        body["channel_data"] = channel_data.into();
    }
    if channel.starts_with("private-encrypted-") {
        let of = if flaw == Flaw::Secret { "private-encrypted-another" } else { channel };
        body["shared_secret"] = app.shared_secret(of).into();
    }
    Json(body).into_response()
}

pub(super) fn authentication(app: &App, request: &AuthRequest, flaw: Flaw) -> Response {
    let socket_id = request.field("socket_id");
    if !is_socket_id(socket_id) {
        return problem(StatusCode::BAD_REQUEST, "socket_id is not two numbers with a dot between them");
    }
    let Ok(user_info) = request.user_info() else {
        return problem(StatusCode::BAD_REQUEST, "user_info is not JSON");
    };
    let mut user = Map::new();
    user.insert("id".to_owned(), request.user_id().into());
    if let Some(user_info) = user_info {
        user.insert("user_info".to_owned(), user_info);
    }
    if let Some(watchlist) = request.saying("watchlist") {
        let ids: Vec<_> = watchlist.split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
        user.insert("watchlist".to_owned(), ids.into());
    }
    let user_data = Value::from(user).to_string();
    let socket_id = if flaw == Flaw::Signature { "1.1" } else { socket_id };
    Json(json!({"auth": app.authenticate_user(socket_id, &user_data), "user_data": user_data})).into_response()
}

fn problem(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({"error": text}))).into_response()
}
