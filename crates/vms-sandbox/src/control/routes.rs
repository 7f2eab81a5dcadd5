//! The routes of the control API, under `/sandbox`.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    middleware,
    routing::{delete, get, post},
};
use channels_sandbox::{Delivered, Outbound, RawPush};
use http::HeaderMap;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    failure::Failure,
    guard,
    model::{
        Affected, CloseRequest, CutRequest, LatencyRequest, ListeningRequest, LogoutRequest, SendRequest,
        SocketsRequest, TokenStatusRequest, TypeInfo,
    },
};
use crate::{
    answer,
    caller::calling_socket,
    fault::Fault,
    push::{
        Push,
        catalogue::{EVENT_TYPES, EventType},
    },
    state::SandboxState,
    vms::Vms,
};

type Shared = State<Arc<Vms>>;
type Answer<T> = Result<Json<T>, Failure>;

pub(crate) fn router(vms: &Arc<Vms>) -> Router<Arc<Vms>> {
    Router::new()
        .route("/push", post(push))
        .route("/raw", post(raw))
        .route("/send", post(send))
        .route("/cut", post(cut))
        .route("/stall", post(stall))
        .route("/resume", post(resume))
        .route("/close", post(close))
        .route("/logout", post(log_out))
        .route("/token_status", post(token_status))
        .route("/latency", post(latency))
        .route("/listening", post(listening))
        .route("/fault", post(fault))
        .route("/faults", delete(clear_faults))
        .route("/state", get(state))
        .route("/types", get(types))
        .fallback(answer::not_found)
        .method_not_allowed_fallback(answer::method_not_allowed)
        .layer(middleware::from_fn_with_state(Arc::clone(vms), guard::no_web_pages))
        .layer(DefaultBodyLimit::max(MAX_BODY))
}

async fn push(State(vms): Shared, headers: HeaderMap, body: Bytes) -> Answer<Delivered> {
    let mut push: Push = parse(&body)?;
    push.except = push.except.or_else(|| calling_socket(&headers));
    let delivered = vms.push(&push).await;
    delivered.map(Json).map_err(|error| Failure::new(422, error))
}

async fn raw(State(vms): Shared, headers: HeaderMap, body: Bytes) -> Answer<Delivered> {
    let mut push: RawPush = parse(&body)?;
    push.except = push.except.or_else(|| calling_socket(&headers));
    Ok(Json(vms.server.publish(push).await))
}

async fn send(State(vms): Shared, body: Bytes) -> Answer<Affected> {
    let request: SendRequest = parse(&body)?;
    Ok(affected(vms.server.send(&(&request.sockets).into(), &request.what).await))
}

async fn cut(State(vms): Shared, body: Bytes) -> Answer<Affected> {
    let request: CutRequest = parse(&body)?;
    let sockets = (&request.sockets).into();
    Ok(affected(if request.reset { vms.server.reset(&sockets) } else { vms.server.cut(&sockets) }))
}

async fn stall(State(vms): Shared, body: Bytes) -> Answer<Affected> {
    let request: SocketsRequest = parse(&body)?;
    Ok(affected(vms.server.stall(&(&request.sockets).into())))
}

async fn resume(State(vms): Shared, body: Bytes) -> Answer<Affected> {
    let request: SocketsRequest = parse(&body)?;
    Ok(affected(vms.server.resume(&(&request.sockets).into())))
}

async fn close(State(vms): Shared, body: Bytes) -> Answer<Affected> {
    let CloseRequest { sockets, code, reason } = parse(&body)?;
    Ok(affected(vms.server.send(&(&sockets).into(), &Outbound::Close { code, reason }).await))
}

async fn log_out(State(vms): Shared, body: Bytes) -> Answer<Affected> {
    let request: LogoutRequest = parse(&body)?;
    let mut count = 0;
    for session in chosen(&vms, request.session) {
        count += usize::from(vms.log_out(&session, request.subject.as_deref()).await);
    }
    Ok(affected(count))
}

async fn token_status(State(vms): Shared, body: Bytes) -> Answer<Affected> {
    let TokenStatusRequest { session, status } = parse(&body)?;
    let set = chosen(&vms, session).into_iter().filter(|session| vms.set_token_status(session, status));
    Ok(affected(set.count()))
}

/// The session that a request names, otherwise every session.
fn chosen(vms: &Vms, session: Option<String>) -> Vec<String> {
    let all = || vms.accounts().sessions().into_iter().map(|session| session.access_token_id);
    session.map_or_else(|| all().collect(), |session| vec![session])
}

async fn latency(State(vms): Shared, body: Bytes) -> Answer<Value> {
    let request: LatencyRequest = parse(&body)?;
    vms.server.set_latency(Duration::from_millis(request.millis));
    Ok(Json(json!({})))
}

async fn listening(State(vms): Shared, body: Bytes) -> Answer<Value> {
    let request: ListeningRequest = parse(&body)?;
    let set = vms.server.set_listening(request.listening).await;
    set.map(|()| Json(json!({}))).map_err(|error| Failure::new(500, error))
}

async fn fault(State(vms): Shared, body: Bytes) -> Answer<Value> {
    let fault: Fault = parse(&body)?;
    vms.inject(fault);
    Ok(Json(json!({})))
}

async fn clear_faults(State(vms): Shared) -> Json<Value> {
    vms.clear_faults();
    Json(json!({}))
}

async fn state(State(vms): Shared) -> Json<SandboxState> {
    Json(vms.state())
}

async fn types() -> Json<Vec<TypeInfo>> {
    let info = |row: &EventType| TypeInfo { type_: row.name.to_owned(), event: row.event, data: row.default_body() };
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

const MAX_BODY: usize = 16 << 20;
