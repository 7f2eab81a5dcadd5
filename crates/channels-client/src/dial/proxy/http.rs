//! CONNECT (RFC 9110, section 9.3.6).

use ::http::{HeaderMap, StatusCode, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use channels_proto::Secret;
use tokio::io::AsyncWriteExt;

use super::{Credentials, Failure, ProxyProblem, Stream};
use crate::{
    endpoint::Endpoint,
    response_head::{HeadError, ResponseHead, read_head},
};

/// Asks the proxy at the other end of `stream` to connect to `server`.
pub(super) async fn connect(
    mut stream: Stream,
    server: &Endpoint,
    credentials: Option<&Credentials>,
) -> Result<Stream, Failure> {
    let authorization = credentials.map_or_else(String::new, |Credentials { user, password }| {
        let pair = STANDARD.encode(format!("{}:{}", user.expose(), password.expose()));
        format!("Proxy-Authorization: Basic {pair}\r\n")
    });
    let request = Secret::new(format!("CONNECT {server} HTTP/1.1\r\nHost: {server}\r\n{authorization}\r\n"));
    stream.write_all(request.expose().as_bytes()).await?;
    stream.flush().await?;
    let ResponseHead { status, headers, rest } = read_head(&mut stream).await?;
    check(status, &headers, credentials.is_some())?;
    Ok(stream.after(rest))
}

fn check(status: StatusCode, headers: &HeaderMap, had_credentials: bool) -> Result<(), Failure> {
    if status.is_success() {
        return if is_page(headers) { Err(page(status)) } else { Ok(()) };
    }
    let problem = match status.as_u16() {
        407 => {
            let reason = if had_credentials {
                "it does not accept the user and the password"
            } else {
                "it requires a user and a password"
            };
            return Err(Failure::new(ProxyProblem::Credentials, format!("{reason} (HTTP status {status})")));
        }
        408 | 429 | 500..=599 => ProxyProblem::Server,
        _ if status.is_redirection() => return Err(page(status)),
        _ => ProxyProblem::Refused,
    };
    let what = if problem == ProxyProblem::Server { "it could not connect" } else { "it refuses to connect" };
    Err(Failure::new(problem, format!("{what} (HTTP status {status})")))
}

/// A tunnel has no type; a login page of a network has.
fn is_page(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html"))
}

fn page(status: StatusCode) -> Failure {
    Failure::new(ProxyProblem::NotAProxy, format!("it answered with a web page (HTTP status {status})"))
}

impl From<HeadError> for Failure {
    fn from(error: HeadError) -> Self {
        match error {
            HeadError::Lost(error) => error.into(),
            HeadError::Closed => Self::new(ProxyProblem::Closed, "it closed the connection instead of answering"),
            HeadError::CutShort => Self::new(ProxyProblem::Closed, "it closed the connection within its answer"),
            HeadError::NotHttp(error) => {
                Self::new(ProxyProblem::NotAProxy, format!("it does not speak HTTP ({error})"))
            }
            HeadError::TooLarge => {
                Self::new(ProxyProblem::NotAProxy, "the header of its answer is over the limit of 16 KiB or 100 fields")
            }
        }
    }
}
