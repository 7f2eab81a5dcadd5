//! Everything that is served besides the sockets.

use std::sync::Arc;

use axum::{Router, routing::get};

use crate::{answer, control, rest, vms::Vms};

pub(crate) fn router(vms: &Arc<Vms>) -> Router {
    let mut router = Router::new()
        .nest("/api/v1", rest::router(vms))
        .route("/login", get(answer::login_page))
        .fallback(answer::not_found);
    if vms.serves_control {
        router = router.nest("/sandbox", control::routes::router(vms));
    }
    router.with_state(Arc::clone(vms))
}
