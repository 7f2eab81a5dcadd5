//! What happens around every REST request: it is recorded, and faults strike.

use std::{future::pending, sync::Arc, time::Duration};

use axum::{
    Extension,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, request::Parts};
use tokio::time::sleep;

use super::{MAX_BODY, answer, broadcasting_auth};
use crate::{
    Endpoint, RequestRecord, RestAnswer,
    fault::{FaultKind, matches_pattern},
    net::wire::Link,
    world::World,
};

pub(super) async fn observe(
    State(world): State<Arc<World>>,
    Extension(link): Extension<Arc<Link>>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return answer::ApiError::new(413, "The request is too large.").into_response();
    };
    let mut record = RequestRecord {
        method: parts.method.to_string(),
        path: format!("/api/v1{}", parts.uri.path()),
        headers: headers(&parts.headers),
        status: 0,
        at_millis: world.journal.millis(),
    };
    let fault = fault(&world, &parts, &body);
    if matches!(fault, Some(RestAnswer::Hang | RestAnswer::Drop)) {
        world.journal.record(record.clone());
        world.hub.touch();
    }
    let proceed = next.run(Request::from_parts(parts, Body::from(body)));
    let response = match fault {
        None => proceed.await,
        Some(RestAnswer::Delay { millis }) => {
            sleep(Duration::from_millis(millis)).await;
            proceed.await
        }
        Some(fault) => answer_badly(fault, &link).await,
    };
    record.status = response.status().as_u16();
    world.journal.record(record);
    world.hub.touch();
    response
}

async fn answer_badly(fault: RestAnswer, link: &Link) -> Response {
    match fault {
        RestAnswer::Body { status, content_type, body } => answer::verbatim(status, &content_type, body),
        RestAnswer::Drop => {
            link.drop_connection();
            pending().await
        }
        RestAnswer::Delay { .. } | RestAnswer::Hang => pending().await,
        RestAnswer::Html { status } => answer::html(status),
        RestAnswer::Huge { bytes } => answer::huge(bytes),
        RestAnswer::Redirect { status, location } => answer::redirect(status, &location),
        RestAnswer::Status { status, retry_after } => answer::failure(status, retry_after.as_deref()),
    }
}

fn fault(world: &World, parts: &Parts, body: &Bytes) -> Option<RestAnswer> {
    if world.faults.is_empty() {
        return None;
    }
    let place = endpoint(parts.uri.path());
    let channel = broadcasting_auth::channel_of(body);
    world.faults.take(|kind| match kind {
        FaultKind::Rest { endpoint, channel: pattern, answer } => {
            let here = *endpoint == Endpoint::Any || Some(*endpoint) == place;
            let this = match (pattern, &channel) {
                (None, _) => true,
                (Some(pattern), Some(channel)) => matches_pattern(pattern, channel),
                (Some(_), None) => false,
            };
            (here && this).then(|| answer.clone())
        }
        FaultKind::Ping | FaultKind::Subscribe { .. } | FaultKind::Upgrade { .. } => None,
    })
}

fn endpoint(path: &str) -> Option<Endpoint> {
    match path.trim_start_matches('/') {
        "broadcasting/auth" => Some(Endpoint::BroadcastingAuth),
        "token" => Some(Endpoint::Token),
        "wsurl" => Some(Endpoint::WsUrl),
        path if path.ends_with("/sync-groups") => Some(Endpoint::SyncGroups),
        _ => None,
    }
}

fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}
