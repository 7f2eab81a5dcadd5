//! Who makes a request.

use http::{HeaderMap, header};

use crate::{
    accounts::{Bearer, Session},
    answer::ApiError,
    vms::Vms,
};

/// The session of the bearer token; 401 if it is missing or unknown, 419 if it has expired.
pub(crate) fn bearer(vms: &Vms, headers: &HeaderMap) -> Result<Session, ApiError> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = value.and_then(|value| value.strip_prefix("Bearer ")).ok_or(ApiError::UNAUTHORIZED)?;
    match vms.accounts().bearer(token) {
        Bearer::Valid(session) => Ok(session),
        Bearer::Expired => Err(ApiError::EXPIRED),
        Bearer::Unknown => Err(ApiError::UNAUTHORIZED),
    }
}

/// The socket that made the call, to be left out of what the call broadcasts.
pub(crate) fn calling_socket(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("x-socket-id")?.to_str().ok()?;
    (!value.is_empty()).then(|| value.to_owned())
}
