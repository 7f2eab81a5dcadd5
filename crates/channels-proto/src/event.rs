use std::borrow::Cow;

use crate::{ChannelName, FrameError, JsonError, event_name::EventName, json};

/// An application event, borrowed from the text of its frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'t> {
    pub(crate) channel: ChannelName,
    pub(crate) name: EventName<'t>,
    pub(crate) data: Data<'t>,
    pub(crate) user_id: Option<Cow<'t, str>>,
    pub(crate) frame_bytes: usize,
    pub(crate) defect: Option<Box<FrameError>>,
}

impl<'t> Event<'t> {
    /// Returns the channel, one that is subscribed.
    #[must_use]
    pub const fn channel(&self) -> &ChannelName {
        &self.channel
    }

    /// Returns the channel, and lets go of the rest.
    #[must_use]
    pub fn into_channel(self) -> ChannelName {
        self.channel
    }

    /// Returns the name of the event.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns what the event carries.
    #[must_use]
    pub const fn data(&self) -> Data<'t> {
        self.data
    }

    /// Returns the user that sent the event, when the server says so.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.user_id.as_deref()
    }

    /// Returns the length of the whole frame, in bytes.
    #[must_use]
    pub const fn frame_bytes(&self) -> usize {
        self.frame_bytes
    }

    /// Returns what is wrong with the frame, when it could not be taken whole: it is not valid JSON or nests deeper than the
    /// limit, and then so may its [`data`](Self::data); or the name of the event is longer than the limit.
    #[must_use]
    pub fn defect(&self) -> Option<&FrameError> {
        self.defect.as_deref()
    }

    /// Returns a copy that owns its text.
    #[must_use]
    pub fn to_owned_event(&self) -> OwnedEvent {
        OwnedEvent {
            channel: self.channel.clone(),
            name: self.name().into(),
            data: self.data.raw().into(),
            data_is_part: self.data.is_part,
            user_id: self.user_id().map(Into::into),
            frame_bytes: self.frame_bytes,
            defect: self.defect.clone(),
        }
    }
}

/// An application event that owns its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedEvent {
    channel: ChannelName,
    name: Box<str>,
    data: Box<str>,
    data_is_part: bool,
    user_id: Option<Box<str>>,
    frame_bytes: usize,
    defect: Option<Box<FrameError>>,
}

impl OwnedEvent {
    /// Returns the event as one that borrows.
    #[must_use]
    pub fn as_event(&self) -> Event<'_> {
        Event {
            channel: self.channel.clone(),
            name: EventName::Plain(&self.name),
            data: Data { raw: &self.data, is_part: self.data_is_part },
            user_id: self.user_id.as_deref().map(Cow::Borrowed),
            frame_bytes: self.frame_bytes,
            defect: self.defect.clone(),
        }
    }
}

/// The `data` member of a message, as it stood on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data<'t> {
    raw: &'t str,
    /// Of a message that is not valid JSON.
    is_part: bool,
}

impl<'t> Data<'t> {
    /// Takes the valid JSON text of the member, or an empty text when it was absent.
    pub(crate) const fn new(raw: &'t str) -> Self {
        Self { raw, is_part: false }
    }

    /// Takes what a message that is not valid JSON has for it.
    pub(crate) const fn part(raw: &'t str) -> Self {
        Self { raw, is_part: true }
    }

    /// Returns the JSON text of the member as it stood on the wire; empty when the member was absent.
    ///
    /// Of a message that is not valid JSON it is the text that stands for the member. When that does not say where the
    /// member ends, or where it begins, it goes on to the end of the message.
    #[must_use]
    pub const fn raw(self) -> &'t str {
        self.raw
    }

    /// Returns what stands between the quotes when `data` is a string, escapes and all; nothing when the message is not
    /// valid JSON.
    #[must_use]
    pub fn quoted(self) -> Option<&'t str> {
        if self.is_part {
            return None;
        }
        self.raw.strip_prefix('"')?.strip_suffix('"')
    }

    /// Returns the document inside: the content of a string (servers normally encode `data` twice; one layer is
    /// taken off, never more), the text itself of an object, an array, a number or a boolean, and an empty text when
    /// `data` is absent, `null` or `""`.
    ///
    /// # Errors
    /// When the string holds half of a surrogate pair, so that it is not text; when the message is not valid JSON, so that
    /// nobody can say whether this is the whole.
    pub fn payload(self) -> Result<Cow<'t, str>, JsonError> {
        match self.quoted() {
            Some(content) => json::unescape(content),
            None if self.is_part => Err(JsonError::Part),
            None if self.raw == "null" => Ok(Cow::Borrowed("")),
            None => Ok(Cow::Borrowed(self.raw)),
        }
    }
}
