//! Guests: callers without an accepted token.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use channels_sandbox::answer::redirect;
use http::{HeaderMap, StatusCode, header};

use crate::vms::Vms;

/// A guest that asked for JSON gets the 401; any other is taken for a browser and sent to the login page, as frameworks in
/// PHP do.
pub(super) async fn send_to_login(State(vms): State<Arc<Vms>>, request: Request, next: Next) -> Response {
    let expects_json = expects_json(request.headers());
    let response = next.run(request).await;
    if response.status() != StatusCode::UNAUTHORIZED || expects_json {
        return response;
    }
    redirect(302, &format!("{}/login", vms.server.base_url()))
}

/// What is accepted first is JSON, or a script asks that takes anything.
fn expects_json(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let first = first_accepted(text(header::ACCEPT.as_str()));
    let is_script = text("x-requested-with").eq_ignore_ascii_case("XMLHttpRequest");
    first.contains("/json") || first.contains("+json") || is_script && ["", "*", "*/*"].contains(&first)
}

/// The media type of the greatest quality; the first of several.
fn first_accepted(accept: &str) -> &str {
    let mut best = ("", 0.0);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let type_ = parts.next().unwrap_or_default();
        let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
        if quality > best.1 {
            best = (type_, quality);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_media_type_of_the_greatest_quality_is_the_first() {
        assert_eq!(first_accepted("text/html, application/json"), "text/html");
        assert_eq!(first_accepted("text/html;q=0.8, application/json ; q=0.9, */*;q=0.1"), "application/json");
        assert_eq!(first_accepted(""), "");
    }
}
