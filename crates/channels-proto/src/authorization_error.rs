use std::time::Duration;

use thiserror::Error;

use crate::{Printable, SubscriptionError};

/// Why there is no authorization.
///
/// No text in it may hold a secret: no token, no signature, no key. That of a server is cut and printable.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AuthorizationError {
    /// The endpoint refused, even with a fresh token: 401 and 419 are final, any other status is retried slowly.
    #[error("the authorization was denied with status {status}{}{}", denial(*.status), quotation(.said.as_deref()))]
    #[non_exhaustive]
    Denied {
        /// The HTTP status.
        status: u16,
        /// The beginning of what the endpoint said.
        said: Option<Box<str>>,
    },
    /// The endpoint could not be reached or could not answer; retried after a back-off.
    #[error("the authorization endpoint is unavailable: {}", Printable(.message))]
    #[non_exhaustive]
    Unavailable {
        /// What failed, with the beginning of what the endpoint said.
        message: String,
        /// The HTTP status, when there was an answer.
        status: Option<u16>,
        /// How long the endpoint asked to wait.
        retry_after: Option<Duration>,
    },
    /// The endpoint's answer was not an authorization; retried, slowly from the third time on.
    #[error("the authorization endpoint gave an unusable answer: {}", Printable(.message))]
    #[non_exhaustive]
    Malformed {
        /// What was wrong with the answer.
        message: String,
        /// The HTTP status, when there was one.
        status: Option<u16>,
    },
    /// The authorizer declines by itself, and asking again would not help: final.
    #[error("the authorizer declined: {}", Printable(.message))]
    #[non_exhaustive]
    Declined {
        /// Why, and what to do.
        message: String,
    },
    /// The endpoint did not answer in time; retried after a back-off.
    #[error("the authorization endpoint did not answer in time")]
    TimedOut,
}

impl AuthorizationError {
    /// Creates a refusal with an HTTP status.
    #[must_use]
    pub const fn denied(status: u16) -> Self {
        Self::Denied { status, said: None }
    }

    /// Creates an error that may pass by itself.
    #[must_use]
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::Unavailable { message: message.into(), status: None, retry_after: None }
    }

    /// Creates an error for an answer that is not an authorization.
    #[must_use]
    pub fn malformed(message: impl Into<String>) -> Self {
        Self::Malformed { message: message.into(), status: None }
    }

    /// Creates an error that is final, with its reason.
    #[must_use]
    pub fn declined(message: impl Into<String>) -> Self {
        Self::Declined { message: message.into() }
    }

    /// Adds the HTTP status to what can have one.
    #[must_use]
    pub fn with_status(mut self, code: u16) -> Self {
        match &mut self {
            Self::Denied { status, .. } => *status = code,
            Self::Unavailable { status, .. } | Self::Malformed { status, .. } => *status = Some(code),
            Self::Declined { .. } | Self::TimedOut => {}
        }
        self
    }

    /// Adds what the endpoint said to a refusal: one line, cut after 200 characters.
    #[must_use]
    pub fn saying(mut self, text: &str) -> Self {
        if let Self::Denied { said, .. } = &mut self {
            *said = Some(excerpt(text)).filter(|text| !text.is_empty()).map(Into::into);
        }
        self
    }

    /// Adds how long the endpoint asked to wait, to what is unavailable.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        if let Self::Unavailable { retry_after, .. } = &mut self {
            *retry_after = Some(wait);
        }
        self
    }

    /// Returns whether asking again may help.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        !matches!(self, Self::Denied { status: 401 | 419, .. } | Self::Declined { .. })
    }

    /// Returns how long the endpoint asked to wait before the next attempt.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => *retry_after,
            Self::Denied { .. } | Self::Malformed { .. } | Self::Declined { .. } | Self::TimedOut => None,
        }
    }

    /// Returns the HTTP status of the endpoint's answer, when there was one.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Denied { status, .. } => Some(*status),
            Self::Unavailable { status, .. } | Self::Malformed { status, .. } => *status,
            Self::Declined { .. } | Self::TimedOut => None,
        }
    }
}

impl From<AuthorizationError> for SubscriptionError {
    fn from(error: AuthorizationError) -> Self {
        match error {
            AuthorizationError::Denied { status, said } => Self::Denied { status, said },
            AuthorizationError::Unavailable { message, status, .. } => {
                Self::AuthorizationUnavailable { message, status }
            }
            AuthorizationError::Malformed { message, status } => Self::MalformedAuthorization { message, status },
            AuthorizationError::Declined { message } => Self::AuthorizationDeclined { message },
            AuthorizationError::TimedOut => Self::AuthorizationTimedOut,
        }
    }
}

/// What a status of the authorization endpoint suggests.
pub(crate) const fn denial(status: u16) -> &'static str {
    match status {
        401 | 419 => "; the token is invalid or no longer valid",
        403 => "; the user of this token may not listen to this channel",
        404 | 405 | 410 => "; there is no authorization endpoint at this address: check the URL",
        _ => "",
    }
}

pub(crate) fn quotation(said: Option<&str>) -> String {
    said.map(|said| format!("; the endpoint says: {}", Printable(said))).unwrap_or_default()
}

/// Returns the beginning of `text` in one line.
fn excerpt(text: &str) -> String {
    let mut words = text.split(|c: char| c.is_whitespace() || crate::is_unprintable(c)).filter(|word| !word.is_empty());
    let mut line = String::new();
    let mut room = LONGEST_EXCERPT;
    while let Some(word) = words.next() {
        let space = usize::from(!line.is_empty());
        let word_and_space = std::iter::repeat_n(' ', space).chain(word.chars());
        let length = space + word.chars().count();
        line.extend(word_and_space.take(room));
        if length > room || length == room && words.next().is_some() {
            line.push('…');
            break;
        }
        room -= length;
    }
    line
}

/// In characters: what a person reads of an answer.
const LONGEST_EXCERPT: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Option<String> {
        let AuthorizationError::Denied { said, .. } = AuthorizationError::denied(403).saying(text) else { panic!() };
        said.map(Into::into)
    }

    // M06
    #[test]
    fn what_an_endpoint_said_is_one_printable_line_of_200_characters() {
        assert_eq!(said("  not\r\n a\u{202e}  member\0").as_deref(), Some("not a member"));
        assert_eq!(said(" \n\u{202e}"), None);
        for endless in ["é".repeat(100_000), "ab ".repeat(100_000), "é ü ".repeat(80), format!("{} b", "a".repeat(200))]
        {
            let said = said(&endless).unwrap();
            assert_eq!((said.chars().count(), said.ends_with('…')), (201, true), "{said}");
        }
        assert_eq!(said(&"a".repeat(200)), Some("a".repeat(200)));
    }

    #[test]
    fn a_subscription_that_failed_says_all_that_its_authorization_said() {
        let errors = [
            AuthorizationError::denied(403).saying("no member of this room"),
            AuthorizationError::unavailable("it is down").with_status(503),
            AuthorizationError::malformed("it is not JSON").with_status(200),
            AuthorizationError::declined("the user is not logged in"),
            AuthorizationError::TimedOut,
        ];
        for error in errors {
            let of_channel = SubscriptionError::from(error.clone());
            assert_eq!((of_channel.to_string(), of_channel.status()), (error.to_string(), error.status()));
        }
    }

    #[test]
    fn a_denial_says_what_its_status_points_at() {
        let denied = |status| SubscriptionError::from(AuthorizationError::denied(status)).to_string();
        assert!(
            denied(401).contains("token") && denied(419).contains("token") && denied(403).contains("may not listen")
        );
        assert!(denied(404).contains("no authorization endpoint at this address"));
        assert_eq!(denied(422), "the authorization was denied with status 422");
        let told = AuthorizationError::denied(422).saying("the field is required").to_string();
        assert_eq!(told, "the authorization was denied with status 422; the endpoint says: the field is required");
    }
}
