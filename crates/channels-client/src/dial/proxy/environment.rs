//! The proxies that the environment names.

use std::ffi::OsString;

use super::{Exceptions, Proxies, Proxy, ProxyError};

/// Reads the usual variables by `variable`.
pub(super) fn read(variable: impl Fn(&str) -> Option<OsString>) -> Result<Proxies, ProxyError> {
    // The web server of a CGI program puts the header `Proxy` of a request there.
    let is_cgi = variable("REQUEST_METHOD").is_some();
    let value = |names: [&'static str; 2]| -> Result<Option<(&'static str, String)>, ProxyError> {
        // Where the case of a name makes no difference, it is the same variable.
        let is_from_request =
            |name: &str| is_cgi && (name == "HTTP_PROXY" || cfg!(windows) && name.eq_ignore_ascii_case("http_proxy"));
        for name in names.into_iter().filter(|name| !is_from_request(name)) {
            let value = variable(name).filter(|value| !value.is_empty());
            let text = value.map(OsString::into_string).transpose();
            if let Some(text) = text.map_err(|_| ProxyError::NotText { variable: name })? {
                return Ok(Some((name, text)));
            }
        }
        Ok(None)
    };
    let proxy = |names| -> Result<Option<Proxy>, ProxyError> {
        let Some((variable, text)) = value(names)? else { return Ok(None) };
        Proxy::parse(&text).map(Some).map_err(|error| ProxyError::Variable { variable, error: Box::new(error) })
    };
    let all = proxy(["all_proxy", "ALL_PROXY"])?;
    let plain = proxy(["http_proxy", "HTTP_PROXY"])?.or_else(|| all.clone());
    let secure = proxy(["https_proxy", "HTTPS_PROXY"])?.or(all);
    let exceptions = match value(["no_proxy", "NO_PROXY"])? {
        Some((variable, list)) => {
            Exceptions::parse(&list).map_err(|error| ProxyError::Variable { variable, error: Box::new(error) })?
        }
        None => Exceptions::default(),
    };
    Ok(Proxies { plain, secure, exceptions })
}
