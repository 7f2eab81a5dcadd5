//! A request that could not be carried out.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;

use super::model::ControlFailure;

pub(super) struct Failure {
    status: u16,
    error: String,
}

impl Failure {
    pub(super) fn new(status: u16, error: impl std::fmt::Display) -> Self {
        Self { status, error: error.to_string() }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(ControlFailure { error: self.error })).into_response()
    }
}
