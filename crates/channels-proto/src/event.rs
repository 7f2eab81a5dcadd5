use std::borrow::Cow;

use crate::{
    ChannelName, FrameError, JsonError,
    event_name::EventName,
    json::{self, Value},
};

/// An application event, borrowed from the text of its frame unless it was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'t> {
    pub(crate) channel: ChannelName,
    pub(crate) name: EventName<'t>,
    pub(crate) data: Cow<'t, str>,
    pub(crate) data_is_part: bool,
    pub(crate) frame_bytes: usize,
    pub(crate) extras: Option<Box<Extras<'t>>>,
}

/// What few events have: boxed, for an event is moved several times on its way to the consumer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extras<'t> {
    pub(crate) user_id: Option<Cow<'t, str>>,
    pub(crate) defect: Option<FrameError>,
    /// The members of the message that are not known, for those who ask for them.
    pub(crate) other_members: Vec<(Box<str>, Box<str>)>,
}

impl<'t> Extras<'t> {
    /// Takes the `user_id` of a message, if it is one.
    #[inline(never)]
    pub(crate) fn of_user(user_id: Value<'t>) -> Option<Box<Self>> {
        user_id.scalar().map(|user_id| Box::new(Self { user_id: Some(user_id), ..Self::default() }))
    }

    fn into_owned(self) -> Extras<'static> {
        let Self { user_id, defect, other_members } = self;
        Extras { user_id: user_id.map(|id| Cow::Owned(id.into_owned())), defect, other_members }
    }
}

impl Event<'_> {
    /// Returns the channel, which is subscribed.
    #[must_use]
    pub const fn channel(&self) -> &ChannelName {
        &self.channel
    }

    /// Returns the channel and drops the rest.
    #[must_use]
    pub fn into_channel(self) -> ChannelName {
        self.channel
    }

    /// Returns the name of the event.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the event's data.
    #[must_use]
    pub fn data(&self) -> Data<'_> {
        Data { raw: &self.data, is_part: self.data_is_part }
    }

    /// Returns the id of the user who sent the event, if the server gave it.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.extras.as_ref()?.user_id.as_deref()
    }

    /// Returns the length of the whole frame, in bytes.
    #[must_use]
    pub const fn frame_bytes(&self) -> usize {
        self.frame_bytes
    }

    /// Returns what is wrong with the frame, if anything: it is not valid JSON or nests deeper than the limit, which
    /// may then be true of its [`data`](Self::data) too; or the event name is longer than the limit.
    #[must_use]
    pub fn defect(&self) -> Option<&FrameError> {
        self.extras.as_ref()?.defect.as_ref()
    }

    /// Returns the members of the message that are not known, each with its value as JSON text. There are none without
    /// [`Options::report_unknown`](crate::Options::report_unknown).
    pub fn other_members(&self) -> impl Iterator<Item = (&str, &str)> {
        let members = self.extras.as_ref().map_or(&[][..], |extras| &extras.other_members);
        members.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Returns the event with a text of its own.
    #[must_use]
    pub fn into_owned(self) -> Event<'static> {
        Event {
            channel: self.channel,
            name: self.name.into_owned(),
            data: Cow::Owned(self.data.into_owned()),
            data_is_part: self.data_is_part,
            frame_bytes: self.frame_bytes,
            extras: self.extras.map(|extras| Box::new(extras.into_owned())),
        }
    }

    /// Returns a copy for the consumer to keep: it is smaller than an event.
    #[must_use]
    pub fn to_owned_event(&self) -> OwnedEvent {
        OwnedEvent {
            channel: self.channel.clone(),
            name: self.name().into(),
            data: self.data.as_ref().into(),
            data_is_part: self.data_is_part,
            frame_bytes: self.frame_bytes,
            extras: self.extras.as_ref().map(|extras| Box::new((**extras).clone().into_owned())),
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
    frame_bytes: usize,
    extras: Option<Box<Extras<'static>>>,
}

impl OwnedEvent {
    /// Returns the event in its borrowed form.
    #[must_use]
    pub fn as_event(&self) -> Event<'_> {
        Event {
            channel: self.channel.clone(),
            name: EventName::Plain(&self.name),
            data: Cow::Borrowed(&self.data),
            data_is_part: self.data_is_part,
            frame_bytes: self.frame_bytes,
            extras: self.extras.clone(),
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

    pub(crate) const fn is_part(self) -> bool {
        self.is_part
    }

    /// Returns the JSON text of the member as it stood on the wire; empty when the member was absent.
    ///
    /// In a message that is not valid JSON, it is the text in place of the member. When it is not certain where the
    /// member begins or ends, the text runs to the end of the message.
    #[must_use]
    pub const fn raw(self) -> &'t str {
        self.raw
    }

    /// Returns what is between the quotes when `data` is a string, with its escapes; none when the message is not
    /// valid JSON.
    #[must_use]
    pub fn quoted(self) -> Option<&'t str> {
        if self.is_part {
            return None;
        }
        self.raw.strip_prefix('"')?.strip_suffix('"')
    }

    /// Returns the document inside: the content of a string (servers normally encode `data` twice; exactly one layer
    /// is removed), the text itself of an object, an array, a number or a boolean, and an empty text when `data` is
    /// absent, `null` or `""`.
    ///
    /// # Errors
    /// When the string contains an unpaired surrogate, so that it is not valid text; when the message is not valid
    /// JSON, so that the document may be incomplete.
    pub fn payload(self) -> Result<Cow<'t, str>, JsonError> {
        match self.quoted() {
            Some(content) => json::unescape(content),
            None if self.is_part => Err(JsonError::Part),
            None if self.raw == "null" => Ok(Cow::Borrowed("")),
            None => Ok(Cow::Borrowed(self.raw)),
        }
    }
}
