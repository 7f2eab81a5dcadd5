//! The API of push1st: one request, and nobody has to sign it.

use std::{
    future::pending,
    sync::{Arc, atomic::Ordering},
};

use axum::{
    Extension, Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest as _, Path, Request, State},
    response::{IntoResponse as _, Response},
    routing::post,
};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};

use crate::{
    activity::Activity,
    dialect::PUSH1ST_MESSAGE_ID_BASE,
    net::http_connection::HttpConnection,
    push::{RawData, RawPush},
    shared::Shared,
};

#[derive(Debug, Deserialize)]
struct EventBody {
    name: String,
    channel: Option<String>,
    #[serde(default)]
    channels: Vec<String>,
    data: Option<Box<RawValue>>,
    #[serde(default)]
    socket_id: String,
}

/// What becomes of a request.
enum Outcome {
    Answer(Value),
    /// A status without a body.
    Refuse(StatusCode),
    /// The connection is reset.
    Reset,
}

pub(super) fn routes(shared: Arc<Shared>) -> Router {
    let limit = DefaultBodyLimit::max(MAX_REQUEST);
    Router::new().route("/apps/{app}/events", post(publish)).layer(limit).with_state(shared)
}

async fn publish(
    State(shared): State<Arc<Shared>>,
    Extension(http): Extension<Arc<HttpConnection>>,
    Path(app): Path<String>,
    request: Request,
) -> Response {
    let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
    let outcome = match Bytes::from_request(request, &()).await {
        Ok(body) => carry_out(&shared, &app, &body).await,
        Err(_) => Outcome::Reset,
    };
    let response = match outcome {
        Outcome::Answer(answer) => Json(answer).into_response(),
        Outcome::Refuse(status) => status.into_response(),
        Outcome::Reset => {
            shared.journal.tell(Activity::Request { method, path, status: 0 });
            http.abort();
            return pending().await;
        }
    };
    shared.journal.tell(Activity::Request { method, path, status: response.status().as_u16() });
    response
}

async fn carry_out(shared: &Shared, app: &str, body: &[u8]) -> Outcome {
    if app != shared.app.id {
        return Outcome::Refuse(StatusCode::FORBIDDEN);
    }
    let Ok(event) = serde_json::from_slice::<EventBody>(body) else {
        return Outcome::Refuse(StatusCode::BAD_REQUEST);
    };
    let Some(data) = event.data else {
        shared.hub.crash();
        return Outcome::Reset;
    };
    // Its data may be anything, and is sent as it came.
    let data = RawData::Bare(data.get().to_owned());
    let except = (!event.socket_id.is_empty()).then_some(event.socket_id);
    let mut counts = Map::new();
    let number = PUSH1ST_MESSAGE_ID_BASE + shared.events.load(Ordering::Relaxed);
    for channel in event.channels.into_iter().chain(event.channel) {
        let push = RawPush { channel, event: event.name.clone(), data: data.clone(), except: except.clone() };
        let channel = push.channel.clone();
        counts.insert(channel, shared.publish(event.name.clone(), push).await.sockets.into());
    }
    Outcome::Answer(json!({"channels": counts, "msg-id": number, "time": shared.journal.millis() * 1_000_000}))
}

/// Bytes of a request that it takes.
const MAX_REQUEST: usize = 64_000;
