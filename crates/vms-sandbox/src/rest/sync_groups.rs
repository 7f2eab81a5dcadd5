//! `POST cameras/{id}/sync-groups`: putting a camera into groups.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
};
use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    answer::ApiError,
    caller::{bearer, calling_socket},
    config::GroupSync,
    push::{Push, Target},
    vms::Vms,
};

#[derive(Debug, Deserialize)]
struct Groups {
    groups: Vec<i64>,
}

/// Tells the user's other sockets at once that groups changed. When the work is asynchronous, the
/// session hears of its end: all of its sockets, for the work no longer knows who called.
pub(super) async fn sync(
    State(vms): State<Arc<Vms>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    let session = bearer(&vms, &headers)?;
    if !id.parse().is_ok_and(|id: u32| (1..=LAST_CAMERA).contains(&id)) {
        return Err(ApiError::NOT_FOUND);
    }
    let groups: Groups = serde_json::from_slice(&body)
        .map_err(|_| ApiError::invalid("groups", "The groups field must be an array of group ids."))?;
    tracing::debug!(camera = id, groups = ?groups.groups, "groups of a camera");
    let changed =
        Push { except: calling_socket(&headers), ..Push::new("groups_updated").to(Target::User(session.user_id)) };
    push(&vms, changed).await;
    match vms.group_sync {
        GroupSync::Sync => Ok(Json(json!({"type": "sync"}))),
        GroupSync::Async { after } => {
            let later = Arc::clone(&vms);
            vms.later.spawn(async move {
                sleep(after).await;
                let done = Push::new("camera_groups_synced").to(Target::Session(session.access_token_id));
                push(&later, done).await;
            });
            Ok(Json(json!({"type": "async"})))
        }
    }
}

/// The session may have been forgotten meanwhile: then nobody is left to tell.
async fn push(vms: &Vms, push: Push) {
    if let Err(error) = vms.push(&push).await {
        tracing::debug!(%error, "a push had nowhere to go");
    }
}

/// Cameras 1 to this exist.
const LAST_CAMERA: u32 = 9_999;
