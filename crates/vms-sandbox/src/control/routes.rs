//! The routes of the control API, under `/sandbox`.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    middleware,
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    guard,
    model::{
        Affected, CloseRequest, ControlFailure, CutRequest, LatencyRequest, ListeningRequest, LogoutRequest,
        SandboxState, SendRequest, SocketsRequest, TypeInfo,
    },
};
use crate::{
    Delivered, EVENT_TYPES, Fault, Outbound, Push, RawPush, SandboxError, commands,
    pusher::hub::Mode,
    rest::{answer, calling_socket},
    world::World,
};

type Shared = State<Arc<World>>;
type Answer<T> = Result<Json<T>, Failure>;

pub(crate) fn router(world: &Arc<World>) -> Router<Arc<World>> {
    Router::new()
        .route("/push", post(push))
        .route("/raw", post(raw))
        .route("/send", post(send))
        .route("/cut", post(cut))
        .route("/stall", post(stall))
        .route("/resume", post(resume))
        .route("/close", post(close))
        .route("/logout", post(log_out))
        .route("/latency", post(latency))
        .route("/listening", post(listening))
        .route("/fault", post(fault))
        .route("/faults", delete(clear_faults))
        .route("/state", get(state))
        .route("/types", get(types))
        .fallback(answer::not_found)
        .method_not_allowed_fallback(answer::method_not_allowed)
        .layer(middleware::from_fn_with_state(Arc::clone(world), guard::no_web_pages))
        .layer(DefaultBodyLimit::max(MAX_BODY))
}

async fn push(State(world): Shared, headers: HeaderMap, body: Bytes) -> Answer<Delivered> {
    let mut push: Push = parse(&body)?;
    push.except = push.except.or_else(|| calling_socket(&headers));
    let delivered = world.push(&push).await;
    delivered.map(Json).map_err(|error| Failure::new(422, error))
}

async fn raw(State(world): Shared, headers: HeaderMap, body: Bytes) -> Answer<Delivered> {
    let mut push: RawPush = parse(&body)?;
    push.except = push.except.or_else(|| calling_socket(&headers));
    Ok(Json(world.push_raw(push).await))
}

async fn send(State(world): Shared, body: Bytes) -> Answer<Affected> {
    let request: SendRequest = parse(&body)?;
    Ok(affected(world.hub.send(&request.sockets, &request.what).await))
}

async fn cut(State(world): Shared, body: Bytes) -> Answer<Affected> {
    let request: CutRequest = parse(&body)?;
    let mode = if request.reset { Mode::Reset } else { Mode::Cut };
    Ok(affected(world.hub.set_mode(&request.sockets, mode).len()))
}

async fn stall(State(world): Shared, body: Bytes) -> Answer<Affected> {
    let request: SocketsRequest = parse(&body)?;
    Ok(affected(commands::stall(&world, &request.sockets)))
}

async fn resume(State(world): Shared, body: Bytes) -> Answer<Affected> {
    let request: SocketsRequest = parse(&body)?;
    Ok(affected(world.hub.set_mode(&request.sockets, Mode::Running).len()))
}

async fn close(State(world): Shared, body: Bytes) -> Answer<Affected> {
    let CloseRequest { sockets, code, reason } = parse(&body)?;
    Ok(affected(world.hub.send(&sockets, &Outbound::Close { code, reason }).await))
}

async fn log_out(State(world): Shared, body: Bytes) -> Answer<Affected> {
    let request: LogoutRequest = parse(&body)?;
    let all = || world.accounts().sessions().into_iter().map(|session| session.access_token_id);
    let wanted: Vec<String> = request.session.map_or_else(|| all().collect(), |session| vec![session]);
    let mut count = 0;
    for session in wanted {
        count += usize::from(commands::log_out(&world, &session, request.subject.as_deref()).await);
    }
    Ok(affected(count))
}

async fn latency(State(world): Shared, body: Bytes) -> Answer<Value> {
    let request: LatencyRequest = parse(&body)?;
    world.set_latency(Duration::from_millis(request.millis));
    Ok(Json(json!({})))
}

async fn listening(State(world): Shared, body: Bytes) -> Answer<Value> {
    let request: ListeningRequest = parse(&body)?;
    let set = world.set_listening(request.listening).await;
    set.map(|()| Json(json!({}))).map_err(|error: SandboxError| Failure::new(500, error))
}

async fn fault(State(world): Shared, body: Bytes) -> Answer<Value> {
    let fault: Fault = parse(&body)?;
    world.faults.add(fault);
    Ok(Json(json!({})))
}

async fn clear_faults(State(world): Shared) -> Json<Value> {
    world.faults.clear();
    Json(json!({}))
}

async fn state(State(world): Shared) -> Json<SandboxState> {
    Json(world.state())
}

async fn types() -> Json<Vec<TypeInfo>> {
    let info =
        |row: &crate::EventType| TypeInfo { type_: row.name.to_owned(), event: row.event, data: row.default_body() };
    Json(EVENT_TYPES.iter().map(info).collect())
}

/// An empty body is an empty object.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| Failure::new(400, error))
}

const fn affected(sockets: usize) -> Json<Affected> {
    Json(Affected { sockets })
}

pub(super) struct Failure {
    status: u16,
    error: String,
}

impl Failure {
    pub(super) fn new(status: u16, error: impl std::fmt::Display) -> Self {
        Self { status, error: error.to_string() }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(ControlFailure { error: self.error })).into_response()
    }
}

const MAX_BODY: usize = 16 << 20;
