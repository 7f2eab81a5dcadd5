//! Requests that are not carried out.

use axum::response::{IntoResponse, Response};
use http::StatusCode;

/// Why a request is not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub(super) struct Failure {
    pub(super) kind: FailureKind,
    /// The part of the request that is wrong.
    pub(super) part: &'static str,
    pub(super) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FailureKind {
    /// The key is valid, but not for this application.
    OtherApp,
    /// Something in the request is missing, malformed or over a limit.
    Invalid,
    TooLarge,
    /// The signature, or something that it needs, is wrong.
    Unauthorized,
}

impl Failure {
    pub(super) fn invalid(part: &'static str, text: impl Into<String>) -> Self {
        Self { kind: FailureKind::Invalid, part, text: text.into() }
    }

    pub(super) fn too_large(part: &'static str, text: impl Into<String>) -> Self {
        Self { kind: FailureKind::TooLarge, part, text: text.into() }
    }

    pub(super) fn unauthorized(part: &'static str, text: impl Into<String>) -> Self {
        Self { kind: FailureKind::Unauthorized, part, text: text.into() }
    }

    pub(super) fn other_app(app_id: &str) -> Self {
        let text = format!("auth_key is the key of another application than {app_id:?}");
        Self { kind: FailureKind::OtherApp, part: "app_id", text }
    }
}

/// Not what is sent: [`Habits::render`](super::habits::Habits::render) makes that out of the extension.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
