//! The request to an endpoint.

use ::http::{HeaderMap, HeaderValue, Method, Request, header};
use bytes::Bytes;
use channels_proto::{AuthorizationError, Secret};

use super::extras::{EndpointExtras, EndpointRequest};
use crate::http::{HttpClient, HttpUrl};

pub(super) struct Endpoint {
    pub(super) http: HttpClient,
    pub(super) url: HttpUrl,
}

pub(super) fn form(request: &EndpointRequest, params: &[(String, String)], extras: &EndpointExtras) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("socket_id", request.socket_id.as_str());
    if let Some(channel) = &request.channel {
        form.append_pair("channel_name", channel.as_str());
    }
    form.extend_pairs(params).extend_pairs(&extras.params);
    form.finish()
}

/// Returns the request for a form, without headers.
pub(super) fn request(url: &HttpUrl, form: String, uses_get: bool) -> Result<Request<Bytes>, AuthorizationError> {
    let (method, target, body) = if uses_get {
        (Method::GET, format!("{}?{form}", url.path()), Bytes::new())
    } else {
        (Method::POST, url.path().to_owned(), Bytes::from(form))
    };
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() =
        target.parse().map_err(|_| AuthorizationError::malformed("the URL of the endpoint has no usable path"))?;
    Ok(request)
}

pub(super) fn add_headers(
    request: &mut Request<Bytes>,
    of_all: &HeaderMap,
    extras: &EndpointExtras,
    token: Option<&Secret>,
) -> Result<(), AuthorizationError> {
    let posts = *request.method() == Method::POST;
    let headers = request.headers_mut();
    headers.clone_from(of_all);
    for (name, value) in &extras.headers {
        headers.insert(name, value.clone());
    }
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    if posts {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    }
    if let Some(token) = token {
        headers.insert(header::AUTHORIZATION, bearer(token)?);
    }
    Ok(())
}

fn bearer(token: &Secret) -> Result<HeaderValue, AuthorizationError> {
    let text = Secret::new(format!("Bearer {}", token.expose()));
    let mut value = HeaderValue::from_str(text.expose()).map_err(|_| {
        AuthorizationError::malformed(
            "the token contains a character that is not allowed in a header, so nothing was sent",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Takes out of `text` what the endpoint was told in headers and parameters of the caller's.
pub(super) fn hide_values(
    text: String,
    headers: &HeaderMap,
    params: &[(String, String)],
    extras: &EndpointExtras,
) -> String {
    let headers = || headers.values().chain(extras.headers.values()).filter_map(|value| value.to_str().ok());
    // The token behind a scheme, the values of cookies.
    let parts = headers().flat_map(|value| value.split([' ', ';', ',', '=', '"']));
    let params = params.iter().chain(&extras.params).map(|(_, value)| value.as_str());
    headers().chain(parts).chain(params).fold(text, |text, value| Secret::new(value).hide_in(&text).into_owned())
}
