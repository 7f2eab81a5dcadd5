//! `GET wsurl`: where the sockets are.

use std::sync::Arc;

use axum::{Json, extract::State};
use http::HeaderMap;
use serde_json::{Value, json};

use crate::{answer::ApiError, caller::bearer, vms::Vms};

pub(super) async fn discover(State(vms): State<Arc<Vms>>, headers: HeaderMap) -> Result<Json<Value>, ApiError> {
    bearer(&vms, &headers)?;
    Ok(Json(json!({"ws_url": vms.announced_socket_url(), "app_key": vms.server.app().key})))
}
