//! The types of pushes in an envelope, and what each carries.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny};

use crate::lenient::{Lenient, Payload, Read, field};
use crate::model::{VmsCameraGroup, VmsCanceledCall, VmsEvent};
use crate::push_type::VmsAppSocketType;
use crate::quoted::{Reader, Strict, Unfit};
use crate::socket::{VmsArchiveLinkSocket, VmsCamerasUpdateSocket, VmsFavoriteCamerasUpdateSocket};

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
    /// Returns the text of a type that is in the tables; none of another.
    pub(super) const fn known_text(&self) -> &'static str {
        match self {
            Self::App(kind) => kind.known_text(),
            Self::CancelCall => CANCEL_CALL,
        }
    }

    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::App(kind) => kind.as_str(),
            Self::CancelCall => CANCEL_CALL,
        }
    }

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
pub(super) struct BodyFor<'k>(pub(super) &'k Kind);

impl<'de> DeserializeSeed<'de> for BodyFor<'_> {
    type Value = Body;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Body, D::Error> {
        match self.0.shape() {
            Shape::Ignored => deserializer.deserialize_ignored_any(IgnoredAny).map(|_| Body::Ignored),
            Shape::Cameras => field::<_, Payload>().deserialize(deserializer).map(Body::Cameras),
            Shape::Favorite => field::<_, Payload>().deserialize(deserializer).map(Body::Favorite),
            Shape::Group => field::<_, Payload>().deserialize(deserializer).map(Body::Group),
            Shape::GroupIds => field::<_, Payload>().deserialize(deserializer).map(Body::GroupIds),
            Shape::Event => field::<_, Payload>().deserialize(deserializer).map(Body::Event),
            Shape::Archive => field::<_, Payload>().deserialize(deserializer).map(Body::Archive),
            Shape::Call => field::<_, Payload>().deserialize(deserializer).map(Body::Call),
        }
    }
}

impl Body {
    pub(super) fn strict(kind: &Kind, reader: &mut Reader<'_>) -> Result<Self, Unfit> {
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
