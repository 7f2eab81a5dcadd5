//! From an event's name and payload to a typed push. No I/O, no clock, no state.
//!
//! A payload is read in one pass over its text: the `type` comes first in what servers send, so the members that
//! follow are read straight into their model. If it comes later, that one member is read a second time.

mod body;
mod broadcast;
mod build;
mod inner;
mod path;
mod push;
mod repair;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::fmt;

use channels_client::presentable_url;
use channels_proto::Event;
use serde::de::DeserializeSeed as _;

use crate::lenient::{self, Defect, Lenient, Payload, Read};
use crate::push_type::{BROADCAST_NOTIFICATION, TOKEN_PUSH, USER_PUSH};
use crate::quoted::Reader;
use crate::socket::{VmsAppSocketData, VmsIntercomSocketData, VmsSocketData, VmsUndecodableSocket, VmsUnknownSocket};

/// Turns events of a VMS into typed pushes.
#[derive(Clone)]
pub struct VmsDecoder {
    base_url: String,
}

impl VmsDecoder {
    /// Creates a decoder that resolves relative addresses against `base_url`, such as `https://example.com`.
    #[must_use]
    pub fn new(base_url: &str) -> Self {
        Self { base_url: base_url.trim_end_matches('/').to_owned() }
    }

    /// Decodes one event as it is in its frame, which is quicker than unescaping its `data` first. The result is that
    /// of [`decode`](Self::decode), or of [`undecodable`](Self::undecodable) when its `data` is not text or its frame
    /// is malformed.
    #[must_use]
    pub fn decode_event(&self, event: &Event<'_>) -> VmsSocketData {
        self.decode_noting(event, &Cell::new(None))
    }

    /// The same, noting the type that the push has on the wire, when it is in the tables.
    pub(crate) fn decode_noting(&self, event: &Event<'_>, push_type: &PushType) -> VmsSocketData {
        let (name, channel, data) = (event.name(), event.channel().as_str(), event.data());
        if let Some(defect) = event.defect() {
            let text = data.payload().unwrap_or_else(|_| data.raw().into());
            return self.undecodable(name, channel, &text, &defect.to_string());
        }
        let context = Context { event: name, channel, payload: "", push_type };
        let quick = data.quoted().and_then(|content| self.decode_quickly(&context, content));
        quick.unwrap_or_else(|| match data.payload() {
            Ok(payload) => self.decode_text(&Context { payload: &payload, ..context }),
            Err(error) => self.undecodable(name, channel, data.raw(), &error.to_string()),
        })
    }

    /// Decodes one event. Whatever it contains, it becomes a push: what is not in the tables is `Unknown`, and what
    /// cannot be read is `Undecodable`.
    ///
    /// `payload` is the JSON text of the event's `data`, without the quotes when that was a string, and empty when
    /// there was none.
    #[must_use]
    pub fn decode(&self, event: &str, channel: &str, payload: &str) -> VmsSocketData {
        self.decode_text(&Context { event, channel, payload, push_type: &Cell::new(None) })
    }

    fn decode_text(&self, context: &Context<'_>) -> VmsSocketData {
        context.push_type.set(None);
        let mut socket = match context.event {
            TOKEN_PUSH | USER_PUSH => context.read_repairing(push::decode, Side::App),
            BROADCAST_NOTIFICATION => context.read_repairing(broadcast::decode, Side::Intercom),
            _ => context.unknown(Side::App, None, "the event name is not one that a VMS sends"),
        };
        self.complete(&mut socket);
        socket
    }

    /// Decodes one event from the content of the JSON string that its `data` is on the wire, escapes and all, without
    /// unescaping it. Returns `None` when that is not for the quick way; [`decode`](Self::decode) then says what it is.
    fn decode_quickly(&self, context: &Context<'_>, content: &str) -> Option<VmsSocketData> {
        let mut reader = Reader::new(content);
        let socket = match context.event {
            TOKEN_PUSH | USER_PUSH => push::decode_strictly(context, &mut reader),
            BROADCAST_NOTIFICATION => broadcast::decode_strictly(context, &mut reader),
            _ => return None,
        };
        let mut socket = socket.ok().filter(|socket| !socket.is_opaque())?;
        reader.end().ok()?;
        self.complete(&mut socket);
        Some(socket)
    }

    #[cfg(test)]
    pub(crate) fn decode_quoted(&self, event: &str, channel: &str, content: &str) -> Option<VmsSocketData> {
        self.decode_quickly(&Context { event, channel, payload: "", push_type: &Cell::new(None) }, content)
    }

    /// Returns an event as undecodable whose payload could not even be extracted from its frame.
    #[must_use]
    pub fn undecodable(&self, event: &str, channel: &str, data: &str, reason: &str) -> VmsSocketData {
        let side = if event == BROADCAST_NOTIFICATION { Side::Intercom } else { Side::App };
        let context = Context { event, channel, payload: data, push_type: &Cell::new(None) };
        context.undecodable(side, None, "$", reason)
    }

    fn complete(&self, socket: &mut VmsSocketData) {
        use VmsAppSocketData::{AnalyticEventCreated, EventCreated, EventDeleted, EventUpdated};
        let event = match socket {
            VmsSocketData::AppSocket(
                EventCreated(event) | EventUpdated(event) | EventDeleted(event) | AnalyticEventCreated(event),
            )
            | VmsSocketData::IntercomSocket(VmsIntercomSocketData::IntercomEventStored(Some(event))) => event,
            VmsSocketData::AppSocket(_) | VmsSocketData::IntercomSocket(_) => return,
        };
        event.complete(&self.base_url);
    }
}

/// Which of the delegate's two methods a push is for.
#[derive(Debug, Clone, Copy)]
enum Side {
    App,
    Intercom,
}

/// The event that is being decoded, for what cannot be.
#[derive(Debug, Clone, Copy)]
struct Context<'a> {
    event: &'a str,
    channel: &'a str,
    payload: &'a str,
    push_type: &'a PushType,
}

/// Where the type that a push has on the wire is noted.
pub(crate) type PushType = Cell<Option<&'static str>>;

type Decode = fn(&Context<'_>, &str) -> Result<VmsSocketData, serde_json::Error>;

impl Context<'_> {
    /// Notes the type of the push; an empty one is not in the tables.
    fn note_type(&self, push_type: &'static str) {
        self.push_type.set(Some(push_type).filter(|text| !text.is_empty()));
    }

    /// Reads the payload; when that is not JSON to `serde_json`, once more after repairing what it is too strict about.
    fn read_repairing(&self, decode: Decode, side: Side) -> VmsSocketData {
        if self.payload.is_empty() {
            return self.undecodable(side, None, "$", "the event has no data");
        }
        let error = match decode(self, self.payload) {
            Ok(socket) => return socket,
            Err(error) => error,
        };
        let (text, error) = match repair::repair(self.payload) {
            None => (self.payload.into(), error),
            Some(repaired) => match decode(self, &repaired) {
                Ok(socket) => return socket,
                Err(error) => (std::borrow::Cow::Owned(repaired), error),
            },
        };
        let path = path::at(&text, path::offset(&text, error.line(), error.column()));
        self.undecodable(side, None, &path, &format!("the data is not JSON: {error}"))
    }

    fn unknown(&self, side: Side, push_type: Option<&str>, reason: &str) -> VmsSocketData {
        let socket = Box::new(VmsUnknownSocket {
            event: self.event.to_owned(),
            channel: self.channel.to_owned(),
            data: self.payload.to_owned(),
            reason: reason.to_owned(),
            push_type: push_type.map(str::to_owned),
        });
        match side {
            Side::App => VmsSocketData::AppSocket(VmsAppSocketData::Unknown(socket)),
            Side::Intercom => VmsSocketData::IntercomSocket(VmsIntercomSocketData::Unknown(socket)),
        }
    }

    fn undecodable(&self, side: Side, push_type: Option<&str>, path: &str, reason: &str) -> VmsSocketData {
        let socket = Box::new(VmsUndecodableSocket {
            event: self.event.to_owned(),
            channel: self.channel.to_owned(),
            data: self.payload.to_owned(),
            reason: reason.to_owned(),
            path: path.to_owned(),
            push_type: push_type.map(str::to_owned),
        });
        match side {
            Side::App => VmsSocketData::AppSocket(VmsAppSocketData::Undecodable(socket)),
            Side::Intercom => VmsSocketData::IntercomSocket(VmsIntercomSocketData::Undecodable(socket)),
        }
    }

    /// `defect` was found at `path`.
    fn defective(&self, side: Side, push_type: Option<&str>, path: &str, defect: Defect) -> VmsSocketData {
        let path = if defect.key.is_empty() { path.to_owned() } else { format!("{path}.{}", defect.key) };
        self.undecodable(side, push_type, &path, &format!("the value {}", defect.reason))
    }
}

impl fmt::Debug for VmsDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VmsDecoder").field("base_url", &presentable_url(&self.base_url)).finish()
    }
}

/// Reads one whole document.
pub(crate) fn read<'de, T: Lenient<'de>>(text: &'de str) -> Result<Read<T>, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = lenient::field::<T, Payload>().deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}
