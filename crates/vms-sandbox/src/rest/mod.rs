//! The REST side: the few endpoints of a VMS that a realtime client needs.

pub(crate) mod answer;
mod broadcasting_auth;
mod observe;
mod sync_groups;
mod token;
mod wsurl;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{any, get, post},
};
use http::{HeaderMap, header};

use crate::{Session, accounts::Bearer, control, pusher::upgrade, world::World};
use answer::ApiError;

/// Everything that is served on the port.
pub(crate) fn router(world: &Arc<World>) -> Router {
    let api = Router::new()
        .route("/token", post(token::log_in))
        .route("/wsurl", get(wsurl::discover))
        .route("/broadcasting/auth", post(broadcasting_auth::authorize))
        .route("/cameras/{id}/sync-groups", post(sync_groups::sync))
        .fallback(answer::not_found)
        .method_not_allowed_fallback(answer::method_not_allowed)
        .layer(middleware::from_fn_with_state(Arc::clone(world), observe::observe))
        .layer(DefaultBodyLimit::max(MAX_BODY));
    let mut router = Router::new()
        .nest("/api/v1", api)
        .route("/app/{key}", any(upgrade::without_prefix))
        .route("/{prefix}/app/{key}", any(upgrade::with_prefix))
        .fallback(answer::not_found);
    if world.serves_control {
        router = router.nest("/sandbox", control::routes::router(world));
    }
    router.with_state(Arc::clone(world))
}

/// The session of the bearer; 401 without or with an unknown one, 419 with one that expired.
fn bearer(world: &World, headers: &HeaderMap) -> Result<Session, ApiError> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = value.and_then(|value| value.strip_prefix("Bearer ")).ok_or(ApiError::UNAUTHORIZED)?;
    match world.accounts().bearer(token) {
        Bearer::Valid(session) => Ok(session),
        Bearer::Expired => Err(ApiError::EXPIRED),
        Bearer::Unknown => Err(ApiError::UNAUTHORIZED),
    }
}

/// The socket that made the call, to be left out of what the call broadcasts.
pub(crate) fn calling_socket(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("x-socket-id")?.to_str().ok()?;
    (!value.is_empty()).then(|| value.to_owned())
}

const MAX_BODY: usize = 1 << 20;
