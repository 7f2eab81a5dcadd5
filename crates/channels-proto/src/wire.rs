//! The protocol's own messages: what the server's payloads mean, and how the client's are written.

use std::fmt::Write as _;

use crate::{Authorization, ChannelName, Data, Secret, SocketId, json::Members};

/// `pusher:connection_established`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Established {
    pub(crate) socket_id: SocketId,
    /// In seconds, when the server announces a positive one.
    pub(crate) activity_timeout: Option<u64>,
    /// The server is push1st.
    pub(crate) is_push1st: bool,
}

impl Established {
    /// `None` when there is no usable socket id.
    pub(crate) fn parse(data: Data<'_>) -> Option<Self> {
        let payload = data.payload().ok()?;
        let (mut socket_id, mut activity_timeout, mut is_text) = (None, None, false);
        for member in Members::of(&payload, CONTROL_DEPTH).ok()? {
            let (key, value) = member.ok()?;
            match key.as_ref() {
                "socket_id" => socket_id = value.string().and_then(Result::ok).and_then(|id| SocketId::parse(&id)),
                "activity_timeout" => {
                    activity_timeout = value.integer().and_then(|seconds| seconds.try_into().ok());
                    is_text = value.content().is_some();
                }
                _ => {}
            }
        }
        let activity_timeout = activity_timeout.filter(|&seconds: &u64| seconds > 0);
        socket_id.map(|socket_id: SocketId| {
            let is_push1st = is_text && is_id_of_push1st(socket_id.as_str());
            Self { socket_id, activity_timeout, is_push1st }
        })
    }
}

/// push1st takes the time in nanoseconds for the first half, and up to 32 bits for the second.
fn is_id_of_push1st(id: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    id.split_once('.').is_some_and(|(time, number)| time.len() == 19 && is_number(time) && is_number(number))
}

/// The `data` of `pusher_internal:subscription_count`.
pub(crate) fn subscription_count(data: Data<'_>) -> Option<u64> {
    let payload = data.payload().ok()?;
    let members = Members::of(&payload, CONTROL_DEPTH).ok()?.flatten();
    let count = members.filter(|(key, _)| key == "subscription_count").last()?.1;
    count.integer()?.try_into().ok()
}

/// `pusher:error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerError {
    pub(crate) code: Option<u16>,
    pub(crate) message: String,
}

impl ServerError {
    /// Accepts whatever the server sent: an object, a string that contains one, or plain text.
    pub(crate) fn parse(data: Data<'_>) -> Self {
        let payload = data.payload().unwrap_or_default();
        let (mut code, mut message) = (None, None);
        if let Ok(members) = Members::of(&payload, CONTROL_DEPTH) {
            for (key, value) in members.flatten() {
                match key.as_ref() {
                    "code" => code = value.integer().and_then(|code| code.try_into().ok()),
                    "message" => message = value.scalar().map(|text| text.into_owned()),
                    _ => {}
                }
            }
        } else {
            message = Some(payload.into_owned());
        }
        Self { code, message: shortened(message.unwrap_or_default()) }
    }
}

/// `pusher:subscription_error`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rejection {
    pub(crate) status: Option<u16>,
    pub(crate) message: String,
}

impl Rejection {
    /// Accepts whatever the server sent, like [`ServerError::parse`].
    pub(crate) fn parse(data: Data<'_>) -> Self {
        let payload = data.payload().unwrap_or_default();
        let (mut status, mut error, mut kind) = (None, None, None);
        let Ok(members) = Members::of(&payload, CONTROL_DEPTH) else {
            return Self { status, message: shortened(payload.into_owned()) };
        };
        for (key, value) in members.flatten() {
            match key.as_ref() {
                "status" => status = value.integer().and_then(|status| status.try_into().ok()),
                "error" => error = value.scalar().map(|text| text.into_owned()),
                "type" => kind = value.scalar().map(|text| text.into_owned()),
                _ => {}
            }
        }
        Self { status, message: shortened(error.or(kind).unwrap_or_default()) }
    }
}

/// No text for a person needs more, and reports are queued without a limit in bytes (fault Y02).
fn shortened(mut text: String) -> String {
    if text.len() > LONGEST_TEXT {
        text.truncate(text.floor_char_boundary(LONGEST_TEXT));
        text.shrink_to_fit();
    }
    text
}

pub(crate) fn ping() -> Secret {
    Secret::new(r#"{"event":"pusher:ping","data":{}}"#)
}

pub(crate) fn pong() -> Secret {
    Secret::new(r#"{"event":"pusher:pong","data":{}}"#)
}

pub(crate) fn subscribe(channel: &ChannelName, authorization: Option<&Authorization>) -> Secret {
    // Room for all of it, since what a text leaves behind when it grows is not wiped.
    let escaped = |text: &str| text.len().saturating_mul(LONGEST_ESCAPE);
    let mut room = ROOM + channel.as_str().len();
    if let Some(Authorization { auth, channel_data, .. }) = authorization {
        room += escaped(auth.expose()) + channel_data.as_deref().map_or(0, escaped);
    }
    let mut text = String::with_capacity(room);
    text.push_str(r#"{"event":"pusher:subscribe","data":{"channel":"#);
    push_string(&mut text, channel.as_str());
    if let Some(Authorization { auth, channel_data, .. }) = authorization {
        text.push_str(r#","auth":"#);
        push_string(&mut text, auth.expose());
        if let Some(channel_data) = channel_data {
            text.push_str(r#","channel_data":"#);
            push_string(&mut text, channel_data);
        }
    }
    text.push_str("}}");
    Secret::new(text)
}

pub(crate) fn unsubscribe(channel: &ChannelName) -> Secret {
    let mut text = r#"{"event":"pusher:unsubscribe","data":{"channel":"#.to_owned();
    push_string(&mut text, channel.as_str());
    text.push_str("}}");
    Secret::new(text)
}

/// `data` is JSON, which goes out as it is.
pub(crate) fn event(name: &str, channel: Option<&ChannelName>, data: &str) -> Secret {
    let mut text = String::with_capacity(ROOM + name.len() + data.len());
    text.push_str(r#"{"event":"#);
    push_string(&mut text, name);
    if let Some(channel) = channel {
        text.push_str(r#","channel":"#);
        push_string(&mut text, channel.as_str());
    }
    text.push_str(r#","data":"#);
    text.push_str(data);
    text.push('}');
    Secret::new(text)
}

pub(crate) fn sign_in(auth: &Secret, user_data: &str) -> Secret {
    let escaped = |text: &str| text.len().saturating_mul(LONGEST_ESCAPE);
    let mut text = String::with_capacity(ROOM + escaped(auth.expose()) + escaped(user_data));
    text.push_str(r#"{"event":"pusher:signin","data":{"auth":"#);
    push_string(&mut text, auth.expose());
    text.push_str(r#","user_data":"#);
    push_string(&mut text, user_data);
    text.push_str("}}");
    Secret::new(text)
}

/// A text as a JSON string.
#[cfg(feature = "encryption")]
pub(crate) fn quoted(content: &str) -> String {
    let mut text = String::with_capacity(content.len() + content.len() / 8 + 2);
    push_string(&mut text, content);
    text
}

fn push_string(text: &mut String, content: &str) {
    text.push('"');
    for character in content.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            control if control < ' ' => {
                let _infallible = write!(text, "\\u{:04x}", control as u32);
            }
            other => text.push(other),
        }
    }
    text.push('"');
}

/// The size of the messages without their values.
const ROOM: usize = 96;
/// What a character becomes at most: `\u0000`.
const LONGEST_ESCAPE: usize = 6;
const LONGEST_TEXT: usize = 1024;
/// Control payloads are flat; what nests deeper is not one.
const CONTROL_DEPTH: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn established(data: &str) -> Option<(String, Option<u64>)> {
        Established::parse(Data::new(data)).map(|e| (e.socket_id.as_str().to_owned(), e.activity_timeout))
    }

    // P03, P04
    #[test]
    fn the_handshake_is_read_in_every_form_that_servers_send() {
        let id = || "1.2".to_owned();
        let cases = [
            (r#""{\"socket_id\":\"1.2\",\"activity_timeout\":120}""#, Some((id(), Some(120)))),
            (r#""{\"activity_timeout\":\"40\",\"socket_id\":\"1.2\"}""#, Some((id(), Some(40)))),
            (r#"{"socket_id":"1.2","activity_timeout":30}"#, Some((id(), Some(30)))),
            (r#"{"socket_id":"1.2"}"#, Some((id(), None))),
            (r#"{"socket_id":"1.2","activity_timeout":null}"#, Some((id(), None))),
            (r#"{"socket_id":"1.2","activity_timeout":0}"#, Some((id(), None))),
            (r#"{"socket_id":"1.2","activity_timeout":-5}"#, Some((id(), None))),
            (r#"{"socket_id":"1.2","activity_timeout":"soon"}"#, Some((id(), None))),
            (r#"{"socket_id":12}"#, None),
            (r#"{"socket_id":""}"#, None),
            (r#"{}"#, None),
            ("", None),
            ("null", None),
            (r#""nonsense""#, None),
        ];
        for (data, expected) in cases {
            assert_eq!(established(data), expected, "{data}");
        }
    }

    // L08
    #[test]
    fn push1st_is_known_by_its_handshake_and_nobody_else_is_taken_for_it() {
        let is = |id: &str, timeout: &str| {
            let data = format!(r#"{{"activity_timeout":{timeout},"socket_id":"{id}"}}"#);
            Established::parse(Data::new(&data)).unwrap().is_push1st
        };
        assert!(is("1795521896925195131.1442880739", r#""40""#));
        assert!(!is("1795521896925195131.1442880739", "40"));
        for id in
            ["1.2", "5390136303.1983000704", "179552189692519513x.1", "1795521896925195131.", "1795521896925195131"]
        {
            assert!(!is(id, r#""40""#), "{id}");
        }
    }

    #[test]
    fn the_number_of_subscriptions_may_be_a_number_or_a_text() {
        let count = |data| subscription_count(Data::new(data));
        assert_eq!(count(r#"{"subscription_count":7}"#), Some(7));
        assert_eq!(count(r#""{\"subscription_count\":\"7\"}""#), Some(7));
        for none in ["", "{}", r#"{"subscription_count":-1}"#, r#"{"subscription_count":null}"#, "7"] {
            assert_eq!(count(none), None, "{none}");
        }
    }

    // P09
    #[test]
    fn an_error_is_read_in_every_form_that_servers_send() {
        let parse = |data| {
            let ServerError { code, message } = ServerError::parse(Data::new(data));
            (code, message)
        };
        assert_eq!(parse(r#"{"message":"m","code":4001}"#), (Some(4001), "m".to_owned()));
        assert_eq!(parse(r#""{\"code\":4009,\"message\":\"m\"}""#), (Some(4009), "m".to_owned()));
        assert_eq!(parse(r#"{"message":"m","code":"4301"}"#), (Some(4301), "m".to_owned()));
        assert_eq!(parse(r#"{"message":"m","code":null}"#), (None, "m".to_owned()));
        assert_eq!(parse(r#"{"message":"m"}"#), (None, "m".to_owned()));
        assert_eq!(parse(r#"{"code":-1}"#), (None, String::new()));
        assert_eq!(parse(r#""plain text""#), (None, "plain text".to_owned()));
        assert_eq!(parse(""), (None, String::new()));
    }

    // S08
    #[test]
    fn a_subscription_error_is_read_in_every_form_that_servers_send() {
        let parse = |data| {
            let Rejection { status, message } = Rejection::parse(Data::new(data));
            (status, message)
        };
        let object = r#"{"type":"AuthError","error":"bad signature","status":401}"#;
        assert_eq!(parse(object), (Some(401), "bad signature".to_owned()));
        assert_eq!(parse(r#"{"type":"AuthError","status":"503"}"#), (Some(503), "AuthError".to_owned()));
        assert_eq!(parse(r#""because""#), (None, "because".to_owned()));
    }

    // Y02
    #[test]
    fn what_a_server_says_is_cut_to_what_a_person_would_read() {
        let long = format!(r#"{{"message":"{}","code":4301}}"#, "é".repeat(100_000));
        let error = ServerError::parse(Data::new(&long));
        assert_eq!((error.message.len(), error.message.capacity()), (1024, 1024));
        let long = format!(r#"{{"error":"{}"}}"#, "x".repeat(100_000));
        assert_eq!(Rejection::parse(Data::new(&long)).message.len(), 1024);
        assert_eq!(ServerError::parse(Data::new(&format!("\"{}\"", "x".repeat(5_000)))).message.len(), 1024);
    }

    // H05
    #[test]
    fn what_the_client_sends_is_json_whatever_the_endpoint_answered() {
        let channel = ChannelName::parse("private-a").unwrap();
        let authorization = Authorization::new("key:ab\"\\\n").with_channel_data(r#"{"user_id":"1"}"#);
        let expected = r#"{"event":"pusher:subscribe","data":{"channel":"private-a","auth":"key:ab\"\\\u000a","channel_data":"{\"user_id\":\"1\"}"}}"#;
        assert_eq!(subscribe(&channel, Some(&authorization)).expose(), expected);
        let public = r#"{"event":"pusher:subscribe","data":{"channel":"private-a"}}"#;
        assert_eq!(subscribe(&channel, None).expose(), public);
        assert_eq!(unsubscribe(&channel).expose(), r#"{"event":"pusher:unsubscribe","data":{"channel":"private-a"}}"#);
    }
}
