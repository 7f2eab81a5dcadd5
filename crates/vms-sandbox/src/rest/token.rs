//! `POST token`: logging in.

use std::sync::Arc;

use axum::{Json, body::Bytes, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{answer::ApiError, vms::Vms};

/// `captcha`, `key` and `session_id` may come along and change nothing.
#[derive(Debug, Deserialize)]
struct Login {
    login: Option<String>,
    password: Option<String>,
}

/// Opens a session. 400 for a body that is not JSON, 422 for a missing field or a wrong password.
pub(super) async fn log_in(State(vms): State<Arc<Vms>>, body: Bytes) -> Result<Json<Value>, ApiError> {
    let request: Login = serde_json::from_slice(&body)
        .map_err(|_| ApiError::new(400, "The request is not a JSON object with login and password."))?;
    let login = request.login.ok_or(ApiError::invalid("login", "The login field is required."))?;
    let password = request.password.ok_or(ApiError::invalid("password", "The password field is required."))?;
    let mut accounts = vms.accounts();
    let session = accounts
        .log_in(&login, &password)
        .ok_or(ApiError::invalid("login", "These credentials do not match our records."))?;
    let name = accounts.user(session.user_id).map(|user| user.name.clone()).unwrap_or_default();
    Ok(Json(json!({
        "user": {
            "id": session.user_id,
            "name": name,
            "login": login,
            "access_token_id": session.access_token_id,
            "lang": "en",
            "permissions": [],
        },
        "access_token": session.access_token,
    })))
}
