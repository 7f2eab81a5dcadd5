//! The payload beside the push that was made from it, on request.

use channels_proto::Event;
use serde::{Deserialize, Serialize};

use crate::continuity::VmsChannel;
use crate::decode::{PushType, VmsDecoder};
use crate::socket::VmsSocketData;

/// A push as received, before anything was read from it: it still has the members that this version does not know and
/// the values that it could not use. See [`VmsPusherOptions::keep_raw`](crate::VmsPusherOptions::keep_raw).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VmsRawPush {
    /// The event name, as received.
    pub event: String,
    /// The channel it was received on.
    pub channel: String,
    /// Its `data`: the JSON text inside when that was a string, otherwise, and in a message that is not valid JSON,
    /// as it was on the wire; empty when there was none.
    pub data: String,
}

impl VmsRawPush {
    fn of(event: &Event<'_>) -> Self {
        let data = event.data();
        Self {
            event: event.name().to_owned(),
            channel: event.channel().as_str().to_owned(),
            data: data.payload().map_or_else(|_| data.raw().to_owned(), std::borrow::Cow::into_owned),
        }
    }
}

/// Where a push came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VmsPushOrigin {
    /// The channel it was received on.
    pub channel: VmsChannel,
    /// Its type on the wire, such as `mark_created`, when this version knows it: a
    /// [`VmsAppSocketType`](crate::VmsAppSocketType) or a [`VmsIntercomPushType`](crate::VmsIntercomPushType).
    pub push_type: Option<&'static str>,
}

/// A push on its way to the consumer.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) socket: VmsSocketData,
    pub(crate) raw: Option<Box<VmsRawPush>>,
    pub(crate) origin: VmsPushOrigin,
}

impl Incoming {
    /// Decodes an event.
    pub(crate) fn new(decoder: &VmsDecoder, event: &Event<'_>, keep_raw: bool) -> Self {
        let push_type = PushType::new(None);
        let socket = decoder.decode_noting(event, &push_type);
        let raw = keep_raw.then(|| Box::new(VmsRawPush::of(event)));
        let channel = VmsChannel::named(event.channel());
        Self { socket, raw, origin: VmsPushOrigin { channel, push_type: push_type.get() } }
    }
}
