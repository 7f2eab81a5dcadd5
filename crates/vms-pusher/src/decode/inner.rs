//! What is inside an envelope, `{"type", "status", "data"}`; also inside a notification that should have been one.

use serde::de::value::UnitDeserializer;
use serde::de::{DeserializeSeed as _, IgnoredAny, MapAccess, SeqAccess};
use serde_json::value::RawValue;

use super::body::{Body, BodyFor, Kind};
use super::build::Push;
use super::read;
use crate::lenient::{self, Defect, Key, KeySeed, Lenient, Read, Source, field};
use crate::model::VmsNotification;
use crate::push_type::VmsPushStatus;
use crate::quoted::{Reader, Unfit, optional};

/// Reads `{"type", "status", "data"}` by itself.
pub(super) fn read_inner(text: &str) -> Result<Option<Push>, serde_json::Error> {
    match read::<Inner<'_, false>>(text)?.value() {
        Some(inner) => Ok(inner.finish()?.ok()),
        None => Ok(None),
    }
}

/// Reads `{"type", "status", "data"}`, with the type before the data.
pub(super) fn read_strictly(reader: &mut Reader<'_>) -> Result<Push, Unfit> {
    let (mut kind, mut status, mut body) = (None, None, None);
    let mut more = reader.open_object()?;
    while more {
        match reader.key()? {
            "type" if kind.is_none() => kind = Kind::from_str(reader.string()?),
            "status" => status = optional(reader)?,
            "data" => body = Some(Body::strict(kind.as_ref().ok_or(Unfit)?, reader)?),
            "type" | "notification" => return Err(Unfit),
            _ => reader.skip()?,
        }
        more = reader.next_member()?;
    }
    let (Some(kind), Some(body)) = (kind, body) else { return Err(Unfit) };
    Ok(Push { kind, status, body, notification: None })
}

/// `{"type", "status", "data"}`. `EAGER` reads the push's own payload as soon as the type is known; otherwise its text is kept
/// until the end, for a type that comes twice.
#[derive(Default)]
pub(super) struct Inner<'de, const EAGER: bool> {
    kind: Read<Kind>,
    status: Option<VmsPushStatus>,
    body: InnerBody<'de>,
    notification: Option<Box<VmsNotification>>,
    /// The payload was read under a type that did not last.
    pub(super) is_lost: bool,
}

#[derive(Default)]
enum InnerBody<'de> {
    #[default]
    Missing,
    Read(Body),
    Text(&'de RawValue),
}

enum InnerKey {
    Type,
    Status,
    Data,
    Notification,
    Other,
}

impl Key for InnerKey {
    fn parse(key: &str) -> Self {
        match key {
            "type" => Self::Type,
            "status" => Self::Status,
            "data" => Self::Data,
            "notification" => Self::Notification,
            _ => Self::Other,
        }
    }
}

impl<'de, const EAGER: bool> Lenient<'de> for Inner<'de, EAGER> {
    const DEFECT: &'static str = lenient::NOT_AN_OBJECT;

    fn from_seq<A: SeqAccess<'de>, S: Source>(seq: A) -> Result<Read<Self>, A::Error> {
        lenient::model_from_seq(seq)
    }

    fn from_map<A: MapAccess<'de>, S: Source>(mut map: A) -> Result<Read<Self>, A::Error> {
        let mut inner = Self::default();
        while let Some(key) = map.next_key_seed(KeySeed::NEW)? {
            match key {
                InnerKey::Type => {
                    let kind = map.next_value_seed(field::<_, S>())?;
                    inner.is_lost |= matches!(inner.body, InnerBody::Read(_)) && kind != inner.kind;
                    inner.kind = kind;
                }
                InnerKey::Status => inner.status = map.next_value_seed(field::<_, S>())?.value(),
                InnerKey::Data => {
                    inner.is_lost = false;
                    inner.body = match &inner.kind {
                        Read::Value(kind) if EAGER => InnerBody::Read(map.next_value_seed(BodyFor(kind))?),
                        Read::Value(_) | Read::Missing | Read::Null | Read::Bad(_) => {
                            InnerBody::Text(map.next_value()?)
                        }
                    };
                }
                InnerKey::Notification => inner.notification = map.next_value_seed(field::<_, S>())?.value(),
                InnerKey::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Read::Value(inner))
    }
}

impl<const EAGER: bool> Inner<'_, EAGER> {
    /// Whether it is the inside of an envelope: a type makes it one.
    pub(super) const fn has_type(&self) -> bool {
        matches!(self.kind, Read::Value(_))
    }

    /// Reads the payload, if that is still to be done. The defect is one of the type.
    pub(super) fn finish(self) -> Result<Result<Push, Defect>, serde_json::Error> {
        let kind = match self.kind.required() {
            Ok(kind) => kind,
            Err(defect) => return Ok(Err(defect)),
        };
        let body = match self.body {
            InnerBody::Read(body) => body,
            InnerBody::Text(text) => BodyFor(&kind).deserialize(&mut serde_json::Deserializer::from_str(text.get()))?,
            InnerBody::Missing => BodyFor(&kind).deserialize(UnitDeserializer::<serde_json::Error>::new())?,
        };
        Ok(Ok(Push { kind, status: self.status, body, notification: self.notification }))
    }
}
