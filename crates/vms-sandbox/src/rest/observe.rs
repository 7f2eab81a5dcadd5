//! What happens around every REST request: it is recorded, and faults are applied.

use std::{future::pending, sync::Arc, time::Duration};

use axum::{
    Extension,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use channels_sandbox::{
    Activity, HttpConnection,
    answer::{html, redirect},
    matches_pattern,
};
use http::{HeaderMap, request::Parts};
use tokio::time::sleep;

use super::broadcasting_auth;
use crate::{
    answer,
    fault::{Endpoint, RestAnswer, RestFault},
    requests::RequestRecord,
    vms::Vms,
};

pub(super) async fn observe(
    State(vms): State<Arc<Vms>>,
    Extension(http): Extension<Arc<HttpConnection>>,
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
        at_millis: vms.server.millis(),
    };
    let fault = fault(&vms, &parts, &body);
    if matches!(fault, Some(RestAnswer::Hang | RestAnswer::Drop)) {
        record_request(&vms, record.clone());
    }
    let proceed = next.run(Request::from_parts(parts, Body::from(body)));
    let response = match fault {
        None => proceed.await,
        Some(RestAnswer::Delay { millis }) => {
            sleep(Duration::from_millis(millis)).await;
            proceed.await
        }
        Some(fault) => answer_badly(fault, &http).await,
    };
    record.status = response.status().as_u16();
    record_request(&vms, record);
    response
}

fn record_request(vms: &Vms, record: RequestRecord) {
    let (method, path) = (record.method.clone(), record.path.clone());
    vms.server.tell(Activity::Request { method, path, status: record.status });
    vms.requests.record(record);
    vms.server.changes().touch();
}

async fn answer_badly(fault: RestAnswer, http: &HttpConnection) -> Response {
    match fault {
        RestAnswer::Body { status, content_type, body } => answer::verbatim(status, &content_type, body),
        RestAnswer::Drop => {
            http.abort();
            pending().await
        }
        RestAnswer::Delay { .. } | RestAnswer::Hang => pending().await,
        RestAnswer::Html { status } => html(status),
        RestAnswer::Huge { bytes } => answer::huge(bytes),
        RestAnswer::Redirect { status, location } => redirect(status, &location),
        RestAnswer::Status { status, retry_after } => answer::failure(status, retry_after.as_deref()),
    }
}

fn fault(vms: &Vms, parts: &Parts, body: &Bytes) -> Option<RestAnswer> {
    if vms.rest_faults.is_empty() {
        return None;
    }
    let place = endpoint(parts.uri.path());
    let channel = broadcasting_auth::channel_of(body);
    vms.rest_faults.take(|RestFault { endpoint, channel: pattern, answer }| {
        let here = *endpoint == Endpoint::Any || Some(*endpoint) == place;
        let this = match (pattern, &channel) {
            (None, _) => true,
            (Some(pattern), Some(channel)) => matches_pattern(pattern, channel),
            (Some(_), None) => false,
        };
        (here && this).then(|| answer.clone())
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

pub(super) const MAX_BODY: usize = 1 << 20;
