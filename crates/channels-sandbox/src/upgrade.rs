//! The WebSocket upgrade, done by hand, because each server does it differently.

use std::{future::pending, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    body::Body,
    extract::{Path, Request, State},
    response::{IntoResponse as _, Response},
    routing::any,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::BytesMut;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use sha1::{Digest as _, Sha1};
use tokio::time::sleep;

use crate::{
    activity::Activity,
    answer,
    dialect::habits::{Action, UpgradeReply, UpgradeRequest},
    fault::{SocketFault, UpgradeAnswer},
    net::{http_connection::HttpConnection, wire::Wire},
    shared::Shared,
    socket::{Opening, Socket},
};

type Connection = Extension<Arc<HttpConnection>>;

/// Where the sockets are.
pub(crate) fn routes(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/app/{key}", any(without_prefix))
        .route("/{prefix}/app/{key}", any(with_prefix))
        .with_state(shared)
}

/// `/app/{key}`: any key, known or not.
async fn without_prefix(
    State(shared): State<Arc<Shared>>,
    Extension(http): Connection,
    Path(key): Path<String>,
    request: Request,
) -> Response {
    upgrade(&shared, &http, &key, request).await
}

/// `/{prefix}/app/{key}`.
async fn with_prefix(
    State(shared): State<Arc<Shared>>,
    Extension(http): Connection,
    Path((prefix, key)): Path<(String, String)>,
    request: Request,
) -> Response {
    if shared.dialect.checks_prefix() && prefix != "pusher" {
        return StatusCode::NOT_FOUND.into_response();
    }
    upgrade(&shared, &http, &key, request).await
}

async fn upgrade(shared: &Arc<Shared>, http: &HttpConnection, key: &str, request: Request) -> Response {
    shared.journal.count_upgrade();
    shared.changes.touch();
    let fault = shared.faults.take(|kind| match kind {
        SocketFault::Upgrade { answer } => Some(answer.clone()),
        SocketFault::Acknowledge { .. }
        | SocketFault::Ping
        | SocketFault::SignIn { .. }
        | SocketFault::Subscribe { .. } => None,
    });
    let response = match fault {
        None => judge(shared, http, key, request),
        Some(answer) => answer_badly(shared, http, key, request, answer).await,
    };
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        shared.journal.tell(Activity::UpgradeRefused { status: response.status().as_u16() });
    }
    response
}

fn judge(shared: &Arc<Shared>, http: &HttpConnection, key: &str, request: Request) -> Response {
    let headers = request.headers().clone();
    let protocol = request.uri().query().and_then(protocol_of).map(str::to_owned);
    let reply = shared.dialect.judge_upgrade(&UpgradeRequest {
        connection: text(&headers, header::CONNECTION),
        upgrade: text(&headers, header::UPGRADE),
        version: text(&headers, header::SEC_WEBSOCKET_VERSION),
        key: text(&headers, header::SEC_WEBSOCKET_KEY),
        protocol: protocol.as_deref(),
        known_app: key == shared.app.key,
        in_one_piece: http.came_in_one_piece(),
    });
    match reply {
        UpgradeReply::Accept => {
            http.set_corked(shared.dialect.greets_with_upgrade());
            switch(shared, http, request, Opening::Greet)
        }
        UpgradeReply::AcceptThen(actions) => switch(shared, http, request, Opening::Act(actions)),
        UpgradeReply::Status(status) => answer::status(status, None),
    }
}

async fn answer_badly(
    shared: &Arc<Shared>,
    http: &HttpConnection,
    key: &str,
    request: Request,
    answer: UpgradeAnswer,
) -> Response {
    match answer {
        UpgradeAnswer::Delay { millis } => {
            sleep(Duration::from_millis(millis)).await;
            judge(shared, http, key, request)
        }
        UpgradeAnswer::Drop => {
            http.abort();
            pending().await
        }
        UpgradeAnswer::Silent => pending().await,
        UpgradeAnswer::Html => answer::html(200),
        UpgradeAnswer::Redirect { location } => answer::redirect(302, &location),
        UpgradeAnswer::Status { status, retry_after } => answer::status(status, retry_after.as_deref()),
        UpgradeAnswer::Greeting { text } => switch(shared, http, request, Opening::Act(vec![Action::Send(text)])),
        UpgradeAnswer::SwitchThenDrop => switch(shared, http, request, Opening::Act(vec![Action::Drop])),
        UpgradeAnswer::SwitchThenNothing => switch(shared, http, request, Opening::Nothing),
        UpgradeAnswer::WrongAccept => {
            let mut response = switch(shared, http, request, Opening::Nothing);
            let wrong = HeaderValue::from_static("bm90IHRoZSByaWdodCBrZXkgaGVyZQ==");
            response.headers_mut().insert(header::SEC_WEBSOCKET_ACCEPT, wrong);
            response
        }
    }
}

/// Answers 101, after which the connection becomes a socket.
fn switch(shared: &Arc<Shared>, http: &HttpConnection, mut request: Request, opening: Opening) -> Response {
    let accept = accept_key(text(request.headers(), header::SEC_WEBSOCKET_KEY));
    let on_upgrade = hyper::upgrade::on(&mut request);
    http.leave(Box::pin(take_over(Arc::clone(shared), on_upgrade, opening)));
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(&accept) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    for (name, value) in shared.dialect.upgrade_headers() {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Takes the connection over from HTTP once the 101 has been sent, and runs the socket to its end.
async fn take_over(shared: Arc<Shared>, on_upgrade: OnUpgrade, opening: Opening) {
    let parts = match on_upgrade.await.map(|upgraded| upgraded.downcast::<TokioIo<Wire>>()) {
        Ok(Ok(parts)) => parts,
        Ok(Err(_)) => return tracing::error!("an upgraded connection is not of our own making"),
        Err(error) => return tracing::debug!(%error, "the client left during the upgrade"),
    };
    let early = if shared.dialect.loses_early_bytes() { BytesMut::new() } else { parts.read_buf.into() };
    Socket::new(shared, parts.io.into_inner(), early).run(opening).await;
}

fn accept_key(key: &str) -> String {
    STANDARD.encode(Sha1::new().chain_update(key).chain_update(ACCEPT_GUID).finalize())
}

fn protocol_of(query: &str) -> Option<&str> {
    query.split('&').find_map(|pair| pair.strip_prefix("protocol="))
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// RFC 6455, 1.3.
const ACCEPT_GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accept_key_is_that_of_the_worked_example_in_rfc_6455() {
        assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
