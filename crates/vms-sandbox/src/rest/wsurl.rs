//! `GET wsurl`: where the sockets are.

use std::sync::Arc;

use axum::{Json, extract::State};
use http::HeaderMap;
use serde_json::{Value, json};

use super::{answer::ApiError, bearer};
use crate::world::World;

pub(super) async fn discover(State(world): State<Arc<World>>, headers: HeaderMap) -> Result<Json<Value>, ApiError> {
    bearer(&world, &headers)?;
    Ok(Json(json!({"ws_url": world.announced_socket_url(), "app_key": world.app.key})))
}
