//! `TokenPush` and `UserPush`: `{"data": {"type", "status", "data"}, "subject", "message"}`.

use serde::de::value::UnitDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess};
use serde_json::value::RawValue;

use super::build::{self, Person};
use super::{Context, Side, broadcast, read};
use crate::lenient::{self, Defect, Key, KeySeed, Lenient, Read, field};
use crate::model::{VmsCameraGroup, VmsCanceledCall, VmsEvent};
use crate::push_type::{VmsAppSocketType, VmsPushStatus};
use crate::quoted::{Reader, Strict, Unfit, optional};
use crate::socket::{VmsArchiveLinkSocket, VmsCamerasUpdateSocket, VmsFavoriteCamerasUpdateSocket, VmsSocketData};

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
    let inner = match envelope.data.required() {
        Ok(inner) if !(envelope.is_flat && inner.kind == Read::Missing) => inner,
        Err(defect) if !envelope.is_flat => {
            return Ok(Some(context.defective(Side::App, None, "$.data", defect)));
        }
        Ok(_) | Err(_) => return broadcast::decode_misplaced(context, text).map(Some),
    };
    if inner.is_lost {
        return Ok(None);
    }
    let person = Person { subject: envelope.subject, message: envelope.message };
    Ok(Some(match inner.finish()? {
        Ok(push) => build::socket(context, push, person),
        Err(defect) => context.defective(Side::App, None, "$.data.type", defect),
    }))
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
            "type" => return Err(Unfit),
            _ => reader.skip()?,
        }
        more = reader.next_member()?;
    }
    Ok(build::socket(context, push.ok_or(Unfit)?, person))
}

/// Reads `{"type", "status", "data"}`, with the type before the data.
fn read_strictly(reader: &mut Reader<'_>) -> Result<Push, Unfit> {
    let (mut kind, mut status, mut body) = (None, None, None);
    let mut more = reader.open_object()?;
    while more {
        match reader.key()? {
            "type" if kind.is_none() => kind = Kind::from_str(reader.string()?),
            "status" => status = optional(reader)?,
            "data" => body = Some(Body::strict(kind.as_ref().ok_or(Unfit)?, reader)?),
            "type" => return Err(Unfit),
            _ => reader.skip()?,
        }
        more = reader.next_member()?;
    }
    let (Some(kind), Some(body)) = (kind, body) else { return Err(Unfit) };
    Ok(Push { kind, status, body })
}

/// Reads `{"type", "status", "data"}` by itself.
pub(super) fn read_inner(text: &str) -> Result<Option<Push>, serde_json::Error> {
    match read::<Inner<'_, false>>(text)?.value() {
        Some(inner) => Ok(inner.finish()?.ok()),
        None => Ok(None),
    }
}

/// A push whose type is known and whose payload has been read accordingly.
pub(super) struct Push {
    pub(super) kind: Kind,
    pub(super) status: Option<VmsPushStatus>,
    pub(super) body: Body,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    App(VmsAppSocketType),
    CancelCall,
}

impl Lenient<'_> for Kind {
    const DEFECT: &'static str = "is not a string";

    fn from_str(text: &str) -> Option<Self> {
        Some(if text.eq_ignore_ascii_case(CANCEL_CALL) { Self::CancelCall } else { Self::App(text.into()) })
    }
}

/// As in [`VmsIntercomPushType::CancelCall`](crate::VmsIntercomPushType::CancelCall).
const CANCEL_CALL: &str = "intercom_cancel";

/// The payload of a push: which variant it is follows from the push's type.
pub(super) enum Body {
    /// Nothing in it is looked at.
    Ignored,
    Cameras(Read<VmsCamerasUpdateSocket>),
    Favorite(Read<Box<VmsFavoriteCamerasUpdateSocket>>),
    Group(Read<Box<VmsCameraGroup>>),
    GroupIds(Read<GroupIds>),
    Event(Read<Box<VmsEvent>>),
    Archive(Read<Box<VmsArchiveLinkSocket>>),
    Call(Read<Box<VmsCanceledCall>>),
}

crate::model::model! {
    pub(super) struct GroupIds {
        optional {
            ids: Vec<i64> = "ids",
        }
    }
}

/// What the payload of a type is, once.
#[derive(Clone, Copy)]
enum Shape {
    Ignored,
    Cameras,
    Favorite,
    Group,
    GroupIds,
    Event,
    Archive,
    Call,
}

impl Kind {
    const fn shape(&self) -> Shape {
        use VmsAppSocketType as Type;
        let Self::App(kind) = self else { return Shape::Call };
        match kind {
            Type::CamerasUpdated => Shape::Cameras,
            Type::FavoriteCameraStored | Type::FavoriteCameraDestroyed => Shape::Favorite,
            Type::GroupsCreated => Shape::Group,
            Type::GroupsDeleted => Shape::GroupIds,
            Type::ArchiveGenerated => Shape::Archive,
            Type::MarkCreated
            | Type::MarkUpdated
            | Type::MarkDeleted
            | Type::AnalyticCaseMotionDetectEventCreated
            | Type::AnalyticCaseLineIntersectionEventCreated
            | Type::AnalyticCaseSmokeFireEventCreated
            | Type::AnalyticCaseLoudSoundEventCreated
            | Type::AnalyticCaseCameraObstacleEventCreated
            | Type::AnalyticCaseFaceEventCreated
            | Type::AnalyticCaseLicensePlateEventCreated
            | Type::AnalyticCasePersonCountingEventCreated
            | Type::AnalyticCaseVisitorCountingEventCreated
            | Type::AnalyticCaseContainerNumberRecognitionEventCreated => Shape::Event,
            Type::PermissionsUpdated
            | Type::LayoutsUpdated
            | Type::GroupsUpdated
            | Type::CameraGroupsSynced
            | Type::Logout
            | Type::Other(_) => Shape::Ignored,
        }
    }
}

/// Reads the payload that goes with a type.
struct BodyFor<'k>(&'k Kind);

impl<'de> DeserializeSeed<'de> for BodyFor<'_> {
    type Value = Body;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Body, D::Error> {
        match self.0.shape() {
            Shape::Ignored => deserializer.deserialize_ignored_any(IgnoredAny).map(|_| Body::Ignored),
            Shape::Cameras => field().deserialize(deserializer).map(Body::Cameras),
            Shape::Favorite => field().deserialize(deserializer).map(Body::Favorite),
            Shape::Group => field().deserialize(deserializer).map(Body::Group),
            Shape::GroupIds => field().deserialize(deserializer).map(Body::GroupIds),
            Shape::Event => field().deserialize(deserializer).map(Body::Event),
            Shape::Archive => field().deserialize(deserializer).map(Body::Archive),
            Shape::Call => field().deserialize(deserializer).map(Body::Call),
        }
    }
}

impl Body {
    fn strict(kind: &Kind, reader: &mut Reader<'_>) -> Result<Self, Unfit> {
        match kind.shape() {
            Shape::Ignored => reader.skip().map(|()| Self::Ignored),
            Shape::Cameras => Strict::strict(reader).map(Self::Cameras),
            Shape::Favorite => Strict::strict(reader).map(Self::Favorite),
            Shape::Group => Strict::strict(reader).map(Self::Group),
            Shape::GroupIds => Strict::strict(reader).map(Self::GroupIds),
            Shape::Event => Strict::strict(reader).map(Self::Event),
            Shape::Archive => Strict::strict(reader).map(Self::Archive),
            Shape::Call => Strict::strict(reader).map(Self::Call),
        }
    }
}

/// The whole payload. `EAGER` reads the push's own payload as soon as the type is known; otherwise its text is kept
/// until the end, for a type that comes twice.
#[derive(Default)]
struct Envelope<'de, const EAGER: bool> {
    data: Read<Inner<'de, EAGER>>,
    subject: Option<String>,
    message: Option<String>,
    /// There is a `type` at the top, where a notification has it.
    is_flat: bool,
}

enum EnvelopeKey {
    Data,
    Subject,
    Message,
    Type,
    Other,
}

impl Key for EnvelopeKey {
    fn parse(key: &str) -> Self {
        match key {
            "data" => Self::Data,
            "subject" => Self::Subject,
            "message" => Self::Message,
            "type" => Self::Type,
            _ => Self::Other,
        }
    }
}

impl<'de, const EAGER: bool> Lenient<'de> for Envelope<'de, EAGER> {
    const DEFECT: &'static str = lenient::NOT_AN_OBJECT;

    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Read<Self>, A::Error> {
        let mut envelope = Self::default();
        while let Some(key) = map.next_key_seed(KeySeed::NEW)? {
            match key {
                EnvelopeKey::Data => envelope.data = map.next_value_seed(field())?,
                EnvelopeKey::Subject => envelope.subject = map.next_value_seed(field())?.value(),
                EnvelopeKey::Message => envelope.message = map.next_value_seed(field())?.value(),
                EnvelopeKey::Type => envelope.is_flat = map.next_value::<IgnoredAny>().map(|_| true)?,
                EnvelopeKey::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Read::Value(envelope))
    }
}

/// `{"type", "status", "data"}`.
#[derive(Default)]
struct Inner<'de, const EAGER: bool> {
    kind: Read<Kind>,
    status: Option<VmsPushStatus>,
    body: InnerBody<'de>,
    /// The payload was read under a type that did not last.
    is_lost: bool,
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
    Other,
}

impl Key for InnerKey {
    fn parse(key: &str) -> Self {
        match key {
            "type" => Self::Type,
            "status" => Self::Status,
            "data" => Self::Data,
            _ => Self::Other,
        }
    }
}

impl<'de, const EAGER: bool> Lenient<'de> for Inner<'de, EAGER> {
    const DEFECT: &'static str = lenient::NOT_AN_OBJECT;

    fn from_seq<A: SeqAccess<'de>>(seq: A) -> Result<Read<Self>, A::Error> {
        lenient::model_from_seq(seq)
    }

    fn from_map<A: MapAccess<'de>>(mut map: A) -> Result<Read<Self>, A::Error> {
        let mut inner = Self::default();
        while let Some(key) = map.next_key_seed(KeySeed::NEW)? {
            match key {
                InnerKey::Type => {
                    let kind = map.next_value_seed(field())?;
                    inner.is_lost = matches!(inner.body, InnerBody::Read(_)) && kind != inner.kind;
                    inner.kind = kind;
                }
                InnerKey::Status => inner.status = map.next_value_seed(field())?.value(),
                InnerKey::Data => {
                    inner.is_lost = false;
                    inner.body = match &inner.kind {
                        Read::Value(kind) if EAGER => InnerBody::Read(map.next_value_seed(BodyFor(kind))?),
                        Read::Value(_) | Read::Missing | Read::Null | Read::Bad(_) => {
                            InnerBody::Text(map.next_value()?)
                        }
                    };
                }
                InnerKey::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Read::Value(inner))
    }
}

impl<const EAGER: bool> Inner<'_, EAGER> {
    /// Reads the payload, if that is still to be done. The defect is one of the type.
    fn finish(self) -> Result<Result<Push, Defect>, serde_json::Error> {
        let kind = match self.kind.required() {
            Ok(kind) => kind,
            Err(defect) => return Ok(Err(defect)),
        };
        let body = match self.body {
            InnerBody::Read(body) => body,
            InnerBody::Text(text) => BodyFor(&kind).deserialize(&mut serde_json::Deserializer::from_str(text.get()))?,
            InnerBody::Missing => BodyFor(&kind).deserialize(UnitDeserializer::<serde_json::Error>::new())?,
        };
        Ok(Ok(Push { kind, status: self.status, body }))
    }
}
