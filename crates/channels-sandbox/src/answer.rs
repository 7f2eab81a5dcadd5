//! Responses that a client does not expect: a bare status, a page, a redirect.

use axum::response::{Html, IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};

/// This status without a body; 500 for a number that is not a valid status.
#[must_use]
pub fn status(status: u16, retry_after: Option<&str>) -> Response {
    with_retry_after(code(status).into_response(), retry_after)
}

/// The page that a captive portal or a proxy shows instead of the server.
#[must_use]
pub fn html(status: u16) -> Response {
    let page = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in to this network.</body></html>";
    (code(status), Html(page)).into_response()
}

/// A redirect; without a `Location` if the given one is not a valid header value.
#[must_use]
pub fn redirect(status: u16, location: &str) -> Response {
    let mut response = code(status).into_response();
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// The response with a `Retry-After`, if one is given that is a valid header value.
#[must_use]
pub fn with_retry_after(mut response: Response, retry_after: Option<&str>) -> Response {
    if let Some(value) = retry_after.and_then(|value| HeaderValue::from_str(value).ok()) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

/// The status with this number; 500 if it is not valid.
#[must_use]
pub fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
