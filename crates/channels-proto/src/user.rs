//! The user as whom a client signs in, and those whom that user watches.

use std::sync::Arc;

use thiserror::Error;

use crate::{
    AppKey, AuthorizationError, ChannelName, Data, Printable, UserAuthentication,
    json::{Elements, Members},
};

/// The user as whom a client is signed in. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    id: Arc<str>,
    data: Arc<str>,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").finish_non_exhaustive()
    }
}

impl User {
    /// Reads `{"id", …}`; `None` when there is no id.
    pub(crate) fn parse(user_data: &str) -> Option<Self> {
        let mut id = None;
        for member in Members::of(user_data, DEPTH).ok()? {
            let (key, value) = member.ok()?;
            if key == "id" {
                id = value.scalar();
            }
        }
        let id = id.filter(|id| !id.is_empty())?;
        Some(Self { id: id.as_ref().into(), data: user_data.into() })
    }

    /// Reads the `data` of `pusher:signin_success`: `{"user_data"}`, which is a string of JSON or an object.
    pub(crate) fn confirmed(data: Data<'_>) -> Option<Self> {
        let payload = data.payload().ok()?;
        let user_data = Members::of(&payload, DEPTH).ok()?.flatten().find(|(key, _)| key == "user_data")?.1;
        match user_data.string() {
            Some(text) => Self::parse(&text.ok()?),
            None => Self::parse(user_data.text()),
        }
    }

    /// Returns the id of the user. Where it is a number, it is the text of that number as it was written.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns what the authentication endpoint said about the user, as JSON text.
    #[must_use]
    pub fn data(&self) -> &str {
        &self.data
    }

    /// Returns the channel on which the server sends what is for this user alone; none when the id has a character
    /// that no channel may have in its name.
    #[must_use]
    pub fn channel(&self) -> Option<ChannelName> {
        ChannelName::parse(&format!("#server-to-user-{}", self.id)).ok()
    }
}

impl UserAuthentication {
    /// Checks that it can be meant for this application, and returns whom it names.
    pub(crate) fn check(&self, app_key: &AppKey) -> Result<User, SignInError> {
        let malformed = |message: &str| Err(SignInError::Malformed { message: message.to_owned() });
        match self.auth.expose().split_once(':') {
            Some((key, signature)) if !signature.is_empty() => {
                if key != app_key.as_str() {
                    return Err(SignInError::WrongAppKey);
                }
            }
            _ => return malformed("`auth` is not of the form `key:signature`"),
        }
        match User::parse(&self.user_data) {
            Some(user) => Ok(user),
            None => malformed("`user_data` is not a JSON object with an `id`"),
        }
    }
}

/// Why the user could not be signed in; the connection and its channels are not affected.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SignInError {
    /// The authentication endpoint gave no authentication. 401 and 419 are final.
    #[error("the user was not authenticated: {0}")]
    Authentication(#[source] AuthorizationError),
    /// The endpoint's answer was not an authentication.
    #[error("the user authentication endpoint gave an unusable answer: {}", Printable(.message))]
    Malformed {
        /// What was wrong with the answer.
        message: String,
    },
    /// The signature was made for another application.
    #[error("the user authentication is signed for a different app key than the one in use")]
    WrongAppKey,
    /// The server refused.
    #[error("the server refused the sign-in: {}", Printable(.message))]
    RejectedByServer {
        /// The server's code, 4009 in the protocol.
        code: Option<u16>,
        /// The server's text.
        message: String,
    },
    /// The server did not answer in time.
    #[error("the server did not answer the sign-in; does it know users?")]
    Unanswered,
    /// The server is push1st, which closes the connection on a sign-in.
    #[error("the server is push1st, which has no users and closes the connection on a sign-in")]
    UnsupportedByServer,
}

/// What a message about watched users says: whether they are online, and who.
pub(crate) type Watched = (bool, Vec<Box<str>>);

/// Reads the `data` of `pusher_internal:watchlist_events`: `{"events": [{"name", "user_ids"}]}`.
pub(crate) fn watchlist(data: Data<'_>) -> Vec<Watched> {
    let payload = data.payload().unwrap_or_default();
    let events = Members::of(&payload, DEPTH).into_iter().flatten().flatten().filter(|(key, _)| key == "events");
    let events = events.flat_map(|(_, events)| Elements::of(events.text(), DEPTH).into_iter().flatten().flatten());
    events.filter_map(|event| watched(event.text(), None)).collect()
}

/// Reads the `data` of Sockudo's `online` and `offline`: `{"user_ids"}`.
pub(crate) fn watched_of(name: &str, data: Data<'_>) -> Option<Watched> {
    watched(&data.payload().ok()?, is_online(name))
}

fn watched(text: &str, mut online: Option<bool>) -> Option<Watched> {
    let mut user_ids = None;
    for (key, value) in Members::of(text, DEPTH).ok()?.flatten() {
        match key.as_ref() {
            "name" if online.is_none() => {
                online = value.string().and_then(Result::ok).and_then(|name| is_online(&name));
            }
            "user_ids" => {
                let ids = Elements::of(value.text(), DEPTH).ok()?.flatten();
                user_ids = Some(ids.filter_map(|id| id.scalar().map(|id| id.as_ref().into())).collect());
            }
            _ => {}
        }
    }
    Some((online?, user_ids?))
}

fn is_online(name: &str) -> Option<bool> {
    match name {
        "online" => Some(true),
        "offline" => Some(false),
        _ => None,
    }
}

const DEPTH: u32 = 128;

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(text: &str) -> String {
        serde_json::to_string(text).unwrap()
    }

    #[test]
    fn a_user_is_read_whether_the_id_is_a_number_or_a_text() {
        let id = |data: &str| User::parse(data).map(|user| user.id().to_owned());
        assert_eq!(id(r#"{"id":"42","user_info":{"id":1}}"#).as_deref(), Some("42"));
        assert_eq!(id(r#"{"watchlist":["1"],"id":9007199254740993}"#).as_deref(), Some("9007199254740993"));
        for none in ["", "{}", "[]", r#"{"id":null}"#, r#"{"id":""}"#, r#"{"id":[1]}"#, r#"{"id":"1""#, "null"] {
            assert_eq!(id(none), None, "{none}");
        }
    }

    #[test]
    fn the_answer_to_a_sign_in_is_read_in_every_form_that_servers_send() {
        let user_data = r#"{"id":"42"}"#;
        let in_text = format!(r#"{{"user_data":{}}}"#, quoted(user_data));
        let in_object = format!(r#"{{"x":1,"user_data":{user_data}}}"#);
        for data in [&in_text, &in_object, &quoted(&in_text), &quoted(&in_object)] {
            let user = User::confirmed(Data::new(data)).unwrap();
            assert_eq!((user.id(), user.data()), ("42", user_data), "{data}");
        }
        for none in ["", "{}", r#"{"user_data":null}"#, r#"{"user_data":"x"}"#, r#""x""#] {
            assert_eq!(User::confirmed(Data::new(none)), None, "{none}");
        }
    }

    #[test]
    fn the_channel_of_a_user_is_named_by_the_id_if_that_can_be() {
        let channel = |data: &str| User::parse(data).unwrap().channel().map(|channel| channel.to_string());
        assert_eq!(channel(r#"{"id":42}"#).as_deref(), Some("#server-to-user-42"));
        assert_eq!(channel(r#"{"id":"a b"}"#), None);
        assert_eq!(channel(&format!(r#"{{"id":"{}"}}"#, "x".repeat(200))), None);
    }

    // S06, Q01
    #[test]
    fn an_authentication_that_cannot_be_right_is_refused_and_never_shown() {
        let key = AppKey::parse("key").unwrap();
        let check = |auth: &str, data: &str| {
            let authentication = UserAuthentication::new(auth, data);
            assert!(!format!("{authentication:?}").contains("canary"));
            authentication.check(&key).map(|user| user.id().to_owned())
        };
        let data = r#"{"id":"1"}"#;
        assert_eq!(check("key:canary", data).as_deref(), Ok("1"));
        assert_eq!(check("other:canary", data), Err(SignInError::WrongAppKey));
        for wrong in ["canary", "key:", "", ":"] {
            assert!(matches!(check(wrong, data), Err(SignInError::Malformed { .. })), "{wrong}");
        }
        let error = check("key:canary", r#"{"name":"canary"}"#).unwrap_err();
        assert!(matches!(error, SignInError::Malformed { .. }) && !error.to_string().contains("canary"), "{error}");
    }

    #[test]
    fn watched_users_are_read_as_pusher_and_as_sockudo_send_them() {
        let read = |data: &str| {
            let events = watchlist(Data::new(data)).into_iter();
            events.map(|(online, ids)| (online, ids.join(","))).collect::<Vec<_>>()
        };
        let events = r#"{"events":[{"name":"online","user_ids":["1",2]},{"user_ids":[],"name":"offline"},{"name":"away","user_ids":[]},7,{"name":"online"}]}"#;
        let expected = [(true, "1,2".to_owned()), (false, String::new())];
        assert_eq!(read(events), expected);
        assert_eq!(read(&quoted(events)), expected);
        for none in ["", "{}", "[]", r#"{"events":{}}"#, r#"{"events":[[]]}"#, r#"{"events":[{"name":"online""#] {
            assert_eq!(read(none), [], "{none}");
        }
        let one =
            |name: &str, data: &str| watched_of(name, Data::new(data)).map(|(online, ids)| (online, ids.join(",")));
        assert_eq!(one("online", r#"{"user_ids":["1"]}"#), Some((true, "1".to_owned())));
        assert_eq!(one("offline", &quoted(r#"{"name":"online","user_ids":["1"]}"#)), Some((false, "1".to_owned())));
        assert_eq!((one("away", r#"{"user_ids":[]}"#), one("online", "{}"), one("online", "")), (None, None, None));
    }
}
