//! `TokenPush` and `UserPush`: `{"data": {"type", "status", "data"}, "subject", "message"}`.

use serde::de::{IgnoredAny, MapAccess};

use super::body::Kind;
use super::build::{self, Person};
use super::inner::{Inner, read_strictly};
use super::{Context, Side, broadcast, read};
use crate::lenient::{self, Key, KeySeed, Lenient, Read, Source, field};
use crate::model::VmsNotification;
use crate::quoted::{Reader, Unfit, optional};
use crate::socket::VmsSocketData;

pub(super) fn decode(context: &Context<'_>, text: &str) -> Result<VmsSocketData, serde_json::Error> {
    if let Some(socket) = decode_as::<true>(context, text)? {
        return Ok(socket);
    }
    let again = decode_as::<false>(context, text)?;
    Ok(again.unwrap_or_else(|| context.undecodable(Side::App, None, "$.data.type", "the type comes twice")))
}

/// Returns `None` when the payload was read under a type that another one, further on, takes the place of.
fn decode_as<const EAGER: bool>(context: &Context<'_>, text: &str) -> Result<Option<VmsSocketData>, serde_json::Error> {
    let envelope = match read::<Envelope<'_, EAGER>>(text)?.required() {
        Ok(envelope) => envelope,
        Err(defect) => return Ok(Some(context.defective(Side::App, None, "$", defect))),
    };
    let outer = match envelope.kind {
        // Whatever its data is, even if that has a type of its own.
        Read::Value(Kind::CancelCall) => return broadcast::decode_misplaced_cancel(context, text).map(Some),
        Read::Missing | Read::Null => None,
        kind @ (Read::Value(_) | Read::Bad(_)) => Some(kind),
    };
    let inner = match (envelope.data.required(), outer) {
        (Ok(inner), Some(outer)) if !inner.has_type() => return Ok(Some(flat(context, outer))),
        (Err(_), Some(outer)) => return Ok(Some(flat(context, outer))),
        (Ok(inner), _) => inner,
        (Err(defect), None) => return Ok(Some(context.defective(Side::App, None, "$.data", defect))),
    };
    if inner.is_lost {
        return Ok(None);
    }
    let Envelope { subject, message, notification, .. } = envelope;
    let person = Person { subject, message, notification };
    Ok(Some(match inner.finish()? {
        Ok(push) => build::socket(context, push, person),
        Err(defect) => context.defective(Side::App, None, "$.data.type", defect),
    }))
}

/// What has its type at the top as a notification has it, and is none of those that may come under this event name.
fn flat(context: &Context<'_>, kind: Read<Kind>) -> VmsSocketData {
    match kind.required() {
        Ok(kind) => context.unknown(Side::App, Some(kind.as_str()), "the type is not one of an app push"),
        Err(defect) => context.defective(Side::App, None, "$.type", defect),
    }
}

/// The same when the payload is what servers write; see [`crate::quoted`].
pub(super) fn decode_strictly(context: &Context<'_>, reader: &mut Reader<'_>) -> Result<VmsSocketData, Unfit> {
    let (mut push, mut person) = (None, Person::default());
    let mut more = reader.open_object()?;
    while more {
        match reader.key()? {
            "data" => push = Some(read_strictly(reader)?),
            "subject" => person.subject = optional(reader)?,
            "message" => person.message = optional(reader)?,
            "type" | "notification" => return Err(Unfit),
            _ => reader.skip()?,
        }
        more = reader.next_member()?;
    }
    Ok(build::socket(context, push.ok_or(Unfit)?, person))
}

/// The whole payload. `EAGER` reads the push's own payload as soon as the type is known; otherwise its text is kept
/// until the end, for a type that comes twice.
#[derive(Default)]
struct Envelope<'de, const EAGER: bool> {
    data: Read<Inner<'de, EAGER>>,
    subject: Option<String>,
    message: Option<String>,
    notification: Option<Box<VmsNotification>>,
    /// The `type` at the top, where a notification has it.
    kind: Read<Kind>,
}

enum EnvelopeKey {
    Data,
    Subject,
    Message,
    Notification,
    Type,
    Other,
}

impl Key for EnvelopeKey {
    fn parse(key: &str) -> Self {
        match key {
            "data" => Self::Data,
            "subject" => Self::Subject,
            "message" => Self::Message,
            "notification" => Self::Notification,
            "type" => Self::Type,
            _ => Self::Other,
        }
    }
}

impl<'de, const EAGER: bool> Lenient<'de> for Envelope<'de, EAGER> {
    const DEFECT: &'static str = lenient::NOT_AN_OBJECT;

    fn from_map<A: MapAccess<'de>, S: Source>(mut map: A) -> Result<Read<Self>, A::Error> {
        let mut envelope = Self::default();
        while let Some(key) = map.next_key_seed(KeySeed::NEW)? {
            match key {
                EnvelopeKey::Data => envelope.data = map.next_value_seed(field::<_, S>())?,
                EnvelopeKey::Subject => envelope.subject = map.next_value_seed(field::<_, S>())?.value(),
                EnvelopeKey::Message => envelope.message = map.next_value_seed(field::<_, S>())?.value(),
                EnvelopeKey::Notification => envelope.notification = map.next_value_seed(field::<_, S>())?.value(),
                EnvelopeKey::Type => envelope.kind = map.next_value_seed(field::<_, S>())?,
                EnvelopeKey::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Read::Value(envelope))
    }
}
