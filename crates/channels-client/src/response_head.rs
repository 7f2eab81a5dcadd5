//! The head of an HTTP/1.1 response, where no HTTP client reads it: that to an upgrade, and that of a proxy.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};

/// A complete head that is not an interim one.
#[derive(Debug)]
pub(crate) struct ResponseHead {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The bytes that came behind it.
    pub(crate) rest: Vec<u8>,
}

/// Why there is no head.
#[derive(Debug, Error)]
pub(crate) enum HeadError {
    #[error("{0}")]
    Lost(#[from] std::io::Error),
    #[error("the connection was closed")]
    Closed,
    #[error("the response ended within its header")]
    CutShort,
    #[error("this is not HTTP ({0})")]
    NotHttp(httparse::Error),
    #[error("the response header is over the limit of 16 KiB or 100 fields")]
    TooLarge,
}

/// Reads from `stream` until there is a head, behind any interim ones. All of them together have to keep to the limit.
pub(crate) async fn read_head<S: AsyncRead + Unpin>(stream: &mut S) -> Result<ResponseHead, HeadError> {
    let mut received = Vec::with_capacity(FIRST_READ);
    // Where the answer begins, behind the interim ones.
    let mut begin = 0;
    loop {
        if stream.read_buf(&mut received).await? == 0 {
            return Err(if received.len() == begin { HeadError::Closed } else { HeadError::CutShort });
        }
        while let Some((status, headers, end)) = parse(&received, begin)? {
            begin = end;
            if !is_interim(status) {
                received.drain(..end);
                return Ok(ResponseHead { status, headers, rest: received });
            }
        }
        if received.len() >= MAX_HEADER {
            return Err(HeadError::TooLarge);
        }
    }
}

/// Whether another answer follows (RFC 9110, section 15.2), such as behind `103 Early Hints`.
fn is_interim(status: StatusCode) -> bool {
    status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS
}

/// Parses the head that starts at `begin`, and says where it ends; none when it is not complete.
fn parse(received: &[u8], begin: usize) -> Result<Option<(StatusCode, HeaderMap, usize)>, HeadError> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    let end = match response.parse(received.get(begin..).unwrap_or_default()) {
        Ok(httparse::Status::Complete(length)) if begin + length <= MAX_HEADER => begin + length,
        Ok(httparse::Status::Complete(_)) | Err(httparse::Error::TooManyHeaders) => return Err(HeadError::TooLarge),
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(HeadError::NotHttp(error)),
    };
    let status = response.code.and_then(|code| StatusCode::from_u16(code).ok());
    let status = status.ok_or(HeadError::NotHttp(httparse::Error::Status))?;
    let mut headers = HeaderMap::new();
    for field in response.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(field.value)) {
            headers.append(name, value);
        }
    }
    Ok(Some((status, headers, end)))
}

const FIRST_READ: usize = 1024;
const MAX_HEADER: usize = 16 * 1024;
const MAX_FIELDS: usize = 100;
