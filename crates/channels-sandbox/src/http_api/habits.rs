//! The differences between the servers.

use axum::{
    Json,
    response::{IntoResponse as _, Response},
};
use http::StatusCode;
use serde_json::{Value, json};

use super::failure::{Failure, FailureKind};
use crate::profile::Profile;

/// How a server answers. A limit that is `None` is one that the server does not have.
pub(super) struct Habits {
    /// Whether `auth_timestamp` must be close to the server's time.
    pub(super) checks_timestamp: bool,
    /// Whether a GET may have a `body_md5`.
    pub(super) sums_empty_bodies: bool,
    /// Whether `data` must be there, and a string.
    pub(super) needs_text: bool,
    /// Whether channel names and socket ids are checked, and an encrypted channel must be the only one of an event.
    pub(super) checks_targets: bool,
    /// Whether `user_count` may be asked for only where there are members.
    pub(super) checks_user_count: bool,
    /// Whether a channel is described by its counts even if nobody asked for them.
    pub(super) always_counts: bool,
    /// Whether the answer to an event has the counts that were asked for.
    pub(super) tells_info: bool,
    pub(super) limits: Limits,
    /// The answer to an event.
    done: fn() -> Value,
    /// The answer to a batch.
    batch_done: fn() -> Value,
    failure: fn(&Failure) -> Response,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limits {
    /// Bytes of a request's body.
    pub(super) request: Option<usize>,
    /// Bytes of an event's data.
    pub(super) data: Option<usize>,
    /// Characters of an event's name.
    pub(super) event_name: Option<usize>,
    pub(super) channels: Option<usize>,
    pub(super) batch: Option<usize>,
}

impl Habits {
    /// `None` for push1st, whose API is another.
    pub(super) fn of(profile: Profile) -> Option<Self> {
        match profile {
            Profile::Pusher7 => Some(pusher7()),
            Profile::Push1st => None,
            Profile::Reverb => Some(reverb()),
            Profile::Sockudo => Some(sockudo()),
            Profile::Soketi => Some(soketi()),
        }
    }

    pub(super) fn done(&self) -> Value {
        (self.done)()
    }

    pub(super) fn batch_done(&self) -> Value {
        (self.batch_done)()
    }

    /// A response as this server words it.
    pub(super) fn render(&self, mut response: Response) -> Response {
        match response.extensions_mut().remove::<Failure>() {
            Some(failure) => (self.failure)(&failure),
            None => response,
        }
    }
}

/// Pusher's documentation, "HTTP API reference".
fn pusher7() -> Habits {
    Habits {
        checks_timestamp: true,
        sums_empty_bodies: true,
        needs_text: true,
        checks_targets: true,
        checks_user_count: true,
        always_counts: false,
        tells_info: true,
        limits: Limits {
            request: None,
            data: Some(10_240),
            event_name: Some(200),
            channels: Some(100),
            batch: Some(10),
        },
        done: || json!({}),
        batch_done: || json!({}),
        failure: |failure| {
            let status = match failure.kind {
                FailureKind::OtherApp => StatusCode::FORBIDDEN,
                FailureKind::Invalid => StatusCode::BAD_REQUEST,
                FailureKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                FailureKind::Unauthorized => StatusCode::UNAUTHORIZED,
            };
            (status, format!("{failure}\n")).into_response()
        },
    }
}

fn reverb() -> Habits {
    Habits {
        checks_timestamp: false,
        sums_empty_bodies: true,
        needs_text: true,
        checks_targets: false,
        checks_user_count: false,
        always_counts: false,
        tells_info: true,
        limits: Limits { request: Some(10_000), ..Limits::default() },
        done: || json!({}),
        batch_done: || json!({"batch": {}}),
        failure: |failure| match failure.kind {
            FailureKind::OtherApp => (StatusCode::NOT_FOUND, "No such application").into_response(),
            FailureKind::Invalid => {
                let problems = json!({(failure.part): [failure.text]});
                (StatusCode::UNPROCESSABLE_ENTITY, Json(problems)).into_response()
            }
            FailureKind::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Payload too large.").into_response(),
            FailureKind::Unauthorized => {
                (StatusCode::UNAUTHORIZED, "The signature of the request is invalid.").into_response()
            }
        },
    }
}

fn sockudo() -> Habits {
    Habits {
        checks_timestamp: true,
        sums_empty_bodies: false,
        needs_text: false,
        checks_targets: false,
        checks_user_count: true,
        always_counts: false,
        tells_info: true,
        limits: Limits { event_name: Some(200), ..Limits::default() },
        done: || json!({"ok": true}),
        batch_done: || json!({}),
        failure: |failure| {
            let (status, code) = match failure.kind {
                FailureKind::Invalid => (StatusCode::BAD_REQUEST, "invalid_input"),
                FailureKind::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "limit_exceeded"),
                FailureKind::OtherApp | FailureKind::Unauthorized => (StatusCode::UNAUTHORIZED, "auth_failed"),
            };
            let body = json!({"status": status.as_u16(), "code": code, "error": failure.text});
            (status, Json(body)).into_response()
        },
    }
}

fn soketi() -> Habits {
    Habits {
        checks_timestamp: false,
        sums_empty_bodies: true,
        needs_text: true,
        checks_targets: false,
        checks_user_count: false,
        always_counts: true,
        tells_info: false,
        limits: Limits {
            request: None,
            data: Some(100 * 1024),
            event_name: Some(200),
            channels: Some(100),
            batch: Some(10),
        },
        done: || json!({"ok": true}),
        batch_done: || json!({"ok": true}),
        failure: |failure| {
            let status = match failure.kind {
                FailureKind::OtherApp => StatusCode::NOT_FOUND,
                FailureKind::Invalid => StatusCode::BAD_REQUEST,
                FailureKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                FailureKind::Unauthorized => StatusCode::UNAUTHORIZED,
            };
            let body = json!({"error": failure.text, "code": status.as_u16()});
            (status, Json(body)).into_response()
        },
    }
}
