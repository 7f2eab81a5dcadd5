//! What is checked before a request is carried out.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest as _, Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{Method, StatusCode, request::Parts};

use super::{
    api::{Api, Parameters},
    failure::Failure,
    signature::{self, Signed},
};
use crate::activity::Activity;

/// Carries out a request that is signed and not too large, and words what failed as the profile's server does.
pub(super) async fn admit(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let (method, path) = (parts.method.to_string(), parts.uri.path().to_owned());
    let response = match check(&api, &mut parts, body).await {
        Ok(body) => next.run(Request::from_parts(parts, Body::from(body))).await,
        Err(failure) => failure.into_response(),
    };
    let response = api.habits.render(response);
    api.shared.journal.tell(Activity::Request { method, path, status: response.status().as_u16() });
    response
}

/// The body, if everything is in order. The parameters of the query are left in the extensions.
async fn check(api: &Api, parts: &mut Parts, body: Body) -> Result<Bytes, Failure> {
    let body = Bytes::from_request(Request::from_parts(parts.clone(), body), &()).await.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return Failure::too_large("body", "the body of the request is too large");
        }
        Failure::invalid("body", "the body of the request ended early")
    })?;
    let parameters = signature::parameters(parts.uri.query().unwrap_or_default());
    if parts.method == Method::GET && !api.habits.sums_empty_bodies && parameters.contains_key("body_md5") {
        return Err(Failure::unauthorized("body_md5", "body_md5 must not be among the parameters of a GET"));
    }
    let path = parts.uri.path();
    let now = api.habits.checks_timestamp.then(|| api.clock.now());
    let signed = Signed { method: parts.method.as_str(), path, parameters: &parameters, body: &body };
    let app = &api.shared.app;
    signed.check(app, now)?;
    match path.split('/').nth(2) {
        Some(id) if id == app.id => {}
        id => return Err(Failure::other_app(id.unwrap_or_default())),
    }
    parts.extensions.insert(Parameters::new(parameters));
    Ok(body)
}
