//! The WebSocket upgrade (RFC 6455, section 4), written and read by hand.
//!
//! push1st needs the request in one segment, `Connection: Upgrade` and nothing else in that header, and often sends
//! the first message in the segment of the response. hyper could do that much, but it writes `Sec-Websocket-Key`
//! where every other client writes `Sec-WebSocket-Key`, and needs a connection task that ends at the upgrade.

use std::{io, time::SystemTime};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use channels_proto::{ConnectFailure, ConnectFailureKind, FailureClass};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::{
    connector::{UpgradeRequest, Upgraded},
    dial::{io_reason, tls_error},
    endpoint::presentable_url,
    response_head::{HeadError, ResponseHead, read_head},
    retry_after::retry_after,
};

/// Why the upgrade failed.
#[derive(Debug, Error)]
pub(crate) enum UpgradeError {
    #[error("the connection was lost before the response: {0}")]
    Lost(String),
    #[error("the server ended the TLS connection: {0}")]
    Tls(String),
    #[error("the server closed the connection instead of answering the WebSocket upgrade")]
    Closed,
    #[error("the server does not speak HTTP here ({0})")]
    NotHttp(httparse::Error),
    #[error("the response header is over the limit of 16 KiB or 100 fields")]
    HeaderTooLarge,
    #[error("the server answered with HTTP status {status}{}", describe(*.status, .headers))]
    Refused { status: StatusCode, headers: Box<HeaderMap> },
    #[error("the server violated the WebSocket handshake: {0}")]
    Broken(&'static str),
}

/// Upgrades `stream`; the key is made of `nonce`.
pub(crate) async fn upgrade<S>(
    stream: &mut S,
    request: &UpgradeRequest,
    nonce: [u64; 2],
) -> Result<Upgraded, UpgradeError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let key = STANDARD.encode(nonce.map(u64::to_ne_bytes).as_flattened());
    let UpgradeRequest { endpoint, target, user_agent } = request;
    let text = format!(
        "GET {target} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n\
         Sec-WebSocket-Version: 13\r\nUser-Agent: {user_agent}\r\n\r\n",
        endpoint.host_header()
    );
    stream.write_all(text.as_bytes()).await?;
    stream.flush().await?;
    let ResponseHead { status, headers, rest } = read_head(stream).await?;
    Ok(Upgraded { headers: check(status, headers, &key)?, early: rest })
}

impl UpgradeError {
    /// Says how the machine should treat it, and at which `address` it happened.
    pub(crate) fn into_failure(self, address: &str, now: SystemTime) -> ConnectFailure {
        let (class, retry_after) = match &self {
            Self::Lost(_) | Self::Closed => (FailureClass::Network, None),
            Self::Tls(_) | Self::NotHttp(_) | Self::HeaderTooLarge | Self::Broken(_) => (FailureClass::Refused, None),
            Self::Refused { status, headers } => {
                let wait = retry_after(headers, now);
                (classify(*status, wait.is_some()), wait)
            }
        };
        let kind = self.kind();
        ConnectFailure { class, kind, retry_after, message: format!("no WebSocket connection with {address}: {self}") }
    }
}

impl UpgradeError {
    const fn kind(&self) -> ConnectFailureKind {
        match self {
            Self::Lost(_) | Self::Closed => ConnectFailureKind::Network,
            Self::Tls(_) => ConnectFailureKind::Tls,
            Self::NotHttp(_) | Self::HeaderTooLarge | Self::Broken(_) => ConnectFailureKind::NotWebSocket,
            Self::Refused { status, .. } => ConnectFailureKind::Status(status.as_u16()),
        }
    }
}

/// Statuses that pass by themselves are treated like a network failure; the rest is a refusal.
fn classify(status: StatusCode, says_when: bool) -> FailureClass {
    match status {
        StatusCode::REQUEST_TIMEOUT => FailureClass::Network,
        StatusCode::TOO_MANY_REQUESTS if says_when => FailureClass::Network,
        status if status.is_server_error() => FailureClass::Network,
        _ => FailureClass::Refused,
    }
}

fn check(status: StatusCode, headers: HeaderMap, key: &str) -> Result<HeaderMap, UpgradeError> {
    if status != StatusCode::SWITCHING_PROTOCOLS {
        return Err(UpgradeError::Refused { status, headers: Box::new(headers) });
    }
    let has = |name, token: &str| {
        let mut values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.any(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(token)))
    };
    if !has(header::UPGRADE, "websocket") || !has(header::CONNECTION, "upgrade") {
        return Err(UpgradeError::Broken("the headers Upgrade and Connection do not confirm it"));
    }
    let accept = headers.get(header::SEC_WEBSOCKET_ACCEPT).and_then(|value| value.to_str().ok());
    if accept.map(str::trim) != Some(derive_accept_key(key.as_bytes()).as_str()) {
        return Err(UpgradeError::Broken("the Sec-WebSocket-Accept header does not match this request"));
    }
    if headers.contains_key(header::SEC_WEBSOCKET_EXTENSIONS) {
        return Err(UpgradeError::Broken("it chose an extension that was not offered"));
    }
    if headers.contains_key(header::SEC_WEBSOCKET_PROTOCOL) {
        return Err(UpgradeError::Broken("it chose a subprotocol that was not offered"));
    }
    Ok(headers)
}

/// What may help. The status says more than the kind of body: proxies and firewalls send everything as a web page.
fn describe(status: StatusCode, headers: &HeaderMap) -> String {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if status.is_redirection() {
        let to = text(header::LOCATION).map(presentable_url).unwrap_or_default();
        return format!(
            " and a redirect to `{to}`, which is not followed; a login page of the network, or a wrong URL?"
        );
    }
    let is_page =
        text(header::CONTENT_TYPE).is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html"));
    let advice = match status.as_u16() {
        401 => "; check the app key",
        403 if is_page => "; check the app key, and whether a firewall or a proxy on the way refuses the connection",
        403 => "; check the app key",
        404 => "; check the path of the socket URL and the app key",
        407 => "; a proxy on the way requires a user and a password",
        408 => "; the server waited too long for the request",
        426 => "; does something on the way remove the Upgrade header?",
        429 => "; the server asks for fewer connections or attempts",
        502 | 504 => "; a proxy in front of the Pusher server cannot reach it: is the server running?",
        503 => "; the server is overloaded or under maintenance",
        500..=599 => "; the server failed",
        _ if is_page => ", with a web page instead of a WebSocket; check the host and the path of the socket URL",
        _ => "",
    };
    advice.to_owned()
}

impl From<io::Error> for UpgradeError {
    fn from(error: io::Error) -> Self {
        // What the server has against this client's certificate comes after its side of the handshake.
        let of_tls = matches!(tls_error(&error), Some(rustls::Error::AlertReceived(_)));
        if of_tls { Self::Tls(io_reason(&error)) } else { Self::Lost(io_reason(&error)) }
    }
}

impl From<HeadError> for UpgradeError {
    fn from(error: HeadError) -> Self {
        match error {
            HeadError::Lost(error) => error.into(),
            HeadError::Closed => Self::Closed,
            HeadError::CutShort => Self::Lost(error.to_string()),
            HeadError::NotHttp(error) => Self::NotHttp(error),
            HeadError::TooLarge => Self::HeaderTooLarge,
        }
    }
}

#[cfg(test)]
mod tests;
