//! The payload beside the push that was made from it, for those who ask for it.

use channels_proto::Event;
use serde::{Deserialize, Serialize};

use crate::socket::VmsSocketData;

/// A push as it came, before anything was read from it: members that this version does not know and values that it could not
/// use are still in there. See [`VmsPusherOptions::keep_raw`](crate::VmsPusherOptions::keep_raw).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VmsRawPush {
    /// The event name, as it came.
    pub event: String,
    /// The channel it came on.
    pub channel: String,
    /// Its `data`: the JSON text inside when that was a string, otherwise, and in a message that is not valid JSON, as it stood
    /// on the wire; empty when there was none.
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

/// A push on its way to the consumer.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) socket: VmsSocketData,
    pub(crate) raw: Option<Box<VmsRawPush>>,
}

impl Incoming {
    pub(crate) fn new(socket: VmsSocketData, event: &Event<'_>, keep_raw: bool) -> Self {
        Self { socket, raw: keep_raw.then(|| Box::new(VmsRawPush::of(event))) }
    }
}
