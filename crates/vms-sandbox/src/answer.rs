//! Error answers of the API.

use axum::{
    Json,
    body::Body,
    response::{Html, IntoResponse, Response},
};
use channels_sandbox::answer::{code, with_retry_after};
use http::{HeaderValue, header};
use serde_json::{Value, json};

/// A refusal, as a Laravel application words it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    status: u16,
    message: &'static str,
    /// The field that is wrong.
    field: Option<&'static str>,
}

impl ApiError {
    pub(crate) const UNAUTHORIZED: Self = Self::new(401, "Unauthenticated.");
    pub(crate) const FORBIDDEN: Self = Self::new(403, "This action is unauthorized.");
    pub(crate) const NOT_FOUND: Self = Self::new(404, "Not found.");
    pub(crate) const EXPIRED: Self = Self::new(419, "The session has expired.");

    pub(crate) const fn new(status: u16, message: &'static str) -> Self {
        Self { status, message, field: None }
    }

    /// 422 for a field.
    pub(crate) const fn invalid(field: &'static str, message: &'static str) -> Self {
        Self { status: 422, message, field: Some(field) }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut body = json!({"message": self.message});
        if let Some(field) = self.field {
            body["errors"] = json!({field: [self.message]});
        }
        (code(self.status), Json(body)).into_response()
    }
}

/// Where a browser that has not logged in is sent.
pub(crate) async fn login_page() -> Html<&'static str> {
    Html("<!DOCTYPE html><html><head><title>Log in</title></head><body>Log in to the VMS.</body></html>")
}

pub(crate) async fn not_found() -> ApiError {
    ApiError::NOT_FOUND
}

pub(crate) async fn method_not_allowed() -> ApiError {
    ApiError::new(405, "The method is not supported for this route.")
}

/// A JSON error with this status.
pub(crate) fn failure(status: u16, retry_after: Option<&str>) -> Response {
    let reason = code(status).canonical_reason().unwrap_or("Error");
    with_retry_after((code(status), Json(json!({"message": reason}))).into_response(), retry_after)
}

/// A JSON document of about this many bytes.
pub(crate) fn huge(bytes: usize) -> Response {
    Json(Value::from("x".repeat(bytes))).into_response()
}

pub(crate) fn verbatim(status: u16, content_type: &str, body: String) -> Response {
    let mut response = (code(status), Body::from(body)).into_response();
    if let Ok(content_type) = HeaderValue::from_str(content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    }
    response
}
