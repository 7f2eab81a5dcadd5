//! The names of events: the `type` of a JSON line, which is also what `--only` and `--not` take, beside the types of the
//! wire that `push` takes.

use vms_pusher::{VmsAppSocketData, VmsDecoder, VmsIntercomSocketData, VmsSocketData, VmsSocketItem};
use vms_sandbox::{EVENT_TYPES, EventType, PushEvent};

/// All of them, in the order of the two enumerations; what both have comes once.
pub(crate) fn all() -> Vec<&'static str> {
    let app = VmsAppSocketData::NAMES.iter().filter(|name| !VmsIntercomSocketData::NAMES.contains(name));
    app.chain(VmsIntercomSocketData::NAMES).copied().collect()
}

/// The types of the wire, without those that are an event's name as well.
pub(crate) fn wire_types() -> impl Iterator<Item = &'static str> {
    EVENT_TYPES.iter().map(|row| row.name).filter(|name| !all().contains(name))
}

/// The events that are meant by a name: itself, or what the pushes of this type of the wire become.
pub(crate) fn meant_by(name: &str) -> Vec<&'static str> {
    match all().into_iter().find(|known| *known == name) {
        Some(known) => vec![known],
        None => EVENT_TYPES.iter().filter(|row| row.name == name).map(|row| sample(row).name()).collect(),
    }
}

/// A push of this type, as a client gets it.
fn sample(row: &EventType) -> VmsSocketData {
    let mut body = serde_json::json!({"data": {"type": row.name, "data": row.default_body()}});
    if row.event == PushEvent::Notification {
        body = row.default_body();
        if let Some(object) = body.as_object_mut() {
            object.insert("type".to_owned(), row.name.into());
        }
    }
    VmsDecoder::new("https://example.com").decode(row.event.as_str(), "private-user.42", &body.to_string())
}

/// The name of an item that is an event.
pub(crate) fn of_item(item: &VmsSocketItem) -> Option<&'static str> {
    match item {
        VmsSocketItem::AppSocket(socket) => Some(socket.name()),
        VmsSocketItem::IntercomSocket(socket) => Some(socket.name()),
        VmsSocketItem::ConnectionState { .. }
        | VmsSocketItem::Continuity(_)
        | VmsSocketItem::Error(_)
        | VmsSocketItem::Info { .. } => None,
    }
}

/// The type on the wire of an event that is not known, or could not be read.
#[expect(clippy::wildcard_enum_match_arm, reason = "the types of all others are known")]
pub(crate) fn of_unread(item: &VmsSocketItem) -> Option<&str> {
    use {VmsAppSocketData as App, VmsIntercomSocketData as Intercom};
    match item {
        VmsSocketItem::AppSocket(App::Unknown(push)) | VmsSocketItem::IntercomSocket(Intercom::Unknown(push)) => {
            push.push_type.as_deref()
        }
        VmsSocketItem::AppSocket(App::Undecodable(push))
        | VmsSocketItem::IntercomSocket(Intercom::Undecodable(push)) => push.push_type.as_deref(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Every default body of the sandbox, decoded.
    fn samples() -> Vec<VmsSocketData> {
        let decoder = VmsDecoder::new("https://example.com");
        let unknown = decoder.decode("x", "private-user.42", "{}");
        let undecodable = decoder.decode(vms_pusher::TOKEN_PUSH, "private-user.42", "{");
        EVENT_TYPES.iter().map(sample).chain([unknown, undecodable]).collect()
    }

    #[test]
    fn a_type_of_the_wire_means_the_event_that_it_becomes() {
        assert_eq!(meant_by("mark_created"), ["event_created"]);
        assert_eq!(meant_by("event_created"), ["event_created"]);
        for name in wire_types() {
            let meant = meant_by(name);
            assert!(!meant.is_empty() && meant.iter().all(|event| all().contains(event)), "{name}: {meant:?}");
            assert!(!meant.contains(&"unknown") && !meant.contains(&"undecodable"), "{name}: {meant:?}");
        }
        for row in EVENT_TYPES.iter().filter(|row| all().contains(&row.name)) {
            assert_eq!(sample(row).name(), row.name);
        }
    }

    #[test]
    fn the_name_of_an_event_is_its_type_in_json() {
        let mut seen = Vec::new();
        for sample in samples() {
            let json = serde_json::to_value(&sample).unwrap();
            let name = sample.name();
            assert_eq!(json.get("type").and_then(Value::as_str), Some(name));
            seen.push(name);
        }
        for name in all() {
            assert!(seen.contains(&name), "no sample of {name}");
        }
        let permissions = EVENT_TYPES.iter().find(|row| row.name == "permissions_updated").map(sample);
        assert_eq!(permissions, Some(VmsSocketData::AppSocket(VmsAppSocketData::PermissionsUpdate)));
    }
}
