//! The REST side: the few endpoints of a VMS that a realtime client needs.

mod broadcasting_auth;
mod guests;
mod observe;
mod sync_groups;
mod token;
mod wsurl;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};

use crate::{answer, vms::Vms};

pub(crate) fn router(vms: &Arc<Vms>) -> Router<Arc<Vms>> {
    Router::new()
        .route("/token", post(token::log_in))
        .route("/wsurl", get(wsurl::discover))
        .route("/broadcasting/auth", post(broadcasting_auth::authorize))
        .route("/cameras/{id}/sync-groups", post(sync_groups::sync))
        .fallback(answer::not_found)
        .method_not_allowed_fallback(answer::method_not_allowed)
        .layer(middleware::from_fn_with_state(Arc::clone(vms), guests::send_to_login))
        .layer(middleware::from_fn_with_state(Arc::clone(vms), observe::observe))
        .layer(DefaultBodyLimit::max(observe::MAX_BODY))
}
