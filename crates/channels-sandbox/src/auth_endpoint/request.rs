//! What the endpoint is asked.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

/// Parameters or fields, by their names.
pub(super) type Fields = BTreeMap<String, String>;

/// A request that the endpoint received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthRequest {
    /// `/pusher/auth` or `/pusher/user-auth`.
    pub path: &'static str,
    /// The headers that are text, by their names in lower case; the last of each name.
    pub headers: BTreeMap<String, String>,
    /// The parameters of the query.
    pub query: BTreeMap<String, String>,
    /// The fields of the form.
    pub form: BTreeMap<String, String>,
}

impl AuthRequest {
    pub(super) fn new(path: &'static str, headers: &HeaderMap, query: Fields, form: Fields) -> Self {
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        Self { path, headers: headers.iter().filter_map(text).collect(), query, form }
    }

    pub(super) fn field(&self, name: &str) -> &str {
        self.form.get(name).map_or("", String::as_str)
    }

    /// Something that the client says of its user.
    pub(super) fn saying(&self, name: &str) -> Option<&str> {
        let header = || self.headers.get(&format!("x-{}", name.replace('_', "-")));
        self.form.get(name).or_else(|| self.query.get(name)).or_else(header).map(String::as_str)
    }

    pub(super) fn user_id(&self) -> &str {
        self.saying("user_id").unwrap_or_else(|| self.field("socket_id"))
    }

    /// `Err` if it is not JSON.
    pub(super) fn user_info(&self) -> Result<Option<Value>, serde_json::Error> {
        self.saying("user_info").map(serde_json::from_str).transpose()
    }
}
