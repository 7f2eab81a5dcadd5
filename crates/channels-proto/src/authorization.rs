use std::fmt;

use crate::{Authorization, AuthorizationError, ChannelKind, Secret, json::Members};

/// What signs a user in on one socket: the answer of the endpoint for user authentication.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserAuthentication {
    /// The signature, `key:hex`.
    pub auth: Secret,
    /// Who the user is: a JSON object with an `id`, as text.
    pub user_data: String,
}

impl UserAuthentication {
    /// Creates an authentication. `user_data` must be the text that was signed, byte for byte.
    #[must_use]
    pub fn new(auth: impl Into<Secret>, user_data: impl Into<String>) -> Self {
        Self { auth: auth.into(), user_data: user_data.into() }
    }
}

impl fmt::Debug for UserAuthentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserAuthentication").finish_non_exhaustive()
    }
}

impl Authorization {
    /// Checks what a channel of this kind needs and the server would refuse for reasons of its own.
    pub(crate) fn check(&self, kind: ChannelKind) -> Result<(), AuthorizationError> {
        let text = match (&self.channel_data, kind) {
            (Some(text), ChannelKind::Presence) => text,
            (None, ChannelKind::Presence) => return Err(unusable("a presence channel needs `channel_data`")),
            _ => return Ok(()),
        };
        let not_json = |_| unusable("its `channel_data` is not a JSON object");
        let mut user_id = None;
        for member in Members::of(text, DEPTH).map_err(not_json)? {
            let (key, value) = member.map_err(not_json)?;
            if key == "user_id" {
                user_id = value.scalar();
            }
        }
        match user_id {
            Some(id) if !id.is_empty() => Ok(()),
            _ => Err(unusable("its `channel_data` has no usable `user_id`")),
        }
    }
}

/// As deep as a frame may be, which is where a user's data comes back.
const DEPTH: u32 = 128;

fn unusable(message: &str) -> AuthorizationError {
    AuthorizationError::malformed(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(kind: ChannelKind, channel_data: Option<&str>) -> Result<(), String> {
        let mut authorization = Authorization::new("key:abc");
        authorization.channel_data = channel_data.map(str::to_owned);
        authorization.check(kind).map_err(|error| error.to_string())
    }

    #[test]
    fn on_a_presence_channel_the_data_must_say_who_it_is() {
        let presence = |data| checked(ChannelKind::Presence, data);
        for good in [r#"{"user_id":"7"}"#, r#"{"user_id":7}"#, r#" {"user_info":[],"user_id":"é"}"#] {
            assert_eq!(presence(Some(good)), Ok(()), "{good}");
        }
        assert!(presence(None).unwrap_err().contains("needs `channel_data`"));
        for bad in ["", "{", "<html>", "{}canary", "null", "[]", "7"] {
            let error = presence(Some(bad)).unwrap_err();
            assert!(error.contains("not a JSON object") && !error.contains("canary"), "{bad}: {error}");
        }
        let hostile = "[".repeat(100_000);
        assert!(presence(Some(&hostile)).unwrap_err().contains("not a JSON object"));
        let nobody = ["{}", r#"{"user_id":""}"#, r#"{"user_id":null}"#, r#"{"user_id":["7"]}"#];
        for bad in nobody {
            assert!(presence(Some(bad)).unwrap_err().contains("no usable `user_id`"), "{bad}");
        }
    }

    #[test]
    fn on_other_channels_the_data_is_between_the_endpoint_and_the_server() {
        for data in [None, Some("no JSON")] {
            assert_eq!(checked(ChannelKind::Private, data), Ok(()));
        }
    }
}
