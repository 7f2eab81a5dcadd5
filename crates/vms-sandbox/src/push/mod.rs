//! Events to push: the envelope around a body, and the recipients.

mod bodies;
pub(crate) mod catalogue;
pub(crate) mod envelope;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// A VMS event to push.
///
/// ```
/// use vms_sandbox::{Push, Target};
///
/// let push = Push::new("cameras_updated")
///     .to(Target::User(42))
///     .data(serde_json::json!({"attached": [17], "detached": null}));
/// assert_eq!(push.type_, "cameras_updated");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Push {
    /// The type, such as `cameras_updated`. Types that are not in the catalogue are pushed as well.
    #[serde(rename = "type")]
    pub type_: String,
    /// The body. If absent, the default of the catalogue, or null for an unknown type. `null` is a body.
    ///
    /// It becomes `data.data` of a token or user push, and the fields besides `type` and `id` of a
    /// notification, where it must be an object.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// `status` of a token or user push.
    #[serde(default)]
    pub status: PushStatus,
    /// `subject` of a token or user push: text for the user.
    #[serde(default)]
    pub subject: Option<String>,
    /// `message` of a token or user push: text for the user.
    #[serde(default)]
    pub message: Option<String>,
    /// The event name. If absent, that of the catalogue; for an unknown type, a token push if the
    /// target is a session, a user push if it is a user.
    #[serde(default)]
    pub event: Option<PushEvent>,
    /// The recipients.
    #[serde(default)]
    pub to: Target,
    /// The id of a socket to leave out, as `X-Socket-ID` does.
    #[serde(default)]
    pub except: Option<String>,
    /// How the data is encoded in the frame.
    #[serde(default)]
    pub encoding: Encoding,
}

impl Push {
    /// The default body of this type, for everyone.
    #[must_use]
    pub fn new(type_: impl Into<String>) -> Self {
        Self {
            type_: type_.into(),
            data: None,
            status: PushStatus::Ok,
            subject: None,
            message: None,
            event: None,
            to: Target::Everyone,
            except: None,
            encoding: Encoding::Text,
        }
    }

    /// Sets the recipients.
    #[must_use]
    pub fn to(self, to: Target) -> Self {
        Self { to, ..self }
    }

    /// Sets the body.
    #[must_use]
    pub fn data(self, data: Value) -> Self {
        Self { data: Some(data), ..self }
    }

    /// Sets the status to `error`, which changes the default body of `archive_generated`.
    #[must_use]
    pub fn failed(self) -> Self {
        Self { status: PushStatus::Error, ..self }
    }

    /// Sets the event name.
    #[must_use]
    pub fn event(self, event: PushEvent) -> Self {
        Self { event: Some(event), ..self }
    }

    /// Sets the text for the user.
    #[must_use]
    pub fn subject(self, subject: impl Into<String>) -> Self {
        Self { subject: Some(subject.into()), ..self }
    }
}

/// `status` of a token or user push.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PushStatus {
    /// `"ok"`.
    #[default]
    Ok,
    /// `"error"`.
    Error,
}

/// The event name under which a push is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PushEvent {
    /// `Illuminate\Notifications\Events\BroadcastNotificationCreated`: the flat envelope.
    Notification,
    /// `App\Events\TokenPush`: the nested envelope.
    Token,
    /// `App\Events\UserPush`: the nested envelope.
    User,
}

impl PushEvent {
    /// The event name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notification => r"Illuminate\Notifications\Events\BroadcastNotificationCreated",
            Self::Token => r"App\Events\TokenPush",
            Self::User => r"App\Events\UserPush",
        }
    }
}

/// The recipients of a push.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// `private-user.{id}` of every user.
    #[default]
    Everyone,
    /// `private-token.{access_token_id}`: one session.
    Session(String),
    /// `private-user.{user_id}`: all sessions of a user.
    User(i64),
}

/// How the data of an event is encoded in its frame. Its JSON is written as PHP writes it: `/` as `\/`, and non-ASCII
/// characters as `\u0412`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// A JSON value, as some servers send it.
    Bare,
    /// A string that contains JSON (double encoded), as Pusher's server libraries send it.
    #[default]
    Text,
}

/// One event on one channel, ready to be published by any server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Broadcast {
    /// The channel.
    pub channel: String,
    /// The event name.
    pub event: String,
    /// The data, decoded.
    pub data: Value,
}

/// A push that cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PushError {
    /// The body of a notification is not a JSON object.
    #[error("the body of {type_:?} must be a JSON object, because a notification is flat; it is {found}")]
    NotAnObject {
        /// The type of the push.
        type_: String,
        /// What the body is.
        found: &'static str,
    },
    /// There is no such session.
    #[error("no session has the access token id {id:?}; `state` lists the sessions")]
    UnknownSession {
        /// The given id.
        id: String,
    },
    /// There is no such user.
    #[error("there is no user {id}; `state` lists the sessions with their users")]
    UnknownUser {
        /// The given id.
        id: i64,
    },
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
