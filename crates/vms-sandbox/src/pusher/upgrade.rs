//! The WebSocket upgrade, by hand, because each server does it in its own way.

use std::{future::pending, sync::Arc, time::Duration};

use axum::{
    Extension,
    body::Body,
    extract::{Path, Request, State},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::BytesMut;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use sha1::{Digest as _, Sha1};
use tokio::time::sleep;

use super::{
    dialect::{Action, UpgradeRequest, Verdict},
    socket::{Opening, Socket},
};
use crate::{
    Activity, Profile, UpgradeAnswer,
    fault::FaultKind,
    net::wire::{Link, Wire},
    rest::answer,
    world::World,
};

/// An upgrade whose 101 is on its way.
#[derive(Debug)]
pub(crate) struct Pending {
    on_upgrade: OnUpgrade,
    opening: Opening,
}

impl Pending {
    /// Takes the connection over from HTTP and runs the socket to its end.
    pub(crate) async fn carry_out(self, world: Arc<World>) {
        let parts = match self.on_upgrade.await.map(|upgraded| upgraded.downcast::<TokioIo<Wire>>()) {
            Ok(Ok(parts)) => parts,
            Ok(Err(_)) => return tracing::error!("an upgraded connection is not of our own making"),
            Err(error) => return tracing::debug!(%error, "the client left during the upgrade"),
        };
        let early = if world.dialect.loses_early_bytes() { BytesMut::new() } else { parts.read_buf.into() };
        Socket::new(world, parts.io.into_inner(), early).run(self.opening).await;
    }
}

/// `/app/{key}`: any key, known or not.
pub(crate) async fn without_prefix(
    State(world): State<Arc<World>>,
    Extension(link): Extension<Arc<Link>>,
    Path(key): Path<String>,
    request: Request,
) -> Response {
    upgrade(&world, &link, &key, request).await
}

/// `/{prefix}/app/{key}`.
pub(crate) async fn with_prefix(
    State(world): State<Arc<World>>,
    Extension(link): Extension<Arc<Link>>,
    Path((prefix, key)): Path<(String, String)>,
    request: Request,
) -> Response {
    if world.dialect.checks_prefix() && prefix != "pusher" {
        return StatusCode::NOT_FOUND.into_response();
    }
    upgrade(&world, &link, &key, request).await
}

async fn upgrade(world: &Arc<World>, link: &Link, key: &str, request: Request) -> Response {
    world.journal.count_upgrade();
    world.hub.touch();
    let fault = world.faults.take(|kind| match kind {
        FaultKind::Upgrade { answer } => Some(answer.clone()),
        FaultKind::Ping | FaultKind::Rest { .. } | FaultKind::Subscribe { .. } => None,
    });
    let response = match fault {
        None => judge(world, link, key, request),
        Some(answer) => answer_badly(world, link, key, request, answer).await,
    };
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        world.journal.tell(Activity::UpgradeRefused { status: response.status().as_u16() });
    }
    response
}

fn judge(world: &World, link: &Link, key: &str, request: Request) -> Response {
    let headers = request.headers().clone();
    let protocol = request.uri().query().and_then(protocol_of).map(str::to_owned);
    let verdict = world.dialect.judge_upgrade(&UpgradeRequest {
        connection: text(&headers, header::CONNECTION),
        upgrade: text(&headers, header::UPGRADE),
        version: text(&headers, header::SEC_WEBSOCKET_VERSION),
        key: text(&headers, header::SEC_WEBSOCKET_KEY),
        protocol: protocol.as_deref(),
        known_app: key == world.app.key,
        in_one_piece: link.came_in_one_piece(),
    });
    match verdict {
        Verdict::Accept => {
            if world.dialect.greets_with_upgrade() {
                link.cork();
            }
            switch(world, link, request, Opening::Greet)
        }
        Verdict::AcceptThen(actions) => switch(world, link, request, Opening::Act(actions)),
        Verdict::Status(status) => answer::status(status, None),
    }
}

async fn answer_badly(world: &World, link: &Link, key: &str, request: Request, answer: UpgradeAnswer) -> Response {
    match answer {
        UpgradeAnswer::Delay { millis } => {
            sleep(Duration::from_millis(millis)).await;
            judge(world, link, key, request)
        }
        UpgradeAnswer::Drop => {
            link.drop_connection();
            pending().await
        }
        UpgradeAnswer::Silent => pending().await,
        UpgradeAnswer::Html => answer::html(200),
        UpgradeAnswer::Redirect { location } => answer::redirect(302, &location),
        UpgradeAnswer::Status { status, retry_after } => answer::status(status, retry_after.as_deref()),
        UpgradeAnswer::Greeting { text } => switch(world, link, request, Opening::Act(vec![Action::Send(text)])),
        UpgradeAnswer::SwitchThenDrop => switch(world, link, request, Opening::Act(vec![Action::Drop])),
        UpgradeAnswer::SwitchThenNothing => switch(world, link, request, Opening::Nothing),
        UpgradeAnswer::WrongAccept => {
            let mut response = switch(world, link, request, Opening::Nothing);
            let wrong = HeaderValue::from_static("bm90IHRoZSByaWdodCBrZXkgaGVyZQ==");
            response.headers_mut().insert(header::SEC_WEBSOCKET_ACCEPT, wrong);
            response
        }
    }
}

/// Answers 101 and leaves the connection to become a socket.
fn switch(world: &World, link: &Link, mut request: Request, opening: Opening) -> Response {
    let accept = accept_key(text(request.headers(), header::SEC_WEBSOCKET_KEY));
    let on_upgrade = hyper::upgrade::on(&mut request);
    link.leave(Pending { on_upgrade, opening });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(&accept) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    if world.profile == Profile::Push1st {
        headers.insert(header::UPGRADE, HeaderValue::from_static("WebSocket"));
        headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    }
    response
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
