//! `BroadcastNotificationCreated`: flat, `{"type", "id", …}`.
//!
//! Laravel appends `type` to the notification's own members, so it may well come last. That costs nothing: each
//! member that belongs to some type is read as it comes, since no name but `data` means two things.

use serde::de::{IgnoredAny, MapAccess};
use serde_json::value::RawValue;

use super::body::Kind;
use super::{Context, Side, read};
use super::{build, inner};
use crate::lenient::{self, Defect, Key, KeySeed, Lenient, Read, Source, field};
use crate::model::{VmsCanceledCall, VmsEvent, VmsIntercom, VmsIntercomCall, VmsIntercomCode, VmsNotification};
use crate::push_type::VmsIntercomPushType as Type;
use crate::quoted::{self, Reader, Strict, Unfit};
use crate::socket::{
    VmsCallCanceledSocket, VmsIntercomDeleteSocket, VmsIntercomErrorSocket, VmsIntercomKeyConfirmedSocket,
    VmsIntercomSocketData as Intercom, VmsSocketData,
};

pub(super) fn decode(context: &Context<'_>, text: &str) -> Result<VmsSocketData, serde_json::Error> {
    let notification = match read::<Notification<'_>>(text)?.required() {
        Ok(notification) => notification,
        Err(defect) => return Ok(context.defective(Side::Intercom, None, "$", defect)),
    };
    let kind = match notification.kind.clone().required() {
        // Laravel names the class of a notification that names no type of its own.
        Ok(Type::Other(other)) => Err(context.unknown_intercom(&other)),
        Ok(kind) => Ok(kind),
        Err(defect) => Err(context.defective(Side::Intercom, None, "$.type", defect)),
    };
    match kind {
        Ok(kind) => notification.build(context, &kind),
        Err(opaque) => Ok(notification.nested_cancel(context)?.unwrap_or(opaque)),
    }
}

/// The same when the payload is what servers write; see [`crate::quoted`].
pub(super) fn decode_strictly(context: &Context<'_>, reader: &mut Reader<'_>) -> Result<VmsSocketData, Unfit> {
    let mut all = Notification::default();
    let mut kind = None;
    let mut more = reader.open_object()?;
    while more {
        match reader.key()? {
            "type" => kind = Some(Type::strict(reader)?),
            "intercom" => all.intercom = Strict::strict(reader)?,
            "intercom_code" => all.code = Strict::strict(reader)?,
            "intercom_call" => all.call = Strict::strict(reader)?,
            "event" => all.event = Strict::strict(reader)?,
            "deleted_ids" => all.deleted_ids = quoted::optional(reader)?,
            "error" => all.error = quoted::optional(reader)?,
            "expire_in_seconds" => all.expire_in_seconds = quoted::optional(reader)?,
            "notification" => all.notification = quoted::optional(reader)?,
            // The text of it is kept, which here is not the document's.
            "data" => return Err(Unfit),
            _ => reader.skip()?,
        }
        more = reader.next_member()?;
    }
    all.build(context, &kind.ok_or(Unfit)?).map_err(|_| Unfit)
}

/// A cancelled call, flat, under the event name of another push.
pub(super) fn decode_misplaced_cancel(context: &Context<'_>, text: &str) -> Result<VmsSocketData, serde_json::Error> {
    let notification = read::<Notification<'_>>(text)?.value().unwrap_or_default();
    notification.build(context, &Type::CancelCall)
}

#[derive(Default)]
struct Notification<'de> {
    kind: Read<Type>,
    intercom: Read<Box<VmsIntercom>>,
    code: Read<Box<VmsIntercomCode>>,
    call: Read<Box<VmsIntercomCall>>,
    event: Read<Box<VmsEvent>>,
    deleted_ids: Option<Vec<i64>>,
    error: Option<String>,
    expire_in_seconds: Option<i64>,
    notification: Option<Box<VmsNotification>>,
    data: Option<&'de RawValue>,
}

enum Member {
    Type,
    Intercom,
    IntercomCode,
    IntercomCall,
    Event,
    DeletedIds,
    Error,
    ExpireInSeconds,
    Notification,
    Data,
    Other,
}

impl Key for Member {
    fn parse(key: &str) -> Self {
        match key {
            "type" => Self::Type,
            "intercom" => Self::Intercom,
            "intercom_code" => Self::IntercomCode,
            "intercom_call" => Self::IntercomCall,
            "event" => Self::Event,
            "deleted_ids" => Self::DeletedIds,
            "error" => Self::Error,
            "expire_in_seconds" => Self::ExpireInSeconds,
            "notification" => Self::Notification,
            "data" => Self::Data,
            _ => Self::Other,
        }
    }
}

impl<'de> Lenient<'de> for Notification<'de> {
    const DEFECT: &'static str = lenient::NOT_AN_OBJECT;

    fn from_map<A: MapAccess<'de>, S: Source>(mut map: A) -> Result<Read<Self>, A::Error> {
        let mut all = Self::default();
        while let Some(member) = map.next_key_seed(KeySeed::NEW)? {
            match member {
                Member::Type => all.kind = map.next_value_seed(field::<_, S>())?,
                Member::Intercom => all.intercom = map.next_value_seed(field::<_, S>())?,
                Member::IntercomCode => all.code = map.next_value_seed(field::<_, S>())?,
                Member::IntercomCall => all.call = map.next_value_seed(field::<_, S>())?,
                Member::Event => all.event = map.next_value_seed(field::<_, S>())?,
                Member::DeletedIds => all.deleted_ids = map.next_value_seed(field::<_, S>())?.value(),
                Member::Error => all.error = map.next_value_seed(field::<_, S>())?.value(),
                Member::ExpireInSeconds => all.expire_in_seconds = map.next_value_seed(field::<_, S>())?.value(),
                Member::Notification => all.notification = map.next_value_seed(field::<_, S>())?.value(),
                Member::Data => all.data = Some(map.next_value()?),
                Member::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Read::Value(all))
    }
}

impl Notification<'_> {
    fn build(self, context: &Context<'_>, kind: &Type) -> Result<VmsSocketData, serde_json::Error> {
        context.note_type(kind.known_text());
        let built = match kind {
            Type::Store => optional("$.intercom", self.intercom).map(Intercom::IntercomStored),
            Type::Rename => optional("$.intercom", self.intercom).map(Intercom::IntercomRenamed),
            Type::Update => optional("$.intercom", self.intercom).map(Intercom::IntercomUpdated),
            Type::Delete => Ok(Intercom::IntercomsDeleted(self.deleted())),
            Type::KeyConfirmed => optional("$.intercom", self.intercom).map(|intercom| {
                let expire_in_seconds = self.expire_in_seconds;
                Intercom::IntercomKeyConfirmed(VmsIntercomKeyConfirmedSocket { intercom, expire_in_seconds })
            }),
            Type::KeyError => Ok(Intercom::IntercomKeyError(VmsIntercomErrorSocket { error: self.error })),
            Type::AddError => Ok(Intercom::IntercomAddError(VmsIntercomErrorSocket { error: self.error })),
            Type::CodeStore => optional("$.intercom_code", self.code).map(Intercom::IntercomCodeStored),
            Type::CodeDelete => Ok(Intercom::IntercomCodesDeleted(self.deleted())),
            Type::CallStore => optional("$.intercom_call", self.call).map(Intercom::IntercomCallStored),
            Type::CallDelete => Ok(Intercom::CallsDeleted(self.deleted())),
            Type::CancelCall => self.cancel().map(Ok)?,
            Type::EventStore => optional("$.event", self.event).map(Intercom::IntercomEventStored),
            Type::Other(other) => return Ok(context.unknown_intercom(other)),
        };
        Ok(match built {
            Ok(socket) => VmsSocketData::IntercomSocket(socket),
            Err((path, defect)) => context.defective(Side::Intercom, Some(kind.as_str()), path, defect),
        })
    }

    fn deleted(self) -> VmsIntercomDeleteSocket {
        VmsIntercomDeleteSocket { deleted_ids: self.deleted_ids }
    }

    /// Whatever the call looks like, the phone must stop ringing.
    fn cancel(self) -> Result<Intercom, serde_json::Error> {
        let call = match self.data {
            Some(data) => read::<Box<VmsCanceledCall>>(data.get())?.value(),
            None => None,
        };
        Ok(Intercom::CallCanceled(VmsCallCanceledSocket { call, notification: self.notification }))
    }

    /// A cancelled call in the envelope of the other pushes.
    fn nested_cancel(self, context: &Context<'_>) -> Result<Option<VmsSocketData>, serde_json::Error> {
        let push = match self.data {
            Some(data) => inner::read_inner(data.get())?,
            None => None,
        };
        let cancel = push.filter(|push| push.kind == Kind::CancelCall);
        Ok(cancel.map(|push| {
            context.note_type(push.kind.known_text());
            build::call_canceled(push.body, push.notification.or(self.notification))
        }))
    }
}

impl Context<'_> {
    fn unknown_intercom(&self, kind: &str) -> VmsSocketData {
        self.unknown(Side::Intercom, Some(kind), "the type is not one of an intercom push")
    }
}

fn optional<T>(path: &'static str, value: Read<T>) -> Result<Option<T>, (&'static str, Defect)> {
    value.optional().map_err(|defect| (path, defect))
}
