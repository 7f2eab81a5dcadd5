//! The event of a channel, shared by everybody who is told of it.

use std::{borrow::Cow, fmt, sync::Arc};

use channels_proto::{ChannelName, Event, FrameError, JsonError};
use serde_core::Deserialize;
use thiserror::Error;

use crate::{Decoded, Decoder};

/// An event of a channel. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct ChannelEvent(Arc<Fields>);

#[derive(PartialEq, Eq)]
struct Fields {
    channel: ChannelName,
    name: Box<str>,
    data: Box<str>,
    user_id: Option<Box<str>>,
    defect: Option<EventDefect>,
}

/// What is wrong with the message of an event, so that its data may be incomplete.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EventDefect {
    /// The message is not valid JSON, or exceeds a limit.
    #[error("{0}")]
    Frame(FrameError),
    /// The data is not valid text.
    #[error("{0}")]
    Data(JsonError),
}

impl ChannelEvent {
    /// Returns the channel.
    #[must_use]
    pub fn channel(&self) -> &ChannelName {
        &self.0.channel
    }

    /// Returns the name of the event.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Returns the document that the event carries, usually JSON: the content of `data` when that is a string, as
    /// servers send it, its JSON text when it is anything else, and an empty text when it is absent or `null`.
    #[must_use]
    pub fn data(&self) -> &str {
        &self.0.data
    }

    /// Parses the [`data`](Self::data) as JSON.
    ///
    /// # Errors
    /// When it is not JSON, or not what a `T` is made of.
    pub fn json<'e, T: Deserialize<'e>>(&'e self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.data())
    }

    /// Returns the id of the user who sent the event, if the server gave it: it does for client events on presence
    /// channels.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.0.user_id.as_deref()
    }

    /// Returns what is wrong with the message, if anything; its data may then be incomplete.
    #[must_use]
    pub fn defect(&self) -> Option<&EventDefect> {
        self.0.defect.as_ref()
    }
}

impl fmt::Debug for ChannelEvent {
    /// Without the data, which may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelEvent")
            .field("channel", &self.channel().as_str())
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

/// Makes a [`ChannelEvent`] of every event.
#[derive(Debug)]
pub(super) struct EventDecoder;

impl Decoder for EventDecoder {
    type Item = ChannelEvent;

    fn decode(&mut self, event: &Event<'_>) -> Decoded<ChannelEvent> {
        let (data, unreadable) = match event.data().payload() {
            Ok(data) => (data, None),
            Err(error) => (Cow::Borrowed(event.data().raw()), Some(error)),
        };
        let defect = event.defect().cloned().map(EventDefect::Frame).or_else(|| unreadable.map(EventDefect::Data));
        Decoded::new(ChannelEvent(Arc::new(Fields {
            channel: event.channel().clone(),
            name: event.name().into(),
            data: data.into(),
            user_id: event.user_id().map(Into::into),
            defect,
        })))
    }
}
