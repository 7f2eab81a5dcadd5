//! The signed HTTP API of a Pusher server, for the libraries that publish to it.
//!
//! It is what Pusher's documentation, "HTTP API reference", describes, with the limits and the answers of the profile's
//! server. push1st has an API of its own, which is neither signed nor as large.

mod admission;
mod api;
mod channels;
mod event;
mod failure;
mod habits;
mod occupancy;
mod publishing;
mod push1st;
mod signature;
mod users;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};

use api::Api;
use habits::Habits;

use crate::{profile::Profile, shared::Shared, wall_clock::WallClock};

/// Everything under `/apps`.
pub(crate) fn routes(profile: Profile, shared: Arc<Shared>, clock: WallClock) -> Router {
    let Some(habits) = Habits::of(profile) else { return push1st::routes(shared) };
    let limit = DefaultBodyLimit::max(habits.limits.request.unwrap_or(MAX_REQUEST));
    let api = Arc::new(Api { shared, clock, habits });
    Router::new()
        .route("/apps/{app}/events", post(publishing::one))
        .route("/apps/{app}/batch_events", post(publishing::batch))
        .route("/apps/{app}/channels", get(channels::all))
        .route("/apps/{app}/channels/{channel}", get(channels::one))
        .route("/apps/{app}/channels/{channel}/users", get(channels::users))
        .route("/apps/{app}/users/{user}/terminate_connections", post(users::terminate))
        .route_layer(middleware::from_fn_with_state(Arc::clone(&api), admission::admit))
        .layer(limit)
        .with_state(api)
}

/// Bytes of a body, where the server has no limit of its own.
const MAX_REQUEST: usize = 16 << 20;
