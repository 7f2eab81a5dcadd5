use std::time::{Duration, SystemTime};

use bytes::Bytes;
use channels_client::TokenError;
use channels_client::http::{ConnectError, HttpError, HttpUrl, retry_after};
use channels_proto::{Printable, Secret};
use http::Response;
use thiserror::Error;

use crate::connection::{PusherError, PusherErrorKind};

/// Why a call of the API failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ApiError {
    kind: ApiErrorKind,
    status: Option<u16>,
    message: String,
    for_person: Option<String>,
    retry_after: Option<Duration>,
    /// What kept the server from being asked.
    failed: Option<PusherErrorKind>,
}

/// The kind of failure, for a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ApiErrorKind {
    /// The token is not valid (401), or there is none: log in.
    Unauthorized,
    /// The user may not do that (403).
    Forbidden,
    /// There is no such resource (404).
    NotFound,
    /// The server requires a newer client (409).
    ForceUpdate,
    /// The session has expired (419): log in.
    SessionExpired,
    /// The server does not accept what was sent (400, 422), such as a wrong password.
    IncorrectData,
    /// Too many calls (429): wait for [`ApiError::retry_after`].
    RateLimited,
    /// The server failed (500 and other 5xx).
    ServerError,
    /// The server is under maintenance (503).
    Maintenance,
    /// Any other status.
    UnexpectedStatus,
    /// The server could not be reached, or the connection was lost.
    Unreachable,
    /// The server did not answer in time.
    TimedOut,
    /// The answer is not one of this API: a redirect, a web page, too large.
    UnusableAnswer,
    /// The response is valid for this API but contains a value that no client can work with: a negative id, a token
    /// with a line break, an address that is none.
    UnusableValue,
}

impl ApiError {
    /// Returns the kind of failure.
    #[must_use]
    pub fn kind(&self) -> ApiErrorKind {
        self.kind
    }

    /// Returns the HTTP status, if there was a response.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// Returns the server's message for the user, if there is one.
    #[must_use]
    pub fn for_person(&self) -> Option<&str> {
        self.for_person.as_deref()
    }

    /// Returns whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.kind {
            ApiErrorKind::RateLimited
            | ApiErrorKind::ServerError
            | ApiErrorKind::Maintenance
            | ApiErrorKind::Unreachable
            | ApiErrorKind::TimedOut => true,
            ApiErrorKind::Unauthorized
            | ApiErrorKind::Forbidden
            | ApiErrorKind::NotFound
            | ApiErrorKind::ForceUpdate
            | ApiErrorKind::SessionExpired
            | ApiErrorKind::IncorrectData
            | ApiErrorKind::UnexpectedStatus
            | ApiErrorKind::UnusableAnswer
            | ApiErrorKind::UnusableValue => false,
        }
    }

    /// Returns how long the server asks to wait, between one second and five minutes.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    fn new(kind: ApiErrorKind, message: String) -> Self {
        Self { kind, status: None, message, for_person: None, retry_after: None, failed: None }
    }
}

/// The same error as a stream reports it: the kind says what kept the request from the server, and is
/// [`PusherErrorKind::Api`] for every unusable response.
impl From<&ApiError> for PusherError {
    fn from(error: &ApiError) -> Self {
        let kind = error.failed.unwrap_or(PusherErrorKind::Api);
        Self { kind, code: None, status: error.status, message: error.message.clone() }
    }
}

crate::model::model! {
    struct Complaint {
        optional {
            message: String = "message",
        }
    }
}

/// `secrets` are what the server was shown: it may have put them into what it says.
pub(super) fn of_status(url: &HttpUrl, response: &Response<Bytes>, now: SystemTime, secrets: &[&Secret]) -> ApiError {
    let status = response.status().as_u16();
    let kind = match status {
        401 => ApiErrorKind::Unauthorized,
        403 => ApiErrorKind::Forbidden,
        404 => ApiErrorKind::NotFound,
        409 => ApiErrorKind::ForceUpdate,
        419 => ApiErrorKind::SessionExpired,
        400 | 422 => ApiErrorKind::IncorrectData,
        429 => ApiErrorKind::RateLimited,
        503 => ApiErrorKind::Maintenance,
        500..=599 => ApiErrorKind::ServerError,
        _ => ApiErrorKind::UnexpectedStatus,
    };
    let complaint = serde_json::from_slice::<Complaint>(response.body()).unwrap_or_default().message;
    let for_person = complaint.filter(|text| !text.is_empty()).map(|text| shorten(&hidden(text, secrets)));
    let what = describe(kind, status);
    let message = match &for_person {
        Some(text) => format!("{url} answered with status {status} ({what}): {}", Printable(text)),
        None => format!("{url} answered with status {status} ({what})"),
    };
    let retry_after = retry_after(response.headers(), now);
    ApiError { status: Some(status), for_person, retry_after, ..ApiError::new(kind, message) }
}

pub(super) fn hidden(text: String, secrets: &[&Secret]) -> String {
    secrets.iter().fold(text, |text, secret| secret.hide_in(&text).into_owned())
}

pub(super) fn of_http(mut error: HttpError, secrets: &[&Secret]) -> ApiError {
    if let HttpError::Redirected { to, .. } = &mut error {
        *to = hidden(std::mem::take(to), secrets);
    }
    let error = &error;
    let kind = match error {
        HttpError::TimedOut { .. } => ApiErrorKind::TimedOut,
        HttpError::Redirected { .. } | HttpError::TooLarge { .. } => ApiErrorKind::UnusableAnswer,
        HttpError::Connect(_) | HttpError::Failed { .. } | HttpError::ForeignOrigin { .. } | _ => {
            ApiErrorKind::Unreachable
        }
    };
    let status = if let HttpError::Redirected { status, .. } = error { Some(status.as_u16()) } else { None };
    ApiError { status, failed: failed(error), ..ApiError::new(kind, error.to_string()) }
}

const fn failed(error: &HttpError) -> Option<PusherErrorKind> {
    match error {
        HttpError::Connect(ConnectError::Resolve { .. }) => Some(PusherErrorKind::Resolve),
        HttpError::Connect(ConnectError::Tcp { .. } | ConnectError::Lost { .. }) => Some(PusherErrorKind::Network),
        HttpError::Connect(ConnectError::Certificate { .. } | ConnectError::Clock { .. }) => {
            Some(PusherErrorKind::Certificate)
        }
        HttpError::Connect(ConnectError::Tls { .. }) => Some(PusherErrorKind::Tls),
        HttpError::TimedOut { .. } => Some(PusherErrorKind::TimedOut),
        HttpError::Failed { .. } => Some(PusherErrorKind::Lost),
        HttpError::Connect(_)
        | HttpError::ForeignOrigin { .. }
        | HttpError::Redirected { .. }
        | HttpError::TooLarge { .. }
        | _ => None,
    }
}

pub(super) fn of_token(error: &TokenError) -> ApiError {
    let is_denied = matches!(error, TokenError::Denied { .. });
    let kind = if is_denied { ApiErrorKind::Unauthorized } else { ApiErrorKind::Unreachable };
    ApiError::new(kind, error.to_string())
}

pub(super) fn no_token() -> ApiError {
    ApiError::new(ApiErrorKind::Unauthorized, "this call needs an access token: log in first".to_owned())
}

pub(super) fn bad_token() -> ApiError {
    let message = "the access token contains a character that is not allowed in a header, so nothing was sent";
    ApiError::new(ApiErrorKind::Unauthorized, message.to_owned())
}

pub(super) fn interrupted() -> ApiError {
    ApiError::new(ApiErrorKind::Unreachable, "the call was interrupted: its runtime is shutting down".to_owned())
}

pub(super) fn unusable(url: &HttpUrl, reason: &str) -> ApiError {
    let message = format!("{url} gave an unusable answer: {reason}");
    ApiError::new(ApiErrorKind::UnusableAnswer, message)
}

pub(super) fn unusable_value(url: &HttpUrl, reason: &str) -> ApiError {
    ApiError::new(ApiErrorKind::UnusableValue, format!("{url} gave an answer with an unusable value: {reason}"))
}

const fn describe(kind: ApiErrorKind, status: u16) -> &'static str {
    match kind {
        ApiErrorKind::ServerError if matches!(status, 502 | 504) => "a proxy in front of the server cannot reach it",
        ApiErrorKind::Unauthorized => "the token is not valid",
        ApiErrorKind::Forbidden => "not allowed for this user",
        ApiErrorKind::NotFound => "nothing was found at this address",
        ApiErrorKind::ForceUpdate => "the server requires a newer client",
        ApiErrorKind::SessionExpired => "the session has expired",
        ApiErrorKind::IncorrectData => "the server did not accept the data",
        ApiErrorKind::RateLimited => "too many calls",
        ApiErrorKind::ServerError => "the server failed",
        ApiErrorKind::Maintenance => "the server is under maintenance",
        ApiErrorKind::UnexpectedStatus => "not a status of this API",
        ApiErrorKind::Unreachable
        | ApiErrorKind::TimedOut
        | ApiErrorKind::UnusableAnswer
        | ApiErrorKind::UnusableValue => "no usable answer",
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(MAX_COMPLAINT_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

const MAX_COMPLAINT_CHARS: usize = 500;
