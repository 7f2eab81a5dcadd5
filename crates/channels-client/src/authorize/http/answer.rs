//! The answer of an endpoint.

use ::http::{Response, StatusCode};
use bytes::Bytes;
use channels_proto::{Authorization, AuthorizationError, Printable, Secret, UserAuthentication};
use serde_json::Value;

use crate::{Clock, SystemClock, http::HttpUrl, retry_after::retry_after};

pub(super) fn authorization(answer: &Response<Bytes>) -> Result<Authorization, AuthorizationError> {
    let mut members = Members::of(answer)?;
    let mut authorization = Authorization::new(members.needed("auth")?);
    authorization.channel_data = members.text("channel_data")?;
    authorization.shared_secret = members.text("shared_secret")?.map(Secret::new);
    Ok(authorization)
}

pub(super) fn user_authentication(answer: &Response<Bytes>) -> Result<UserAuthentication, AuthorizationError> {
    let mut members = Members::of(answer)?;
    Ok(UserAuthentication::new(members.needed("auth")?, members.needed("user_data")?))
}

struct Members {
    value: Value,
    status: StatusCode,
}

impl Members {
    fn of(answer: &Response<Bytes>) -> Result<Self, AuthorizationError> {
        let status = answer.status();
        if answer.body().is_empty() {
            return Err(malformed("it is empty", status));
        }
        let value = serde_json::from_slice(answer.body()).map_err(|error| {
            // The text of the error could quote the answer, and that may hold a signature.
            let place = format!("line {}, column {}", error.line(), error.column());
            malformed(&format!("it is not JSON ({place}); is the URL that of a web page?"), status)
        })?;
        Ok(Self { value, status })
    }

    fn text(&mut self, member: &str) -> Result<Option<String>, AuthorizationError> {
        match self.value.get_mut(member).map(Value::take) {
            Some(Value::String(text)) => Ok(Some(text)),
            None | Some(Value::Null) => Ok(None),
            Some(_) => Err(malformed(&format!("its `{member}` is not a string"), self.status)),
        }
    }

    fn needed(&mut self, member: &str) -> Result<String, AuthorizationError> {
        self.text(member)?.ok_or_else(|| malformed(&format!("it has no `{member}`"), self.status))
    }
}

fn malformed(message: &str, status: StatusCode) -> AuthorizationError {
    AuthorizationError::malformed(message).with_status(status.as_u16())
}

/// An answer with an error status.
pub(super) struct Refusal<'a> {
    pub(super) url: &'a HttpUrl,
    pub(super) answer: &'a Response<Bytes>,
}

impl Refusal<'_> {
    /// Returns what it means, with the beginning of what it says; `hide` takes out what the endpoint was told.
    pub(super) fn into_error(self, hide: impl FnOnce(&str) -> String) -> AuthorizationError {
        let Self { url, answer } = self;
        let status = answer.status();
        let said = AuthorizationError::denied(status.as_u16()).saying(&excerpt(answer.body(), hide));
        let passes = matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
        if !passes && !status.is_server_error() {
            return said;
        }
        let said = if let AuthorizationError::Denied { said: Some(said), .. } = &said {
            format!(": {}", Printable(said))
        } else {
            String::new()
        };
        let error = AuthorizationError::unavailable(format!("{url} answered with status {status}{said}"));
        let error = error.with_status(status.as_u16());
        match retry_after(answer.headers(), SystemClock::new().wall()) {
            Some(wait) => error.after(wait),
            None => error,
        }
    }
}

/// Returns the beginning of an error's body as far as it may be shown.
fn excerpt(body: &[u8], hide: impl FnOnce(&str) -> String) -> String {
    let text = String::from_utf8_lossy(body.get(..LONGEST_READ).unwrap_or(body));
    // A body that may hold an authorization, whatever its status, is not shown.
    if ["\"auth\"", "shared_secret"].iter().any(|member| text.contains(member)) {
        return String::new();
    }
    hide_what_looks_secret(&hide(&text))
}

/// Replaces what looks like a token or a signature.
fn hide_what_looks_secret(text: &str) -> String {
    let is_of_tokens = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-');
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = if is_of_tokens(first) {
            rest.find(|c| !is_of_tokens(c)).unwrap_or(rest.len())
        } else {
            rest.find(is_of_tokens).unwrap_or(rest.len())
        };
        let (word, after) = rest.split_at(end);
        shown.push_str(if looks_secret(word) { "***" } else { word });
        rest = after;
    }
    shown
}

/// Long, and with a digit or with capitals all over, as neither words nor the names of classes and paths are.
fn looks_secret(word: &str) -> bool {
    let capitals = word.bytes().filter(u8::is_ascii_uppercase).count();
    word.len() >= SHORTEST_TOKEN && (word.bytes().any(|byte| byte.is_ascii_digit()) || capitals * 4 >= word.len())
}

/// More than an excerpt needs, in bytes.
const LONGEST_READ: usize = 4096;
const SHORTEST_TOKEN: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    // Q01
    #[test]
    fn what_looks_like_a_token_or_a_signature_is_not_shown() {
        let signature = "58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4";
        let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U";
        let key = "NL7g9wE+sQ0/4lYhYB1tPzYjHkVb7tq2m3XoZ1p5cQk=";
        let shown = |text: &str| excerpt(text.as_bytes(), str::to_owned);
        assert_eq!(shown(&format!("bad signature key:{signature}")), "bad signature key:***");
        assert_eq!(shown(&format!("token {jwt} has ended")), "token ***.***.*** has ended");
        assert_eq!(shown(&format!("<{key}>")), "<***>");
        assert_eq!(shown(&format!("csrf {}", "aBcDeFgHiJkLmNoPqRsTuVwXyZabcd")), "csrf ***");
        for authorization in [r#"{"auth":"key:abc"}"#, r#"{"error":1,"shared_secret":"abc"}"#] {
            assert_eq!(shown(authorization), "");
        }
    }

    #[test]
    fn what_a_person_can_read_is_shown() {
        for text in [
            r#"{"message":"You are not a member of room 7","exception":"Illuminate\\Auth\\AuthenticationException"}"#,
            "MethodNotAllowedHttpException at /api/broadcasting/auth/of/users",
            "accès refusé à «private-user.42»",
        ] {
            assert_eq!(excerpt(text.as_bytes(), str::to_owned), text);
        }
        assert_eq!(excerpt(b"a\xff\xfe", str::to_owned), "a\u{fffd}\u{fffd}");
    }
}
