//! `POST users/{user}/terminate_connections`.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use serde_json::Value;

use super::api::Api;

/// Ends every connection that the user is signed in on; none is no mistake.
pub(super) async fn terminate(State(api): State<Arc<Api>>, Path((_, user)): Path<(String, String)>) -> Json<Value> {
    api.shared.hub.terminate(&user).await;
    Json(api.habits.done())
}
