//! Who may use the control API: programs that know its address, but no web page.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use channels_sandbox::Server;
use http::{HeaderMap, header, uri::Authority};

use super::failure::Failure;
use crate::vms::Vms;

/// A web page that a person has open must not control the sandbox behind their back. Its cross-origin requests carry an
/// `Origin`; and if its own domain name resolves to the sandbox, that name is in `Host`.
pub(crate) async fn no_web_pages(State(vms): State<Arc<Vms>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    if headers.contains_key(header::ORIGIN) {
        return Failure::new(403, "web pages may not use the control API").into_response();
    }
    if !names_this_sandbox(headers, &vms.server) {
        let error = format!("the control API must be addressed by its own URL: {}", vms.server.base_url());
        return Failure::new(403, error).into_response();
    }
    next.run(request).await
}

/// Whether the only `Host` names the sandbox: by a loopback address or name, the address it is bound to, or the host of its
/// URLs; and by its port.
fn names_this_sandbox(headers: &HeaderMap, server: &Server) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let authority = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
    let Some(authority) = authority.filter(|authority| !authority.as_str().contains('@')) else { return false };
    let default_port = if server.is_tls() { 443 } else { 80 };
    let bound = server.local_addr();
    if authority.port_u16().unwrap_or(default_port) != bound.port() {
        return false;
    }
    let name = authority.host();
    match name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        // A browser that followed a name sends that name, never the address it leads to.
        Ok(address) => address.is_loopback() || bound.ip().is_unspecified() || address == bound.ip(),
        Err(_) => {
            name.eq_ignore_ascii_case("localhost") || server.host().is_some_and(|host| name.eq_ignore_ascii_case(host))
        }
    }
}
