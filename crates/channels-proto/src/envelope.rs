mod salvage;

use std::borrow::Cow;

use thiserror::Error;

use crate::{
    Data, JsonError, Limits,
    event::Extras,
    event_name::{EventName, EventNames},
    json::{Members, Value},
};

/// One message of the server: `{"event", "channel"?, "data"?, "user_id"?}` in any order, with any other keys.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Envelope<'t> {
    pub(crate) event: EventName<'t>,
    pub(crate) channel: Option<Cow<'t, str>>,
    pub(crate) data: Data<'t>,
    pub(crate) extras: Option<Box<Extras<'t>>>,
}

/// Why a frame is not a valid message.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FrameError {
    /// It is longer than the limit.
    #[error("the frame has {bytes} bytes; the limit is {limit}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// [`Limits::max_message_bytes`].
        limit: usize,
    },
    /// It is not a JSON object.
    #[error("the frame is not a JSON object: {0}")]
    Json(#[from] JsonError),
    /// It has no event name, or one that is not a string.
    #[error("the frame has no event name")]
    NoEvent,
    /// The event name is longer than the limit.
    #[error("the event name has {bytes} bytes; the limit is {limit}")]
    EventNameTooLong {
        /// Its length.
        bytes: usize,
        /// [`Limits::max_event_name_bytes`].
        limit: usize,
    },
    /// Its channel is not a string.
    #[error("the channel of the frame is not a string")]
    BadChannel,
    /// It is a binary message, which no Pusher server sends.
    #[error("the frame is binary")]
    Binary,
}

impl<'t> Envelope<'t> {
    /// Reads one frame in one pass. When a key occurs twice, the last one counts.
    pub(crate) fn parse(text: &'t str, limits: &Limits, names: &mut EventNames) -> Result<Self, FrameError> {
        if text.len() > limits.max_message_bytes {
            return Err(FrameError::TooLong { bytes: text.len(), limit: limits.max_message_bytes });
        }
        Self::read(Members::of(text, limits.max_depth)?, limits.max_event_name_bytes, names)
    }

    #[inline]
    fn read(mut members: Members<'t>, max_name_bytes: usize, names: &mut EventNames) -> Result<Self, FrameError> {
        let (mut event, mut channel, mut user_id) = (Value::NULL, Value::NULL, None);
        let mut data = "";
        while let Some((key, value)) = members.next_member()? {
            match key.name()?.as_ref() {
                "event" => event = value,
                "channel" => channel = value,
                "data" => data = value.text(),
                "user_id" => user_id = Some(value),
                _ => {}
            }
        }
        let event = names.read(event).ok_or(FrameError::NoEvent)??;
        if event.len() > max_name_bytes {
            return Err(FrameError::EventNameTooLong { bytes: event.len(), limit: max_name_bytes });
        }
        let channel = match channel.string() {
            Some(name) => Some(name?),
            None if channel.is_null() => None,
            None => return Err(FrameError::BadChannel),
        };
        Ok(Self { event, channel, data: Data::new(data), extras: user_id.and_then(Extras::of_user) })
    }
}

#[cfg(test)]
impl Envelope<'_> {
    fn user_id(&self) -> Option<&str> {
        self.extras.as_ref()?.user_id.as_deref()
    }
}

/// Returns the members of a message that are not the protocol's, each with its value as JSON text.
pub(crate) fn other_members(text: &str) -> Vec<(Box<str>, Box<str>)> {
    let members = Members::of(text, u32::MAX).into_iter().flatten().flatten();
    let others = members.filter(|(key, _)| !matches!(key.as_ref(), "event" | "channel" | "data" | "user_id"));
    others.map(|(key, value)| (key.as_ref().into(), value.text().into())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Envelope<'_>, FrameError> {
        Envelope::parse(text, &Limits::default(), &mut EventNames::default())
    }

    #[test]
    fn members_are_found_at_any_position_among_unknown_keys() {
        let text = r##"{"#msg-from":"api","#msg-id":1795521896925195175,"channel":"c","data":{"a":[1]},"event":"e"}"##;
        let envelope = parse(text).unwrap();
        assert_eq!((&*envelope.event, envelope.channel.as_deref()), ("e", Some("c")));
        assert_eq!(envelope.data.payload().unwrap(), r#"{"a":[1]}"#);
    }

    // M02, M11, P04
    #[test]
    fn data_may_be_of_any_type_and_one_layer_is_taken_off() {
        let cases = [
            (r#""{\"a\":\"b\"}""#, r#"{"a":"b"}"#),
            (r#""\"{}\"""#, r#""{}""#),
            (r#""""#, ""),
            ("null", ""),
            (r#"{"a":1}"#, r#"{"a":1}"#),
            ("[1,2]", "[1,2]"),
            ("1e400", "1e400"),
            ("true", "true"),
        ];
        for (data, payload) in cases {
            let text = format!(r#"{{"event":"e","data":{data}}}"#);
            let envelope = parse(&text).unwrap();
            assert_eq!((envelope.data.raw(), envelope.data.payload().unwrap().as_ref()), (data, payload));
        }
        assert_eq!(parse(r#"{"event":"e"}"#).unwrap().data.payload().unwrap(), "");
    }

    // M04
    #[test]
    fn of_a_key_that_stands_twice_the_last_one_counts() {
        let envelope = parse(r#"{"event":"a","data":1,"event":"b","data":2}"#).unwrap();
        assert_eq!((&*envelope.event, envelope.data.raw()), ("b", "2"));
    }

    // M01
    #[test]
    fn a_frame_without_a_usable_event_or_channel_is_refused() {
        for text in ["{}", r#"{"event":null}"#, r#"{"event":1}"#, r#"{"event":["e"]}"#, r#"{"a":1}"#] {
            assert_eq!(parse(text), Err(FrameError::NoEvent), "{text}");
        }
        for channel in ["1", "[]", "{}", "true"] {
            assert_eq!(parse(&format!(r#"{{"event":"e","channel":{channel}}}"#)), Err(FrameError::BadChannel));
        }
        assert!(matches!(parse("<html>"), Err(FrameError::Json(JsonError::Syntax { offset: 0 }))));
        assert_eq!(parse(r#"{"event":"\ud800"}"#), Err(FrameError::Json(JsonError::LoneSurrogate)));
    }

    // M07, Y01
    #[test]
    fn long_names_and_long_frames_are_refused() {
        let name = "e".repeat(4 * 1024);
        assert!(parse(&format!(r#"{{"event":"{name}"}}"#)).is_ok());
        let refused = Err(FrameError::EventNameTooLong { bytes: 4097, limit: 4096 });
        assert_eq!(parse(&format!(r#"{{"event":"{name}e"}}"#)), refused);
        let long = format!(r#"{{"event":"e","data":"{}"}}"#, "x".repeat(1024 * 1024));
        assert!(matches!(parse(&long), Err(FrameError::TooLong { .. })));
    }

    // M14
    #[test]
    fn an_event_name_keeps_its_case_and_its_single_backslashes() {
        let envelope = parse(r#"{"event":"App\\Events\\TokenPush","user_id":42}"#).unwrap();
        assert_eq!((&*envelope.event, envelope.user_id()), ("App\\Events\\TokenPush", Some("42")));
    }
}
